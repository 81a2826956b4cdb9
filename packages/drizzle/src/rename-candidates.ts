import type { EntityPath } from './kit/hints.ts'
import type { SchemaState } from './kit/state.ts'
import { type CarriedThing, definitionOf, samePath, type Thing, type ThingKind } from './named-things.ts'

/** Whether something new can be something that is gone: the same kind of thing, in the same table or enum. */
export function canBe(added: Thing, removed: CarriedThing): boolean {
  if (added.kind !== removed.kind) return false
  return added.path.length < 3 || samePath(added.path.slice(0, 2), removed.now.slice(0, 2))
}

/** Whether parts are the whole of a path, `public` left out or not. */
export function isExactly(parts: readonly string[], path: EntityPath): boolean {
  return samePath(parts, path) || (path.length > 1 && path[0] === 'public' && samePath(parts, path.slice(1)))
}

/** Whether parts are the end of a path. A column or a value does not go without its table or enum. */
export function isNear(parts: readonly string[], path: EntityPath, kind: ThingKind): boolean {
  const shortest = kind === 'column' || kind === 'enum value' ? 2 : 1
  return parts.length >= shortest && parts.length <= path.length && samePath(parts, path.slice(-parts.length))
}

/** Shortens paths for people: without `public`, unless what is left could be taken for something in a schema of that name. */
export function shortener(...states: readonly SchemaState[]): (path: EntityPath) => EntityPath {
  const schemas = new Set(
    states.flatMap(({ ddl }) => ddl.map(({ schema, name, entityType }) => (entityType === 'schemas' ? name : schema))),
  )
  return (path) => {
    const [schema, first] = path
    return path.length > 1 && schema === 'public' && !schemas.has(first) ? path.slice(1) : path
  }
}

/** What something new may have been, the likeliest first: what is defined alike, and tables with most columns in common. */
export function likeliestFirst(
  added: Thing,
  candidates: readonly CarriedThing[],
  before: SchemaState,
  after: SchemaState,
): readonly CarriedThing[] {
  const columns = new Set(columnsOf(after, added.path))
  const definition = definitionOf(added.entity)
  const likeness = ({ kind, entity, path }: CarriedThing) => {
    if (kind !== 'table')
      return Number(definitionOf(entity) === definition) + Number(entity['type'] === added.entity['type'])
    const own = columnsOf(before, path)
    return own.filter((column) => columns.has(column)).length / Math.max(own.length, columns.size, 1)
  }
  return candidates.toSorted((left, right) => likeness(right) - likeness(left))
}

function columnsOf(state: SchemaState, [schema, table]: EntityPath): readonly string[] {
  return state.ddl.flatMap((entity) =>
    entity.entityType === 'columns' && entity.schema === schema && entity.table === table ? [entity.name] : [],
  )
}
