import type { PlanOutcome } from '@drover/engine'
import type { Problem } from '@drover/history'
import { describe, expect, it } from 'vitest'

import type { Host, TenantWork } from './host.ts'
import { type ItemEnd, Lane, type LaneOptions, type WorkItem } from './lane.ts'

const locked: Problem = { code: 'STATEMENT_FAILED', sqlstate: '55P03', message: 'no lock' }
const away: Problem = { code: 'UNREACHABLE', message: 'no server answers' }
const broken: Problem = { code: 'STATEMENT_FAILED', sqlstate: '22012', message: 'division by zero' }
const moved: Problem = { code: 'STATE_MOVED', message: 'what is applied has changed' }

const succeeded: PlanOutcome = { finished: [], end: { kind: 'succeeded' }, notTried: [] }

function failed(problem: Problem): PlanOutcome {
  return { finished: [], end: { kind: 'failed', step: undefined, problem }, notTried: [] }
}

/** What a worker does with a tenant, at which attempt. */
type Act = (slug: string, attempt: number, work: TenantWork) => PlanOutcome | Promise<PlanOutcome>

/** A lane on a server that does what it is told. */
function openLane(act: Act, options: Partial<LaneOptions> = {}) {
  const attempts = new Map<string, number>()
  const ends: Record<string, ItemEnd> = {}
  const told: string[] = []
  const seen = { workers: 0, closed: 0, running: 0, most: 0 }
  const openWorker = () => {
    seen.workers += 1
    return {
      carryOut: async ({ slug }: { readonly slug: string }, work: TenantWork) => {
        const attempt = (attempts.get(slug) ?? 0) + 1
        attempts.set(slug, attempt)
        seen.running += 1
        seen.most = Math.max(seen.most, seen.running)
        try {
          return await act(slug, attempt, work)
        } finally {
          seen.running -= 1
        }
      },
      [Symbol.asyncDispose]: async () => void (seen.closed += 1),
    }
  }
  const lane = new Lane(
    { name: 'eu' } as Host,
    { openWorker, end: async () => {} },
    {
      database: 'tenant',
      connections: 2,
      lockAttempts: 3,
      giveUpAfterMs: 60_000,
      scriptsOf: async () => [],
      replan: async () => undefined,
      admit: async () => {},
      onParked: ({ tenant }, problem, attempt) => told.push(`${tenant.slug} later: ${problem.message}, ${attempt}`),
      onSilent: (problem) => told.push(`silent: ${problem.message}`),
      onLost: (problem) => told.push(`lost: ${problem.message}`),
      onEnd: ({ tenant }, end) => (ends[tenant.slug] = end),
      ...options,
    },
  )
  return { lane, ends, told, seen, attempts }
}

function itemsOf(...slugs: readonly string[]): readonly WorkItem[] {
  return slugs.map((slug) => ({ tenant: { slug, target: `tenant_${slug}` }, steps: [], isNew: false }))
}

const done: ItemEnd = { kind: 'done', revisions: 0 }
const notTried: ItemEnd = { kind: 'not-tried' }

