import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { findCircle, type Node, sortTopologically } from './order.ts'

/** Any graph at all: circles, loops, repeated edges and edges to nowhere included. */
const anyGraph = graph(40, 3)

describe('sortTopologically', () => {
  it('gives the same as always taking the first node of the list that is free', () => {
    fc.assert(
      fc.property(anyGraph, (nodes) => {
        expect(sortTopologically(nodes)).toEqual(sortByScanning(nodes))
      }),
    )
  })

  it('gives the least order by rank of all that respect the edges', () => {
    fc.assert(
      fc.property(graph(6, 2), (nodes) => {
        const least = permutations(nodes.map((node) => node.id)).find((order) => respects(order, nodes))
        // Permutations come in ascending order of ranks, so the first valid one is the least.
        expect(least).toEqual(findCircle(nodes) ? undefined : sortTopologically(nodes).sorted)
      }),
      { numRuns: 60 },
    )
  })
})

describe('findCircle', () => {
  it('finds a real circle exactly when the order is stuck', () => {
    fc.assert(
      fc.property(anyGraph, (nodes) => {
        const { stuck } = sortTopologically(nodes)
        const circle = findCircle(nodes)

        expect(circle === undefined).toBe(stuck.length === 0)
        if (!circle) return
        expect(new Set(circle).size).toBe(circle.length)
        circle.forEach((id, index) => {
          expect(nodes.find((node) => node.id === id)?.after).toContain(circle[(index + 1) % circle.length])
        })
      }),
    )
  })
})

function graph(maxNodes: number, maxEdges: number): fc.Arbitrary<readonly Node[]> {
  const edges = fc.array(fc.array(fc.nat({ max: maxNodes }), { maxLength: maxEdges }), {
    maxLength: maxNodes,
    size: 'max',
  })
  // Half of the graphs have edges in one direction only, for otherwise nearly all would be one knot.
  return fc.tuple(edges, fc.boolean()).chain(([list, knotted]) => {
    const nodes = list.map((others, index) => ({
      id: `n${index}`,
      after: others.filter((other) => knotted || other < index || other >= list.length).map((other) => `n${other}`),
    }))
    return fc.shuffledSubarray(nodes, { minLength: nodes.length })
  })
}

function sortByScanning(nodes: readonly Node[]): ReturnType<typeof sortTopologically> {
  const known = new Set(nodes.map((node) => node.id))
  const sorted: string[] = []
  for (;;) {
    const next = nodes.find(
      (node) => !sorted.includes(node.id) && node.after.every((id) => !known.has(id) || sorted.includes(id)),
    )
    if (!next) break
    sorted.push(next.id)
  }
  return { sorted, stuck: nodes.map((node) => node.id).filter((id) => !sorted.includes(id)) }
}

function permutations(ids: readonly string[]): readonly (readonly string[])[] {
  if (ids.length === 0) return [[]]
  return ids.flatMap((id) => permutations(ids.filter((other) => other !== id)).map((rest) => [id, ...rest]))
}

function respects(order: readonly string[], nodes: readonly Node[]): boolean {
  const rankOf = new Map(order.map((id, rank) => [id, rank]))
  return nodes.every((node) => node.after.every((id) => (rankOf.get(id) ?? -1) < rankOf.get(node.id)!))
}
