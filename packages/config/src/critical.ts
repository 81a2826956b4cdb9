import * as v from 'valibot'

/** A table that the application cannot live without. */
export interface CriticalTable {
  readonly schema: string
  readonly table: string
  /** As `database.ts` names it. */
  readonly written: string
}

const part = '(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")'

/** What `critical` in `database.ts` may hold. */
export const criticalSchema = v.array(
  v.pipe(
    v.string('must be the name of a table'),
    v.regex(
      new RegExp(`^(?:${part}\\.)?${part}$`),
      'must be a table as SQL names it, such as "users", "audit.logs" or "\\"Order\\""',
    ),
    v.transform(readTable),
    // A longer name would be cut off by the server, and be another one.
    v.check(({ schema, table }) => [schema, table].every(fits), 'must be made of names of at most 63 bytes'),
  ),
  'must be a list of tables',
)

/** What is wrong with the list as a whole. */
export function findRepeatedTables(tables: readonly CriticalTable[]): readonly string[] {
  const places = [...Map.groupBy(tables, ({ schema, table }) => JSON.stringify([schema, table])).values()]
  return places
    .filter((group) => group.length > 1)
    .map((group) => `"critical" names the same table twice: ${group.map(({ written }) => written).join(' and ')}`)
}

function readTable(written: string): CriticalTable {
  const names = [...written.matchAll(new RegExp(part, 'g'))].map(([name]) => unquote(name))
  const [first, second] = names
  return second === undefined
    ? { schema: 'public', table: first!, written }
    : { schema: first!, table: second, written }
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

function fits(name: string): boolean {
  return Buffer.byteLength(name) <= 63
}
