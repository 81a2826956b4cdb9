import type { TenantsConfig } from '@drover/config'
import { type Connection, type HistoryState, openConnection, type Script } from '@drover/engine'
import { type Problem, remainingSteps, type Step } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import { readScripts } from '../release/scripts.ts'
import { appliedBefore } from '../release/status.ts'
import type { TenantPlaces } from '../workspace/locate.ts'
import { openDatabaseHost } from './database-host.ts'
import type { Host } from './host.ts'
import type { WorkItem } from './lane.ts'
import { nameTenant, type NamedTenant } from './name-tenant.ts'
import type { TenantFailure } from './outcome.ts'
import {
  planTenant,
  type ScriptsOf,
  type TenantFiles,
  type TenantHistory,
  type TenantPlan,
  type TenantsWish,
  withSnapshot,
} from './planner.ts'
import { readTenants, type TenantFilter } from './registry.ts'
import { openSchemaHost } from './schema-host.ts'

/** The tenants of a database: where they are listed, and the servers that they are on. Closes its connections when disposed of. */
export interface TenantSet extends AsyncDisposable {
  readonly config: TenantsConfig
  readonly about: TenantHistory
  readonly registry: Connection
  readonly hosts: readonly Host[]
  /** The server that a tenant is on. */
  hostOf(tenant: NamedTenant): Host
}

/** Some tenants, as they stand. */
export interface Page {
  /** Those with the same plan together, with what one of them has had. */
  readonly groups: readonly PageGroup[]
  /** Of whom no name can be made, or whose state keeps anything from being done. */
  readonly unusable: readonly TenantFailure[]
  /** Tenants whose server could not be asked. */
  readonly unread: readonly {
    readonly host: Host
    readonly tenants: readonly NamedTenant[]
    readonly problem: Problem
  }[]
}

/** Tenants of one server that have had the same revisions. */
export interface PageGroup {
  readonly host: Host
  readonly tenants: readonly NamedTenant[]
  readonly state: HistoryState
  readonly plan: TenantPlan
}

/** Opens the tenants of a database; nothing is sent yet. */
export function openTenantSet(files: TenantFiles, places: TenantPlaces): TenantSet {
  const { config, name } = files.database
  const tenants = config.tenants!
  const registry = openConnection(places.registry)
  const isOfSchemas = tenants.kind === 'schema'
  const openHost = isOfSchemas ? openSchemaHost : openDatabaseHost
  // Two names may lead to one place: it is one all the same.
  const byPlace = new Map<string, Host>()
  const byName = new Map<string, Host>()
  for (const { name: server, url } of places.servers) {
    const place = isOfSchemas ? url.place : `${url.host}:${url.port}`
    const host = byPlace.get(place) ?? openHost(name, tenants, server, url)
    byPlace.set(place, host)
    byName.set(server, host)
  }
  const hosts = [...byPlace.values()]
  return {
    config: tenants,
    about: withSnapshot(files),
    registry,
    hosts,
    hostOf: ({ server = '' }) => byName.get(server)!,
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled([registry, ...hosts].map((one) => one[Symbol.asyncDispose]()))
    },
  }
}

/** What is known of states that were seen before, so that each is planned once. */
export class TenantReader {
  readonly #set: TenantSet
  readonly #wish: TenantsWish
  readonly #known = new Map<string, Pick<PageGroup, 'state' | 'plan'>>()

  constructor(set: TenantSet, wish: TenantsWish) {
    this.#set = set
    this.#wish = wish
  }

  /** Reads tenants page by page, as they stand. */
  async *pages(filter: TenantFilter, pageSize: number): AsyncGenerator<Page> {
    const { registry, config } = this.#set
    for await (const tenants of readTenants(registry, config.registry, filter, pageSize)) {
      const named: NamedTenant[] = []
      const unusable: TenantFailure[] = []
      for (const tenant of tenants) {
        try {
          named.push(nameTenant(config, tenant))
        } catch (error) {
          const problem = problemsOf(error, this.#set.about.database.name)[0]!
          unusable.push({ slug: tenant.slug, target: tenant.slug, server: tenant.server ?? '', problem })
        }
      }
      yield await this.#read(named, unusable)
    }
  }

  /**
   * What is left of the steps of one tenant, which somebody else may have been at, or whose answer was lost.
   * @returns `undefined` when nothing is, `moved` when the rest cannot be done any more
   */
  async replan(item: WorkItem): Promise<WorkItem | 'moved' | undefined> {
    const { tenant, steps } = item
    const state = await this.#set.hostOf(tenant).read(tenant)
    const rest = remainingSteps(this.#set.about.history, steps, appliedBefore(state))
    if (rest.kind === 'moved') return 'moved'
    return rest.steps.length === 0 ? undefined : { tenant, steps: rest.steps, isNew: state.applied.length === 0 }
  }

  async #read(named: readonly NamedTenant[], unusable: readonly TenantFailure[]): Promise<Page> {
    const byHost = Map.groupBy(named, (tenant) => this.#set.hostOf(tenant))
    const read = await Promise.all([...byHost].map(([host, tenants]) => this.#readHost(host, tenants)))
    const sound = read.filter((one) => 'groups' in one)
    const groups = sound.flatMap((one) => one.groups)
    const refused = groups.flatMap(({ host, tenants, plan }) =>
      plan.kind !== 'refused'
        ? []
        : tenants.map(({ slug, target }) => ({ slug, target, server: host.name, problem: plan.problems[0]! })),
    )
    return {
      groups: groups.filter(({ plan }) => plan.kind !== 'refused'),
      unusable: [...unusable, ...sound.flatMap((one) => one.unusable), ...refused],
      unread: read.filter((one) => 'problem' in one),
    }
  }

  async #readHost(
    host: Host,
    tenants: readonly NamedTenant[],
  ): Promise<Pick<Page, 'groups' | 'unusable'> | Page['unread'][number]> {
    const groups: PageGroup[] = []
    const unusable: TenantFailure[] = []
    try {
      for (const { key, state, tenants: own, problem } of await host.group(tenants)) {
        if (problem) {
          unusable.push(...own.map(({ slug, target }) => ({ slug, target, server: host.name, problem })))
          continue
        }
        const known = this.#known.get(key) ?? { state, plan: await planTenant(this.#set.about, state, this.#wish) }
        this.#known.set(key, known)
        groups.push({ host, tenants: own, ...known })
      }
      return { groups, unusable }
    } catch (error) {
      return { host, tenants, problem: problemsOf(error, this.#set.about.database.name)[0]! }
    }
  }
}

/**
 * Reads scripts once, whatever the number of tenants.
 * @throws {DroverError} for what keeps them from being run
 */
export function scriptReader({ root, database: { name } }: TenantFiles): ScriptsOf {
  const known = new Map<string, Promise<Script>>()
  const read = async (step: Step) => {
    const scripts = await readScripts(root, [{ name, steps: [step] }])
    return scripts.get(step)!
  }
  return (steps) =>
    Promise.all(
      steps.map((step) => {
        const key = `${step.direction}/${step.revision.id}`
        const script = known.get(key) ?? read(step)
        known.set(key, script)
        return script
      }),
    )
}
