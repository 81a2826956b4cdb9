import { type QualifiedName, readName, readTokens, type SqlToken } from './sql-tokens.ts'

/** Finds out whether a table, as a statement names it, is there before the statements run. */
export type TableLookup = (table: { readonly schema?: string; readonly name: string }) => boolean

/**
 * Takes the indexes out of one side of a change that can be made and dropped without blocking writers, which PostgreSQL
 * does only outside a transaction: CREATE INDEX on tables that exist, and DROP INDEX, both CONCURRENTLY. What stays
 * inside never says CONCURRENTLY. Both parts keep their order.
 *
 * Whether the parts may run one after the other is for the caller to prove: going up, `outside` is meant to come last,
 * and going down first.
 */
export function makeConcurrent(
  statements: readonly string[],
  existing: TableLookup,
): { readonly inside: readonly string[]; readonly outside: readonly string[] } {
  const inside: string[] = []
  const outside: string[] = []
  for (const statement of statements) {
    const found = findIndexStatement(statement)
    if (!found) inside.push(statement)
    else if (mayBeConcurrent(found, existing)) outside.push(write(statement, found, ' CONCURRENTLY'))
    else inside.push(write(statement, found, ''))
  }
  return { inside, outside }
}

interface IndexStatement {
  readonly verb: 'create' | 'drop'
  readonly tokens: readonly SqlToken[]
  /** Where the statement is cut to put CONCURRENTLY in or to leave it out, in UTF-16 units. */
  readonly before: number
  readonly after: number
}

function findIndexStatement(statement: string): IndexStatement | undefined {
  const tokens = readTokens(statement)
  const verb = keyword(tokens[0])
  if (verb !== 'create' && verb !== 'drop') return undefined
  const at = verb === 'create' && keyword(tokens[1]) === 'unique' ? 2 : 1
  const index = tokens[at]
  if (!index || keyword(index) !== 'index') return undefined
  const isSaid = keyword(tokens[at + 1]) === 'concurrently'
  return { verb, tokens, before: index.end, after: isSaid ? tokens[at + 1]!.end : index.end }
}

/** PostgreSQL drops one index at a time like this, without what depends on it, and makes none on a partitioned table. */
function mayBeConcurrent({ verb, tokens }: IndexStatement, existing: TableLookup): boolean {
  if (verb === 'drop') return tokens.every((token) => keyword(token) !== 'cascade' && token.value !== ',')
  const table = readTable(tokens)
  return table !== undefined && existing(table)
}

function readTable(tokens: readonly SqlToken[]): QualifiedName | undefined {
  const on = tokens.findIndex((token) => keyword(token) === 'on')
  return on === -1 || keyword(tokens[on + 1]) === 'only' ? undefined : readName(tokens, on + 1)
}

function write(statement: string, { before, after }: IndexStatement, between: string): string {
  return `${statement.slice(0, before)}${between}${statement.slice(after)}`
}

function keyword(token: SqlToken | undefined): string | undefined {
  return token?.kind === 'name' && !token.quoted ? token.value : undefined
}
