import { splitEnumAdditions } from './enum-split.ts'
import { withAddedValues } from './enum-values.ts'
import type { KitHint } from './kit/hints.ts'
import type { SchemaEntity, SchemaState } from './kit/state.ts'
import { isNothing, noObjectChange } from './object-change.ts'
import type { ObjectFile } from './objects/object-file.ts'
import type { ObjectChange } from './objects/objects.ts'
import type { Rename } from './rename.ts'
import type { EnumValueRename } from './renames.ts'
import type { SchemaChange } from './schema-change.ts'

/** A part of a change that becomes one revision. */
export interface ChangeStep {
  /** What it does, behind the message of the whole; missing when it is the whole. */
  readonly part?: string
  readonly before: SchemaState
  readonly after: SchemaState
  readonly hints: readonly KitHint[]
  readonly renames: readonly Rename[]
  readonly enumValues: readonly EnumValueRename[]
  readonly objectsBefore: readonly ObjectFile[]
  readonly objectsAfter: readonly ObjectFile[]
  readonly objectsUp: ObjectChange
  readonly objectsDown: ObjectChange
  /** Whether it only makes and drops indexes, without blocking writers, and so outside a transaction. */
  readonly concurrent: boolean
  /** Whether its way up is a file that is there already, and not to be written in another way. */
  readonly isWritten?: boolean
}

/**
 * Takes a change apart where PostgreSQL wants it in several transactions: values of enums are added before they are used,
 * and indexes on tables that exist are made concurrently, behind everything else.
 * @param up drizzle-kit's statements for the whole
 * @param allConcurrently whether every index on a table that exists is meant; else those with Drizzle's `.concurrently()`
 */
export function takeApart(
  change: SchemaChange,
  up: readonly string[],
  allConcurrently: boolean,
): readonly ChangeStep[] {
  const { before, after, objects } = change
  const declared = change.ground.objects
  const start = splitEnumAdditions(up) === undefined ? before : withAddedValues(before, after)
  const end = withoutConcurrentIndexes(start, after, change.renames, allConcurrently)
  const tables = {
    ...change,
    before: start,
    after: end,
    objectsBefore: declared,
    objectsAfter: objects,
    concurrent: false,
  }
  const steps: readonly ChangeStep[] = [
    ...(start === before ? [] : [{ ...plain, part: 'add enum values', before, after: start, ...both(declared) }]),
    ...(changesAnything(tables) ? [tables] : []),
    ...(end === after ? [] : [{ ...plain, part: 'indexes', before: end, after, ...both(objects), concurrent: true }]),
  ]
  return steps.length === 1 ? steps.map(({ part: _part, ...whole }) => whole) : steps
}

const plain = {
  hints: [],
  renames: [],
  enumValues: [],
  objectsUp: noObjectChange,
  objectsDown: noObjectChange,
  concurrent: false,
} as const

function both(objects: readonly ObjectFile[]): Pick<ChangeStep, 'objectsBefore' | 'objectsAfter'> {
  return { objectsBefore: objects, objectsAfter: objects }
}

function changesAnything({ before, after, enumValues, objectsUp }: ChangeStep): boolean {
  const known = new Set(before.ddl.map((entity) => JSON.stringify(entity)))
  const same = before.ddl.length === after.ddl.length && after.ddl.every((entity) => known.has(JSON.stringify(entity)))
  return !same || enumValues.length > 0 || !isNothing(objectsUp)
}

/**
 * The later state as it is before indexes are made and dropped concurrently: without the new ones on tables that exist, and
 * with the old ones that can stay that long. The later state itself when there are none.
 */
function withoutConcurrentIndexes(
  before: SchemaState,
  after: SchemaState,
  renames: readonly Rename[],
  all: boolean,
): SchemaState {
  const isMeant = (index: SchemaEntity) => all || index['concurrently'] === true
  const added = indexesOf(after).filter(
    (index) => isMeant(index) && !hasIndex(before, index) && existed(before, renames, index),
  )
  const dropped = indexesOf(before).filter(
    (index) => isMeant(index) && !hasIndex(after, index) && hasColumnsOf(after, index),
  )
  if (added.length + dropped.length === 0) return after
  return {
    id: crypto.randomUUID(),
    prevIds: [before.id],
    ddl: [...after.ddl.filter((entity) => !added.includes(entity)), ...dropped],
  }
}

function indexesOf(state: SchemaState): readonly SchemaEntity[] {
  return state.ddl.filter((entity) => entity.entityType === 'indexes')
}

/** Names of indexes are unique in their schema. */
function hasIndex(state: SchemaState, { schema, name }: SchemaEntity): boolean {
  return indexesOf(state).some((index) => index.schema === schema && index.name === name)
}

function existed(before: SchemaState, renames: readonly Rename[], { schema, table }: SchemaEntity): boolean {
  const old = renames.find(({ to }) => to.length === 2 && to[0] === schema && to[1] === table)?.from ?? [schema, table]
  return before.ddl.some(
    (entity) => entity.entityType === 'tables' && entity.schema === old[0] && entity.name === old[1],
  )
}

/** Whether the columns of an index are still there, so that it can be dropped after everything else. */
function hasColumnsOf(state: SchemaState, { schema, table, columns }: SchemaEntity): boolean {
  if (!Array.isArray(columns)) return false
  return columns.every((column: { readonly value?: unknown; readonly isExpression?: unknown }) => {
    if (column.isExpression === true) return false
    return state.ddl.some(
      (entity) =>
        entity.entityType === 'columns' &&
        entity.schema === schema &&
        entity.table === table &&
        entity.name === column.value,
    )
  })
}
