import * as v from 'valibot'

/** The rules by which `lint` judges revisions, in the words of squawk. */
const lintRules = [
  'adding-field-with-default',
  'adding-foreign-key-constraint',
  'adding-not-nullable-field',
  'adding-required-field',
  'adding-serial-primary-key-field',
  'ban-alter-domain-with-add-constraint',
  'ban-create-domain-with-constraint',
  'ban-drop-column',
  'ban-drop-database',
  'ban-drop-not-null',
  'ban-drop-table',
  'ban-truncate-cascade',
  'changing-column-type',
  'constraint-missing-not-valid',
  'disallowed-unique-constraint',
  'identifier-too-long',
  'renaming-column',
  'renaming-table',
  'require-concurrent-index-creation',
  'require-concurrent-index-deletion',
  'require-concurrent-partition-detach',
  'require-concurrent-reindex',
] as const

/** A rule of `lint`. */
export type LintRule = (typeof lintRules)[number]

/** What a `database.ts` says about `lint`. */
export interface LintOptions {
  /**
   * The id of a revision: it and what it comes after are not looked at, unless they are asked for. For a history that is older than
   * the linter. Default: the whole history is looked at.
   */
  readonly after?: string
  /** Rules that do not apply to this database. Default none. */
  readonly allow?: readonly LintRule[]
}

/** The same with its defaults filled in. */
export interface LintConfig {
  /** Missing where the whole history is looked at. */
  readonly after?: string
  readonly allow: readonly LintRule[]
}

/** What `lint` in `database.ts` may hold. */
export const lintSchema = v.objectWithRest(
  {
    after: v.exactOptional(
      v.pipe(
        v.string('must be the id of a revision'),
        v.regex(/^[0-9a-f]{12}$/, 'must be the id of a revision, 12 hex digits'),
      ),
    ),
    allow: v.optional(
      v.array(
        v.picklist(lintRules, `must be a rule of lint (${lintRules.join(', ')})`),
        'must be a list of rules of lint',
      ),
      [],
    ),
  },
  v.never(),
  'must hold "after", "allow" or both',
)
