import { expect, it } from 'vitest'

import { reportProgress } from './progress.ts'
import type { ModuleProgress } from './protocol.ts'

it('tells the first at once, then one a second, and the last at the end', () => {
  let time = 500
  const told: ModuleProgress[] = []
  const progress = reportProgress(
    (one) => told.push(one),
    () => time,
  )

  progress.report(1, 10)
  time += 999
  progress.report(2, 10)
  time += 1
  progress.report(3, 10)
  time += 10
  progress.report(10)
  progress.finish()
  progress.finish()

  expect(told).toEqual([
    { done: 1, total: 10, elapsedMs: 0 },
    { done: 3, total: 10, elapsedMs: 1000 },
    { done: 10, elapsedMs: 1010 },
  ])
})

it('tells nothing where nothing was reported', () => {
  const told: ModuleProgress[] = []

  reportProgress(
    (one) => told.push(one),
    () => 0,
  ).finish()

  expect(told).toEqual([])
})
