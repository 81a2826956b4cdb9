import { hostname } from 'node:os'

import { describeHolder, type LeaseStatus, readLease, readServerFacts } from '@drover/engine'
import { findGaps, findUnknown } from '@drover/history'

import { type Member, openFleet, problemsOf } from '../release/fleet.ts'
import { appliedIds, findHalfDone, statusOf } from '../release/status.ts'
import { isThisMachine } from '../reset.ts'
import { type Database, hasTenants, isExternal } from '../workspace/discover.ts'
import type { Located } from '../workspace/locate.ts'
import { fine, type Finding, warn, wrongAs } from './finding.ts'
import { judgeServer } from './judge-server.ts'

/** What a database is examined with. */
export interface ExamineOptions {
  readonly root: string
  /** Whether an administrator of its server is known. */
  readonly hasAdministrator: (located: Located) => boolean
  /** Whether a process of this machine is there. */
  readonly isAlive: (pid: number) => boolean
}

/**
 * Looks at databases side by side: their files, their servers, and what Drover has recorded there. What cannot be looked at is a
 * finding.
 */
export async function examineDatabases(
  located: readonly Located[],
  options: ExamineOptions,
): Promise<ReadonlyMap<Database, readonly Finding[]>> {
  await using fleet = await openFleet(located, { root: options.root })
  const found = new Map<Database, readonly Finding[]>()
  for (const { database, problems } of fleet.unread) {
    found.set(
      database,
      problems.map((problem) => wrongAs('connection', problem)),
    )
  }
  await Promise.all(fleet.members.map(async (member) => found.set(member.database, await examine(member, options))))
  return found
}

async function examine(member: Member, options: ExamineOptions): Promise<readonly Finding[]> {
  const { connection, database, located } = member
  try {
    const isPooled = await connection.isPooled()
    const facts = await readServerFacts(connection)
    const server = judgeServer(facts, {
      name: database.name,
      database: located.url.database,
      isLocal: isThisMachine(located.url.host),
      isDevelopment: located.development,
      isPooled,
      hasAdministrator: options.hasAdministrator(located),
    })
    const reached = fine('connection', 'the server answers')
    // Of a database that migrates itself, nothing but the server is our business.
    if (isExternal(database)) {
      return [reached, ...server.filter(({ check }) => check !== 'records' && check !== 'copies')]
    }
    const lease = await readLease(connection, database.name)
    return [reached, ...server, ...judgeHistory(member), judgeLease(lease, database.name, options.isAlive)]
  } catch (error) {
    return problemsOf(error, database.name).map((problem) => wrongAs('connection', problem))
  }
}

/** What there is to say of the files and of what is applied. Pure. */
export function judgeHistory(member: Member): readonly Finding[] {
  const { history, state, database } = member
  const applied = appliedIds(state)
  const halfDone = findHalfDone(member)
  const disagreements = [...findUnknown(history, applied), ...findGaps(history, applied)]
  const { pending, state: place } = statusOf(member)
  const heads = history.heads.map(({ id }) => id)
  return [
    heads.length > 1
      ? warn(
          'history',
          `${heads.length} heads: ${heads.join(', ')}`,
          `join them: pnpm migrate merge -d ${database.name}`,
        )
      : fine('history', `${revisions(history.revisions.length)}, with one head at most`),
    ...disagreements.map((problem) => wrongAs('applied', problem)),
    ...(halfDone ? [wrongAs('applied', halfDone)] : []),
    // Of a database of tenants, `tenant list` tells who has had what.
    ...(disagreements.length === 0 && !halfDone && !hasTenants(database)
      ? [fine('applied', pending.length === 0 ? place : `${revisions(pending.length)} still to be applied`)]
      : []),
  ]
}

/** What there is to say of who holds a database. Pure. */
export function judgeLease(lease: LeaseStatus, name: string, isAlive: (pid: number) => boolean): Finding {
  if (lease.state === 'free') return fine('lease', 'nobody holds it')
  const who = describeHolder(lease.holder)
  if (lease.state === 'expired') return fine('lease', `of ${who}, who is gone: the next run takes over`)
  const isDead = lease.holder.host === hostname() && !isAlive(lease.holder.pid)
  if (!isDead) return fine('lease', `held by ${who}`)
  return warn(
    'lease',
    `held by ${who}, whose process is gone from this machine`,
    `it expires by itself within ${Math.ceil(lease.expiresInMs / 1000)} s; or: pnpm migrate lock release -d ${name}`,
  )
}

function revisions(count: number): string {
  return count === 1 ? '1 revision' : `${count} revisions`
}
