import type { TenantsConfig } from '@drover/config'
import {
  type Connection,
  type ConnectionUrl,
  countRows,
  dropDatabase,
  findDatabases,
  findDatabasesLike,
  findForeignConnects,
  hashCatalog,
  type HistoryState,
  listHistories,
  openConnection,
  quoteIdentifier,
  readCatalog,
  readDatabaseSizes,
  readLastFailed,
  readMajorVersion,
  withoutPlaces,
  writeRows,
} from '@drover/engine'
import { DroverError } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import { beginRun } from './begin-run.ts'
import { openDatabaseWorker } from './database-worker.ts'
import { fewAtATime } from './few-at-a-time.ts'
import type { BeginOptions, Host, HostRun, TenantGroup } from './host.ts'
import { isAboutServer } from './lane.ts'
import { type NamedTenant, roleOf } from './name-tenant.ts'
import {
  nothingThere,
  readTenantDatabase,
  refuseHeld,
  refuseOtherHistories,
  stateKeyOf,
  visitDatabase,
} from './tenant-database.ts'

/**
 * One server that has a database for each of its tenants. What a tenant has had is kept in its own database and nowhere else, so each is
 * asked over a connection of its own. The database that the URL names has the runs over all of them, and whoever is at work.
 */
export function openDatabaseHost(history: string, config: TenantsConfig, name: string, url: ConnectionUrl): Host {
  return new DatabaseHost(history, config, name, url)
}

class DatabaseHost implements Host {
  readonly name: string
  readonly url: ConnectionUrl
  readonly #history: string
  readonly #config: TenantsConfig
  readonly #server: Connection

  constructor(history: string, config: TenantsConfig, name: string, url: ConnectionUrl) {
    this.name = name
    this.url = url
    this.#history = history
    this.#config = config
    this.#server = openConnection(url)
  }

