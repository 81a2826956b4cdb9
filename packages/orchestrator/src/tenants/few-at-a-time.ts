/**
 * Does something with each of many, a few at a time.
 * @returns what came of each, in their order
 * @throws what went wrong first, once those that were begun have ended; no other is begun then
 */
export async function fewAtATime<Item, Result>(
  items: readonly Item[],
  most: number,
  act: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  let next = 0
  let isOver = false
  const goOn = async () => {
    while (next < items.length && !isOver) {
      const at = next
      next += 1
      try {
        results[at] = await act(items[at]!)
      } catch (error) {
        isOver = true
        throw error
      }
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, goOn))
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
  return results
}
