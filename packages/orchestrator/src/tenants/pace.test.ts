import { describe, expect, it } from 'vitest'

import { type Clock, paceOf } from './pace.ts'

/** A clock that stands still until it is told to go on. */
function exampleClock(): Clock & { pass(ms: number): Promise<void> } {
  let now = 1000
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        sleepers.add({ until: now + ms, wake })
        signal?.addEventListener('abort', () => wake())
      }),
    pass: async (ms) => {
      now += ms
      for (const one of sleepers) if (one.until <= now) one.wake()
      await settled()
    },
  }
}

/** Asks for so many turns at once. @returns how many have come */
function ask(admit: () => Promise<void>, count: number): () => number {
  let came = 0
  for (let at = 0; at < count; at += 1) void admit().then(() => (came += 1))
  return () => came
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('paceOf', () => {
  it('lets everybody begin where no rate is asked for', async () => {
    const came = ask(paceOf(undefined), 100)

    await settled()

    expect(came()).toBe(100)
  })

  it('lets the first begin at once, and so many more in each second', async () => {
    const clock = exampleClock()
    const came = ask(paceOf(4, undefined, clock), 100)

    await settled()
    expect(came()).toBe(1)
    await clock.pass(250)
    expect(came()).toBe(2)
    await clock.pass(1000)
    expect(came()).toBe(6)
  })

  it('does not make up for turns that nobody wanted', async () => {
    const clock = exampleClock()
    const admit = paceOf(4, undefined, clock)
    await admit()
    await clock.pass(60_000)

    const came = ask(admit, 10)
    await settled()

    expect(came()).toBe(1)
  })

  it('keeps nobody waiting once the signal has come', async () => {
    const stop = new AbortController()
    const came = ask(paceOf(1, stop.signal, exampleClock()), 10)

    stop.abort()
    await settled()

    expect(came()).toBe(10)
  })

  it('ends a wait in real time by its signal as well', async () => {
    const stop = new AbortController()
    const admit = paceOf(0.001, stop.signal)
    await admit()
    const second = admit()

    stop.abort()

    await expect(second).resolves.toBeUndefined()
  })
})
