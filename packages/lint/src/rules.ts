import type { LintRule } from '@drover/config'

/** What Drover says about a rule of the linter. */
export interface Advice {
  /**
   * What the statement does to an application that is in use. `blocks`: makes it wait. `breaks`: takes away, or asks for, what the
   * code that still runs does not expect. `surprises`: does something else than what it seems to say.
   */
  readonly effect: 'blocks' | 'breaks' | 'surprises'
  /** What happens, as a sentence without its beginning. */
  readonly why: string
  /** What to do instead. `<database>` in it stands for the name of the database. */
  readonly safeWay: string
  /** Whether the statement is the safe way itself in a revision that runs when the old code is gone. */
  readonly isForContract?: true
}

const outside = 'in a revision of its own with "transaction": "none" in its revision.json'
const inSteps =
  'in three phases: the new column beside the old one (expand), its values in batches (backfill), the old one dropped (contract): pnpm migrate revision … -d <database> --phase expand'
const whenOldCodeIsGone =
  'take it out of the code first, write "phase": "contract" into its revision.json, and run it when the old code is gone: pnpm migrate upgrade --phase contract -d <database>'

/** The rules that make sense where Drover runs the statements, with its own way for each. */
export const advice: Readonly<Record<LintRule, Advice>> = {
  'adding-field-with-default': {
    effect: 'blocks',
    why: 'its value is worked out row by row, so the whole table is written anew, and nobody can read it meanwhile',
    safeWay:
      'add the column without a default, set the default in a statement of its own, which is for new rows, and fill the others in batches: "batch" in the revision.json of a backfill revision',
  },
  'adding-foreign-key-constraint': {
    effect: 'blocks',
    why: 'every row is checked, and nobody can write to either table meanwhile',
    safeWay:
      'add it with "not valid", and in the next revision "alter table … validate constraint …", which keeps nobody out',
  },
  'adding-not-nullable-field': {
    effect: 'blocks',
    why: 'every row is looked at, and nobody can read or write the table meanwhile',
    safeWay:
      'add "check (… is not null) not valid", validate it in the next revision, and set "not null" in a third one: it takes the check for proof and looks at no row. Then drop the check',
  },
  'adding-required-field': {
    effect: 'breaks',
    why: 'it fails when the table has rows, and the code that still runs inserts rows without it',
    safeWay:
      'give it a constant default; or add it without "not null" (expand), fill it in batches (backfill), and make it "not null" when all code writes it (contract): pnpm migrate revision … -d <database> --phase expand',
  },
  'adding-serial-primary-key-field': {
    effect: 'blocks',
    why: 'the index of the key is built, and nobody can read or write the table meanwhile',
    safeWay: `"create unique index concurrently" ${outside}, then "alter table … add primary key using index …"`,
  },
  'ban-alter-domain-with-add-constraint': {
    effect: 'blocks',
    why: 'every row of every table that uses the domain is checked, and nobody can write to them meanwhile',
    safeWay:
      'put a check on the columns instead, with "not valid", and validate it in the next revision; or add the one of the domain with "not valid"',
  },
  'ban-create-domain-with-constraint': {
    effect: 'blocks',
    why: 'to change its constraint later, every row of every table that uses it is checked at once',
    safeWay: 'make the domain without a constraint, and put checks on the columns, which can be added with "not valid"',
  },
  'ban-drop-column': {
    effect: 'breaks',
    why: 'the code that still runs may use the column',
    safeWay: whenOldCodeIsGone,
    isForContract: true,
  },
  'ban-drop-database': {
    effect: 'breaks',
    why: 'all that is in the database is gone, and no downgrade brings it back',
    safeWay: 'leave databases to whoever administers the server: a revision is about what is in one',
  },
  'ban-drop-not-null': {
    effect: 'breaks',
    why: 'the code that still runs does not expect to read nulls there',
    safeWay:
      'deploy code that expects them first, write "phase": "contract" into its revision.json, and run it when the old code is gone: pnpm migrate upgrade --phase contract -d <database>',
    isForContract: true,
  },
  'ban-drop-table': {
    effect: 'breaks',
    why: 'the code that still runs may use the table',
    safeWay: whenOldCodeIsGone,
    isForContract: true,
  },
  'ban-truncate-cascade': {
    effect: 'surprises',
    why: 'every table that refers to this one is emptied as well, also those that are made after this was written',
    safeWay: 'name all the tables that are meant in one "truncate", without "cascade"',
  },
  'changing-column-type': {
    effect: 'blocks',
    why: 'the whole table may be written anew, and nobody can read it meanwhile; the code that still runs may not expect the type',
    safeWay: inSteps,
  },
  'constraint-missing-not-valid': {
    effect: 'blocks',
    why: 'every row is checked, and others cannot use the table meanwhile',
    safeWay:
      'add it with "not valid", and in the next revision "alter table … validate constraint …", which keeps nobody out',
  },
  'disallowed-unique-constraint': {
    effect: 'blocks',
    why: 'its index is built, and nobody can read or write the table meanwhile',
    safeWay: `"create unique index concurrently" ${outside}, then "alter table … add constraint … unique using index …"`,
  },
  'identifier-too-long': {
    effect: 'surprises',
    why: 'PostgreSQL cuts names off after 63 bytes, and two that differ behind that become one',
    safeWay: 'give it a shorter name',
  },
  'renaming-column': {
    effect: 'breaks',
    why: 'the code that still runs knows the column by its old name',
    safeWay: inSteps,
  },
  'renaming-table': {
    effect: 'breaks',
    why: 'the code that still runs knows the table by its old name',
    safeWay:
      'leave a view behind under the old name, in the same revision, say so in a comment (-- drover:allow renaming-table because …), and drop the view in a contract revision',
  },
  'require-concurrent-index-creation': {
    effect: 'blocks',
    why: 'nobody can write to the table while the index is built',
    safeWay: `"create index concurrently" ${outside}; pnpm migrate revision … -d <database> --concurrently writes it from the schema`,
  },
  'require-concurrent-index-deletion': {
    effect: 'blocks',
    why: 'it waits for all who use the table, and whoever comes after it waits as well',
    safeWay: `"drop index concurrently" ${outside}`,
  },
  'require-concurrent-partition-detach': {
    effect: 'blocks',
    why: 'nobody can read or write the table meanwhile',
    safeWay: `"alter table … detach partition … concurrently" ${outside}`,
  },
  'require-concurrent-reindex': {
    effect: 'blocks',
    why: 'nobody can write to the table, nor read by the index, while it is built anew',
    safeWay: `"reindex … concurrently" ${outside}`,
  },
}

/** Whether a name is that of a rule. */
export function isRule(name: string): name is LintRule {
  return Object.hasOwn(advice, name)
}
