import * as v from 'valibot'

/** Files that run beside the revisions, one or several of each, in the order in which they are listed. */
export interface Hooks {
  /** Before the first revision. Default none. */
  readonly before?: string | readonly string[]
  /** Behind the last revision, when all of them have succeeded. Default none. */
  readonly after?: string | readonly string[]
  /** When something has failed. Default none. */
  readonly onFailure?: string | readonly string[]
}

/** Paths of hooks with the defaults filled in. */
export interface HooksConfig {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly onFailure: readonly string[]
}

/** What `hooks` may hold, whose files end in one of some ways. @param what those, for messages */
const hooksOf = (ending: RegExp, what: string) => {
  const path = v.pipe(v.string(`must be the path of ${what}`), v.regex(ending, `must be the path of ${what}`))
  const paths = v.optional(
    v.pipe(
      v.union([path, v.array(path)], `must be the path of ${what}, or a list of such`),
      v.transform((files) => (typeof files === 'string' ? [files] : files)),
    ),
    [],
  )
  return v.objectWithRest(
    { before: paths, after: paths, onFailure: paths },
    v.never(),
    'must be the hooks: before, after, onFailure',
  )
}

/** What `hooks` in `database.ts` may hold. */
export const databaseHooksSchema = hooksOf(/^[^]+\.(?:sql|ts)$/, 'a file of SQL or TypeScript')

/** What `hooks` in `drover.config.ts` may hold: there is no database that SQL could run in. */
export const runHooksSchema = hooksOf(/^[^]+\.ts$/, 'a file of TypeScript')
