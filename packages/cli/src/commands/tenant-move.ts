import type { Direction } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import type { Session } from '../session.ts'
import { narrowToTenants, openTenants } from '../tenants.ts'
import { downgrade, type RunOptions, upgrade } from './release.ts'

interface MoveOptions extends RunOptions {
  readonly retryFailed?: boolean
}

export async function tenantUpgrade(session: Session, options: MoveOptions, target?: string): Promise<ExitCode> {
  return move(session, options, 'up', target)
}

export async function tenantDowngrade(session: Session, options: MoveOptions, target?: string): Promise<ExitCode> {
  return move(session, options, 'down', target)
}

/** What `upgrade` and `downgrade` do, for tenants alone. */
async function move(
  session: Session,
  options: MoveOptions,
  direction: Direction,
  target: string | undefined,
): Promise<ExitCode> {
  const { retryFailed = false, ...rest } = options
  const { workspace, databases } = await narrowToTenants(session)
  const act = direction === 'up' ? upgrade : downgrade
  const narrowed = session.narrowedTo(databases)
  if (!retryFailed) return act(narrowed, rest, target)
  const failed: string[] = []
  for (const database of databases) {
    await using set = await openTenants(session, workspace, database)
    const found = await Promise.all(set.hosts.map((host) => host.lastFailed()))
    failed.push(...found.flat())
  }
  if (failed.length > 0) return act(narrowed, { ...rest, slugs: failed }, target)
  session.print('no tenant has failed in the last run: nothing to do')
  return session.finish({ databases: [] })
}
