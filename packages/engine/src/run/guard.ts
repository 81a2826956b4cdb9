import { comesAfter, type Direction, type History, type Step } from '@drover/history'

import { tryHistoryLock } from '../lease/history-lock.ts'
import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import type { Place } from '../store/place.ts'
import { storeSchema } from '../store/tables.ts'

/** Raised by the guard of a transaction. PostgreSQL itself uses no class DR. */
export const guardStates = {
  /** Another transaction is changing the same history right now. */
  busy: 'DRV01',
  /** The lease was taken by somebody else. */
  leaseLost: 'DRV02',
  /** What is applied is not what the plan was made for. */
  moved: 'DRV03',
} as const

/** Who changes a history, as SQL: a run of Drover knows itself, a script that somebody else runs finds itself by looking. */
export interface Holder extends Place {
  /** A condition that is true of the row of its lease, whatever the search_path. Missing for who needs none. */
  readonly lease?: string
  /** An expression for the id of its run, whatever the search_path. */
  readonly run: string
}

/** A holder that needs its lease. */
export type Leased = Holder & Required<Pick<Holder, 'lease'>>

/** Whether a holder needs its lease. */
export function isLeased(holder: Holder): holder is Leased {
  return holder.lease !== undefined
}

/** The holder that a run is. @param token of its lease, if it has one */
export function holderOf({ history, target, id }: Run, token: string | undefined): Holder {
  const lease = token === undefined ? {} : { lease: `token operator(pg_catalog.=) ${token}` }
  return { history, target, ...lease, run: quoteLiteral(id) }
}

/** What a guard says when it lets nobody through. Must not contain `$drover$`. */
export type Refusals = Readonly<Record<keyof typeof guardStates, string>>

/** For whoever goes by the SQLSTATE alone. */
export const plainRefusals: Refusals = { busy: 'busy', leaseLost: 'lease lost', moved: 'moved' }

/**
 * A revision must not inherit what an earlier one left behind in the session: a search_path, which every script of pg_dump
 * empties, a role, a timeout, a temporary table.
 */
export const cleanSession = 'reset session authorization; reset role; reset all; discard temp;'

/**
 * The session in which the statements of a revision outside a transaction run. They wait for locks as long as it takes:
 * one that gave up would leave an invalid index behind, and CREATE INDEX CONCURRENTLY waits for old transactions by design.
 * @param limits in milliseconds
 */
export function writeSession(limits: { readonly statementTimeoutMs: number }): string {
  return `${cleanSession}
set lock_timeout = 0; set statement_timeout = ${limits.statementTimeoutMs};
do $drover$
begin
${leaveStoreSchema('session')}end
$drover$;
`
}

/** For how long things may go on in a transaction, in milliseconds. */
export interface Limits {
  /** How long a statement waits for a lock; 0 is for ever. */
  readonly lockTimeoutMs: number
  /** How long a statement takes; 0 is without a limit. */
  readonly statementTimeoutMs: number
  /** How long the server waits for us in the middle of it before it ends the session. Default: as the database has it. */
  readonly idleTimeoutMs?: number
}

/** The statements that set the limits of one transaction. */
export function limitTime(limits: Limits): string {
  const { lockTimeoutMs, statementTimeoutMs, idleTimeoutMs } = limits
  const idle = idleTimeoutMs === undefined ? '' : ` set local idle_in_transaction_session_timeout = ${idleTimeoutMs};`
  return `set local lock_timeout = ${lockTimeoutMs}; set local statement_timeout = ${statementTimeoutMs};${idle}
`
}

/** In which schemas the names of a revision are looked for. */
export interface SearchPath {
  /** The first is that in which it makes things. Default: as the database has it. */
  readonly searchPath?: readonly string[] | undefined
}

/** The statement that sets the search_path of one transaction, where it is not to be as the database has it. */
export function setSearchPath({ searchPath }: SearchPath): string {
  return searchPath ? `set local search_path = ${searchPath.map(quoteIdentifier).join(', ')};\n` : ''
}

/** How the guard of a revision is written. */
export interface GuardOptions {
  readonly refusals?: Refusals
  /** The step that has to be done before this one, although the graph may not say so. */
  readonly previous?: Step | undefined
  /** Whether the record is to count from here how long the revision took: the transaction may be older. Default `false`. */
  readonly remembersStart?: boolean
}

