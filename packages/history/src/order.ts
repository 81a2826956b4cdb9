/** What ordering needs to know of a revision. */
export interface Node {
  readonly id: string
  /** Ids that must come before it. */
  readonly after: readonly string[]
}

/** An order in which every node follows what it comes after, and the nodes that no such order can hold. */
export interface Order {
  readonly sorted: readonly string[]
  /** Nodes on a circle, or behind one; empty when the order is complete. */
  readonly stuck: readonly string[]
}

/**
 * Orders nodes so that each follows everything it comes after; where that leaves a choice, the node that stands
 * earlier in `nodes` goes first. So the result depends on the order of `nodes` alone, and takes O(n log n).
 * Edges to nodes that are not in the list are ignored.
 */
export function sortTopologically(nodes: readonly Node[]): Order {
  if (isOrdered(nodes)) return { sorted: nodes.map((node) => node.id), stuck: [] }
  const rankOf = new Map(nodes.map((node, rank) => [node.id, rank]))
  const waitingFor = nodes.map(() => 0)
  const followers: number[][] = nodes.map(() => [])
  nodes.forEach((node, rank) => {
    for (const id of node.after) {
      const before = rankOf.get(id)
      if (before === undefined) continue
      followers[before]!.push(rank)
      waitingFor[rank]! += 1
    }
  })

  const ready = new RankHeap()
  waitingFor.forEach((count, rank) => count === 0 && ready.push(rank))
  const sorted: string[] = []
  for (let rank = ready.pop(); rank !== undefined; rank = ready.pop()) {
    sorted.push(nodes[rank]!.id)
    for (const follower of followers[rank]!) {
      waitingFor[follower]! -= 1
      if (waitingFor[follower] === 0) ready.push(follower)
    }
  }
  const stuck = nodes.filter((_, rank) => waitingFor[rank]! > 0).map((node) => node.id)
  return { sorted, stuck }
}

/**
 * One circle among nodes that could not be ordered: each comes after the next, the last after the first. `undefined`
 * when there is none.
 */
export function findCircle(nodes: readonly Node[]): readonly string[] | undefined {
  const { stuck } = sortTopologically(nodes)
  const remaining = new Set(stuck)
  const afterOf = new Map(nodes.map((node) => [node.id, node.after]))
  const path: string[] = []
  const seenAt = new Map<string, number>()
  // Every stuck node waits for at least one other stuck node, so this walk must come back to where it has been.
  for (let id = stuck[0]; id !== undefined; id = afterOf.get(id)?.find((before) => remaining.has(before))) {
    const start = seenAt.get(id)
    if (start !== undefined) return path.slice(start)
    seenAt.set(id, path.length)
    path.push(id)
  }
  return undefined
}

/** Whether every node follows what it comes after already, as in most histories: who creates a revision knows its parents. */
function isOrdered(nodes: readonly Node[]): boolean {
  const ids = new Set(nodes.map((node) => node.id))
  // What is still in the set has not been seen yet.
  return nodes.every((node) => {
    const follows = !node.after.some((id) => ids.has(id))
    ids.delete(node.id)
    return follows
  })
}

/** A binary heap of ranks, smallest first. */
class RankHeap {
  readonly #ranks: number[] = []

  push(rank: number): void {
    const ranks = this.#ranks
    let at = ranks.push(rank) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (ranks[parent]! <= rank) break
      ranks[at] = ranks[parent]!
      at = parent
    }
    ranks[at] = rank
  }

  pop(): number | undefined {
    const ranks = this.#ranks
    const smallest = ranks[0]
    const last = ranks.pop()
    if (last === undefined || ranks.length === 0) return smallest
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= ranks.length) break
      if (child + 1 < ranks.length && ranks[child + 1]! < ranks[child]!) child += 1
      if (ranks[child]! >= last) break
      ranks[at] = ranks[child]!
      at = child
    }
    ranks[at] = last
    return smallest
  }
}
