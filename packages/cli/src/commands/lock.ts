import { randomUUID } from 'node:crypto'

import { readLease, releaseLease } from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'
import { type Database, type Fleet, type Member, problemsOf, type Workspace } from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import { type ExitCode, exitCodeOf } from '../exit-code.ts'
import {
  describeHeld,
  describeLeases,
  describeReleases,
  leaseJson,
  type MemberLease,
  type Release,
  releaseJson,
  unreadLeaseJson,
} from '../render/lock.ts'
import type { CommonOptions, Session } from '../session.ts'

interface LockOptions extends CommonOptions {
  readonly yes?: boolean
}

/** Tells who holds databases, or takes them away from who does. */
export async function lock(session: Session, options: LockOptions, action = ''): Promise<ExitCode> {
  if (action !== 'status' && action !== 'release') {
    throw new DroverError({
      code: 'USAGE',
      message: `"${action}" is nothing that is done to a lock`,
      hint: 'pnpm migrate lock status, or lock release -d <name>',
    })
  }
  const { workspace, selected } = await session.workspace()
  if (action === 'release') refuseAll(selected, options)
  await using fleet = await session.fleet(workspace, selected)
  // Awaited here: the connections are closed when this function returns.
  return action === 'status'
    ? await showStatus(session, selected, fleet)
    : await release(session, options, workspace, fleet)
}

/** Whoever takes something away from a run says from which. */
function refuseAll(selected: readonly Database[], options: LockOptions): void {
  if (selected.length < 2 || options.database !== undefined) return
  throw new DroverError({
    code: 'USAGE',
    message: `the lock of which database is to be released is not said, and there are ${selected.length}`,
    hint: `see who holds which with: pnpm migrate lock status; then: pnpm migrate lock release -d ${selected[0]!.name}`,
  })
}

/** One database that cannot be reached does not hide the others; the exit code tells. */
async function showStatus(session: Session, selected: readonly Database[], fleet: Fleet): Promise<ExitCode> {
  const leases = await Promise.all(fleet.members.map(readMember))
  session.print(...describeLeases(selected, leases, fleet.unread, session.out))
  const databases = selected.map((database) => {
    const found = leases.find(({ member }) => member.database === database)
    return found ? leaseJson(found) : unreadLeaseJson(database)
  })
  return session.finish(
    { databases },
    fleet.unread.flatMap(({ problems }) => problems),
  )
}

async function release(session: Session, options: LockOptions, workspace: Workspace, fleet: Fleet): Promise<ExitCode> {
  const unread = fleet.unread.flatMap(({ problems }) => problems)
  if (unread.length > 0)
    return session.finish({ databases: fleet.unread.map(({ database }) => unreadLeaseJson(database)) }, unread)
  const leases = await Promise.all(fleet.members.map(readMember))
  const held = leases.filter(({ lease }) => lease.state !== 'free')
  if (held.length > 0) {
    const objection = await findObjection(session, {
      lines: held.flatMap((one) => describeHeld(one, session.err)),
      question:
        held.length === 1 ? 'Take this database away from that run?' : 'Take these databases away from those runs?',
      what: 'the release',
      databases: held.map(({ member }) => member.database),
      yes: options.yes,
    })
    if (objection) return session.finish({ databases: leases.map(leaseJson) }, [objection])
  }
  const id = randomUUID()
  const releases: Release[] = []
  for (const one of leases) releases.push(await releaseOne(session, workspace, id, one))
  session.print(...describeReleases(releases, session.out))
  const problems = releases.flatMap(({ problem }) => (problem ? [problem] : []))
  const isPartial = problems.length > 0 && releases.some(({ status }) => status === 'released')
  const exitCode = isPartial ? 1 : problems.length > 0 ? exitCodeOf(problems) : 0
  return session.finish({ databases: releases.map(releaseJson) }, problems, exitCode)
}

async function readMember(member: Member): Promise<MemberLease> {
  return { member, lease: await readLease(member.connection, member.database.name) }
}

/** Takes a lease away from the run that was shown, and from no other. */
async function releaseOne(
  session: Session,
  workspace: Workspace,
  releaseId: string,
  { member, lease }: MemberLease,
): Promise<Release> {
  if (lease.state === 'free') return { member, lease, status: 'nothing-to-do' }
  const { name } = member.database
  try {
    const run = {
      id: randomUUID(),
      release: releaseId,
      history: name,
      command: 'lock release',
      actor: session.actor(workspace),
    }
    if (await releaseLease(member.connection, run, lease.run))
      return { ...(await readMember(member)), status: 'released' }
    const now = await readLease(member.connection, name)
    // It has ended by itself meanwhile.
    if (now.state === 'free') return { member, lease: now, status: 'nothing-to-do' }
    return { member, lease: now, status: 'failed', problem: changedHands(name) }
  } catch (error) {
    return { member, lease, status: 'failed', problem: problemsOf(error, name)[0]! }
  }
}

function changedHands(database: string): Problem {
  return {
    code: 'STATE_MOVED',
    database,
    message: 'the lock was not released: another run holds the database now than the one that was shown',
    hint: 'see which with: pnpm migrate lock status -d <database>',
  }
}
