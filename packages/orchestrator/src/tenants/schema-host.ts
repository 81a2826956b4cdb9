import type { TenantsConfig } from '@drover/config'
import {
  countTenantRows,
  type Connection,
  type ConnectionUrl,
  dropTarget,
  findForeignPrivileges,
  findForeignReferences,
  fingerprintManySchemas,
  groupTargets,
  isPlain,
  listOtherTargets,
  openConnection,
  readLastFailed,
  readMajorVersion,
  readSchemaCatalog,
  readSchemaSizes,
  readState,
  refuseBusyTarget,
  type Run,
  runPlan,
  type SchemaSnapshot,
  type SnapshotFor,
  snapshotTemplate,
  writeRows,
} from '@drover/engine'

import { beginRun } from './begin-run.ts'
import type { BeginOptions, Host, HostOptions, HostRun, TenantWork, Worker } from './host.ts'
import { type NamedTenant, roleOf } from './name-tenant.ts'
import { writeOpening } from './opening.ts'

/** One database that has a schema for each of its tenants. */
export function openSchemaHost(history: string, config: TenantsConfig, name: string, url: ConnectionUrl): Host {
  const connection = openConnection(url)
  return {
    name,
    url,
    readVersion: () => readMajorVersion(connection),
    group: async (tenants) => {
      const byTarget = new Map(tenants.map((tenant) => [tenant.target, tenant]))
      const groups = await groupTargets(connection, history, [...byTarget.keys()])
      return groups.map(({ targets, ...group }) => ({
        ...group,
        tenants: targets.map((target) => byTarget.get(target)!),
      }))
    },
    sizes: (tenants) => readSchemaSizes(connection, namesOf(tenants)),
    fingerprint: (tenants, { isBare = false } = {}) =>
      fingerprintManySchemas(url, namesOf(tenants), {
        ownRoles: rolesOf(config, tenants),
        ...(isBare && { unseenRoles: [...config.app, ...config.readonly] }),
      }),
    readCatalog: (tenant) =>
      readSchemaCatalog(connection, tenant.target, 'public', {
        ownRoles: rolesOf(config, [tenant]),
        unseenRoles: [...config.app, ...config.readonly],
      }),
    findStrangers: async (tenants) => {
      const roles = rolesOf(config, tenants)
      const owned = tenants.map(({ target }) => ({
        schema: target,
        ...(roles.has(target) && { role: roles.get(target)! }),
      }))
      const allowed = [...config.app, ...config.readonly, url.user]
      // The server keeps what a connection has read of catalogues.
      await using own = openConnection(url)
      return {
        references: await findForeignReferences(own, namesOf(tenants), config.shared),
        privileges: await findForeignPrivileges(own, owned, allowed),
      }
    },
    countRows: ({ target }) => countTenantRows(connection, target),
    exportRows: ({ target }) => writeRows(url, target),
    refuseBusy: ({ target }) => refuseBusyTarget(connection, history, target),
    drop: ({ slug, target }) => dropTarget(connection, history, target, roleOf(config, slug)),
    findOrphans: (known) => listOtherTargets(connection, history, namesOf(known)),
    lastFailed: () => readLastFailed(connection, history),
    read: ({ target }) => readState(connection, history, { target }),
    begin: (release, options) => begin({ history, config, connection, release, options }),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

function namesOf(tenants: readonly NamedTenant[]): readonly string[] {
  return tenants.map(({ target }) => target)
}

/** The roles of tenants, by schema. */
function rolesOf(config: TenantsConfig, tenants: readonly NamedTenant[]): ReadonlyMap<string, string> {
  const roles = new Map<string, string>()
  for (const { slug, target } of tenants) {
    const role = roleOf(config, slug)
    if (role !== undefined) roles.set(target, role)
  }
  return roles
}

interface Beginning {
  readonly history: string
  readonly config: TenantsConfig
  readonly connection: Connection
  readonly release: string
  readonly options: BeginOptions
}

async function begin({ history, config, connection, release, options }: Beginning): Promise<HostRun> {
  const { run, lease, end } = await beginRun(connection, history, release, options)
  // What was sent on one connection must not keep the others from going on: each tenant's guard tells what was carried out.
  const unfenced = lease && {
    get token() {
      return lease.token
    },
    fence: async () => {},
  }
  const templates = new Map<SchemaSnapshot, SnapshotFor>()
  const snapshotFor = (snapshot: SchemaSnapshot, schema: string) => {
    const template = templates.get(snapshot) ?? snapshotTemplate(snapshot)
    templates.set(snapshot, template)
    return template(schema)
  }
  return {
    openWorker: () => openWorker({ url: connection.url, config, run, lease: unfenced, options, snapshotFor }),
    end,
  }
}

/** What somebody who works on tenants needs. */
interface SchemaWork {
  readonly url: ConnectionUrl
  readonly config: TenantsConfig
  readonly run: Run
  readonly lease: { readonly token: string; fence(): Promise<void> } | undefined
  readonly options: HostOptions
  /** Writes a snapshot for the schema of a tenant. */
  readonly snapshotFor: (snapshot: SchemaSnapshot, schema: string) => SchemaSnapshot
}

/** A backend remembers the catalogue of every schema that it has seen (44 KB each): after so many tenants it is replaced. */
const mostTenants = 500

/** Makes somebody who works on the schemas of one database. */
function openWorker({ url, config, run, lease, options, snapshotFor }: SchemaWork): Worker {
  let connection: Connection | undefined
  let served = 0
  const renew = async () => {
    served += 1
    if (served % mostTenants === 0) {
      await connection?.[Symbol.asyncDispose]()
      connection = undefined
    }
    return (connection ??= openConnection(url))
  }
  const { history, root, environment, limits } = options
  const planOf = ({ target }: NamedTenant, { scripts, snapshot, lockAttempts, signal, cancel }: TenantWork) => ({
    history,
    run: { ...run, target },
    lease,
    scripts,
    snapshot: snapshot && snapshotFor(snapshot, target),
    searchPath: [target, ...config.shared],
    surroundings: { root, environment },
    ...limits,
    lockAttempts,
    signal,
    cancel,
  })
  return {
    carryOut: async (tenant, work) => {
      const plan = planOf(tenant, work)
      const opening = work.isNew ? writeOpening(config, tenant) : undefined
      const loaded = work.snapshot?.revisions.length ?? 0
      if (work.scripts.slice(loaded).every(isPlain)) {
        return runPlan(await renew(), { ...plan, transaction: 'all', opening, signal: undefined })
      }
      // What is more than one transaction finds the schema by how its session begins.
      await using own = openConnection(url.withSearchPath(plan.searchPath))
      const [first] = work.scripts
      const isGuarded = loaded > 0 || (first !== undefined && isPlain(first))
      // Before one that has no transaction, nothing keeps others from making the same schema at the same moment.
      if (opening !== undefined && !isGuarded) await own.send(opening)
      return await runPlan(own, { ...plan, isShared: true, resume: true, ...(isGuarded && { opening }) })
    },
    [Symbol.asyncDispose]: async () => connection?.[Symbol.asyncDispose](),
  }
}
