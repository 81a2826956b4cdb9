/** Values of one row by column, as texts; null is null. A column that is not in it gets its default. */
export type RowValues = Readonly<Record<string, string | null>>

/** Columns whose values differ from row to row. */
export interface UniqueKey {
  readonly columns: readonly string[]
  readonly nullsDistinct: boolean
}

/**
 * Chooses rows out of values that fit. The first row is the fullest, the second the emptiest, the third repeats the first
 * wherever nothing forbids it; the others bring values that none had before.
 * @param groups columns that depend on one another, each with the combinations that fit, the plainest first
 * @param count of rows wanted; fewer come when a unique key leaves no more
 * @param before rows that are there already: all that come bring new values
 * @returns for each row the choices to try, best first
 */
export function chooseRows(
  groups: readonly (readonly RowValues[])[],
  keys: readonly UniqueKey[],
  count: number,
  before: readonly RowValues[] = [],
): readonly (readonly RowValues[])[] {
  const open = groups.filter((group) => group.length > 0)
  const rows = [...before]
  const slots: (readonly RowValues[])[] = []
  const start = before.length > 0 ? Math.max(before.length, 3) : 0
  for (let slot = start; slot < start + count; slot += 1) {
    const wish = open.map((group) => wishFor(slot, group, rows))
    const shifted = Array.from({ length: alternatives }, (_, shift) =>
      open.map((group, place) => group[((wish[place] ?? 0) + shift) % group.length] ?? {}),
    )
    const plain = open.map((group, place) => group[(slot + place) % Math.min(group.length, 3)] ?? {})
    const choices = [...shifted, plain].map((parts) => mend(parts, open, keys, rows)).filter((row) => row !== undefined)
    const [best] = choices
    if (!best) break
    rows.push(best)
    slots.push(choices)
  }
  return slots
}

/** How many choices there are for a row, should the server refuse the best for a reason that only it knows. */
const alternatives = 8

function wishFor(slot: number, group: readonly RowValues[], rows: readonly RowValues[]): number {
  if (slot === 0 || slot === 2) return 0
  if (slot === 1) {
    const nulls = group.map((part) => Object.values(part).filter((value) => value === null).length)
    const most = Math.max(...nulls)
    return most > 0 ? nulls.indexOf(most) : 1 % group.length
  }
  const fresh = group.map(
    (part) => Object.entries(part).filter(([column, value]) => rows.every((row) => row[column] !== value)).length,
  )
  const most = Math.max(...fresh)
  return most > 0 ? fresh.indexOf(most) : slot % group.length
}

/** Changes as little as possible of a choice until no unique key is taken. Undefined when that cannot be. */
function mend(
  wish: readonly RowValues[],
  groups: readonly (readonly RowValues[])[],
  keys: readonly UniqueKey[],
  rows: readonly RowValues[],
): RowValues | undefined {
  let parts = wish
  for (let round = 0; round <= keys.length; round += 1) {
    const row = join(parts)
    const taken = keys.filter((key) => isTaken(key, row, rows))
    const [first] = taken
    if (!first) return row
    let better: readonly RowValues[] | undefined
    let fewest = taken.length
    for (const [place, group] of groups.entries()) {
      const current = parts[place] ?? {}
      if (!first.columns.some((column) => column in current)) continue
      for (const part of group.toSorted((one, other) => distance(one, current) - distance(other, current))) {
        const changed = parts.with(place, part)
        const left = keys.filter((key) => isTaken(key, join(changed), rows)).length
        if (left >= fewest) continue
        fewest = left
        better = changed
        if (left === 0) break
      }
      if (fewest === 0) break
    }
    if (!better) return undefined
    parts = better
  }
  return undefined
}

function join(parts: readonly RowValues[]): RowValues {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)))
}

function isTaken(key: UniqueKey, row: RowValues, rows: readonly RowValues[]): boolean {
  // What the server fills in by itself is not known here.
  if (key.columns.some((column) => row[column] === undefined)) return false
  if (key.nullsDistinct && key.columns.some((column) => row[column] === null)) return false
  return rows.some((other) => key.columns.every((column) => other[column] === row[column]))
}

function distance(one: RowValues, other: RowValues): number {
  return Object.keys(one).filter((column) => one[column] !== other[column]).length
}
