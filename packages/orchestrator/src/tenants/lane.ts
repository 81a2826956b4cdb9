import type { PlanOutcome, SchemaSnapshot } from '@drover/engine'
import { DroverError, type Problem, type Step } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import type { Host, HostRun, Worker } from './host.ts'
import type { NamedTenant } from './name-tenant.ts'
import type { ScriptsOf } from './planner.ts'

/** One tenant with what is to be done for it. */
export interface WorkItem {
  readonly tenant: NamedTenant
  readonly steps: readonly Step[]
  /** What is loaded instead of the first of them, which are those that it stands for. */
  readonly snapshot?: SchemaSnapshot | undefined
  /** Whether there is nothing of it yet. */
  readonly isNew: boolean
  /** How many steps it has had before these, in attempts that came to an end behind them. Default 0. */
  readonly had?: number
}

/** How it went on a tenant. */
export type ItemEnd =
  | { readonly kind: 'done'; readonly revisions: number }
  | { readonly kind: 'failed' | 'waiting'; readonly problem: Problem }
  | { readonly kind: 'not-tried' }

/** How a lane works. */
export interface LaneOptions {
  readonly database: string
  /** How many tenants are worked on at the same time. */
  readonly connections: number
  /** How often a tenant is tried that cannot have a lock. */
  readonly lockAttempts: number
  /** For how long the server may not be reached before it is given up, in milliseconds. */
  readonly giveUpAfterMs: number
  readonly scriptsOf: ScriptsOf
  /** Looks again at what is left to do for a tenant that somebody else has changed: `undefined` when nothing is, `moved` when it cannot be done. */
  readonly replan: (item: WorkItem) => Promise<WorkItem | 'moved' | undefined>
  /** Waits until the next tenant may be begun. */
  readonly admit: () => Promise<void>
  readonly signal?: AbortSignal | undefined
  readonly cancel?: AbortSignal | undefined
  readonly onParked: (item: WorkItem, problem: Problem, attempt: number) => void
  /** Called when nothing comes from the server any more, which it is given time for. */
  readonly onSilent: (problem: Problem) => void
  readonly onLost: (problem: Problem) => void
  readonly onEnd: (item: WorkItem, end: ItemEnd) => void
}

/** A tenant that is tried again behind the others. */
interface Parked {
  readonly item: WorkItem
  readonly due: number
  readonly attempt: number
  readonly problem: Problem
}

/**
 * Works on the tenants of one server, a few at a time. What cannot have a lock or a connection goes to the back and is tried again;
 * what takes long keeps nothing waiting but the connection that it is on.
 */
