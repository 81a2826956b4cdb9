import { randomUUID } from 'node:crypto'

import {
  type Actor,
  type Clone,
  type ConnectionUrl,
  createClone,
  type Environment,
  openConnection,
  readSessions,
} from '@drover/engine'
import { DroverError, type Problem, type Step } from '@drover/history'

import { type Member, openFleet, problemsOf } from '../release/fleet.ts'
import { runRelease } from '../release/run-release.ts'
import { appliedIds, statusOf } from '../release/status.ts'
import type { Database } from '../workspace/discover.ts'
import type { Located } from '../workspace/locate.ts'

/** How a throw-away database came to be what a database is. */
export interface CloneOrigin {
  /** `copy` of it; `replay` of what is applied in it, without rows; `template`: copy of another; `dump` of another; `branch`: given as it is. */
  readonly kind: 'copy' | 'replay' | 'template' | 'dump' | 'branch'
  /** Why it is no copy, when it is a replay. */
  readonly reason?: string
}

/** A throw-away database in the place of a database. */
export interface ClonedDatabase {
  readonly located: Located
  readonly origin: CloneOrigin
}

/** While it is copied nobody can connect to a database, so that is not done for longer than this, in milliseconds. */
const longestCopyMs = 10_000

/** What PostgreSQL calls the database that every server has for being connected to. */
const maintenanceDatabase = 'postgres'

/**
 * Copies a database on its own server, as whoever works in it, unless that would be in anybody's way.
 * @param maker whoever may create databases there
 * @returns the copy, or why there is none
 */
export async function copyDatabase(
  { url }: Located,
  maker: ConnectionUrl,
): Promise<Clone | { readonly reason: string }> {
  const base = maker.withDatabase(maintenanceDatabase)
  try {
    const others = await otherSessions(base, url.database)
    if (others) return { reason: others }
    return await createClone({ maker: base, owner: url, template: url.database, limitMs: longestCopyMs })
  } catch (error) {
    const reason = describeObstacle(error, maker)
    if (reason === undefined) throw error
    return { reason }
  }
}

/**
 * Copies another database of the same server.
 * @throws {DroverError} `CLONE_FAILED`
 */
export async function copyTemplate({ database, url }: Located, maker: ConnectionUrl, template: string): Promise<Clone> {
  try {
    return await createClone({ maker: maker.withDatabase(maintenanceDatabase), owner: url, template })
  } catch (error) {
    const [problem] = problemsOf(error, database.name)
    throw new DroverError(
      {
        code: 'CLONE_FAILED',
        database: database.name,
        message: `"${template}" cannot be copied: ${describeObstacle(error, maker) ?? problem!.message}`,
        hint: 'name a database of the same server in --template that nobody is connected to, or rehearse on a dump with --from',
        ...(problem?.sqlstate !== undefined && { sqlstate: problem.sqlstate }),
      },
      { cause: error },
    )
  }
}

/** Who does what rehearsing takes. */
export interface ReplayOptions {
  readonly root: string
  readonly databases: readonly Database[]
  readonly actor: Actor
  readonly environment: Environment
  readonly signal: AbortSignal
}

/**
 * Makes an empty database on a server and runs there what is applied in another, in that order.
 * @param member whose history it is, and what is applied; nothing is sent on its connection
 * @throws {DroverError} `SHADOW_FAILED` with what cannot be run
 */
export async function replayDatabase(server: ConnectionUrl, member: Member, options: ReplayOptions): Promise<Clone> {
  await using opened = new AsyncDisposableStack()
  const clone = opened.use(await makeShadow(server))
  const located = { database: member.database, url: clone.url, development: false }
  await using fleet = await openFleet([located], { root: options.root })
  const [shadow] = fleet.members
  if (!shadow) throw new DroverError([fleet.unread[0]!.problems[0]!])
  const applied = appliedIds(member.state)
  const steps = shadow.history.revisions
    .filter(({ id }) => applied.has(id))
    .map((revision): Step => ({ direction: 'up', revision }))
  const database = { member: shadow, status: statusOf(shadow), steps }
  const plan = { direction: 'up' as const, databases: [database], segments: [{ database, steps }], warnings: [] }
  const { databases } = await runRelease(plan, { ...options, cancel: options.signal, command: 'rehearse (replay)' })
  const problem = databases[0]?.failed?.problem
  if (problem) throw new DroverError(describeUnusable(problem))
  // What the caller gets may be copied, so nobody stays connected.
  opened.move()
  return clone
}

/** An empty database on the server for shadows. @throws {DroverError} `SHADOW_FAILED` */
export async function makeShadow(server: ConnectionUrl): Promise<Clone> {
  try {
    return await createClone({ maker: server })
  } catch (error) {
    const [problem] = problemsOf(error, randomUUID())
    throw new DroverError(
      {
        code: 'SHADOW_FAILED',
        message: `no shadow could be created: ${problem!.message}`,
        hint: 'name a server in DROVER_SHADOW_URL that is running, and a user who may create databases there',
        ...(problem?.sqlstate !== undefined && { sqlstate: problem.sqlstate }),
      },
      { cause: error },
    )
  }
}

function describeUnusable(problem: Problem): Problem {
  return {
    ...problem,
    code: 'SHADOW_FAILED',
    message: `what is applied cannot be replayed in a shadow: ${problem.message}`,
    hint: 'what its revisions need besides (roles, extensions) has to be on the server for shadows, too; or rehearse on a copy with --template or --from, or on a branch with --on',
  }
}

/** Who is connected to a database beside ourselves, in words. */
async function otherSessions(base: ConnectionUrl, database: string): Promise<string | undefined> {
  await using connection = openConnection(base)
  // Ours have just been closed; the server may not have noticed yet.
  const others = (await readSessions(connection, database)).filter(({ application }) => application !== 'drover')
  if (others.length === 0) return undefined
  const most = 3
  const named = others.slice(0, most).map(({ application, sessions }) => `${sessions} of "${application}"`)
  const rest = others.length > most ? `, and others` : ''
  return `sessions are connected to it: ${named.join(', ')}${rest}`
}

/** Why a database is not copied where that is no fault; `undefined` for what is one. */
function describeObstacle(error: unknown, maker: ConnectionUrl): string | undefined {
  // Its `postgres` database may be closed to us, or not be there.
  if (error instanceof DroverError) return error.problems[0].message
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case '42501':
      return `user "${maker.user}" may not create databases there, or not copy this one (createdb, and its owner)`
    case '55006':
      return 'sessions are connected to it'
    case '57014':
      return `copying it takes longer than ${longestCopyMs / 1000} s, for which nobody could connect to it`
    default:
      return undefined
  }
}
