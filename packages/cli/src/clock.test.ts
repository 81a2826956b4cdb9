import { expect, it } from 'vitest'

import { performance as clock } from './clock.ts'

it('tells the time that Node tells', () => {
  const before = performance.timeOrigin + performance.now()
  const told = clock.timeOrigin + clock.now()
  const after = performance.timeOrigin + performance.now()

  // `Date.now()` has no parts of a millisecond, and the clock of the system may be adjusted meanwhile.
  expect(told).toBeGreaterThan(before - 1000)
  expect(told).toBeLessThan(after + 1000)
  expect(clock.now()).toBeLessThanOrEqual(clock.now())
})
