import { hash } from 'node:crypto'

/**
 * The checksum of a revision's text: SHA-256, with the algorithm in front so that a later one can be told apart. A
 * byte-order mark and the kind of line endings do not count: git changes them from one machine to another.
 */
export function checksum(sql: string): string {
  const text = (sql.startsWith('\uFEFF') ? sql.slice(1) : sql).replaceAll('\r\n', '\n')
  return `sha256:${hash('sha256', text)}`
}

/**
 * What a database remembers of the SQL that it has had: the checksum of its text and, behind a slash, that of its
 * statements, which tells whether a later edit has changed what would be run.
 * @param statements as they are whatever comments and white space stand around them
 */
export function checksumWithStatements(sql: string, statements: readonly string[]): string {
  // No SQL file that can be run contains a NUL.
  return `${checksum(sql)}/${hash('sha256', statements.join('\0'))}`
}

/**
 * What became of SQL since a database had it: `reformatted` when its text differs and its statements do not. Either
 * checksum may be one of the text alone; then a difference counts as `changed`.
 */
export function compareChecksums(recorded: string, now: string): 'same' | 'reformatted' | 'changed' {
  if (textOf(recorded) === textOf(now)) return 'same'
  const statements = recorded.slice(textOf(recorded).length)
  return statements !== '' && now.endsWith(statements) ? 'reformatted' : 'changed'
}

/**
 * What the texts of some revisions come to, as one checksum: that of another set of revisions is the same only if the ids are,
 * and the text of each. What is known of statements does not count.
 * @param checksums of the revisions, by id
 */
export function fingerprintOf(checksums: ReadonlyMap<string, string>): string {
  const lines = [...checksums].map(([id, sum]) => `${id}\t${textOf(sum)}`)
  return hash('sha256', lines.toSorted().join('\n'))
}

function textOf(sum: string): string {
  const slash = sum.indexOf('/')
  return slash === -1 ? sum : sum.slice(0, slash)
}
