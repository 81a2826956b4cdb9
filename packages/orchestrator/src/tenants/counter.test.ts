import { describe, expect, it } from 'vitest'

import { Counter } from './counter.ts'
import type { TenantsEvent } from './outcome.ts'

function setUp(expected = 10) {
  const events: TenantsEvent[] = []
  const clock = { now: 0 }
  const counter = new Counter(
    ['eu', 'us'],
    expected,
    (event) => events.push(event),
    () => clock.now,
  )
  return { counter, events, clock }
}

const none = { settled: 0, done: 0, failed: 0, waiting: 0, notTried: 0 }
const unreachable = { code: 'UNREACHABLE', message: 'no server answers' } as const

describe('Counter', () => {
  it('counts by server, in the order in which they are named, and those that nobody has named behind them', () => {
    const { counter } = setUp()

    counter.add('mars', 'failed', 1)
    counter.add('us', 'settled', 3)
    counter.add('us', 'notTried', 2)
    counter.finish('us', 4)

    expect(counter.servers()).toEqual([
      { name: 'eu', ...none },
      { name: 'us', ...none, settled: 3, notTried: 2, done: 1 },
      { name: 'mars', ...none, failed: 1 },
    ])
    expect(counter.revisions).toBe(4)
  })

  it('says once that a server is lost, with the first reason', () => {
    const { counter, events } = setUp()

    counter.lose('eu', unreachable)
    counter.lose('eu', { code: 'CONNECTION_LOST', message: 'gone' })

    expect(events).toEqual([{ type: 'server-lost', server: 'eu', problem: unreachable }])
    expect(counter.servers()[0]).toEqual({ name: 'eu', ...none, problem: unreachable })
  })

  it('tells nothing before anything has ended', () => {
    const { counter, events } = setUp()

    counter.add('eu', 'settled', 5)
    counter.add('eu', 'notTried', 5)
    counter.tell()

    expect(events).toEqual([])
  })

  it('tells how far things are, how fast they go and how long the rest will take', () => {
    const { counter, events, clock } = setUp(10)

    for (const server of ['eu', 'us', 'us']) counter.finish(server, 1)
    counter.add('eu', 'failed', 1)
    clock.now = 2000
    counter.tell()

    expect(events).toEqual([
      { type: 'tenants-progress', total: 10, done: 3, failed: 1, waiting: 0, ratePerSecond: 2, leftMs: 3000 },
    ])
  })

  it('takes the rate over the last ten seconds: what was slow long ago says nothing of what is left', () => {
    const { counter, events, clock } = setUp(1000)

    counter.finish('eu', 1)
    clock.now = 100_000
    counter.tell()
    for (let done = 0; done < 99; done += 1) counter.finish('eu', 1)
    clock.now = 109_000
    counter.tell()

    expect(events.at(-1)).toMatchObject({ done: 100, ratePerSecond: 11, leftMs: expect.closeTo(900_000 / 11) })
  })

  it('never tells of more than there are: those that come meanwhile add to the total', () => {
    const { counter, events, clock } = setUp(1)

    counter.finish('eu', 1)
    counter.finish('us', 1)
    clock.now = 1000
    counter.tell()

    expect(events).toEqual([expect.objectContaining({ total: 2, done: 2, leftMs: 0 })])
  })

  it('says nothing of a rate while no time has passed', () => {
    const { counter, events } = setUp()

    counter.finish('eu', 1)
    counter.tell()

    expect(events).toEqual([{ type: 'tenants-progress', total: 10, done: 1, failed: 0, waiting: 0, ratePerSecond: 0 }])
  })
})
