import * as v from 'valibot'

/** A schema of names: of databases, roles and extensions. @param must what is said of something that is no text */
export const nameThat = (must: string) =>
  v.pipe(
    v.string(must),
    v.regex(
      /^[a-z][a-z0-9_-]{0,62}$/,
      'must be at most 63 lower-case letters, digits, "-" and "_", starting with a letter',
    ),
  )
/** What `foreign` may name, as `drift` calls it. */
