import { comesAfter, type Revision } from '@drover/history'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleRevisions } from './example-drawing.ts'
import { drawGraph, type GraphEntry } from './graph.ts'

/** How far back, among the revisions before; mostly near, so that arms grow long. */
const distance = fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 2 }) }, { weight: 1, arbitrary: fc.nat({ max: 30 }) })

/** Revisions in run order that come after any of those before them; some of what they come after may be left out. */
const generatedRevisions: fc.Arbitrary<readonly Revision[]> = fc
  .array(
    fc.record({
      parents: fc.array(distance, { maxLength: 3 }),
      dependsOn: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(distance, { maxLength: 2 })),
      isShown: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.boolean()),
    }),
    { maxLength: 40, size: 'max' },
  )
  .map((seeds) =>
    seeds.flatMap(({ isShown, ...seed }, index) => {
      const before = (distances: readonly number[]) =>
        index === 0 ? [] : [...new Set(distances.map((back) => `r${index - 1 - (back % index)}`))]
      const [revision] = exampleRevisions(`r${index}`)
      return isShown ? [{ ...revision!, parents: before(seed.parents), dependsOn: before(seed.dependsOn) }] : []
    }),
  )

describe('drawGraph, for any history', () => {
  it('draws every revision once, on a line of its own, above all that it comes after', () => {
    fc.assert(
      fc.property(generatedRevisions, (revisions) => {
        const entries = drawGraph(revisions)
        const ids = entries.map(({ revision }) => revision.id)

        expect(ids.toSorted()).toEqual(revisions.map(({ id }) => id).toSorted())
        for (const { line, markAt, beside, below } of entries) {
          expect([line[markAt], line.split('●').length]).toEqual(['●', 2])
          expect([beside, ...below].join('')).not.toContain('●')
        }
        for (const revision of revisions) {
          const after = comesAfter(revision).filter((id) => ids.includes(id))
          for (const id of after) expect(ids.indexOf(id)).toBeGreaterThan(ids.indexOf(revision.id))
        }
      }),
    )
  })

  it('leads from every revision to what it comes after, to nothing else, and draws no other line', () => {
    fc.assert(
      fc.property(generatedRevisions, (revisions) => {
        const drawing = new Followed(drawGraph(revisions))
        const shown = new Set(revisions.map(({ id }) => id))
        for (const revision of revisions) {
          const cut = revision.parents.some((id) => !shown.has(id)) ? ['~'] : []
          const expected = [...comesAfter(revision).filter((id) => shown.has(id)), ...cut]
          expect([revision.id, drawing.follow(revision.id)]).toEqual([revision.id, expected.toSorted()])
        }
        expect(drawing.unseen()).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('is no wider than the lanes that are open at once', () => {
    fc.assert(
      fc.property(generatedRevisions, (revisions) => {
        const entries = drawGraph(revisions)
        const columns = linesOf(entries).map((line) => (line.length + 1) / 2)

        expect(Math.max(0, ...columns)).toBeLessThanOrEqual(Math.max(1, mostOpenLanes(entries)))
      }),
    )
  })

  it('is the same in ASCII, character by character', () => {
    fc.assert(
      fc.property(generatedRevisions, (revisions) => {
        const ascii = linesOf(drawGraph(revisions, { characters: 'ascii' }))

        expect(ascii.map((line) => line.length)).toEqual(linesOf(drawGraph(revisions)).map((line) => line.length))
        for (const line of ascii) expect(line).toMatch(/^[-*|:+.'~ ]*$/)
      }),
    )
  })
})

function linesOf(entries: readonly GraphEntry[]): readonly string[] {
  return entries.flatMap(({ line, beside, below }) => [line, beside, ...below])
}

/**
 * How many lanes there must be at least at the same time, if all that lead from drawn revisions to one place are one.
 */
function mostOpenLanes(entries: readonly GraphEntry[]): number {
  const shown = new Set(entries.map(({ revision }) => revision.id))
  const open = new Set<string>()
  let most = 0
  for (const { revision } of entries) {
    const { id, parents, dependsOn } = revision
    most = Math.max(most, open.size)
    open.delete(`solid ${id}`)
    open.delete(`dashed ${id}`)
    const lanes = new Set([
      ...parents.map((parent) => (shown.has(parent) ? `solid ${parent}` : '~')),
      ...dependsOn.filter((other) => shown.has(other) && !parents.includes(other)).map((other) => `dashed ${other}`),
    ])
    // The revision itself takes a column, and its lanes begin side by side before they join others.
    most = Math.max(most, open.size + Math.max(1, lanes.size))
    for (const lane of lanes) if (lane !== '~') open.add(lane)
  }
  return most
}

type Way = 'down' | 'left' | 'right'

/** Where one can go on, coming down, left or right to a character. What is missing is no way in. */
const ways: Readonly<Record<string, Partial<Record<Way, readonly Way[]>>>> = {
  '│': { down: ['down'], left: ['left'], right: ['right'] },
  '┊': { down: ['down'], left: ['left'], right: ['right'] },
  '─': { left: ['left'], right: ['right'] },
  '╌': { left: ['left'], right: ['right'] },
  '├': { down: ['down', 'right'], left: ['down'] },
  '┤': { down: ['down', 'left'], right: ['down'] },
  '┼': { down: ['down', 'left', 'right'] },
  '┬': { left: ['left', 'down'], right: ['right', 'down'] },
  '╮': { right: ['down'] },
  '╭': { left: ['down'] },
  // From the side, these only lead up.
  '┴': { down: ['left', 'right'], left: ['left'], right: ['right'] },
  '╯': { down: ['left'], right: [] },
  ' ': { down: [] },
}

/** A drawing in which lines are followed with nothing but its characters to go by. */
class Followed {
  readonly #rows: readonly string[]
  readonly #places = new Map<string, { readonly x: number; readonly y: number }>()
  readonly #idAt = new Map<string, string>()
  readonly #seen = new Set<string>()

  constructor(entries: readonly GraphEntry[]) {
    const rows: string[] = []
    for (const { revision, line, markAt, below } of entries) {
      this.#places.set(revision.id, { x: markAt, y: rows.length })
      this.#idAt.set(`${markAt} ${rows.length}`, revision.id)
      rows.push(line, ...below)
    }
    this.#rows = rows
  }

  /**
   * The ids of the revisions that one comes to from this one without passing another, sorted; `~` for a lane that is
   * cut off.
   */
  follow(id: string): readonly string[] {
    const { x, y } = this.#places.get(id)!
    const found = new Set<string>()
    const walk = (atX: number, atY: number, way: Way): void => {
      const place = `${atX} ${atY}`
      const character = this.#rows[atY]?.[atX] ?? ' '
      this.#seen.add(place)
      const reached = character === '~' ? '~' : this.#idAt.get(place)
      if (reached !== undefined) return void found.add(way === 'down' ? reached : `${reached} from the side`)
      const next = ways[character]?.[way]
      if (!next) return void found.add(`nowhere: ${way} to "${character}" at ${place}`)
      for (const on of next) {
        walk(atX + (on === 'left' ? -1 : on === 'right' ? 1 : 0), atY + (on === 'down' ? 1 : 0), on)
      }
    }
    walk(x, y + 1, 'down')
    return [...found].toSorted()
  }

  /** Characters that no line came by. */
  unseen(): readonly string[] {
    return this.#rows.flatMap((row, y) =>
      Array.from(row, (character, x) => ({ character, place: `${x} ${y}` }))
        .filter(({ character, place }) => character !== ' ' && character !== '●' && !this.#seen.has(place))
        .map(({ character, place }) => `"${character}" at ${place}`),
    )
  }
}
