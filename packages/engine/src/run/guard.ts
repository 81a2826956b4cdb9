import { comesAfter, type Direction, type History, type Step } from '@drover/history'

import { tryHistoryLock } from '../lease/history-lock.ts'
import { quoteLiteral } from '../sql/quote.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
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
export interface Holder {
  readonly history: string
  /** A condition that is true of the row of its lease, whatever the search_path. */
  readonly lease: string
  /** An expression for the id of its run, whatever the search_path. */
  readonly run: string
}

/** The holder that a run is, with the token of its lease. */
export function holderOf(run: Run, token: string): Holder {
  return { history: run.history, lease: `token operator(pg_catalog.=) ${token}`, run: quoteLiteral(run.id) }
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
  const { revision, direction } = script
  const { refusals = plainRefusals, previous, remembersStart = false } = options
  const before = previous ? [previous.revision.id] : []
  const [present, absent]: readonly [readonly string[], readonly string[]] =
    direction === 'up'
      ? [[...comesAfter(revision), ...before], [revision.id]]
      : [[revision.id], [...history.followers.get(revision.id)!, ...before]]
  return `do $drover$
begin
${refuseOthers(holder, refusals)}${refuseUnless(holder.history, present, absent, refusals)}${leaveStoreSchema('transaction')}${remembersStart ? rememberStart : ''}end
$drover$;
`
}

/**
 * The part of a guard that lets nobody through but the holder of the lease, and nobody while a revision is under way. The
 * lock is only tried: whoever waits inside the database is in the way of CREATE INDEX CONCURRENTLY. It covers what the
 * lease cannot: a holder whose lease was taken over while its transaction was still open.
 */
export function refuseOthers(holder: Holder, refusals = plainRefusals): string {
  return `${refuseBusy(holder.history, refusals)}  if not exists (select from ${storeSchema}.lease where ${leaseOf(holder)}) then
    ${raise('leaseLost', refusals)}
  end if;
`
}

/** The statement that comes before those with which a holder goes on with a revision that it has begun. */
export function writeHolderGuard(holder: Holder): string {
  return `do $drover$
begin
${refuseOthers(holder)}${leaveStoreSchema('transaction')}end
$drover$;
`
}

/** The statement that comes before those of a schema snapshot: as `writeGuard`, for revisions of which none may be applied. */
export function writeEmptyGuard(ids: readonly string[], holder: Holder): string {
  return `do $drover$
begin
${refuseOthers(holder)}${refuseUnless(holder.history, [], ids, plainRefusals)}${leaveStoreSchema('transaction')}${rememberStart}end
$drover$;
`
}

/** The part of a guard that lets nobody through while a revision is under way. */
export function refuseBusy(history: string, refusals: Refusals): string {
  return `  if not ${tryHistoryLock(history)} then
    ${raise('busy', refusals)}
  end if;
`
}

/** The part of a guard that lets nobody through unless some revisions are applied, and others are not. */
export function refuseUnless(
  history: string,
  present: readonly string[],
  absent: readonly string[],
  refusals: Refusals,
): string {
  const wanted = new Set(present)
  // What is half done is neither applied nor absent.
  const applied = count(history, [...wanted], ` and state operator(pg_catalog.=) 'applied'`)
  return `  if ${applied} operator(pg_catalog.<>) ${wanted.size} or ${count(history, absent)} operator(pg_catalog.<>) 0 then
    ${raise('moved', refusals)}
  end if;
`
}

/**
 * The statement that comes before those of a hook: an error unless nobody else is changing the history, and the holder
 * still has its lease.
 */
export function writeHookGuard(holder: Holder, refusals = plainRefusals): string {
  return `do $drover$
begin
${refuseOthers(holder, refusals)}${leaveStoreSchema('transaction')}end
$drover$;
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
export function leaseOf({ history, lease }: Holder): string {
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
  const key = [quoteLiteral(holder.history), "''", quoteLiteral(revision.id)]
  return direction === 'up'
    ? `${resetRole}insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
values (${key.join(', ')}, ${quoteLiteral(checksum)}, ${holder.run}, ${spent})`
    : `${resetRole}delete from ${storeSchema}.applied where (history, target, revision) operator(pg_catalog.=) (${key.join(', ')})`
}

/** The record that revisions were applied together; each has an equal share in the time that took. */
export function writeRecords(
  scripts: readonly Pick<Script, 'revision' | 'checksum'>[],
  { history, run }: Pick<Holder, 'history' | 'run'>,
): string {
  const share = `(${spent}) operator(pg_catalog./) ${scripts.length}`
  const rows = scripts.map(({ revision, checksum }) =>
    [quoteLiteral(history), "''", quoteLiteral(revision.id), quoteLiteral(checksum), run, share].join(', '),
  )
  return `${resetRole}insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
values
${rows.map((row) => `  (${row})`).join(',\n')}`
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

function count(history: string, ids: readonly string[], condition = ''): string {
  if (ids.length === 0) return '0'
  const list = ids.map(quoteLiteral).join(', ')
  return `(select pg_catalog.count(*) from ${storeSchema}.applied where history operator(pg_catalog.=) ${quoteLiteral(history)} and target operator(pg_catalog.=) '' and revision operator(pg_catalog.=) any (array[${list}])${condition})`
}
