import type { Problem } from '@drover/history'

/** One tenant that is to be taken somewhere. Holds no SQL: whoever takes it plans anew from its own files. */
export interface TenantJob {
  readonly slug: string
  /** As the registry calls it; empty where there is but one. */
  readonly server: string
  /** The id of the release that it belongs to. */
  readonly release: string
  /** The revisions that the tenant is to have, with all below them. */
  readonly revisions: readonly string[]
}

/** A job that is worked on. It belongs to whoever took it for as long as that one says so. */
export interface TakenJob extends TenantJob {
  readonly id: string
  /** How often it has been taken before. */
  readonly tries: number
  /** Whether it fails when it has to be put back once more. */
  readonly isLastTry: boolean
}

/** How it went with a job. */
export type JobEnd =
  | { readonly kind: 'done' }
  /** It is put back, and taken again after a while. */
  | { readonly kind: 'again'; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly problem: Problem }

/** What is to be put into the queue. */
export interface ReleaseWish {
  /** The revisions that the tenants are to have, with all below them. */
  readonly revisions: readonly string[]
  readonly tenants: readonly { readonly slug: string; readonly server: string }[]
  /** How many of them go first on each server; the others wait until those are done. */
  readonly canaries: number
}

/** What was put into the queue. */
export interface Enqueued {
  readonly release: string
  /** Whether its tenants joined a release that is under way. */
  readonly isJoined: boolean
  readonly added: number
  /** Tenants that were there already. */
  readonly present: number
  /** Tenants that have failed in the release that is under way: they are left to `retry`. */
  readonly failed: number
  /** Those that go first, of the ones that were added. */
  readonly canaries: readonly string[]
}

/** How many jobs of a server are in which state. */
export interface JobCounts {
  readonly queued: number
  readonly active: number
  readonly done: number
  readonly failed: number
  /** Could not have a lock or a connection, and are tried again. */
  readonly waiting: number
  readonly cancelled: number
}

/** A tenant that has failed, or has to be tried again. */
export interface Setback {
  readonly slug: string
  readonly server: string
  readonly tries: number
  readonly problem: Problem
}

/** How the last release stands. */
export interface FleetStatus {
  readonly release: string
  readonly revisions: readonly string[]
  /** When it was put into the queue; ISO 8601. */
  readonly created: string
  readonly servers: readonly ({ readonly name: string } & JobCounts)[]
  /** Tenants done in a second, over the last minute. */
  readonly ratePerSecond: number
  /** Those that go first and are not done: the others wait for them. */
  readonly canaries: readonly { readonly slug: string; readonly hasFailed: boolean }[]
  /** Some of those that have failed. */
  readonly failed: readonly Setback[]
  /** Some of those that wait to be tried again. */
  readonly waiting: readonly Setback[]
}

/** The jobs of the tenants of one database, somewhere where any number of machines can take them from. */
export interface Queue extends AsyncDisposable {
  /**
   * Puts tenants into the queue: those that are not in it yet. While a release is under way, they join it.
   * @throws {DroverError} `LOCKED` when one is under way that goes somewhere else
   */
  add(wish: ReleaseWish): Promise<Enqueued>
  /**
   * Takes jobs: those that go first alone, until they are done. On each server no more are taken, by all workers together, than
   * `connections`.
   * @param most how many at most
   * @returns `busy` when others take theirs just now
   */
  take(most: number, connections: number): Promise<readonly TakenJob[] | 'busy'>
  /** Says that somebody is at work on jobs: what nobody has spoken for for a while is taken again. */
  keep(jobs: readonly TakenJob[]): Promise<void>
  /** Says how it went with a job. Where it was taken again meanwhile, that one's word counts. */
  settle(job: TakenJob, end: JobEnd): Promise<void>
  /** The same for many that are done. */
  settleDone(jobs: readonly TakenJob[]): Promise<void>
  /** How the last release stands; `undefined` when there was none. */
  status(): Promise<FleetStatus | undefined>
  /** Takes out what nobody has begun. @returns how many */
  cancel(): Promise<number>
  /** Puts back what has failed in the last release. @returns how many */
  retry(): Promise<number>
}

/** Whether nothing is left to take, now or later: all is settled, or what goes first has failed. */
export function isDrained({ servers, canaries }: FleetStatus): boolean {
  const { queued, active, waiting } = sumJobs(servers)
  if (queued + active + waiting === 0) return true
  return active === 0 && canaries.length > 0 && canaries.every(({ hasFailed }) => hasFailed)
}

/** Adds counts up. */
export function sumJobs(counts: readonly JobCounts[]): JobCounts {
  const sum = (key: keyof JobCounts) => counts.reduce((all, one) => all + one[key], 0)
  return {
    queued: sum('queued'),
    active: sum('active'),
    done: sum('done'),
    failed: sum('failed'),
    waiting: sum('waiting'),
    cancelled: sum('cancelled'),
  }
}
