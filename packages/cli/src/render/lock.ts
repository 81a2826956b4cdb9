import { describeHolder, type LeaseStatus } from '@drover/engine'
import { describeDone, type Problem } from '@drover/history'
import type { Database, Member, Unread } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { columns, duration } from './text.ts'

/** Who holds one database. */
export interface MemberLease {
  readonly member: Member
  readonly lease: LeaseStatus
}

/** What became of the lease of one database that was to be released, and how it stands now. */
export interface Release extends MemberLease {
  readonly status: 'released' | 'nothing-to-do' | 'failed'
  /** Why it failed. */
  readonly problem?: Problem
}

/** Who holds each database, in the order of `selected`. */
export function describeLeases(
  selected: readonly Database[],
  leases: readonly MemberLease[],
  unread: readonly Unread[],
  style: Style,
): readonly string[] {
  const width = Math.max(0, ...selected.map(({ name }) => name.length))
  const found = selected.map((database) => leases.find(({ member }) => member.database === database))
  const rows = columns(found.map((one, at) => [selected[at]!.name, ...stateCells(one, selected[at]!, unread)]))
  return rows.flatMap((line, at) => {
    const one = found[at]
    const isBad = !one || one.lease.state === 'expired'
    const painted = one?.lease.state === 'held' ? style.warn(line) : isBad ? style.bad(line) : line
    return [painted, ...(one ? detailsOf(one) : []).map((detail) => `${' '.repeat(width)}  ${detail}`)]
  })
}

function stateCells(found: MemberLease | undefined, database: Database, unread: readonly Unread[]): readonly string[] {
  if (!found) {
    // Databases of the development server are created by the first command that finds nothing wrong.
    const isMissing = unread.some((one) => one.database === database && one.problems.length === 0)
    return [isMissing ? 'not created yet' : 'cannot be read']
  }
  const { lease } = found
  return lease.state === 'free' ? ['free'] : [lease.state, `by ${describeHolder(lease.holder)}`]
}

/** What else is to be known of a lease, a line each. */
function detailsOf({ member, lease }: MemberLease): readonly string[] {
  return [
    ...(lease.state === 'free' ? [] : [`as user "${lease.databaseUser}" of the database, ${ageOf(lease)}`]),
    ...workOf(member, lease),
  ]
}

function ageOf({ state, heartbeatAgeMs, expiresInMs }: Exclude<LeaseStatus, { readonly state: 'free' }>): string {
  const heard = `heard of ${duration(heartbeatAgeMs)} ago`
  return state === 'held' ? `${heard}, expires in ${duration(expiresInMs)}` : `${heard}: the next run takes it over`
}

function workOf({ state }: Member, { transactionPid }: LeaseStatus): readonly string[] {
  const { halfDone } = state
  const verb = halfDone?.direction === 'up' ? 'applied' : 'reverted'
  const by = halfDone?.left?.kind === 'working' ? `, the next one by process ${halfDone.left.pid} of the server` : ''
  return [
    ...(transactionPid === undefined
      ? []
      : [`in the middle of a transaction: process ${transactionPid} of the server`]),
    ...(halfDone
      ? [`${halfDone.id} is ${halfDone.held ? 'being' : 'half'} ${verb}: ${describeDone(halfDone)}${by}`]
      : []),
  ]
}

/** Who loses a database, and what becomes of what it is at. */
export function describeHeld({ member, lease }: MemberLease, style: Style): readonly string[] {
  if (lease.state === 'free') return []
  const { transactionPid } = lease
  return [
    `${style.strong(member.database.name)}: will take it away from ${describeHolder(lease.holder)}, ${ageOf(lease)}`,
    transactionPid === undefined
      ? '  it begins nothing more on this database'
      : `  what it is in the middle of (process ${transactionPid} of the server) comes to its end, and it begins nothing more on this database`,
    ...(member.state.halfDone && !member.state.halfDone.batch
      ? ['  a statement outside a transaction goes on without it, and its revision stays half done']
      : []),
  ]
}

/** What became of each lease, a line or two a database. */
export function describeReleases(releases: readonly Release[], style: Style): readonly string[] {
  return releases.flatMap(({ member, lease, status }) => {
    const name = style.strong(member.database.name)
    switch (status) {
      case 'nothing-to-do':
        return [`${name}: free, nothing to release`]
      case 'failed':
        return [style.bad(`${name}: not released`)]
      case 'released':
        return [
          `${name}: ${style.good('released')}`,
          ...(lease.transactionPid === undefined
            ? []
            : [
                `  process ${lease.transactionPid} of the server is still in the middle of a revision: the next run waits for it`,
              ]),
        ]
    }
  })
}

/** Who holds a database, for programs. */
export function leaseJson({ member, lease }: MemberLease): LeaseJson {
  const { halfDone } = member.state
  return {
    name: member.database.name,
    state: lease.state,
    ...(lease.state !== 'free' && {
      holder: { ...lease.holder, databaseUser: lease.databaseUser, run: lease.run },
      heartbeatAgeMs: lease.heartbeatAgeMs,
      expiresInMs: lease.expiresInMs,
    }),
    ...(lease.transactionPid !== undefined && { transactionPid: lease.transactionPid }),
    ...(halfDone && {
      halfDone: {
        revision: halfDone.id,
        direction: halfDone.direction,
        done: halfDone.done,
        total: halfDone.total,
        ...(halfDone.batch && { rows: halfDone.batch.rows }),
      },
    }),
  }
}

/** One database in the document of `lock`. */
export interface LeaseJson {
  readonly name: string
  readonly state: LeaseStatus['state'] | 'unreachable'
  readonly [field: string]: unknown
}

/** A database that could not be read. */
export function unreadLeaseJson({ name }: Database): LeaseJson {
  return { name, state: 'unreachable' }
}

/** What became of a lease, and how it stands now, for programs. */
export function releaseJson(release: Release): LeaseJson {
  return { ...leaseJson(release), status: release.status }
}
