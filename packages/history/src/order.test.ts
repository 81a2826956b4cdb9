import { describe, expect, it } from 'vitest'

import { findCircle, type Node, sortTopologically } from './order.ts'

describe('sortTopologically', () => {
  it('has nothing to order in an empty list', () => {
    expect(sortTopologically([])).toEqual({ sorted: [], stuck: [] })
  })

  it('puts a node behind everything that it comes after, wherever the list has it', () => {
    const nodes = [node('c', ['b']), node('b', ['a']), node('a')]

    expect(sortTopologically(nodes)).toEqual({ sorted: ['a', 'b', 'c'], stuck: [] })
  })

  it('keeps the order of the list where nothing else decides', () => {
    const nodes = [node('z'), node('m'), node('a')]

    expect(sortTopologically(nodes).sorted).toEqual(['z', 'm', 'a'])
  })

  it('takes a node as soon as it can, before later ones that were ready all along', () => {
    const nodes = [node('late', ['early']), node('early'), node('other')]

    expect(sortTopologically(nodes).sorted).toEqual(['early', 'late', 'other'])
  })

  it('ignores edges to nodes that are not in the list', () => {
    expect(sortTopologically([node('b', ['gone']), node('a')])).toEqual({ sorted: ['b', 'a'], stuck: [] })
  })

  it('counts an edge that is given twice once', () => {
    expect(sortTopologically([node('b', ['a', 'a']), node('a')])).toEqual({ sorted: ['a', 'b'], stuck: [] })
  })

  it('leaves out a circle and all that waits for it, and orders the rest', () => {
    const nodes = [node('behind', ['x']), node('x', ['y']), node('y', ['x']), node('free')]

    expect(sortTopologically(nodes)).toEqual({ sorted: ['free'], stuck: ['behind', 'x', 'y'] })
  })

  it('orders a line of a hundred thousand nodes that is given backwards', () => {
    const nodes = Array.from({ length: 100_000 }, (_, index) => node(`${index}`, [`${index + 1}`]))

    const { sorted, stuck } = sortTopologically(nodes)

    expect(stuck).toEqual([])
    expect(sorted[0]).toBe('99999')
    expect(sorted.at(-1)).toBe('0')
  })
})

describe('findCircle', () => {
  it('finds none where everything can be ordered', () => {
    expect(findCircle([])).toBeUndefined()
    expect(findCircle([node('b', ['a']), node('a')])).toBeUndefined()
  })

  it('finds a node that comes after itself', () => {
    expect(findCircle([node('a'), node('b', ['a', 'b'])])).toEqual(['b'])
  })

  it('leaves out the nodes that only wait for the circle', () => {
    const nodes = [
      node('behind', ['further']),
      node('further', ['x']),
      node('x', ['y']),
      node('y', ['z']),
      node('z', ['x']),
    ]

    expect(findCircle(nodes)).toEqual(['x', 'y', 'z'])
  })

  it('is not led away by edges to nodes that are in order or not in the list', () => {
    expect(findCircle([node('a'), node('x', ['a', 'gone', 'y']), node('y', ['gone', 'a', 'x'])])).toEqual(['x', 'y'])
  })
})

function node(id: string, after: readonly string[] = []): Node {
  return { id, after }
}
