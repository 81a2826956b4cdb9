import type { SchemaEntity, SchemaState } from './kit/state.ts'

/** A state for a test, with entities as drizzle-kit writes them. */
export function exampleState(...ddl: readonly (SchemaEntity | readonly SchemaEntity[])[]): SchemaState {
  return { id: crypto.randomUUID(), prevIds: [], ddl: ddl.flat() }
}

/** A table with columns of type text, or of the type behind a colon: `table('users', 'id:integer', 'name')`. */
export function table(path: string, ...columns: readonly string[]): readonly SchemaEntity[] {
  const { schema, name } = place(path)
  return [
    { entityType: 'tables', schema, name, isRlsEnabled: false },
    ...columns.map((column): SchemaEntity => {
      const [own = '', type = 'text'] = column.split(':')
      return { entityType: 'columns', schema, table: name, name: own, type, notNull: false, default: null }
    }),
  ]
}

/** A schema. */
export function pgSchema(name: string): SchemaEntity {
  return { entityType: 'schemas', name }
}

/** An enum with its values. */
export function pgEnum(path: string, ...values: readonly string[]): SchemaEntity {
  return { entityType: 'enums', ...place(path), values }
}

/** A check of a table, with a name of its own. */
export function check(path: string, name: string, value: string): SchemaEntity {
  const owner = place(path)
  return { entityType: 'checks', schema: owner.schema, table: owner.name, name, value }
}

/** An index on columns; with `named: false` one that got its name by itself. */
export function index(path: string, name: string, columns: readonly string[], { named = true } = {}): SchemaEntity {
  const owner = place(path)
  return {
    entityType: 'indexes',
    schema: owner.schema,
    table: owner.name,
    name,
    nameExplicit: named,
    columns: columns.map((value) => ({ value, isExpression: false, asc: true })),
    where: null,
  }
}

/** A sequence or a view, or anything else that stands in a schema and has a definition. */
export function other(entityType: 'sequences' | 'views', path: string, definition: string): SchemaEntity {
  return { entityType, ...place(path), definition }
}

function place(path: string): { readonly schema: string; readonly name: string } {
  const [name = '', schemaName = 'public'] = path.split('.').toReversed()
  return { schema: schemaName, name }
}
