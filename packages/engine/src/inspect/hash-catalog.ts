import { createHash } from 'node:crypto'

/** One short text for what `readCatalog` has read: the same for the same lines. */
export function hashCatalog(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}
