import type { Problem } from '@drover/history'
import type { Host, HostRun, Worker } from '@drover/orchestrator/tenants'

/** Those who work on the tenants of one server for one release, each over a connection of its own, and the record of what they do. */
export class Crew {
  readonly host: Host
  readonly release: string
  readonly #run: HostRun
  readonly #workers: Worker[] = []
  readonly #idle: Worker[] = []
  readonly #acting = new Set<Promise<unknown>>()
  readonly #failed: string[] = []

  constructor(host: Host, release: string, run: HostRun) {
    this.host = host
    this.release = release
    this.#run = run
  }

  /** Lets one of them do something. */
  async lend<T>(act: (worker: Worker) => Promise<T>): Promise<T> {
    const worker = this.#idle.pop() ?? this.#hire()
    const acting = act(worker)
    this.#acting.add(acting)
    try {
      return await acting
    } finally {
      this.#acting.delete(acting)
      this.#idle.push(worker)
    }
  }

  /** Remembers a tenant that has failed, for the record. */
  blame(slug: string): void {
    this.#failed.push(slug)
  }

  /** Records how it went, when all have done what they are at, and closes the connections. */
  async end({ isInterrupted }: { readonly isInterrupted: boolean }): Promise<void> {
    await Promise.allSettled(this.#acting)
    const tenants = this.#failed
    const problem: Problem | undefined =
      tenants.length === 0
        ? undefined
        : { code: 'TENANTS_FAILED', message: `${tenants.length} tenants did not get there`, tenants }
    await this.#run.end(problem ? 'failed' : isInterrupted ? 'interrupted' : 'succeeded', problem)
    await Promise.allSettled(this.#workers.map((worker) => worker[Symbol.asyncDispose]()))
  }

  #hire(): Worker {
    const worker = this.#run.openWorker()
    this.#workers.push(worker)
    return worker
  }
}
