import { setTimeout as sleep } from 'node:timers/promises'

import type { Problem } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import { Counter } from './counter.ts'
import { describeCanary, describeEnd, describeFailures } from './fan-out-end.ts'
import { defaults, type FanOutOptions } from './fan-out-options.ts'
import { Gate } from './gate.ts'
import type { HostRun } from './host.ts'
import { isAboutServer, type ItemEnd, Lane, type WorkItem } from './lane.ts'
import type { TenantFailure, TenantsOutcome } from './outcome.ts'
import { paceOf } from './pace.ts'
import { pickCanaries } from './pick-canaries.ts'
import type { ScriptsOf, TenantsWish } from './planner.ts'
import { type Page, scriptReader, TenantReader, type TenantSet } from './tenant-set.ts'

/**
 * Takes tenants to where they are to be: one message and one transaction each, a few at a time on every server. The first ones go
 * alone, and the rest in waves; what fails is told and keeps nobody else waiting, up to a bound. Tenants are read page by page,
 * and once more at the end for those that have come meanwhile.
 * @param expected for how many there is something to do, for the progress
 * @throws {DroverError} for what keeps it from being begun: `LOCKED`, and scripts that are not fit to be run
 */
export async function fanOut(
  set: TenantSet,
  wish: TenantsWish,
  release: string,
  expected: number,
  options: FanOutOptions,
): Promise<TenantsOutcome> {
  await using run = new Run(set, wish, expected, options)
  return await run.carryOut(release)
}

/** So often tenants are looked for that have come meanwhile: where they come faster than they are done, the next run has them. */
const mostPasses = 10

/** One fan-out, while it goes on. */
class Run implements AsyncDisposable {
  readonly #set: TenantSet
  readonly #wish: TenantsWish
  readonly #reader: TenantReader
  readonly #options: FanOutOptions
  readonly #counter: Counter
  readonly #scriptsOf: ScriptsOf
  readonly #admit: () => Promise<void>
  readonly #lanes: Lane[] = []
  readonly #runs: HostRun[] = []
  /** Of those that are not to be tried again: what is done, needs nothing any more. */
  readonly #tried = new Set<string>()
  readonly #failed: TenantFailure[] = []
  /** Of those on whom something was tried: the others say nothing of what is still to come. */
  #failures = 0
  readonly #waiting: TenantFailure[] = []
  #gates: readonly Gate[] = []
  #stoppedBy: Problem | undefined
  #isCanary = true
  #stopTelling: (() => void) | undefined

  constructor(set: TenantSet, wish: TenantsWish, expected: number, options: FanOutOptions) {
    this.#set = set
    this.#wish = wish
    this.#reader = new TenantReader(set, wish)
    this.#options = options
    this.#scriptsOf = scriptReader(set.about)
    this.#admit = paceOf(options.ratePerSecond, options.signal)
    const servers = set.hosts.map(({ name }) => name)
    this.#counter = new Counter(servers, expected, (event) => options.onEvent?.(event))
  }

