import { randomUUID } from 'node:crypto'

import {
  type Connection,
  type Environment,
  openConnection,
  quoteIdentifier,
  quoteLiteral,
  type RunLimits,
} from '@drover/engine'
import { allHeads, DroverError, type Problem, throwProblems } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import type { HoldOptions } from '../release/hold.ts'
import { fillIn, nameTenant, type NamedTenant } from './name-tenant.ts'
import { planTenant } from './planner.ts'
import { findTenants, tableOf } from './registry.ts'
import { scriptReader, type TenantSet } from './tenant-set.ts'

/** A tenant that is to be made. Nobody is waited for: others may run beside it. */
export interface TenantWish extends Omit<HoldOptions, 'waitLockMs'> {
  readonly slug: string
  /** What its row is to hold besides the slug, by column. */
  readonly values: Readonly<Record<string, string>>
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly environment: Environment
  readonly limits: RunLimits
}

/** A tenant, as it was made. */
export interface CreatedTenant {
  readonly tenant: NamedTenant
  /** Whether its row was made by this, or was there before. */
  readonly row: 'made' | 'found'
  /** How many revisions it was given; none where it had all of them. */
  readonly revisions: number
  /** Why it was not made from the snapshot, where that should be known. */
  readonly warning?: Problem | undefined
}

/**
 * Makes a tenant, or finishes one that was begun. Its row is written first, and kept from everybody until all the rest is there: what
 * goes wrong before leaves nothing, and what is cut off in between leaves a schema that nobody looks for, with which the same command
 * goes on.
 * @throws {DroverError} `TENANT_INVALID` for a slug or values that cannot be, and for what a revision fails of
 */
export async function createTenant(set: TenantSet, wish: TenantWish): Promise<CreatedTenant> {
  const { config, about } = set
  const { server } = config.registry
  const [known] = await findTenants(set.registry, config.registry, [wish.slug])
  const place = server === undefined ? undefined : rowOf(set, wish)[server]
  const tenant = nameTenant(config, known ?? { slug: wish.slug, ...(place !== undefined && { server: place }) })
  if (known) return { tenant, row: 'found', ...(await build(set, tenant, wish)) }
  await using registry = openConnection(set.registry.url)
  await insertRow(registry, set, wish)
  try {
    const built = await build(set, tenant, wish)
    await registry.send('commit')
    return { tenant, row: 'made', ...built }
  } catch (error) {
    await registry.send('rollback').catch(() => undefined)
    const [first, ...others] = problemsOf(error, about.database.name)
    throw new DroverError([first!, ...others], { cause: error })
  }
}

/** Writes the row, in a transaction that is left open. */
async function insertRow(registry: Connection, set: TenantSet, wish: TenantWish): Promise<void> {
  const { config, about } = set
  const { slug } = wish
  const row = rowOf(set, wish)
  const columns = Object.keys(row).map(quoteIdentifier)
  try {
    await registry.send(`begin;
insert into ${tableOf(config.registry)} (${columns.join(', ')})
values (${Object.values(row).map(quoteLiteral).join(', ')})`)
  } catch (error) {
    if (error instanceof DroverError) throw error
    const detail = error instanceof Error ? error.message : String(error)
    throw new DroverError(
      {
        code: 'TENANT_INVALID',
        database: about.database.name,
        message: `the row of ${slug} cannot be written to ${config.registry.table}: ${detail}`,
        hint: 'say what its columns are to hold with --set <column>=<value>, or for all tenants with "tenants.registry.defaults"',
      },
      { cause: error },
    )
  }
}

/** What the row of a tenant holds, by column. */
function rowOf({ config }: TenantSet, { slug, values }: TenantWish): Readonly<Record<string, string>> {
  const row: Record<string, string> = {}
  for (const [column, value] of Object.entries(config.registry.defaults)) row[column] = fillIn(value, slug)
  return { ...row, ...values, [config.registry.slug]: slug }
}

/** Gives a tenant all that it has not had. */
async function build(
  set: TenantSet,
  tenant: NamedTenant,
  wish: TenantWish,
): Promise<Pick<CreatedTenant, 'revisions' | 'warning'>> {
  const host = set.hostOf(tenant)
  const state = await host.read(tenant)
  const plan = await planTenant(set.about, state, { direction: 'up', target: allHeads })
  if (plan.kind === 'refused') throwProblems(plan.problems)
  const isNew = state.applied.length === 0
  if (plan.kind === 'settled' && !isNew) return { revisions: 0 }
  const { steps, snapshot, warning } = plan.kind === 'steps' ? plan : { steps: [] }
  const scripts = await scriptReader(set.about)(steps)
  const run = await host.begin(randomUUID(), { ...wish, history: set.about.history, isShared: true })
  const worker = run.openWorker()
  try {
    const work = { scripts, snapshot, isNew, lockAttempts: wish.limits.lockAttempts, signal: wish.signal }
    const { end, finished } = await worker.carryOut(tenant, work)
    await run.end(end.kind, end.kind === 'failed' ? end.problem : undefined)
    if (end.kind === 'failed') throw new DroverError(end.problem)
    if (end.kind === 'interrupted')
      throw new DroverError({ code: 'INTERRUPTED', message: 'interrupted', hint: 'run the same command again' })
    return { revisions: finished.length, warning }
  } finally {
    await worker[Symbol.asyncDispose]()
  }
}
