import type { SchemaSnapshot } from '@drover/engine'
import type { Problem, Step } from '@drover/history'
import { type Host, type NamedTenant, TenantReader, type TenantSet } from '@drover/orchestrator/tenants'

import type { TenantJob } from './queue.ts'

/** What is to be done for a tenant, as its server and our files have it now. */
export type Prepared =
  | { readonly kind: 'settled' }
  | {
      readonly kind: 'steps'
      readonly host: Host
      readonly tenant: NamedTenant
      readonly steps: readonly Step[]
      /** What makes the first of the steps at once. */
      readonly snapshot?: SchemaSnapshot | undefined
      /** Whether there is nothing of it yet. */
      readonly isNew: boolean
    }
  | { readonly kind: 'refused'; readonly problem: Problem }

/** Plans jobs from the files of this machine. What is known of a state is kept, so that each is planned once. */
export class Planner {
  readonly #set: TenantSet
  readonly #readers = new Map<string, TenantReader>()

  constructor(set: TenantSet) {
    this.#set = set
  }

  /** Why our files are not fit for a job, if they are not. */
  findMissing({ revisions, release }: TenantJob): Problem | undefined {
    const { history, database } = this.#set.about
    const missing = revisions.filter((id) => !history.byId.has(id))
    if (missing.length === 0) return undefined
    return {
      code: 'REVISION_UNKNOWN',
      database: database.name,
      message: `the release ${release} goes to ${missing.join(', ')}, which the files of this worker do not have`,
      hint: 'run workers with the files that "fleet enqueue" was run with; then: pnpm migrate fleet retry',
    }
  }

  /** Looks at tenants, in two queries, and says what takes each of them to a revision. A slug that nobody has any more is not in it. */
  async plan(slugs: readonly string[], revision: string): Promise<ReadonlyMap<string, Prepared>> {
    const prepared = new Map<string, Prepared>()
    for await (const page of this.#readerOf(revision).pages({ slugs }, slugs.length)) {
      for (const { slug, problem } of page.unusable) prepared.set(slug, { kind: 'refused', problem })
      for (const { tenants, problem } of page.unread) {
        for (const { slug } of tenants) prepared.set(slug, { kind: 'refused', problem })
      }
      for (const { host, tenants, state, plan } of page.groups) {
        const isNew = state.applied.length === 0
        for (const tenant of tenants) {
          const found: Prepared =
            plan.kind === 'steps'
              ? { kind: 'steps', host, tenant, steps: plan.steps, snapshot: plan.snapshot, isNew }
              : { kind: 'settled' }
          prepared.set(tenant.slug, found)
        }
      }
    }
    return prepared
  }

  #readerOf(revision: string): TenantReader {
    const known = this.#readers.get(revision)
    if (known) return known
    const target = { anchor: { kind: 'name', name: revision }, steps: 0 } as const
    const reader = new TenantReader(this.#set, { direction: 'up', target })
    this.#readers.set(revision, reader)
    return reader
  }
}