describe('Lane', () => {
  it('works on as many at a time as it has connections, which it keeps until it is disposed of', async () => {
    const { lane, ends, seen } = openLane(async () => {
      await new Promise(setImmediate)
      return succeeded
    })

    lane.add(itemsOf('a', 'b', 'c'))
    lane.add(itemsOf('d', 'e'))
    await lane.drain('all')
    await lane[Symbol.asyncDispose]()

    expect(ends).toEqual({ a: done, b: done, c: done, d: done, e: done })
    expect(seen).toEqual({ workers: 2, closed: 2, running: 0, most: 2 })
  })

  it('is free for others once the last tenant has a connection', async () => {
    const first = Promise.withResolvers<void>()
    const { lane, ends } = openLane(async (slug) => {
      if (slug === 'a') await first.promise
      return succeeded
    })

    lane.add(itemsOf('a', 'b', 'c'))
    await lane.drain('free')
    expect(ends).toEqual({ b: done, c: done })

    first.resolve()
    await lane.drain('all')
    expect(ends).toEqual({ a: done, b: done, c: done })
  })

  it('tries a tenant again behind the others that cannot have a lock, and tries three times in a row the last time', async () => {
    const order: string[] = []
    const { lane, ends, told } = openLane(
      (slug, attempt, { lockAttempts }) => {
        order.push(`${slug}${attempt} × ${lockAttempts}`)
        return slug === 'a' ? failed(locked) : succeeded
      },
      { connections: 1, lockAttempts: 2 },
    )

    lane.add(itemsOf('a', 'b', 'c'))
    await lane.drain('all')

    expect(order).toEqual(['a1 × 1', 'b1 × 1', 'c1 × 1', 'a2 × 3'])
    expect(told).toEqual(['a later: no lock, 2'])
    expect(ends).toEqual({ a: { kind: 'waiting', problem: { ...locked, database: 'tenant' } }, b: done, c: done })
  })

  it('does not try again what has failed by itself, and what is thrown counts like what is returned', async () => {
    const { lane, ends, attempts } = openLane((slug) => {
      if (slug === 'b') throw new Error('a fault of ours')
      return failed(broken)
    })

    lane.add(itemsOf('a', 'b'))
    await lane.drain('all')

    expect(ends).toEqual({
      a: { kind: 'failed', problem: { ...broken, database: 'tenant' } },
      b: { kind: 'failed', problem: expect.objectContaining({ code: 'INTERNAL', message: 'a fault of ours' }) },
    })
    expect([...attempts.values()]).toEqual([1, 1])
  })

  it('waits for a server that is away, tells it once, and counts none of that as an attempt of a tenant', async () => {
    let isAway = true
    const { lane, ends, told, attempts } = openLane(
      (_slug, attempt) => {
        if (attempt === 2) isAway = false
        return isAway ? failed(away) : succeeded
      },
      { lockAttempts: 1 },
    )

    lane.add(itemsOf('a', 'b', 'c'))
    await lane.drain('all')

    expect(ends).toEqual({ a: done, b: done, c: done })
    expect(told).toEqual(['silent: no server answers'])
    expect(Math.max(...attempts.values())).toBe(2)
    expect(lane.lost).toBeUndefined()
  })

  it('gives a server up that stays away: nothing more is tried on it, now or later', async () => {
    const { lane, ends, told, attempts } = openLane(() => failed(away), { giveUpAfterMs: 0, connections: 1 })

    lane.add(itemsOf('a', 'b', 'c'))
    await lane.drain('all')
    const tried = [...attempts.values()].reduce((sum, one) => sum + one, 0)
    lane.add(itemsOf('d'))
    await lane.drain('all')

    expect(ends).toEqual({ a: notTried, b: notTried, c: notTried, d: notTried })
    expect(lane.lost).toEqual({ ...away, database: 'tenant' })
    expect(told).toEqual(['silent: no server answers', 'lost: no server answers'])
    expect([...attempts.values()].reduce((sum, one) => sum + one, 0)).toBe(tried)
  })

  it('has a tenant done of which nothing is left, because the answer was lost or somebody else was there', async () => {
    const { lane, ends } = openLane(() => failed(moved), { lockAttempts: 1 })

    lane.add(itemsOf('a'))
    await lane.drain('all')

    expect(ends).toEqual({ a: done })
  })

  it('goes on with what is left of a tenant that somebody else has changed', async () => {
    const { lane, ends, attempts } = openLane((_slug, attempt) => (attempt === 1 ? failed(moved) : succeeded), {
      replan: async (item) => item,
    })

    lane.add(itemsOf('a'))
    await lane.drain('all')

    expect(ends).toEqual({ a: done })
    expect(attempts.get('a')).toBe(2)
  })

  it('reports a tenant of which the rest cannot be done any more', async () => {
    const { lane, ends } = openLane(() => failed(moved), { replan: async () => 'moved' })

    lane.add(itemsOf('a'))
    await lane.drain('all')

    expect(ends).toEqual({ a: { kind: 'failed', problem: { ...moved, database: 'tenant' } } })
  })

  it('gives a run up whose lease has gone to another', async () => {
    const leaseLost: Problem = { code: 'LEASE_LOST', message: 'another run has taken over' }
    const { lane, ends, told } = openLane(() => failed(leaseLost), { connections: 1 })

    lane.add(itemsOf('a', 'b'))
    await lane.drain('all')

    expect(ends).toEqual({ a: notTried, b: notTried })
    expect(told).toEqual(['lost: another run has taken over'])
  })

  it('ends what is begun and begins nothing more once the signal has come', async () => {
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    const { lane, ends } = openLane(
      async () => {
        await begun.promise
        return succeeded
      },
      { signal: stop.signal, connections: 1 },
    )

    lane.add(itemsOf('a', 'b', 'c'))
    await new Promise(setImmediate)
    stop.abort()
    expect(ends).toEqual({ b: notTried, c: notTried })
    begun.resolve()
    await lane.drain('all')

    expect(ends).toEqual({ a: done, b: notTried, c: notTried })
  })

  it('does not call a tenant failed whose statement was cancelled on purpose', async () => {
    const cancel = new AbortController()
    cancel.abort()
    const cancelled: Problem = { code: 'STATEMENT_FAILED', sqlstate: '57014', message: 'canceling statement' }
    const { lane, ends } = openLane(() => failed(cancelled), { cancel: cancel.signal })

    lane.add(itemsOf('a'))
    await lane.drain('all')

    expect(ends).toEqual({ a: notTried })
  })
})
