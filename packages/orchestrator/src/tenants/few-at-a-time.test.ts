import fc from 'fast-check'
import { expect, it } from 'vitest'

import { fewAtATime } from './few-at-a-time.ts'

it('does all of them, never more at a time than are allowed, and returns what came of each in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), fc.scheduler(), async (items, most, s) => {
      let [running, peak] = [0, 0]
      const all = fewAtATime(items, most, async (item) => {
        running += 1
        peak = Math.max(peak, running)
        await s.schedule(Promise.resolve())
        running -= 1
        return item * 2
      })

      expect(await s.waitFor(all)).toEqual(items.map((item) => item * 2))
      expect(peak).toBe(Math.min(most, items.length))
    }),
    { numRuns: 200 },
  )
})

it('begins no other once one has gone wrong, and waits for those that were begun', async () => {
  const ended: number[] = []
  const slow = Promise.withResolvers<void>()

  const all = fewAtATime([1, 2, 3, 4], 2, async (item) => {
    if (item === 2) throw new Error('two')
    if (item === 1) await slow.promise
    ended.push(item)
  })
  const settled = all.catch((error: unknown) => ({ error, ended: [...ended] }))
  slow.resolve()

  expect(await settled).toEqual({ error: new Error('two'), ended: [1] })
  expect(ended).toEqual([1])
})
