import { describe, expect, it } from 'vitest'

import { type FleetStatus, isDrained, type JobCounts } from './queue.ts'

const none: JobCounts = { queued: 0, active: 0, done: 0, failed: 0, waiting: 0, cancelled: 0 }

function statusOf(counts: Partial<JobCounts>, canaries: FleetStatus['canaries'] = []): FleetStatus {
  const about = { release: 'one', revisions: ['aaaa00000001'], created: '2026-11-20T12:00:00.000Z', ratePerSecond: 0 }
  return {
    ...about,
    servers: [
      { name: '', ...none },
      { name: 'eu', ...none, ...counts },
    ],
    canaries,
    failed: [],
    waiting: [],
  }
}

describe('a queue', () => {
  it('is drained when all jobs are settled, however', () => {
    expect(isDrained(statusOf({ done: 3, failed: 1, cancelled: 2 }))).toBe(true)
  })

  it.each(['queued', 'active', 'waiting'] as const)('is not drained while a job is %s', (state) => {
    expect(isDrained(statusOf({ done: 3, [state]: 1 }))).toBe(false)
  })

  it('is drained when all that go first have failed, because nobody takes the others', () => {
    expect(isDrained(statusOf({ queued: 9, failed: 1 }, [{ slug: 'acme', hasFailed: true }]))).toBe(true)
  })

  it('is not drained while one that goes first may succeed, or is worked on', () => {
    const canaries = [
      { slug: 'acme', hasFailed: true },
      { slug: 'globex', hasFailed: false },
    ]

    expect(isDrained(statusOf({ queued: 9, waiting: 1, failed: 1 }, canaries))).toBe(false)
    expect(isDrained(statusOf({ queued: 9, active: 1 }, [{ slug: 'acme', hasFailed: true }]))).toBe(false)
  })
})