  readVersion(): Promise<number> {
    return readMajorVersion(this.#server)
  }

  async group(tenants: readonly NamedTenant[]): Promise<readonly TenantGroup[]> {
    const there = await findDatabases(this.#server, namesOf(tenants))
    // Of those that have had the same, what one has had is kept.
    const states = new Map<string, HistoryState>()
    const looked = await fewAtATime(tenants, this.#config.connections, async (tenant) => {
      const { state = nothingThere, problem } = there.has(tenant.target) ? await this.#look(tenant) : {}
      const key = stateKeyOf(state, tenant.target)
      if (!states.has(key)) states.set(key, state)
      return { tenant, key, problem }
    })
    const sound = Map.groupBy(
      looked.filter(({ problem }) => !problem),
      ({ key }) => key,
    )
    return [
      ...[...sound].map(([key, own]) => ({ key, state: states.get(key)!, tenants: own.map(({ tenant }) => tenant) })),
      ...looked.flatMap(({ tenant, key, problem }) =>
        problem ? [{ key, state: nothingThere, tenants: [tenant], problem }] : [],
      ),
    ]
  }

  async read({ target }: NamedTenant): ReturnType<Host['read']> {
    const read = (connection: Connection) => readTenantDatabase(connection, this.#history)
    return (await visitDatabase(this.#urlOf(target), read)) ?? nothingThere
  }

  sizes(tenants: readonly NamedTenant[]): ReturnType<Host['sizes']> {
    return readDatabaseSizes(this.#server, namesOf(tenants))
  }

  async fingerprint(
    tenants: readonly NamedTenant[],
    { isBare = false }: Parameters<Host['fingerprint']>[1] = {},
  ): ReturnType<Host['fingerprint']> {
    const there = await findDatabases(this.#server, namesOf(tenants))
    const present = tenants.filter(({ target }) => there.has(target))
    const unseen = isBare ? this.#declaredRoles : []
    const hashes = await fewAtATime(present, this.#config.connections, async (tenant) => {
      return [tenant.target, hashCatalog(await this.#readWithout(unseen, tenant))] as const
    })
    return new Map(hashes)
  }

  readCatalog(tenant: NamedTenant): Promise<readonly string[]> {
    return this.#readWithout(this.#declaredRoles, tenant)
  }

  /** Nothing in a database can need what is in another; who may do what in it is part of its catalogue, which is compared, but who may enter is not. */
  async findStrangers(tenants: readonly NamedTenant[]): ReturnType<Host['findStrangers']> {
    const owned = tenants.map(({ slug, target }) => {
      const role = roleOf(this.#config, slug)
      return { schema: target, ...(role !== undefined && { role }) }
    })
    const privileges = await findForeignConnects(this.#server, owned, [...this.#declaredRoles, this.url.user])
    return { references: [], privileges }
  }

  async countRows({ target }: NamedTenant): ReturnType<Host['countRows']> {
    const condition = (await findDatabases(this.#server, [target])).get(target)
    if (condition !== 'whole') return condition && []
    return visitDatabase(this.#urlOf(target), async (connection) => {
      await refuseOtherHistories(connection, this.#history)
      return [...(await countRows(connection))].map(([table, rows]) => ({ name: table, rows }))
    })
  }

  async *exportRows({ target }: NamedTenant): AsyncGenerator<string> {
    const condition = (await findDatabases(this.#server, [target])).get(target)
    if (condition === 'whole') yield* writeRows(this.#urlOf(target))
  }

  async refuseBusy({ target }: NamedTenant): Promise<void> {
    const url = this.#urlOf(target)
    const condition = (await findDatabases(this.#server, [target])).get(target)
    if (condition === 'whole') await visitDatabase(url, (connection) => refuseHeld(connection, this.#history))
  }

  async drop(tenant: NamedTenant): Promise<void> {
    await this.refuseBusy(tenant)
    // An application that is still connected has lost its tenant already.
    await dropDatabase(this.#server, tenant.target, true)
    const role = roleOf(this.#config, tenant.slug)
    if (role !== undefined) await this.#server.send(`drop role if exists ${quoteIdentifier(role)}`)
  }

  async findOrphans(known: readonly NamedTenant[]): Promise<readonly string[]> {
    const [begin, end] = this.#config.name.split('{slug}')
    const named = new Set([...namesOf(known), this.url.database])
    const found = await findDatabasesLike(this.#server, { begin: begin!, end: end! })
    const others = [...found].filter(([database]) => !named.has(database))
    const judged = await fewAtATime(others, this.#config.connections, async ([database, condition]) => {
      return condition === 'broken' || (await this.#isOurs(database)) ? [database] : []
    })
    return judged.flat()
  }

  lastFailed(): Promise<readonly string[]> {
    return readLastFailed(this.#server, this.#history)
  }

  async begin(release: string, options: BeginOptions): Promise<HostRun> {
    const { run, end } = await beginRun(this.#server, this.#history, release, options)
    const { isShared = false } = options
    return {
      openWorker: () => openDatabaseWorker({ url: this.url, config: this.#config, run, isShared, options }),
      end,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }

  /** What one tenant has had, or what is wrong with it alone. @throws {DroverError} for what is wrong with the server */
  async #look(tenant: NamedTenant): Promise<Partial<Pick<TenantGroup, 'state' | 'problem'>>> {
    try {
      return { state: await this.read(tenant) }
    } catch (error) {
      const problem = problemsOf(error, this.#history)[0]!
      if (isAboutServer(problem)) throw error
      return { problem }
    }
  }

  get #declaredRoles(): readonly string[] {
    return [...this.#config.app, ...this.#config.readonly]
  }

  /** Reads the schema of a tenant without the privileges of its role and of some others. */
  async #readWithout(roles: readonly string[], tenant: NamedTenant): Promise<readonly string[]> {
    const role = roleOf(this.#config, tenant.slug)
    const unseen = role === undefined ? roles : [...roles, role]
    const read = (connection: Connection) => readCatalog(connection, unseen)
    return withoutPlaces((await visitDatabase(this.#urlOf(tenant.target), read)) ?? [])
  }

  /** Whether a database has had the history; of one that does not let us in, nothing is said. */
  async #isOurs(database: string): Promise<boolean> {
    const histories = await visitDatabase(this.url.withDatabase(database), listHistories).catch(() => undefined)
    return histories?.length === 1 && histories[0] === this.#history
  }

  /** @throws {DroverError} `TENANT_INVALID` for the database in which the runs are recorded */
  #urlOf(target: string): ConnectionUrl {
    if (target !== this.url.database) return this.url.withDatabase(target)
    throw new DroverError({
      code: 'TENANT_INVALID',
      message: `the database ${target} is the one that ${this.url.source} names, and cannot be a tenant's`,
      hint: `choose another slug, or name another database of that server in ${this.url.source}`,
    })
  }
}

function namesOf(tenants: readonly NamedTenant[]): readonly string[] {
  return tenants.map(({ target }) => target)
}
