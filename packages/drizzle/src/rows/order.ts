import type { ForeignKey, TableShape } from './table-shape.ts'

/** A table in its turn, and what has become of its foreign keys. */
export interface Turn {
  readonly table: TableShape
  /** References to tables that have their rows by then. */
  readonly ready: readonly ForeignKey[]
  /** References to itself, or into a cycle that they close: null at first, where they may be. */
  readonly later: readonly ForeignKey[]
  /** References into a cycle that cannot be null and are checked at the end of the transaction. */
  readonly deferred: readonly ForeignKey[]
}

/** Orders tables so that those they reference come before them. A cycle is opened where a key may be null, else where it is deferrable. */
export function orderTables(tables: readonly TableShape[]): readonly Turn[] {
  const waiting = new Map(tables.map((table) => [table.oid, table]))
  const turns: Turn[] = []
  while (waiting.size > 0) {
    const table = findNext(waiting)
    if (!table) break
    waiting.delete(table.oid)
    const open = table.foreignKeys.filter((key) => key.table === table.oid || waiting.has(key.table))
    const deferred = open.filter((key) => key.table !== table.oid && key.deferrable && !mayBeNull(table, key))
    turns.push({
      table,
      ready: table.foreignKeys.filter((key) => !open.includes(key)),
      later: open.filter((key) => !deferred.includes(key)),
      deferred,
    })
  }
  return turns
}

/** Whether a key refers to nothing when the columns that may be null are. */
export function mayBeNull(table: TableShape, key: ForeignKey): boolean {
  return table.columns.some((column) => key.columns.includes(column.name) && !column.notNull)
}

function findNext(waiting: ReadonlyMap<string, TableShape>): TableShape | undefined {
  const tables = [...waiting.values()]
  const open = (table: TableShape) =>
    table.foreignKeys.filter((key) => key.table !== table.oid && waiting.has(key.table))
  const ready = tables.find((table) => open(table).length === 0)
  if (ready) return ready
  const cyclic = tables.filter((table) => reaches(table, table.oid, open, waiting))
  return (
    cyclic.find((table) => open(table).every((key) => mayBeNull(table, key))) ??
    cyclic.find((table) => open(table).every((key) => key.deferrable || mayBeNull(table, key))) ??
    cyclic[0]
  )
}

function reaches(
  from: TableShape,
  goal: string,
  open: (table: TableShape) => readonly ForeignKey[],
  waiting: ReadonlyMap<string, TableShape>,
): boolean {
  const seen = new Set<string>()
  const ahead = [from]
  for (const table of ahead) {
    for (const key of open(table)) {
      if (key.table === goal) return true
      const next = waiting.get(key.table)
      if (!next || seen.has(key.table)) continue
      seen.add(key.table)
      ahead.push(next)
    }
  }
  return false
}
