import { setTimeout as sleep } from 'node:timers/promises'

import type { Environment, RunLimits } from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'
import { problemsOf, type TenantFailure, type TenantsEvent } from '@drover/orchestrator'
import {
  attemptsInARow,
  type BeginOptions,
  fillIn,
  type Host,
  scriptReader,
  type ScriptsOf,
  type TenantSet,
} from '@drover/orchestrator/tenants'

import { Crew } from './crew.ts'
import { judgeOutcome, judgeProblem } from './judge.ts'
import { Planner, type Prepared } from './prepare.ts'
import { isDrained, type JobEnd, type Queue, type TakenJob } from './queue.ts'

/** How a worker works. */
export interface WorkOptions extends Pick<BeginOptions, 'command' | 'actor' | 'signal'> {
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly environment: Environment
  readonly limits: RunLimits
  /** How many tenants of one server are worked on at the same time, by all workers together. Default: as `database.ts` says. */
  readonly connections?: number | undefined
  /** Whether it ends when nothing is left, instead of waiting for more. */
  readonly drain: boolean
  /** Once aborted, after `signal`, what is running is cancelled. */
  readonly cancel?: AbortSignal | undefined
  readonly onEvent?: ((event: FleetEvent) => void) | undefined
}

/** What happens while a worker works. */
export type FleetEvent =
  | Extract<TenantsEvent, { readonly type: 'tenant-failed' | 'tenant-parked' }>
  | { readonly type: 'fleet-progress'; readonly done: number; readonly failed: number; readonly ratePerSecond: number }
  /** The queue could not be asked, which is tried again. */
  | { readonly type: 'queue-lost'; readonly problem: Problem }

/** What a worker has done. */
export interface WorkOutcome {
  readonly done: number
  /** How many revisions it applied, over all tenants. */
  readonly revisions: number
  readonly failed: readonly TenantFailure[]
  /** What kept it from taking more. */
  readonly stoppedBy?: Problem
  readonly isInterrupted: boolean
}

/** How often it says that it is there: three times before others would think that it has gone. */
const beatMs = 3000

/** How long it waits where there is nothing to do, in milliseconds. */
const idleMs = 500

/** How long it waits for others when one job has ended. */
const gatherMs = 2

/** How long the queue may not be asked before a worker gives up. */
const patienceMs = 60_000

/** The fewest jobs that are asked for at once. */
const fewest = 10

/**
 * Takes jobs from a queue and works on their tenants, until it is told to stop or, with `drain`, nothing is left. What is begun is
 * ended; what a killed worker leaves behind, others take.
 * @throws {DroverError} for a queue that cannot be asked for a minute
 */
export async function workQueue(set: TenantSet, queue: Queue, options: WorkOptions): Promise<WorkOutcome> {
  return new FleetWorker(set, queue, options).work()
}

class FleetWorker {
  readonly #set: TenantSet
  readonly #queue: Queue
  readonly #options: WorkOptions
  readonly #planner: Planner
  readonly #scriptsOf: ScriptsOf
  readonly #connections: number
  readonly #running = new Map<TakenJob, Promise<void>>()
  #ended: { readonly job: TakenJob; readonly end: JobEnd }[] = []
  readonly #crews = new Map<Host, Promise<Crew>>()
  readonly #failed: TenantFailure[] = []
  #done = 0
  #revisions = 0
  #stoppedBy: Problem | undefined
  #lostSince: number | undefined
  #wake: () => void = () => {}