export class Lane implements AsyncDisposable {
  readonly host: Host
  readonly #run: HostRun
  readonly #options: LaneOptions
  readonly #queue: { readonly item: WorkItem; readonly attempt: number }[] = []
  #parked: Parked[] = []
  readonly #workers: Worker[] = []
  readonly #idle: Worker[] = []
  #active = 0
  #isStopped = false
  #lost: Problem | undefined
  /** Since when nothing but failures has come from the server. */
  #silentSince: number | undefined
  #waiters: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(host: Host, run: HostRun, options: LaneOptions) {
    this.host = host
    this.#run = run
    this.#options = options
    options.signal?.addEventListener('abort', () => this.stop(), { once: true })
  }

  /** Why the server was given up, if it was. */
  get lost(): Problem | undefined {
    return this.#lost
  }

  /** Puts tenants to the others that wait for their turn, and begins. */
  add(items: readonly WorkItem[]): void {
    this.#queue.push(...items.map((item) => ({ item, attempt: 1 })))
    this.#pump()
  }

  /** Waits until a connection is free and no tenant is waiting for one; or, with `all`, until all tenants have ended. */
  async drain(until: 'free' | 'all'): Promise<void> {
    for (;;) {
      const isFree = this.#queue.length === 0 && this.#active < this.#options.connections
      if (until === 'free' ? isFree : isFree && this.#active === 0 && this.#parked.length === 0) return
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Begins nothing more; what is begun is ended. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    const left = [...this.#queue.splice(0), ...this.#parked]
    this.#parked = []
    for (const { item } of left) this.#options.onEnd(item, { kind: 'not-tried' })
    this.#wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await Promise.allSettled(this.#workers.map((worker) => worker[Symbol.asyncDispose]()))
  }

  #pump(): void {
    if (this.#isStopped) {
      if (this.#queue.length > 0) this.stop()
      return
    }
    while (this.#queue.length > 0 && this.#active < this.#options.connections) {
      const worker = this.#idle.pop() ?? this.#openWorker()
      this.#active += 1
      void this.#work(worker)
    }
  }

  #openWorker(): Worker {
    const worker = this.#run.openWorker()
    this.#workers.push(worker)
    return worker
  }

  async #work(worker: Worker): Promise<void> {
    for (;;) {
      const next = this.#isStopped ? undefined : this.#queue.shift()
      if (!next) break
      await this.#options.admit()
      await this.#attempt(worker, next.item, next.attempt)
      this.#wake()
    }
    this.#active -= 1
    this.#idle.push(worker)
    this.#wake()
  }

  async #attempt(worker: Worker, item: WorkItem, attempt: number): Promise<void> {
    const { signal, cancel, scriptsOf, onEnd, lockAttempts, database } = this.#options
    if (signal?.aborted) return onEnd(item, { kind: 'not-tried' })
    try {
      const scripts = await scriptsOf(item.steps)
      const { tenant, snapshot, isNew } = item
      const outcome = await worker.carryOut(tenant, {
        scripts,
        snapshot,
        isNew,
        lockAttempts: attemptsInARow(attempt >= lockAttempts),
        signal,
        cancel,
      })
      await this.#settle(item, attempt, outcome)
    } catch (error) {
      await this.#fail(item, attempt, problemsOf(error, database)[0]!)
    }
  }

  async #settle(item: WorkItem, attempt: number, { end, finished }: PlanOutcome): Promise<void> {
    switch (end.kind) {
      case 'succeeded':
        this.#silentSince = undefined
        return this.#options.onEnd(item, { kind: 'done', revisions: (item.had ?? 0) + finished.length })
      case 'interrupted':
        return this.#options.onEnd(item, { kind: 'not-tried' })
      case 'failed':
        // What it has had by then is not run again, and its attempts count from there.
        return finished.length === 0
          ? this.#fail(item, attempt, end.problem)
          : this.#fail(without(item, finished.length), 1, end.problem)
    }
  }

  async #fail(item: WorkItem, attempt: number, problem: Problem): Promise<void> {
    const { onEnd, replan, lockAttempts, database, cancel } = this.#options
    const named = { ...problem, database }
    if (isAboutServer(problem)) return this.#waitForServer(item, attempt, named)
    this.#silentSince = undefined
    if (cancel?.aborted && problem.sqlstate === '57014') return onEnd(item, { kind: 'not-tried' })
    if (isAboutLock(problem)) {
      if (attempt >= lockAttempts) return onEnd(item, { kind: 'waiting', problem: named })
      return this.#park(item, attempt + 1, named)
    }
    if (problem.code === 'LEASE_LOST') {
      this.#giveUp(named)
      return onEnd(item, { kind: 'not-tried' })
    }
    if (problem.code !== 'STATE_MOVED') return onEnd(item, { kind: 'failed', problem: named })
    try {
      const again = await replan(item)
      if (!again) return onEnd(item, { kind: 'done', revisions: 0 })
      if (again === 'moved' || attempt >= lockAttempts) return onEnd(item, { kind: 'failed', problem: named })
      return this.#park(again, attempt + 1, named, 0)
    } catch (error) {
      const cause = problemsOf(error, database)[0]!
      if (isAboutServer(cause)) return this.#waitForServer(item, attempt, cause)
      return onEnd(item, { kind: 'failed', problem: error instanceof DroverError ? cause : named })
    }
  }

  #waitForServer(item: WorkItem, attempt: number, problem: Problem): void {
    const now = performance.now()
    if (this.#silentSince === undefined && !this.#lost) this.#options.onSilent(problem)
    this.#silentSince ??= now
    if (now - this.#silentSince > this.#options.giveUpAfterMs) this.#giveUp(problem)
    // It is not the tenant that has failed, so this is none of its attempts.
    return this.#putBack({ item, attempt, problem })
  }

  #giveUp(problem: Problem): void {
    if (this.#lost) return
    this.#lost = problem
    this.#options.onLost(problem)
    this.stop()
  }

  #park(item: WorkItem, attempt: number, problem: Problem, delayMs = shortWhile()): void {
    if (!this.#isStopped) this.#options.onParked(item, problem, attempt)
    this.#putBack({ item, attempt, problem }, delayMs)
  }

  #putBack(again: Omit<Parked, 'due'>, delayMs = shortWhile()): void {
    if (this.#isStopped) return this.#options.onEnd(again.item, { kind: 'not-tried' })
    this.#parked.push({ ...again, due: performance.now() + delayMs })
    this.#timer ??= setTimeout(() => this.#unpark(), delayMs)
    return undefined
  }

  #unpark(): void {
    this.#timer = undefined
    const now = performance.now()
    const [due, later] = [true, false].map((isDue) => this.#parked.filter((one) => one.due <= now + 5 === isDue))
    this.#parked = later!
    this.#queue.push(...due!)
    const next = Math.min(...later!.map((one) => one.due))
    if (later!.length > 0) this.#timer = setTimeout(() => this.#unpark(), next - now)
    this.#pump()
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}

/** What is left of the work for a tenant when the first steps are done. */
function without(item: WorkItem, done: number): WorkItem {
  const { tenant, steps, had = 0 } = item
  return { tenant, steps: steps.slice(done), isNew: false, had: had + done }
}

/** After how long something is tried again, in milliseconds: those that fail together do not come back together. */
function shortWhile(): number {
  return 500 + Math.random() * 1000
}

/**
 * How often a tenant is tried at once that comes again behind all the others while it cannot have a lock. Who is in the way need not be
 * known before the last time, when the attempts behind the first look for that: one alone may see nothing where the server is busy.
 */
export function attemptsInARow(isLastTry: boolean): number {
  return isLastTry ? 3 : 1
}

/** Whether a failure says nothing of the tenant, but of its server. */
export function isAboutServer({ code, sqlstate }: Problem): boolean {
  return code === 'CONNECTION_LOST' || code === 'UNREACHABLE' || (sqlstate !== undefined && serverStates.has(sqlstate))
}

/** Too many connections, shutting down, crashed, starting up. */
const serverStates: ReadonlySet<string> = new Set(['53300', '57P01', '57P02', '57P03'])

/** Whether a tenant could not have a lock, or another run is at it, or the server still is with what a run has left. */
export function isAboutLock({ code, sqlstate, pid }: Problem): boolean {
  return (
    code === 'LOCKED' || (code === 'HALF_DONE' && pid !== undefined) || sqlstate === '55P03' || sqlstate === '40P01'
  )
}
