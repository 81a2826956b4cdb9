import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ConnectionUrl } from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'
import type { Db, JobWithMetadata, PgBoss } from 'pg-boss'

import { queueError } from './queue-error.ts'
import {
  giveUp,
  renewTries,
  selectFailed,
  selectFailedSlugs,
  selectIsHeld,
  selectNextRelease,
  selectQueued,
  selectStatus,
  selectUnderWay,
  selectUnfinishedSlugs,
} from './queue-sql.ts'
import type { Enqueued, FleetStatus, JobEnd, Queue, ReleaseWish, TakenJob, TenantJob } from './queue.ts'

/** How often a tenant is tried that cannot have a lock or a connection, each time after a longer while, up to half a minute. */
const mostTries = 30

/** How jobs are kept. A killed worker is silent for ten seconds, the least that pg-boss can be told, before others take its jobs. */
const settings = {
  policy: 'exclusive',
  heartbeatSeconds: 10,
  // The least that is more than any revision takes, and that pg-boss allows.
  expireInSeconds: 23 * 60 * 60,
  retryLimit: mostTries,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 30,
} as const

/** How many jobs are put into the queue in one statement. */
const chunk = 1000

/** How many setbacks are told by name. */
const mostNamed = 1000

/** How long others may take their turns before that is told, in milliseconds: each takes a few. */
const patienceMs = 30_000

/** The queue of one database, kept by pg-boss. */
export class BossQueue implements Queue {
  readonly #boss: PgBoss
  readonly #url: ConnectionUrl
  readonly #name: string
  /** Releases of which those that go first are known to be done. */
  readonly #past = new Set<string>()
  /** Whether what came last belonged to such a release: then the next one will, and if not, that is seen. */
  #isSure = false

  private constructor(boss: PgBoss, url: ConnectionUrl, name: string) {
    this.#boss = boss
    this.#url = url
    this.#name = name
  }

  /** @param boss started; it is stopped with the queue */
  static async open(boss: PgBoss, url: ConnectionUrl, name: string): Promise<BossQueue> {
    await boss.createQueue(name, settings)
    return new BossQueue(boss, url, name)
  }

  async add({ revisions, tenants, canaries }: ReleaseWish): Promise<Enqueued> {
    return this.#waitForTurn(async (db) => {
      const [underWay] = await this.#ask<{ release: string; revisions: readonly string[] }>(db, selectUnderWay)
      if (underWay) refuseOther(underWay, revisions, this.#name)
      const release = underWay?.release ?? randomUUID()
      const present = new Set(await this.#slugs(db, selectUnfinishedSlugs))
      const failed = new Set(underWay && (await this.#slugs(db, selectFailedSlugs, release)))
      const fresh = tenants.filter(({ slug }) => !present.has(slug) && !failed.has(slug))
      const first = underWay ? new Set<string>() : pickFirst(fresh, canaries)
      for (let at = 0; at < fresh.length; at += chunk) {
        const some = fresh.slice(at, at + chunk)
        await this.#boss.insert(
          this.#name,
          some.map(({ slug, server }) => ({
            singletonKey: slug,
            group: { id: server === '' ? 'all' : server },
            priority: first.has(slug) ? 1 : 0,
            data: { slug, server, release, revisions } satisfies TenantJob,
          })),
          { db },
        )
      }
      const there = tenants.filter(({ slug }) => present.has(slug)).length
      const isJoined = underWay !== undefined
      return {
        release,
        isJoined,
        added: fresh.length,
        present: there,
        failed: tenants.length - fresh.length - there,
        canaries: [...first],
      }
    })
  }

  async take(most: number, connections: number): Promise<readonly TakenJob[] | 'busy'> {
    // One at a time: two that count at once what is taken on a server would both find room.
    return this.#inTurn(async (db) => {
      const isHeld = !this.#isSure && (await this.#isHeld(db))
      const found = await this.#boss.fetch<TenantJob>(this.#name, {
        db,
        batchSize: most,
        includeMetadata: true,
        groupConcurrency: connections,
        ...(isHeld && { minPriority: 1 }),
      })
      const jobs = found.map(readJob)
      this.#isSure = !isHeld && jobs.every(({ release }) => this.#past.has(release))
      // Of a release that has come since nothing is known yet: what was taken goes back as if it had not been.
      return isHeld || this.#isSure ? jobs : 'busy'
    })
  }

  async keep(jobs: readonly TakenJob[]): Promise<void> {
    if (jobs.length > 0) await this.#attempt(() => this.#boss.touch(this.#name, jobs.map(attemptOf)))
  }

  async settle(job: TakenJob, end: JobEnd): Promise<void> {
    const { kind } = end
    if (kind === 'done') return this.settleDone([job])
    const output = { problem: end.problem }
    if (kind === 'again') {
      await this.#attempt(() => this.#boss.fail(this.#name, attemptOf(job), output))
      return undefined
    }
    return this.#inTransaction(async (db) => {
      await db.executeSql(giveUp, [this.#name, job.id, job.tries])
      await this.#boss.fail(this.#name, attemptOf(job), output, { db })
    })
  }

  async settleDone(jobs: readonly TakenJob[]): Promise<void> {
    if (jobs.length > 0) await this.#attempt(() => this.#boss.complete(this.#name, jobs.map(attemptOf)))
  }

  async status(): Promise<FleetStatus | undefined> {
    return this.#attempt(async () => {
      const db = this.#boss.getDb()
      const [row] = await this.#ask<{ status: FleetStatus }>(db, selectStatus, mostNamed)
      return row && { ...row.status, failed: row.status.failed.map(told), waiting: row.status.waiting.map(told) }
    })
  }

  async cancel(): Promise<number> {
    return this.#waitForTurn(async (db) => {
      const ids = await this.#ids(db, selectQueued)
      if (ids.length > 0) await this.#boss.cancel(this.#name, ids, { db })
      return ids.length
    })
  }

  async retry(): Promise<number> {
    return this.#waitForTurn(async (db) => {
      const ids = await this.#ids(db, selectFailed)
      if (ids.length === 0) return 0
      await this.#boss.retry(this.#name, ids, { db })
      await db.executeSql(renewTries, [this.#name, ids, mostTries])
      return ids.length
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: false }).catch(() => undefined)
  }

  /** Whether the release that comes next waits for those of its tenants that go first. */
  async #isHeld(db: Db): Promise<boolean> {
    const [next] = await this.#ask<{ release: string }>(db, selectNextRelease)
    if (!next || this.#past.has(next.release)) return false
    const [row] = await this.#ask<{ is_held: boolean }>(db, selectIsHeld, next.release)
    if (row?.is_held === true) return true
    this.#past.add(next.release)
    return false
  }

  async #slugs(db: Db, sql: string, ...values: readonly unknown[]): Promise<readonly string[]> {
    return (await this.#ask<{ slug: string }>(db, sql, ...values)).map(({ slug }) => slug)
  }

  async #ids(db: Db, sql: string): Promise<string[]> {
    return (await this.#ask<{ id: string }>(db, sql)).map(({ id }) => id)
  }

  /** The rows of one of the queries about this queue, each with columns as that query names them. */
  async #ask<Columns>(db: Db, sql: string, ...values: readonly unknown[]): Promise<readonly Columns[]> {
    const { rows } = await db.executeSql(sql, [this.#name, ...values])
    return rows as readonly Columns[]
  }

  /** Does something that others must not do at the same time, once it is our turn. @throws {DroverError} `LOCKED` when that is never */
  async #waitForTurn<T>(act: (db: Db) => Promise<T>): Promise<T> {
    for (const since = performance.now(); ;) {
      const result = await this.#inTurn(async (db) => ({ value: await act(db) }))
      if (result !== 'busy') return result.value
      if (performance.now() - since > patienceMs) throw neverTurn(this.#name)
      await sleep(10 + Math.random() * 20)
    }
  }

  async #inTurn<T>(act: (db: Db) => Promise<T>): Promise<T | 'busy'> {
    return this.#inTransaction(async (db) => {
      const { rows } = await db.executeSql(tryTurn, [`drover fleet ${this.#name}`])
      const [row] = rows as readonly { readonly taken: boolean }[]
      return row?.taken === true ? act(db) : 'busy'
    })
  }

  /** Does something as a whole, or where that says `busy`, not at all. */
  async #inTransaction<T>(act: (db: Db) => Promise<T>): Promise<T> {
    return this.#attempt(async () => {
      const transaction = await this.#boss.getDb().beginTransaction!()
      try {
        const result = await act(transaction.db)
        await (result === 'busy' ? transaction.rollback() : transaction.commit())
        return result
      } catch (error) {
        await transaction.rollback()
        throw error
      }
    })
  }

  async #attempt<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw queueError(error, this.#url)
    }
  }
}

