import { expect, it } from 'vitest'

import { progressText } from './progress.ts'

it.each([
  [{ done: 0, total: 1000, elapsedMs: 0 }, '0 of 1,000 (0 %) rows'],
  [{ done: 12_000, total: 50_000, elapsedMs: 4000 }, '12,000 of 50,000 (24 %) rows, 3,000/s, 12.7 s left'],
  [{ done: 50_000, total: 50_000, elapsedMs: 10_000 }, '50,000 of 50,000 (100 %) rows, 5,000/s'],
  [{ done: 999, total: 1000, elapsedMs: 1000 }, '999 of 1,000 (99 %) rows, 999/s, 1 ms left'],
  [{ done: 500, total: 1000, estimated: true, elapsedMs: 1000 }, '500 of about 1,000 (50 %) rows, 500/s, 1.0 s left'],
  [{ done: 120, elapsedMs: 2000 }, '120 rows, 60/s'],
  [
    {
      stage: 'waiting for writers before build',
      unit: 'sessions',
      done: 0,
      total: 1,
      waitsFor: 4711,
      elapsedMs: 2000,
    },
    'waiting for writers before build, 0 of 1 sessions, waits for process 4711 of the server, for 2.0 s',
  ],
  [
    { stage: 'building index: scanning table', unit: 'blocks', done: 1200, total: 4800, elapsedMs: 2000 },
    'building index: scanning table, 1,200 of 4,800 blocks (25 %), for 2.0 s',
  ],
  [{ stage: 'truncating heap', unit: 'rows', done: 0, elapsedMs: 2000 }, 'truncating heap, for 2.0 s'],
  [{ done: 120, total: 100, elapsedMs: 2000 }, '120 of 100 (120 %) rows, 60/s'],
])('says of %j: %s', (progress, text) => {
  expect(progressText(progress)).toBe(text)
})