  async carryOut(release: string): Promise<TenantsOutcome> {
    await this.#begin(release)
    if (this.#options.gate ?? true) this.#gates = this.#lanes.map(({ host }) => new Gate(host))
    this.#stopTelling = this.#counter.tellRegularly()
    try {
      await this.#runPasses()
    } catch (error) {
      // What is begun is ended and told, whatever it was: the list of the tenants, or a script.
      this.#stop(problemsOf(error, this.#set.about.database.name)[0]!)
      await Promise.all(this.#lanes.map((lane) => lane.drain('all')))
    }
    return this.#finish()
  }

  async #runPasses(): Promise<void> {
    const { filter, wave = defaults.wave } = this.#options
    for (let pass = 1; pass <= mostPasses; pass += 1) {
      let found = 0
      for await (const page of this.#reader.pages(filter, wave)) {
        const work = this.#sort(page, pass === 1)
        found += work.length
        await this.#runWaves(work)
      }
      await this.#settleAll()
      // A walk from where a tenant is would be gone twice, and other tenants would be picked.
      const isOnce = this.#wish.target.anchor === undefined || filter.sample !== undefined
      if (found === 0 || isOnce || this.#isOver) break
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTelling?.()
    await Promise.all(this.#lanes.map((lane) => lane[Symbol.asyncDispose]()))
  }

  get #isOver(): boolean {
    return this.#stoppedBy !== undefined || this.#options.signal?.aborted === true
  }

  /** Takes all servers that can be reached; one that cannot keeps the others from nothing. */
  async #begin(release: string): Promise<void> {
    const { database } = this.#set.about
    const about = { ...this.#options, history: this.#set.about.history }
    const begun = await Promise.allSettled(this.#set.hosts.map((host) => host.begin(release, about)))
    const refusals: unknown[] = []
    for (const [at, one] of begun.entries()) {
      const host = this.#set.hosts[at]!
      if (one.status === 'fulfilled') {
        this.#runs.push(one.value)
        this.#lanes.push(this.#openLane(host, one.value))
        continue
      }
      const problems = problemsOf(one.reason, database.name)
      if (this.#set.hosts.length > 1 && problems.every(isAboutServer)) this.#counter.lose(host.name, problems[0]!)
      else refusals.push(one.reason)
    }
    if (refusals.length === 0) return
    await Promise.all(this.#runs.map((one) => one.end('failed')))
    throw refusals[0]
  }

  #openLane(host: Lane['host'], run: HostRun): Lane {
    const { connections, limits, giveUpAfterMs, signal, cancel, onEvent } = this.#options
    const { config, about } = this.#set
    return new Lane(host, run, {
      database: about.database.name,
      connections: connections ?? config.connections,
      lockAttempts: limits.lockAttempts ?? defaults.lockAttempts,
      giveUpAfterMs: giveUpAfterMs ?? defaults.giveUpAfterMs,
      scriptsOf: this.#scriptsOf,
      replan: (item) => this.#reader.replan(item),
      admit: this.#admit,
      signal,
      cancel,
      onParked: ({ tenant }, problem, attempt) => onEvent?.({ type: 'tenant-parked', tenant, problem, attempt }),
      onSilent: (problem) => onEvent?.({ type: 'server-silent', server: host.name, problem }),
      onLost: (problem) => this.#counter.lose(host.name, problem),
      onEnd: (item, end) => this.#end(host.name, item, end),
    })
  }

  /** What there is to do for the tenants of a page; the others are counted. */
  #sort(
    { groups, unusable, unread }: Page,
    isFirst: boolean,
  ): readonly { readonly lane: Lane; readonly item: WorkItem }[] {
    const work: { readonly lane: Lane; readonly item: WorkItem }[] = []
    for (const { host, tenants, plan, state } of groups) {
      const fresh = tenants.filter(({ slug }) => !this.#tried.has(slug))
      if (plan.kind !== 'steps') {
        if (isFirst) this.#counter.add(host.name, 'settled', fresh.length)
        continue
      }
      const lane = this.#lanes.find((one) => one.host === host)
      const isNew = state.applied.length === 0
      if (lane && !lane.lost && !this.#isOver) {
        const { steps, snapshot } = plan
        work.push(...fresh.map((tenant) => ({ lane, item: { tenant, steps, snapshot, isNew } })))
      } else if (isFirst) this.#counter.add(host.name, 'notTried', fresh.length)
    }
    for (const { host, tenants, problem } of unread) {
      this.#counter.lose(host.name, problem)
      if (isFirst) this.#counter.add(host.name, 'notTried', tenants.length)
    }
    for (const failure of unusable) {
      if (!this.#tried.has(failure.slug)) this.#tellFailure(failure)
    }
    return work
  }

  /** Runs tenants: the first of all alone, the others once those have succeeded. */
  async #runWaves(work: readonly { readonly lane: Lane; readonly item: WorkItem }[]): Promise<void> {
    if (work.length === 0) return
    let rest = work
    if (this.#isCanary) {
      const first = await pickCanaries(work, this.#options.canary ?? defaults.canary)
      rest = work.filter((one) => !first.includes(one))
      await this.#runWave(first, 'all')
      this.#isCanary = false
      // Those of whom nothing could be made have had nothing tried on them.
      const slugs = new Set(first.map(({ item }) => item.tenant.slug))
      const failure = [...this.#failed, ...this.#waiting].find(({ slug }) => slugs.has(slug))
      if (failure && !this.#isOver) this.#stop(describeCanary(failure))
      if (!this.#isOver && rest.length > 0) {
        this.#options.onEvent?.({ type: 'canary-passed', tenants: first.map(({ item }) => item.tenant.slug) })
      }
    }
    await this.#runWave(rest, 'free')
    const { pauseMs = 0, signal } = this.#options
    if (pauseMs > 0 && !this.#isOver) {
      await sleep(pauseMs, undefined, signal && { signal }).catch(() => undefined)
    }
  }

  async #runWave(
    work: readonly { readonly lane: Lane; readonly item: WorkItem }[],
    until: 'free' | 'all',
  ): Promise<void> {
    const byLane = Map.groupBy(work, ({ lane }) => lane)
    await Promise.all(
      [...byLane].map(async ([lane, own]) => {
        lane.add(own.map(({ item }) => item))
        await lane.drain(until)
      }),
    )
    await this.#passGate()
  }

  async #settleAll(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.drain('all')))
    const { giveUpAfterMs = defaults.giveUpAfterMs } = this.#options
    const until = performance.now() + giveUpAfterMs
    for (let left = await this.#passGate(); left; left = await this.#passGate()) {
      if (performance.now() > until) this.#stop(left)
      else await sleep(500)
    }
  }

  /**
   * Compares what has been done since the last time, on all servers at once.
   * @returns why a server could not be asked, which is to be asked again
   */
  async #passGate(): Promise<Problem | undefined> {
    const left = await Promise.all(this.#gates.map((gate) => this.#passGateOf(gate)))
    return left.find((problem) => problem !== undefined)
  }

  async #passGateOf(gate: Gate): Promise<Problem | undefined> {
    // What is said of a server that was given up is enough.
    if (this.#isOver || this.#lanes.some((lane) => lane.host.name === gate.server && lane.lost)) return undefined
    try {
      const problem = await gate.pass()
      if (problem) this.#stop(problem)
    } catch (error) {
      const [problem] = problemsOf(error, this.#set.about.database.name)
      if (isAboutServer(problem!)) return problem
      this.#options.onEvent?.({ type: 'gate-passed-over', problem: problem! })
    }
    return undefined
  }

  #end(server: string, item: WorkItem, end: ItemEnd): void {
    const { slug, target } = item.tenant
    if (end.kind === 'not-tried') return this.#counter.add(server, 'notTried', 1)
    if (end.kind === 'done') {
      this.#counter.finish(server, end.revisions)
      return this.#gates.find(({ server: own }) => own === server)?.add(item)
    }
    const failure = { slug, target, server, problem: end.problem }
    if (end.kind === 'failed') return this.#fail(failure)
    this.#tried.add(slug)
    this.#waiting.push(failure)
    this.#counter.add(server, 'waiting', 1)
    return undefined
  }

  #fail(failure: TenantFailure): void {
    this.#tellFailure(failure)
    this.#failures += 1
    const { maxFailures = defaults.maxFailures } = this.#options
    if (this.#failures >= maxFailures && !this.#isOver) this.#stop(describeFailures(this.#failures, maxFailures))
  }

  #tellFailure(failure: TenantFailure): void {
    this.#tried.add(failure.slug)
    this.#failed.push(failure)
    this.#counter.add(failure.server, 'failed', 1)
    this.#options.onEvent?.({ type: 'tenant-failed', failure })
  }

  #stop(problem: Problem): void {
    this.#stoppedBy ??= { ...problem, database: this.#set.about.database.name }
    for (const lane of this.#lanes) lane.stop()
  }

  async #finish(): Promise<TenantsOutcome> {
    this.#stopTelling?.()
    this.#counter.tell()
    const outcome = {
      servers: this.#counter.servers(),
      revisions: this.#counter.revisions,
      failed: this.#failed,
      waiting: this.#waiting,
      ...(this.#stoppedBy && { stoppedBy: this.#stoppedBy }),
      isInterrupted: this.#options.signal?.aborted === true,
    }
    const { kind, problem } = describeEnd(outcome)
    await Promise.all(this.#runs.map((run) => run.end(kind, problem)))
    return outcome
  }
}
