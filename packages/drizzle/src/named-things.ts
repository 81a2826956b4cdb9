import type { EntityPath, KitHint, RenamedKind } from './kit/hints.ts'
import type { SchemaEntity, SchemaState } from './kit/state.ts'

/** What can have another name after a change. The values of an enum are things of their own here; drizzle-kit knows no such question. */
export type ThingKind = RenamedKind | 'enum value'

/** A thing with a name in a state. */
export interface Thing {
  readonly kind: ThingKind
  /** `[name]`, `[schema, name]` or `[schema, table, name]`; for a value of an enum `[schema, enum, value]`. */
  readonly path: EntityPath
  /** What drizzle-kit knows about it; for a value of an enum the enum. */
  readonly entity: SchemaEntity
}

/** A thing of the state before, and where it is to be looked for after the change. */
export interface CarriedThing extends Thing {
  /** Its path after all the renames that are known: that of `entity` too. */
  readonly now: EntityPath
}

/** What a change takes away, and what it adds. */
export interface ThingDifference {
  readonly removed: readonly CarriedThing[]
  readonly added: readonly Thing[]
}

/** Renames that are known: drizzle-kit's hints, and values of enums, which it does not ask about. */
export interface KnownRenames {
  readonly hints: readonly KitHint[]
  readonly enumValues: readonly EnumValueRename[]
}

/** A value of an enum that gets another name. Schema and enum are called as they were before the change. */
export interface EnumValueRename {
  readonly schema: string
  /** The enum's. */
  readonly name: string
  readonly from: string
  readonly to: string
}

/**
 * All kinds in an order in which renames can be found: what a kind's paths start with comes before it, and what stands in a
 * schema before what stands in a table or an enum, so that `a.b` is a table in a schema first.
 */
export const thingKinds: readonly ThingKind[] = [
  'schema',
  'role',
  'enum',
  'sequence',
  'table',
  'view',
  'enum value',
  'column',
  'unique',
  'check',
  'index',
  'primary_key',
  'foreign key',
  'policy',
]

/** The things of a state, in its order. */
export function thingsOf(state: SchemaState): readonly Thing[] {
  return state.ddl.flatMap((entity): readonly Thing[] => {
    const kind = kindOfType.get(entity.entityType)
    if (!kind) return []
    const thing = { kind, path: pathOf(kind, entity), entity }
    if (kind !== 'enum') return [thing]
    return [
      thing,
      ...valuesOf(entity).map((value): Thing => ({ kind: 'enum value', path: [...thing.path, value], entity })),
    ]
  })
}

/** The things of a state, where they are to be looked for after some renames. */
export function carry(state: SchemaState, renames: KnownRenames): readonly CarriedThing[] {
  const move = mover(renames)
  return thingsOf(state).map((thing) => ({
    ...thing,
    now: move(thing.kind, thing.path),
    entity: moveEntity(thing, move),
  }))
}

/**
 * What a change takes away and what it adds, once some renames are known. Without the parts of tables and enums that come
 * or go as a whole, and without constraints and indexes that got their names by themselves and stay as they are: these keep
 * their names.
 */
export function compareThings(before: SchemaState, after: SchemaState, renames: KnownRenames): ThingDifference {
  const carried = carry(before, renames)
  const present = thingsOf(after)
  const old = new Set(carried.map((thing) => keyOf(thing.kind, thing.now)))
  const now = new Set(present.map((thing) => keyOf(thing.kind, thing.path)))
  const removed = carried.filter(
    (thing) => !now.has(keyOf(thing.kind, thing.now)) && hasOwner(thing.kind, thing.now, now),
  )
  const added = present.filter(
    (thing) => !old.has(keyOf(thing.kind, thing.path)) && hasOwner(thing.kind, thing.path, old),
  )
  return withoutKeptNames(removed, added)
}

