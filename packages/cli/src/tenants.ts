import type { TenantPlace } from '@drover/drizzle'
import { DroverError } from '@drover/history'
import { type Database, hasTenants, type Workspace } from '@drover/orchestrator'
import type { TenantSet } from '@drover/orchestrator/tenants'

import type { Session } from './session.ts'

/**
 * The databases whose history tenants have, of those that a call is about.
 * @throws {DroverError} `USAGE` when there is none
 */
export async function narrowToTenants(
  session: Session,
): Promise<{ readonly workspace: Workspace; readonly databases: readonly Database[] }> {
  const { workspace, selected } = await session.workspace({ external: true })
  const databases = selected.filter(hasTenants)
  if (databases.length > 0) return { workspace, databases }
  const known = workspace.databases.filter(hasTenants).map(({ name }) => name)
  throw new DroverError({
    code: 'USAGE',
    message: 'none of these databases has tenants',
    hint:
      known.length > 0
        ? `the databases with tenants are: ${known.join(', ')}`
        : 'declare them in its database.ts: tenants: schemaPerTenant()',
  })
}

/** The one database of tenants that a call is about. @throws {DroverError} `USAGE` when there is none, or several */
export async function soleTenants(
  session: Session,
): Promise<{ readonly workspace: Workspace; readonly database: Database }> {
  const { workspace, databases } = await narrowToTenants(session)
  if (databases.length === 1) return { workspace, database: databases[0]! }
  throw new DroverError({
    code: 'USAGE',
    message: `several databases have tenants: ${databases.map(({ name }) => name).join(', ')}`,
    hint: `say which is meant: --database ${databases[0]!.name}`,
  })
}

/** Opens the tenants of a database. */
export async function openTenants(session: Session, workspace: Workspace, database: Database): Promise<TenantSet> {
  const [located] = await session.locate(workspace, [database])
  const { openTenantSet, readTenantHistory } = await import('@drover/orchestrator/tenants')
  return openTenantSet(await readTenantHistory(workspace.root, database), located!.tenants!)
}

/** Where the history of a database is built that is that of tenants, each in a schema of its own. */
export function tenantPlaceOf({ config: { tenants } }: Database): TenantPlace | undefined {
  return tenants?.kind === 'schema' ? { shared: tenants.shared } : undefined
}
