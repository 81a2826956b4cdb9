import { comesAfter, type Revision } from '@drover/history'

/** How a revision stands in a database: applied with nothing after it, applied, or not applied. */
export type Standing = 'current' | 'applied' | 'pending'

/** The characters that a graph is drawn with. */
export type CharacterSet = 'unicode' | 'ascii'

/** What is drawn for one revision. */
export interface GraphEntry {
  readonly revision: Revision
  /** The line that the revision stands on; the text about it goes behind. */
  readonly line: string
  /** Where on `line` its own mark is. */
  readonly markAt: number
  /** The lanes beside further lines of text about it. */
  readonly beside: string
  /** Lines that lead on to the next revision. */
  readonly below: readonly string[]
}

/** How to draw. */
export interface GraphOptions {
  /** Default `unicode`. */
  readonly characters?: CharacterSet
  /** What each revision is marked with. Default: all alike. */
  readonly standingOf?: (id: string) => Standing | undefined
}

/**
 * Draws revisions from the newest to the oldest: what comes after something stands above it, and the arms of a branch
 * are kept in one piece. Solid lanes lead down to parents, dashed ones to dependencies, `~` to parents that are not
 * among the revisions. A horizontal line passes under the lanes that it crosses. No more columns are used than lanes
 * are open at once.
 * @param revisions in run order
 */
export function drawGraph(revisions: readonly Revision[], options: GraphOptions = {}): readonly GraphEntry[] {
  const drawing = new Drawing(revisions, options.standingOf ?? (() => undefined))
  const entries = orderForDrawing(revisions).map((revision) => drawing.add(revision))
  const translate = options.characters === 'ascii' ? toAscii : (line: string) => line
  const finish = (line: string) => translate(line).trimEnd()
  return entries.map(({ revision, line, markAt, beside, below }) => ({
    revision,
    line: finish(line),
    markAt,
    beside: finish(beside),
    below: below.map(finish),
  }))
}

/**
 * Newest first, and an arm to its end before the next one: of what may come next, the last to have become possible
 * comes.
 */
function orderForDrawing(revisions: readonly Revision[]): readonly Revision[] {
  const byId = new Map(revisions.map((revision) => [revision.id, revision]))
  const waitingFor = new Map(revisions.map(({ id }) => [id, 0]))
  const before = (revision: Revision) => comesAfter(revision).filter((id) => byId.has(id))
  for (const revision of revisions) for (const id of before(revision)) waitingFor.set(id, waitingFor.get(id)! + 1)
  const ready = revisions.filter(({ id }) => waitingFor.get(id) === 0)
  const ordered: Revision[] = []
  for (let next = ready.pop(); next; next = ready.pop()) {
    ordered.push(next)
    for (const id of before(next)) {
      const left = waitingFor.get(id)! - 1
      waitingFor.set(id, left)
      if (left === 0) ready.push(byId.get(id)!)
    }
  }
  return ordered
}

/** A line on its way down. */
interface Lane {
  /** The revision that it leads to; missing when that is not drawn. */
  readonly to: string | undefined
  readonly dashed: boolean
}

type Row = string[]

interface OpenEntry extends GraphEntry {
  readonly below: string[]
}

/**
 * The lanes as they are below what is drawn so far. Between two revisions, lines either leave one lane or end in one
 * lane, never both in one row: so nobody can take a wrong turn.
 */
class Drawing {
  readonly #drawn: ReadonlySet<string>
  readonly #standingOf: (id: string) => Standing | undefined
  readonly #lanes: (Lane | undefined)[] = []
  /** The rows of the last revision, the last of them at the bottom. */
  #above: OpenEntry | undefined

  constructor(revisions: readonly Revision[], standingOf: (id: string) => Standing | undefined) {
    this.#drawn = new Set(revisions.map(({ id }) => id))
    this.#standingOf = standingOf
  }

  add(revision: Revision): GraphEntry {
    const at = this.#place(revision.id)
    const row = this.#passing()
    while (row.length < 2 * at) row.push(' ')
    row[2 * at] = marks[this.#standingOf(revision.id) ?? 'applied']
    const [first, ...others] = this.#lanesBelow(revision)
    this.#lanes[at] = first
    const beside = this.#passing().join('')
    const entry: OpenEntry = { revision, line: row.join(''), markAt: 2 * at, beside, below: [] }
    this.#above = entry
    if (others.length > 0) this.#open(at, others)
    // A dashed lane that goes straight down has to be seen: a mark right below another one would stand for its parent.
    if (first?.dashed) this.#push(this.#passing())
    this.#joinAlike()
    this.#cutOff()
    return entry
  }

  /** Finds the column of a revision: the lane that leads to it, once all that do are one, or a free one. */
  #place(id: string): number {
    const columns = this.#columns((lane) => lane?.to === id)
    const [at, ...others] = columns
    if (at !== undefined) {
      if (others.length > 0) this.#join(at, others)
      return at
    }
    const free = this.#free(-1)
    // Directly below the end of another line it would look like the continuation.
    this.#keepApart([free])
    return free
  }

