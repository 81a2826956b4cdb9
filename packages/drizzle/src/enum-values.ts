import { quoteIdentifier, quoteLiteral } from '@drover/engine'

import type { SchemaEntity, SchemaState } from './kit/state.ts'
import type { EnumValueRename } from './renames.ts'

/**
 * The statements that rename values of enums, which drizzle-kit would remove and add again, and with that lose them in every
 * row; and the state that they lead to.
 */
export function renameEnumValues(
  state: SchemaState,
  renames: readonly EnumValueRename[],
): { readonly state: SchemaState; readonly up: readonly string[]; readonly down: readonly string[] } {
  return {
    state: { ...state, ddl: state.ddl.map((entity) => renames.reduce(renameIn, entity)) },
    up: renames.map((rename) => renaming(rename, rename.from, rename.to)),
    down: renames.toReversed().map((rename) => renaming(rename, rename.to, rename.from)),
  }
}

/**
 * A state with the values that enums gain in a later one, and otherwise as it is: what there is between adding values and
 * using them, which PostgreSQL does not allow in one transaction (55P04).
 */
export function withAddedValues(state: SchemaState, later: SchemaState): SchemaState {
  const laterEnums = new Map(
    later.ddl.filter((entity) => entity.entityType === 'enums').map((entity) => [keyOf(entity), entity]),
  )
  return {
    id: crypto.randomUUID(),
    prevIds: [state.id],
    ddl: state.ddl.map((entity) => {
      const values = valuesOf(laterEnums.get(keyOf(entity)))
      const keepsAll = valuesOf(entity).every((value) => values.includes(value))
      return entity.entityType === 'enums' && keepsAll ? { ...entity, values } : entity
    }),
  }
}

function valuesOf(entity: SchemaEntity | undefined): readonly unknown[] {
  const values: unknown = entity?.['values']
  return Array.isArray(values) ? values : []
}

function renaming({ schema, name }: EnumValueRename, from: string, to: string): string {
  return `ALTER TYPE ${nameOf(schema, name)} RENAME VALUE ${quoteLiteral(from)} TO ${quoteLiteral(to)}`
}

function renameIn(entity: SchemaEntity, { schema, name, from, to }: EnumValueRename): SchemaEntity {
  const values: unknown = entity['values']
  if (entity.entityType === 'enums' && entity.schema === schema && entity.name === name && Array.isArray(values)) {
    return { ...entity, values: values.map((value: unknown) => (value === from ? to : value)) }
  }
  // PostgreSQL keeps the value itself in a default, and shows it under its new name.
  const isDefault =
    entity.entityType === 'columns' &&
    entity['type'] === name &&
    entity['typeSchema'] === schema &&
    entity['default'] === writeDefault(from)
  return isDefault ? { ...entity, default: writeDefault(to) } : entity
}

function keyOf({ schema, name }: SchemaEntity): string {
  return `${schema}.${name}`
}

function nameOf(schema: string, name: string): string {
  return schema === 'public' ? quoteIdentifier(name) : `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

/** A default as drizzle-kit writes it into a snapshot. */
function writeDefault(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
