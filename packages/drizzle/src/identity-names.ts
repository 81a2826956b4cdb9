import type { SchemaEntity, SchemaState } from './kit/state.ts'

/** The sequence of an identity column that gets another name. */
interface IdentityRename {
  readonly schema: string
  readonly from: string
  readonly to: string
}

/**
 * The sequences of identity columns whose names differ, which drizzle-kit does not see. A name that PostgreSQL has made itself does
 * not count: it stays when its table or column gets another one.
 */
export function findIdentityRenames(before: SchemaState, after: SchemaState): readonly IdentityRename[] {
  const known = new Map(identitiesOf(before).map((column) => [keyOf(column), column]))
  return identitiesOf(after).flatMap((column) => {
    const former = known.get(keyOf(column))
    const [from, to] = [former && nameOf(former), nameOf(column)]
    if (!former || from === undefined || to === undefined || from === to) return []
    if (isAutomatic(from) && isAutomatic(to)) return []
    return [{ schema: column.schema ?? 'public', from, to }]
  })
}

/** The statements that give sequences their new names. */
export function renameIdentities(renames: readonly IdentityRename[]): readonly string[] {
  return renames.map(({ schema, from, to }) => {
    const path = schema === 'public' ? `"${from}"` : `"${schema}"."${from}"`
    return `ALTER SEQUENCE ${path} RENAME TO "${to}"`
  })
}

function identitiesOf(state: SchemaState): readonly SchemaEntity[] {
  return state.ddl.filter((entity) => entity.entityType === 'columns' && nameOf(entity) !== undefined)
}

function keyOf({ schema, table, name }: SchemaEntity): string {
  return JSON.stringify([schema, table, name])
}

function nameOf({ identity }: SchemaEntity): string | undefined {
  const name: unknown = typeof identity === 'object' && identity !== null ? Reflect.get(identity, 'name') : undefined
  return typeof name === 'string' ? name : undefined
}

/** `users_id_seq`, whatever the table and the column were called when it was made. */
function isAutomatic(name: string): boolean {
  return name.endsWith('_seq')
}