  #lanesBelow({ parents, dependsOn }: Revision): readonly Lane[] {
    const known = [...new Set(parents)].filter((id) => this.#drawn.has(id))
    const needed = [...new Set(dependsOn)].filter((id) => this.#drawn.has(id) && !known.includes(id))
    return [
      ...known.map((to) => ({ to, dashed: false })),
      ...(parents.some((id) => !this.#drawn.has(id)) ? [{ to: undefined, dashed: false }] : []),
      ...needed.map((to) => ({ to, dashed: true })),
    ]
  }

  /** Opens lanes beside the one at `from`, as near as there is room. */
  #open(from: number, lanes: readonly Lane[]): void {
    const row = this.#passing()
    const opened: { readonly at: number; readonly dashed: boolean }[] = []
    for (const lane of lanes) {
      const at = this.#free(from)
      this.#lanes[at] = lane
      opened.push({ at, dashed: lane.dashed })
    }
    while (row.length < 2 * this.#lanes.length - 1) row.push(' ')
    // Solid lines last: where they share the way with a dashed one, it is solid.
    for (const { at, dashed } of opened.toSorted((a, b) => Number(b.dashed) - Number(a.dashed))) {
      drawAcross(row, from, at, dashed)
    }
    const columns = opened.map(({ at }) => at)
    for (const at of columns) {
      const isFarthest = at > from ? at === Math.max(...columns) : at === Math.min(...columns)
      row[2 * at] = isFarthest ? (at > from ? '╮' : '╭') : '┬'
    }
    const [left, right] = [columns.some((at) => at < from), columns.some((at) => at > from)]
    row[2 * from] = left && right ? '┼' : left ? '┤' : '├'
    this.#push(row)
  }

  /** Lets lanes that lead to the same place end in the leftmost of them. */
  #joinAlike(): void {
    for (let at = 0; at < this.#lanes.length; at += 1) {
      const lane = this.#lanes[at]
      if (lane?.to === undefined) continue
      const others = this.#columns((other) => other?.to === lane.to && other?.dashed === lane.dashed)
      if (others.length > 1) this.#join(at, others.slice(1))
    }
  }

  /** Lets lanes end in one that is to the left of them. */
  #join(into: number, columns: readonly number[]): void {
    this.#keepApart(this.#columns((lane) => lane === undefined).filter((at) => at > into && at < Math.max(...columns)))
    const dashed = new Map(columns.map((at) => [at, this.#lanes[at]!.dashed]))
    for (const at of columns) this.#lanes[at] = undefined
    const row = this.#passing()
    for (const at of columns.toSorted((a, b) => Number(dashed.get(b)) - Number(dashed.get(a)))) {
      drawAcross(row, into, at, dashed.get(at)!)
    }
    for (const at of columns) row[2 * at] = at === Math.max(...columns) ? '╯' : '┴'
    row[2 * into] = '├'
    this.#push(row)
  }

  /** Ends the lanes that lead to what is not drawn. */
  #cutOff(): void {
    const columns = this.#columns((lane) => lane !== undefined && lane.to === undefined)
    if (columns.length === 0) return
    const row = this.#passing()
    for (const at of columns) {
      row[2 * at] = '~'
      this.#lanes[at] = undefined
    }
    this.#push(row)
  }

  /** The first free column to the right of `from`, else any, else a new one. */
  #free(from: number): number {
    const columns = this.#columns((lane) => lane === undefined)
    return columns.find((at) => at > from) ?? columns[0] ?? this.#lanes.length
  }

  #columns(matches: (lane: Lane | undefined) => boolean): readonly number[] {
    return this.#lanes.flatMap((lane, at) => (matches(lane) ? [at] : []))
  }

  /**
   * Leaves a row free if a line ends right above one of these columns, so that nothing there looks as if it belonged to
   * it.
   */
  #keepApart(columns: readonly number[]): void {
    const bottom = this.#above?.below.at(-1) ?? this.#above?.line ?? ''
    if (columns.some((at) => ends.has(bottom[2 * at] ?? ' '))) this.#push(this.#passing())
  }

  /** A row on which every lane just goes on. */
  #passing(): Row {
    return this.#lanes.flatMap((lane, at) => [...(at > 0 ? [' '] : []), lane ? (lane.dashed ? '┊' : '│') : ' '])
  }

  #push(row: Row): void {
    this.#above?.below.push(row.join(''))
  }
}

const marks: Readonly<Record<Standing, string>> = { current: '◉', applied: '●', pending: '○' }
const ends: ReadonlySet<string> = new Set([...Object.values(marks), '~'])

/** Draws a horizontal line between two columns, under the lanes between them. */
function drawAcross(row: Row, from: number, to: number, dashed: boolean): void {
  const line = dashed ? '╌' : '─'
  for (let x = 2 * Math.min(from, to) + 1; x < 2 * Math.max(from, to); x += 1) {
    if (row[x] !== '│' && row[x] !== '┊') row[x] = line
  }
}

const asciiCharacters: Readonly<Record<string, string>> = {
  '●': '*',
  '○': 'o',
  '◉': '@',
  '│': '|',
  '┊': ':',
  '─': '-',
  '╌': '-',
  '├': '+',
  '┤': '+',
  '┼': '+',
  '╮': '.',
  '╭': '.',
  '┬': '.',
  '╯': "'",
  '┴': "'",
}

function toAscii(line: string): string {
  return Array.from(line, (character) => asciiCharacters[character] ?? character).join('')
}