/** What a thing is, apart from its name. */
export function definitionOf(entity: SchemaEntity): string {
  const { name: _name, nameExplicit: _explicit, ...rest } = entity
  return JSON.stringify(Object.entries(rest).toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

/** A thing in words: `column "email" of table "app"."users"`. */
export function describeThing(kind: ThingKind, path: EntityPath): string {
  const word = words.get(kind) ?? kind
  const [schema, ...rest] = path
  const own = path.length > 1 && schema === 'public' ? rest : path
  if (path.length < 3) return `${word} ${quote(own)}`
  return `${word} ${quote(path.slice(-1))} of ${kind === 'enum value' ? 'enum' : 'table'} ${quote(own.slice(0, -1))}`
}

/** Whether two paths are the same. */
export function samePath(left: EntityPath, right: EntityPath): boolean {
  return left.length === right.length && left.every((part, place) => part === right[place])
}

/** The values of an enum, in their order. */
function valuesOf(entity: SchemaEntity): readonly string[] {
  const { values } = entity
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : []
}

const kindOfType: ReadonlyMap<string, RenamedKind> = new Map([
  ['schemas', 'schema'],
  ['enums', 'enum'],
  ['sequences', 'sequence'],
  ['roles', 'role'],
  ['tables', 'table'],
  ['columns', 'column'],
  ['uniques', 'unique'],
  ['checks', 'check'],
  ['indexes', 'index'],
  ['pks', 'primary_key'],
  ['fks', 'foreign key'],
  ['policies', 'policy'],
  ['views', 'view'],
])

/** Words for kinds whose names in drizzle-kit are not for people. */
const words: ReadonlyMap<ThingKind, string> = new Map<ThingKind, string>([
  ['unique', 'unique constraint'],
  ['primary_key', 'primary key'],
  ['enum value', 'value'],
])

function quote(parts: EntityPath): string {
  return parts.map((part) => `"${part}"`).join('.')
}

function pathOf(kind: RenamedKind, { schema = 'public', table, name }: SchemaEntity): EntityPath {
  if (kind === 'schema' || kind === 'role') return [name]
  return table === undefined ? [schema, name] : [schema, table, name]
}

type Move = (kind: ThingKind, path: EntityPath) => EntityPath

/** Says where a path leads after renames: those of its schema first, of its table or enum next, its own last. */
function mover({ hints, enumValues }: KnownRenames): Move {
  const renamed = new Map(
    hints.flatMap((hint) => (hint.type === 'rename' ? [[keyOf(hint.kind, hint.from), hint.to] as const] : [])),
  )
  const own = (kind: ThingKind, path: EntityPath) => renamed.get(keyOf(kind, path)) ?? path
  const move: Move = (kind, path) => {
    const [first, second, third] = path
    if (first === undefined || second === undefined) return own(kind, path)
    if (third === undefined) return own(kind, [...own('schema', [first]), second])
    if (kind !== 'enum value') return own(kind, [...move('table', [first, second]), third])
    const value = enumValues.find((rename) => samePath([rename.schema, rename.name, rename.from], path))
    return [...move('enum', [first, second]), value?.to ?? third]
  }
  return move
}

/** A thing's entity after renames, with all the names in it that lead elsewhere. */
function moveEntity({ kind, path, entity }: Thing, move: Move): SchemaEntity {
  const { schema, table, columns, schemaTo, tableTo, columnsTo } = entity
  if (kind === 'enum value' || schema === undefined) return entity
  if (table === undefined) {
    const [now, name] = move(kind, path)
    return { ...entity, ...(now !== undefined && { schema: now }), ...(name !== undefined && { name }) }
  }
  const owner = [schema, table]
  const target = typeof schemaTo === 'string' && typeof tableTo === 'string' ? [schemaTo, tableTo] : undefined
  const moved: Record<string, unknown> = { ...entity }
  ;[moved['schema'], moved['table']] = move(kind, path)
  if (Array.isArray(columns)) moved['columns'] = columns.map((column: unknown) => moveColumn(column, owner, move))
  if (target) [moved['schemaTo'], moved['tableTo']] = move('table', target)
  if (target && Array.isArray(columnsTo)) {
    moved['columnsTo'] = columnsTo.map((column: unknown) => moveColumn(column, target, move))
  }
  return { ...entity, ...moved }
}

/** A column in a list of columns: its name, or an object that has it. Expressions stay as they are. */
function moveColumn(column: unknown, table: EntityPath, move: Move): unknown {
  if (typeof column === 'string') return move('column', [...table, column]).at(-1)
  if (typeof column !== 'object' || column === null || !('value' in column)) return column
  if (('isExpression' in column && column.isExpression === true) || typeof column.value !== 'string') return column
  return { ...column, value: moveColumn(column.value, table, move) }
}

/** Whether the table or enum that a thing belongs to is among those. Everything else has no owner to miss. */
function hasOwner(kind: ThingKind, path: EntityPath, keys: ReadonlySet<string>): boolean {
  return path.length < 3 || keys.has(keyOf(kind === 'enum value' ? 'enum' : 'table', path.slice(0, 2)))
}

function withoutKeptNames(removed: readonly CarriedThing[], added: readonly Thing[]): ThingDifference {
  const unnamed = added.filter(({ entity }) => entity['nameExplicit'] === false)
  const pairs = removed
    .filter(({ entity }) => entity['nameExplicit'] === false)
    .flatMap((old) => {
      const same = unnamed.filter(
        ({ kind, entity }) => kind === old.kind && definitionOf(entity) === definitionOf(old.entity),
      )
      return same.length === 1 ? [old, ...same] : []
    })
  const kept = new Set<Thing>(pairs)
  return {
    removed: removed.filter((thing) => !kept.has(thing)),
    added: added.filter((thing) => !kept.has(thing)),
  }
}

function keyOf(kind: ThingKind, path: EntityPath): string {
  return [kind, ...path].join('\0')
}
