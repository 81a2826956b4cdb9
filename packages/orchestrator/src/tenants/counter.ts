import type { Problem } from '@drover/history'

import { type ServerOutcome, sumCounts, type TenantCounts, type TenantsEvent } from './outcome.ts'

/** How often it is told how far things are, in milliseconds. */
const tellEveryMs = 2000

/** Over how long the rate is taken, in milliseconds: what was long ago says nothing of what is left. */
const rateOverMs = 10_000

interface Own {
  readonly counts: { -readonly [Key in keyof TenantCounts]: number }
  problem?: Problem
}

/** Counts tenants as they end, and tells how far things are. Its size does not depend on their number. */
export class Counter {
  readonly #expected: number
  readonly #onEvent: (event: TenantsEvent) => void
  readonly #now: () => number
  readonly #servers = new Map<string, Own>()
  /** When how many had ended, for the rate. */
  #marks: { readonly at: number; readonly ended: number }[]
  revisions = 0

  /**
   * @param servers their names, in the order in which they are told; others come behind them
   * @param expected for how many there is something to do
   * @param now tells the time, in milliseconds
   */
  constructor(
    servers: readonly string[],
    expected: number,
    onEvent: (event: TenantsEvent) => void,
    now = () => performance.now(),
  ) {
    this.#expected = expected
    this.#onEvent = onEvent
    this.#now = now
    this.#marks = [{ at: now(), ended: 0 }]
    for (const server of servers) this.#of(server)
  }

  add(server: string, kind: keyof TenantCounts, count: number): void {
    this.#of(server).counts[kind] += count
  }

  finish(server: string, revisions: number): void {
    this.add(server, 'done', 1)
    this.revisions += revisions
  }

  /** Says that a server is not to be reached any more; once is enough. */
  lose(server: string, problem: Problem): void {
    const own = this.#of(server)
    if (own.problem) return
    own.problem = problem
    this.#onEvent({ type: 'server-lost', server, problem })
  }

  servers(): readonly ServerOutcome[] {
    return [...this.#servers].map(([name, { counts, problem }]) => ({ name, ...counts, ...(problem && { problem }) }))
  }

  /** Tells now and then how far things are. @returns ends that */
  tellRegularly(): () => void {
    const timer = setInterval(() => this.tell(), tellEveryMs)
    timer.unref()
    return () => clearInterval(timer)
  }

  tell(): void {
    const { done, failed, waiting } = sumCounts(this.servers())
    const ended = done + failed + waiting
    if (ended === 0) return
    const now = this.#now()
    this.#marks = [...this.#marks.filter(({ at }) => now - at < rateOverMs), { at: now, ended }]
    const first = this.#marks[0]!
    const spentMs = now - first.at
    const ratePerSecond = spentMs > 0 ? ((ended - first.ended) / spentMs) * 1000 : 0
    const total = Math.max(this.#expected, ended)
    const left = ratePerSecond > 0 ? { leftMs: ((total - ended) / ratePerSecond) * 1000 } : {}
    this.#onEvent({ type: 'tenants-progress', total, done, failed, waiting, ratePerSecond, ...left })
  }

  #of(server: string): Own {
    const known = this.#servers.get(server)
    if (known) return known
    const fresh: Own = { counts: { settled: 0, done: 0, failed: 0, waiting: 0, notTried: 0 } }
    this.#servers.set(server, fresh)
    return fresh
  }
}
