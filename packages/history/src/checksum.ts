import { createHash } from 'node:crypto'

/**
 * The checksum of a revision's SQL: SHA-256 over its text, with the algorithm in front so that a later one can be told
 * apart. A byte-order mark and the kind of line endings do not count: git changes them from one machine to another.
 */
export function checksum(sql: string): string {
  const text = (sql.startsWith('\uFEFF') ? sql.slice(1) : sql).replaceAll('\r\n', '\n')
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
