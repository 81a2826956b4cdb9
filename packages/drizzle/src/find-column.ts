import type { SchemaEntity, SchemaState } from './kit/state.ts'

/**
 * The column that a statement of drizzle-kit names.
 * @param table as it stands there: `"users"` or `"app"."users"`
 * @param name as it stands there, quoted
 */
export function findColumn(state: SchemaState, table: string, name: string): SchemaEntity | undefined {
  const [own = '', schema = 'public'] = table.split('.').toReversed().map(unquoted)
  return state.ddl.find(
    (entity) =>
      entity.entityType === 'columns' &&
      entity.name === unquoted(name) &&
      entity.table === own &&
      entity.schema === schema,
  )
}

function unquoted(name: string): string {
  return name.replaceAll('"', '')
}