  constructor(set: TenantSet, queue: Queue, options: WorkOptions) {
    this.#set = set
    this.#queue = queue
    this.#options = options
    this.#planner = new Planner(set)
    this.#scriptsOf = scriptReader(set.about)
    this.#connections = options.connections ?? set.config.connections
    options.signal?.addEventListener('abort', () => this.#wake(), { once: true })
  }

  async work(): Promise<WorkOutcome> {
    const beat = setInterval(() => void this.#queue.keep([...this.#running.keys()]).catch(() => undefined), beatMs)
    const stopTelling = this.#tellRegularly()
    try {
      while (!this.#isOver) if (!(await this.#turn())) break
    } finally {
      await Promise.all(this.#running.values())
      clearInterval(beat)
      stopTelling()
      // Of what cannot be told any more, whoever takes it next finds that nothing is left to do.
      await this.#settle().catch(() => undefined)
      await this.#endCrews()
    }
    return {
      done: this.#done,
      revisions: this.#revisions,
      failed: this.#failed,
      ...(this.#stoppedBy && { stoppedBy: this.#stoppedBy }),
      isInterrupted: this.#isInterrupted,
    }
  }

  get #isInterrupted(): boolean {
    return this.#options.signal?.aborted === true
  }

  get #isOver(): boolean {
    return this.#isInterrupted || this.#stoppedBy !== undefined
  }

  /** Tells what has ended, and takes what there is room for. @returns whether there is more to come */
  async #turn(): Promise<boolean> {
    try {
      // What ends at about the same time is told, and followed by others, in one go.
      if (this.#ended.length > 0 && this.#running.size > 0) await sleep(gatherMs)
      await this.#settle()
      const room = this.#set.hosts.length * this.#connections - this.#running.size
      const taken = room > 0 ? await this.#queue.take(Math.max(fewest, room), this.#connections) : []
      if (taken === 'busy') await this.#pause(10 + Math.random() * 20)
      else if (taken.length > 0) this.#begin(taken)
      else if (this.#running.size === 0 && this.#options.drain && (await this.#isDrained())) return false
      else if (this.#ended.length === 0) await this.#pause(idleMs)
      this.#lostSince = undefined
      return true
    } catch (error) {
      if (!(error instanceof DroverError) || error.code !== 'CONNECTION_LOST') throw error
      const now = performance.now()
      this.#lostSince ??= now
      if (now - this.#lostSince > patienceMs) throw error
      this.#options.onEvent?.({ type: 'queue-lost', problem: error.problems[0] })
      await this.#pause(1000)
      return true
    }
  }

  async #isDrained(): Promise<boolean> {
    const status = await this.#queue.status()
    return status === undefined || isDrained(status)
  }

  async #settle(): Promise<void> {
    const ended = this.#ended
    this.#ended = []
    try {
      const done = ended.filter(({ end }) => end.kind === 'done')
      await this.#queue.settleDone(done.map(({ job }) => job))
      for (const { job, end } of ended) if (end.kind !== 'done') await this.#queue.settle(job, end)
    } catch (error) {
      // Said twice, it counts once.
      this.#ended.push(...ended)
      throw error
    }
  }

  #begin(taken: readonly TakenJob[]): void {
    for (const jobs of Map.groupBy(taken, ({ release }) => release).values()) {
      const prepared = this.#prepare(jobs)
      for (const job of jobs) this.#running.set(job, this.#workOn(job, prepared))
    }
  }

  async #prepare(jobs: readonly TakenJob[]): Promise<ReadonlyMap<string, Prepared>> {
    const [first] = jobs
    const missing = this.#planner.findMissing(first!)
    if (missing) {
      // The next job would fail of the same.
      this.#stoppedBy ??= missing
      throw new DroverError(missing)
    }
    const slugs = jobs.map(({ slug }) => slug)
    return this.#planner.plan(slugs, first!.revisions[0]!)
  }

  async #workOn(job: TakenJob, prepared: Promise<ReadonlyMap<string, Prepared>>): Promise<void> {
    const end = await this.#endOf(job, prepared)
    this.#ended.push({ job, end })
    this.#running.delete(job)
    this.#tell(job, end)
    this.#wake()
  }

  /** Never throws: what goes wrong is how it ends. */
  async #endOf(job: TakenJob, prepared: Promise<ReadonlyMap<string, Prepared>>): Promise<JobEnd> {
    try {
      let found = (await prepared).get(job.slug)
      for (const next of [...job.revisions.slice(1), undefined]) {
        const end = await this.#carryOut(job, found)
        if (end.kind !== 'done' || next === undefined) return end
        found = (await this.#planner.plan([job.slug], next)).get(job.slug)
      }
      return { kind: 'done' }
    } catch (error) {
      return judgeProblem(problemsOf(error, this.#set.about.database.name)[0]!)
    }
  }

  async #carryOut(job: TakenJob, found: Prepared | undefined): Promise<JobEnd> {
    // A tenant that nobody has any more needs nothing.
    if (!found || found.kind === 'settled') return { kind: 'done' }
    if (found.kind === 'refused') return judgeProblem(found.problem)
    const { host, tenant, steps, snapshot, isNew } = found
    const { signal, cancel } = this.#options
    const scripts = await this.#scriptsOf(steps)
    const crew = await this.#crewOf(host, job.release)
    const work = { scripts, snapshot, isNew, lockAttempts: attemptsInARow(job.isLastTry), signal, cancel }
    const outcome = await crew.lend((worker) => worker.carryOut(tenant, work))
    this.#revisions += outcome.finished.length
    const end = judgeOutcome(outcome)
    if (end.kind === 'failed') crew.blame(job.slug)
    // Whoever was told twice to stop has it cancelled: the server's answer says nothing of the tenant.
    const isCancelled = end.kind === 'failed' && cancel?.aborted === true && end.problem.sqlstate === '57014'
    return isCancelled ? { ...end, kind: 'again' } : end
  }

  /** Those who work on a server. The ones of another release go when they have nothing to do. */
  async #crewOf(host: Host, release: string): Promise<Crew> {
    const known = this.#crews.get(host)
    if (known) {
      const crew = await known
      if (crew.release === release) return crew
      if (this.#crews.get(host) !== known) return this.#crewOf(host, release)
    }
    const crew = this.#hire(host, release)
    this.#crews.set(host, crew)
    // One that could not be had is tried again with the next tenant.
    crew.catch(() => this.#crews.get(host) === crew && this.#crews.delete(host))
    if (known) void known.then((old) => old.end({ isInterrupted: false }))
    return crew
  }

  async #hire(host: Host, release: string): Promise<Crew> {
    const { history } = this.#set.about
    return new Crew(host, release, await host.begin(release, { ...this.#options, history, isShared: true }))
  }

  async #endCrews(): Promise<void> {
    for (const crew of await Promise.allSettled(this.#crews.values())) {
      if (crew.status === 'fulfilled') await crew.value.end({ isInterrupted: this.#isInterrupted })
    }
  }

  #tell({ slug, server, tries }: TakenJob, end: JobEnd): void {
    const { onEvent } = this.#options
    const tenant = { slug, server, target: fillIn(this.#set.config.name, slug) }
    switch (end.kind) {
      case 'done':
        this.#done += 1
        return
      case 'again':
        return onEvent?.({ type: 'tenant-parked', tenant, problem: end.problem, attempt: tries + 2 })
      case 'failed': {
        const failure = { ...tenant, problem: end.problem }
        this.#failed.push(failure)
        return onEvent?.({ type: 'tenant-failed', failure })
      }
    }
  }

  #tellRegularly(): () => void {
    const started = performance.now()
    let told = 0
    const timer = setInterval(() => {
      const [done, failed] = [this.#done, this.#failed.length]
      if (done + failed === told) return
      told = done + failed
      const ratePerSecond = done / ((performance.now() - started) / 1000)
      this.#options.onEvent?.({ type: 'fleet-progress', done, failed, ratePerSecond })
    }, 2000)
    return () => clearInterval(timer)
  }

  /** Waits until a job has ended, somebody wants it to stop, or so long. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
  }
}
