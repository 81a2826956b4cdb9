import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('ends in the same schema as gdpr', () => {
  const mirror = declarations('test')

  expect(mirror).toEqual(declarations('gdpr'))
})

/**
 * Reads what the last snapshot of a database declares, one JSON line per entity, sorted.
 *
 * The ids of the snapshots are left out: each database has a history of its own. The folder is read and not imported,
 * so that this package does not depend on the other one.
 */
function declarations(database: 'gdpr' | 'test'): readonly string[] {
  const migrations = new URL(`../../${database}/migrations/`, import.meta.url)
  const last = readdirSync(migrations).toSorted().at(-1)
  if (last === undefined) throw new Error(`${migrations.pathname} holds no revision`)

  const snapshot: unknown = JSON.parse(readFileSync(new URL(`${last}/snapshot.json`, migrations), 'utf8'))
  if (!isSnapshot(snapshot)) throw new Error(`${last}/snapshot.json of ${database} has no list of declarations`)

  return snapshot.ddl.map((entity) => JSON.stringify(entity)).toSorted()
}

function isSnapshot(value: unknown): value is { readonly ddl: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'ddl' in value && Array.isArray(value.ddl)
}
