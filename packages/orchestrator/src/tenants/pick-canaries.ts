import type { Lane, WorkItem } from './lane.ts'

/** One tenant that waits for its turn, with who works on it. */
interface Waiting {
  readonly lane: Lane
  readonly item: WorkItem
}

/**
 * Picks the tenants that go before all others, on each server: the first ones by their slugs, or with `spread` the largest, the smallest and a random one,
 * because what is quick on a small schema may take an hour on a large one.
 */
export async function pickCanaries(work: readonly Waiting[], wish: number | 'spread'): Promise<readonly Waiting[]> {
  const byLane = Map.groupBy(work, ({ lane }) => lane)
  const picked = await Promise.all(
    [...byLane].map(async ([lane, own]) =>
      wish === 'spread' ? pickSpread(lane, own) : own.toSorted(bySlug).slice(0, wish),
    ),
  )
  return picked.flat()
}

function bySlug({ item: one }: Waiting, { item: other }: Waiting): number {
  return one.tenant.slug < other.tenant.slug ? -1 : 1
}

async function pickSpread(lane: Lane, work: readonly Waiting[]): Promise<readonly Waiting[]> {
  const sizes = await lane.host.sizes(work.map(({ item }) => item.tenant))
  const sizeOf = ({ item }: Waiting) => sizes.get(item.tenant.target) ?? 0
  const sorted = work.toSorted((a, b) => sizeOf(a) - sizeOf(b))
  const random = sorted[Math.floor(Math.random() * sorted.length)]
  return [...new Set([sorted.at(-1)!, sorted[0]!, random!])]
}
