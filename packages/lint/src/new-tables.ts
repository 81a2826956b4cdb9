import type { Statement } from '@drover/engine'

/**
 * Which statements, counted from 0, are about a table that an earlier one of the same script makes: it has no rows, and no code knows
 * it yet.
 */
export function findOnNewTables(statements: readonly Statement[]): ReadonlySet<number> {
  const made = new Set<string>()
  const found = new Set<number>()
  statements.forEach(({ text }, at) => {
    const created = creation.exec(text)?.groups
    // What was there before is left as it is, with its rows.
    if (created && created['unless'] === undefined) made.add(normalize(created['table']!))
    const touched = change.exec(text)?.groups
    const table = touched?.['altered'] ?? touched?.['indexed']
    if (table !== undefined && made.has(normalize(table))) found.add(at)
  })
  return found
}

const name = String.raw`(?:"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`
const table = String.raw`${name}(?:\s*\.\s*${name})?`
const creation = new RegExp(
  String.raw`^create\s+(?:(?:unlogged|(?:global\s+|local\s+)?temp(?:orary)?)\s+)?table\s+(?<unless>if\s+not\s+exists\s+)?(?<table>${table})`,
  'i',
)
const change = new RegExp(
  String.raw`^(?:alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(?<altered>${table})|create\s+(?:unique\s+)?index\s+(?:if\s+not\s+exists\s+)?(?:${name}\s+)?on\s+(?:only\s+)?(?<indexed>${table}))`,
  'i',
)
const part = new RegExp(name, 'g')

/** A name that is quoted and one that is not may be the same; without a schema, it is one of its own. */
function normalize(written: string): string {
  const parts = [...written.matchAll(part)].map(([text]) =>
    text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase(),
  )
  return JSON.stringify(parts)
}