/**
 * The statement that comes before those of a revision: an error unless nobody else is changing the history, the holder
 * still has its lease, and what is applied is what the revision needs. It says of each function and operator that it is
 * PostgreSQL's: pinning the search_path, and putting it back for the revision, would take a third of its time again.
 */
export function writeGuard(script: Script, history: History, holder: Holder, options: GuardOptions = {}): string {
  const { refusals = plainRefusals, previous, remembersStart = false } = options
  const { present, absent } = findNeeds(script, history, previous)
  return block(
    `${refuseOthers(holder, refusals)}${refuseUnless(holder, present, absent, refusals)}${leaveStoreSchema('transaction')}${remembersStart ? rememberStart : ''}`,
  )
}

function block(body: string): string {
  return `do $drover$
begin
${body}end
$drover$;
`
}

/** Which revisions have to be applied before a step, and which must not be. */
function findNeeds(
  { revision, direction }: Step,
  history: History,
  previous?: Step,
): { readonly present: readonly string[]; readonly absent: readonly string[] } {
  const before = previous ? [previous.revision.id] : []
  return direction === 'up'
    ? { present: [...comesAfter(revision), ...before], absent: [revision.id] }
    : { present: [revision.id], absent: [...history.followers.get(revision.id)!, ...before] }
}

/**
 * The guard of several steps that are one transaction, before the first of them: what each needs and none before it brings about; they
 * are all in one direction. The lock is held to the end of the transaction, and until then nobody else can change what is looked at here.
 */
export function writeGuardOfAll(steps: readonly Step[], history: History, holder: Holder): string {
  const made = new Set<string>()
  const needs = steps.map((step) => {
    const { present, absent } = findNeeds(step, history)
    const ofOthers = (id: string) => !made.has(id)
    const own = { present: present.filter(ofOthers), absent: absent.filter(ofOthers) }
    made.add(step.revision.id)
    return own
  })
  const [present, absent] = [needs.flatMap((own) => own.present), [...new Set(needs.flatMap((own) => own.absent))]]
  return block(
    `${refuseOthers(holder)}${refuseUnless(holder, present, absent, plainRefusals)}${leaveStoreSchema('transaction')}${rememberStart}`,
  )
}

/**
 * The part of a guard that lets nobody through but the holder of the lease, and nobody while a revision is under way. The
 * lock is only tried: whoever waits inside the database is in the way of CREATE INDEX CONCURRENTLY. It covers what the
 * lease cannot: a holder whose lease was taken over while its transaction was still open.
 */
export function refuseOthers(holder: Holder, refusals = plainRefusals): string {
  if (!isLeased(holder)) return refuseBusy(holder, refusals)
  return `${refuseBusy(holder, refusals)}  if not exists (select from ${storeSchema}.lease where ${leaseOf(holder)}) then
    ${raise('leaseLost', refusals)}
  end if;
`
}

/**
 * The statement that comes before what a holder does whatever is applied, such as a hook, or the rest of a revision that it has begun: an
 * error unless nobody else is changing the history, and the holder still has its lease.
 */
export function writeHolderGuard(holder: Holder, refusals = plainRefusals): string {
  return block(`${refuseOthers(holder, refusals)}${leaveStoreSchema('transaction')}`)
}

/** The statement that comes before those of a schema snapshot: as `writeGuard`, for revisions of which none may be applied. */
export function writeEmptyGuard(ids: readonly string[], holder: Holder): string {
  return block(
    `${refuseOthers(holder)}${refuseUnless(holder, [], ids, plainRefusals)}${leaveStoreSchema('transaction')}${rememberStart}`,
  )
}

/** The part of a guard that lets nobody through while a revision is under way. */
export function refuseBusy(place: Place, refusals: Refusals): string {
  return `  if not ${tryHistoryLock(place)} then
    ${raise('busy', refusals)}
  end if;
`
}

/** The part of a guard that lets nobody through unless some revisions are applied, and others are not. */
export function refuseUnless(
  place: Place,
  present: readonly string[],
  absent: readonly string[],
  refusals: Refusals,
): string {
  const wanted = new Set(present)
  // What is half done is neither applied nor absent.
  const applied = count(place, [...wanted], ` and state operator(pg_catalog.=) 'applied'`)
  return `  if ${applied} operator(pg_catalog.<>) ${wanted.size} or ${count(place, absent)} operator(pg_catalog.<>) 0 then
    ${raise('moved', refusals)}
  end if;
`
}

/** Where the guard leaves the time at which the revision began. */
export const startSetting = 'drover.began'