const tryTurn = 'select pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended($1, 0)) as taken'

/** The first tenants of each server. */
function pickFirst(tenants: ReleaseWish['tenants'], canaries: number): ReadonlySet<string> {
  const byServer = Map.groupBy(tenants, ({ server }) => server)
  return new Set([...byServer.values()].flatMap((own) => own.slice(0, canaries).map(({ slug }) => slug)))
}

/** @throws {DroverError} `LOCKED` when a release that is under way goes somewhere else */
function refuseOther(
  underWay: { readonly release: string; readonly revisions: readonly string[] },
  revisions: readonly string[],
  database: string,
): void {
  if (new Set(underWay.revisions).symmetricDifference(new Set(revisions)).size === 0) return
  throw new DroverError({
    code: 'LOCKED',
    database,
    message: `its tenants are on the way to ${underWay.revisions.join(', ')}, in the release ${underWay.release}`,
    hint: 'wait until they are there, or take them out with: pnpm migrate fleet cancel',
  })
}

function neverTurn(database: string): DroverError {
  return new DroverError({
    code: 'LOCKED',
    database,
    message: `others have been at its queue for ${patienceMs / 1000} s`,
    hint: 'look for sessions in the database of the queue that are idle in a transaction',
  })
}

function readJob({ id, data, retryCount, retryLimit }: JobWithMetadata<TenantJob>): TakenJob {
  return { ...data, id, tries: retryCount, isLastTry: retryCount >= retryLimit }
}

/** What tells a job that we took from the same one, taken by somebody else since. */
function attemptOf({ id, tries }: TakenJob): { id: string; retryCount: number } {
  return { id, retryCount: tries }
}

/** What pg-boss itself says of a job is no problem of ours: its worker has gone. */
function told<Told extends { readonly problem: Partial<Problem> & { readonly message: string } }>(
  setback: Told,
): Told & { readonly problem: Problem } {
  const { problem } = setback
  if (problem.code !== undefined) return { ...setback, problem: { code: problem.code, ...problem } }
  const message = `whoever worked on it has gone: ${problem.message}`
  return { ...setback, problem: { code: 'LEASE_LOST', message } }
}
