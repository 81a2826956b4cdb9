import { quoteIdentifier, quoteLiteral } from '@drover/engine'

import type { SchemaEntity, SchemaState } from './kit/state.ts'
import { samePath } from './named-things.ts'
import type { Rename } from './rename.ts'

/**
 * Lets columns that begin to number their rows (serial, identity) go on behind the rows that are there. Without it the new
 * sequence starts at 1, and inserts fail on the key. Drizzle-kit's own attempt, which asks for a column `id` and gives its
 * last value again, is left out.
 * @param statements from `before` to `after`, without closing semicolons
 * @param renames of tables and columns on the way
 */
export function continueNumbering(
  statements: readonly string[],
  before: SchemaState,
  after: SchemaState,
  renames: readonly Rename[],
): readonly string[] {
  const numbering = numberingColumns(after).flatMap(({ column, kind }): readonly string[] => {
    const former = findFormer(column, before, renames)
    return former && kindOfNumbering(former) !== kind ? [setNext(column)] : []
  })
  return [...statements.filter((statement) => !wrongNext.test(statement)), ...numbering]
}

const wrongNext = /^SELECT setval\('[^']+'::regclass, \(SELECT COALESCE\(MAX\(id\), 1\) FROM [^;]+\), false\);?$/

function numberingColumns(
  state: SchemaState,
): readonly { readonly column: SchemaEntity; readonly kind: 'serial' | 'identity' }[] {
  return state.ddl.flatMap((entity) => {
    const kind = entity.entityType === 'columns' ? kindOfNumbering(entity) : undefined
    return kind ? [{ column: entity, kind }] : []
  })
}

function kindOfNumbering(column: SchemaEntity): 'serial' | 'identity' | undefined {
  if (/^(?:small|big)?serial$/.test(String(column['type']))) return 'serial'
  return column['identity'] === null || column['identity'] === undefined ? undefined : 'identity'
}

/** The column before; `undefined` when it is new, and PostgreSQL numbers the rows itself. */
function findFormer(column: SchemaEntity, before: SchemaState, renames: readonly Rename[]): SchemaEntity | undefined {
  const { schema = 'public', table = '', name } = column
  const oldName = (path: readonly string[]) => renames.find(({ to }) => samePath(to, path))?.from
  const oldTable = oldName([schema, table]) ?? [schema, table]
  const path = oldName([schema, table, name]) ?? [...oldTable, name]
  return before.ddl.find(
    (entity) =>
      entity.entityType === 'columns' && samePath([entity.schema ?? 'public', entity.table ?? '', entity.name], path),
  )
}

/** The highest value of each type; where a row has it, no number is left, and that row is no reason to fail now. */
const highest: readonly (readonly [RegExp, string])[] = [
  [/^small/, '32767'],
  [/^big/, '9223372036854775807'],
  [/^/, '2147483647'],
]

function setNext({ schema = 'public', table = '', name, type, identity }: SchemaEntity): string {
  const own = quoteIdentifier(table)
  const path = schema === 'public' ? own : `${quoteIdentifier(schema)}.${own}`
  const last = numberIn(identity, 'maxValue') ?? highest.find(([pattern]) => pattern.test(String(type)))?.[1] ?? '1'
  const first = numberIn(identity, 'startWith') ?? '1'
  const next = `greatest(least(coalesce(max(${quoteIdentifier(name)}), 0), ${BigInt(last) - 1n}) + 1, ${first})`
  return `SELECT setval(pg_get_serial_sequence(${quoteLiteral(path)}, ${quoteLiteral(name)}), ${next}, false) FROM ${path}`
}

function numberIn(options: unknown, name: string): string | undefined {
  const value: unknown = typeof options === 'object' && options !== null ? Reflect.get(options, name) : undefined
  return typeof value === 'string' && /^-?\d+$/.test(value) ? value : undefined
}