const rememberStart = `  perform pg_catalog.set_config('${startSetting}', (extract(epoch from pg_catalog.clock_timestamp()))::pg_catalog.text, true);
`

/**
 * How long the revision has taken so far, in milliseconds, as SQL: since the guard, where that remembers and the revision has not
 * reset it, and otherwise since the transaction began.
 */
export const spent = `(extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.-) case
  when pg_catalog.length(pg_catalog.current_setting('${startSetting}', true)) operator(pg_catalog.>) 0
  then pg_catalog.current_setting('${startSetting}', true)::pg_catalog.numeric
  else extract(epoch from pg_catalog.transaction_timestamp())
end) operator(pg_catalog.*) 1000`

/** A condition that is true of the row of a holder's lease and of no other. */
export function leaseOf({ history, lease }: Leased): string {
  return `history operator(pg_catalog.=) ${quoteLiteral(history)} and ${lease}`
}

/** For the record of a revision, which may have left its role behind. */
export const resetRole = 'reset session authorization; reset role;\n'

/**
 * The record that a revision was applied or reverted, for the end of its transaction. Says of each function and operator that it is
 * PostgreSQL's, instead of pinning the search_path: what the revision has deferred to the commit sees it as it was left.
 */
export function writeRecord(
  { revision, direction, checksum }: { readonly direction: Direction } & Pick<Script, 'revision' | 'checksum'>,
  holder: Holder,
): string {
  const key = [holder.history, holder.target ?? '', revision.id].map(quoteLiteral)
  return direction === 'up'
    ? `${resetRole}insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
values (${key.join(', ')}, ${quoteLiteral(checksum)}, ${holder.run}, ${spent})`
    : `${resetRole}delete from ${storeSchema}.applied where (history, target, revision) operator(pg_catalog.=) (${key.join(', ')})`
}

/** The record that revisions were applied together; each has an equal share in the time that took. */
export function writeRecords(
  scripts: readonly Pick<Script, 'revision' | 'checksum'>[],
  { history, target = '', run }: Pick<Holder, 'history' | 'target' | 'run'>,
): string {
  const rows = scripts.map(({ revision, checksum }) => `(${quoteLiteral(revision.id)}, ${quoteLiteral(checksum)})`)
  return `${resetRole}insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
select ${quoteLiteral(history)}, ${quoteLiteral(target)}, made.revision, made.checksum, ${run}, (${spent}) operator(pg_catalog./) ${scripts.length}
from (
  values ${rows.join(', ')}
) as made (revision, checksum)`
}

/** The record that revisions were reverted together. */
export function writeRemovals(scripts: readonly Pick<Script, 'revision'>[], { history, target = '' }: Place): string {
  const ids = scripts.map(({ revision }) => quoteLiteral(revision.id)).join(', ')
  return `${resetRole}delete from ${storeSchema}.applied
where (history, target) operator(pg_catalog.=) (${quoteLiteral(history)}, ${quoteLiteral(target)})
  and revision operator(pg_catalog.=) any (array[${ids}])`
}

function raise(state: keyof typeof guardStates, refusals: Refusals): string {
  return `raise exception using errcode = '${guardStates[state]}', message = ${quoteLiteral(refusals[state])};`
}

/**
 * For a user who is named like the schema of the store, the default search_path ("$user", public) begins with it: what
 * a script creates without a schema would be hidden among Drover's own tables.
 */
function leaveStoreSchema(scope: 'transaction' | 'session'): string {
  return `  if pg_catalog.current_schema() operator(pg_catalog.=) '${storeSchema}' then
    perform pg_catalog.set_config('search_path', coalesce(pg_catalog.string_agg(pg_catalog.quote_ident(name), ', ' order by place), ''), ${scope === 'transaction'})
    from pg_catalog.unnest(pg_catalog.current_schemas(false)) with ordinality as path (name, place)
    where name operator(pg_catalog.<>) '${storeSchema}';
  end if;
`
}

function count({ history, target = '' }: Place, ids: readonly string[], condition = ''): string {
  if (ids.length === 0) return '0'
  const list = ids.map(quoteLiteral).join(', ')
  return `(select pg_catalog.count(*) from ${storeSchema}.applied where history operator(pg_catalog.=) ${quoteLiteral(history)} and target operator(pg_catalog.=) ${quoteLiteral(target)} and revision operator(pg_catalog.=) any (array[${list}])${condition})`
}
