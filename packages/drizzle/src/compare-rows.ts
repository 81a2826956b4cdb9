import type { Rename } from './rename.ts'
import type { Contents, TableContents } from './rows.ts'

/** What the rows of a database hold, and what decides whether it may change. */
export interface Holdings {
  readonly contents: Contents
  /** By `schema.table.column` (joined by NUL characters). */
  readonly columns: ReadonlyMap<string, HeldColumn>
}

/** What a column is, as far as its values may change without being lost. */
export interface HeldColumn {
  /** Its values are computed from others. */
  readonly generated: boolean
  /** The values of its enum, if it has one: renaming one of them changes what stands in the column. */
  readonly labels: readonly string[]
}

/**
 * Which values got lost from one state to a later one. Every table that is there in both keeps its rows. A column keeps its
 * values, or, when its type changes, as many of them. What is computed does not count.
 * @param renames from the names in `before` to those in `after`
 * @returns one sentence for each table or column that lost something
 */
export function findLostRows(before: Holdings, after: Holdings, renames: readonly Rename[]): readonly string[] {
  return [...before.contents.tables].flatMap(([name, held]) => {
    const newName = newTableName(name, renames)
    const kept = after.contents.tables.get(newName)
    if (!kept) return []
    if (kept.rows !== held.rows) {
      return [`${describe(newName)} had ${countOf(held.rows, 'row')} and has ${countOf(kept.rows, 'row')}`]
    }
    return findLostValues({ before, after, renames }, name, held, newName, kept)
  })
}

/**
 * What of a state is still there in a later one, and so should be there when the change is taken back. Of a column whose type
 * changed, only how many values it holds.
 */
export function stayingPart(before: Holdings, after: Holdings, renames: readonly Rename[]): Holdings {
  const tables = new Map<string, TableContents>()
  for (const [name, { rows, columns }] of before.contents.tables) {
    const newName = newTableName(name, renames)
    const kept = after.contents.tables.get(newName)
    if (!kept) continue
    const staying = [...columns].flatMap(([column, held]) => {
      const type = kept.columns.get(newColumnName(name, newName, column, renames))?.type
      if (type === undefined) return []
      return [[column, type === held.type ? held : { ...held, type: `once ${type}` }] as const]
    })
    tables.set(name, { rows, columns: new Map(staying) })
  }
  return { contents: { tables }, columns: before.columns }
}

interface States {
  readonly before: Holdings
  readonly after: Holdings
  readonly renames: readonly Rename[]
}

function findLostValues(
  { before, after, renames }: States,
  name: string,
  held: TableContents,
  newName: string,
  kept: TableContents,
): readonly string[] {
  return [...held.columns].flatMap(([column, was]) => {
    const newColumn = newColumnName(name, newName, column, renames)
    const is = kept.columns.get(newColumn)
    if (!is) return []
    const one = before.columns.get(`${name}\0${column}`)
    const other = after.columns.get(`${newName}\0${newColumn}`)
    if (one?.generated || other?.generated) return []
    const thing = `${describe(newName)}, column ${newColumn}`
    if (is.filled !== was.filled) {
      return [`${thing} held ${countOf(was.filled, 'value')} and holds ${countOf(is.filled, 'value')}`]
    }
    const relabelled = one?.labels.some((label) => !other?.labels.includes(label)) ?? false
    return is.type !== was.type || relabelled || is.hash === was.hash ? [] : [`${thing} holds other values than before`]
  })
}

function newTableName(name: string, renames: readonly Rename[]): string {
  const [schema = '', table = ''] = name.split('\0')
  for (const { from, to } of renames) {
    if (from.length === 2 && from[0] === schema && from[1] === table) return to.join('\0')
  }
  const moved = renames.find(({ from }) => from.length === 1 && from[0] === schema)
  return moved ? `${moved.to[0]}\0${table}` : name
}

/** A rename of a column may name its table by the old name or the new one. */
function newColumnName(name: string, newName: string, column: string, renames: readonly Rename[]): string {
  const rename = renames.find(({ from }) => {
    const table = from.slice(0, 2).join('\0')
    return from.length === 3 && from[2] === column && (table === name || table === newName)
  })
  return rename?.to[2] ?? column
}

function describe(name: string): string {
  return `table ${name.replace('\0', '.')}`
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
