import { comesAfter, type History } from '@drover/history'

import { tryHistoryLock } from '../lease/history-lock.ts'
import { quoteLiteral } from '../sql/quote.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import { storeSchema } from '../store/tables.ts'

/** Raised by the guard of a message. PostgreSQL itself uses no class DR. */
export const guardStates = {
  /** Another transaction is changing the same history right now. */
  busy: 'DRV01',
  /** The lease was taken by somebody else. */
  leaseLost: 'DRV02',
  /** What is applied is not what the plan was made for. */
  moved: 'DRV03',
} as const

/** One revision as one message to the server, with the way back from a position in it to the file. */
export interface Message {
  readonly sql: string
  /** The column of the row that the server sends after the guard, and after each statement of the script. */
  readonly markerColumn: string
  /** Finds the statement and its place in the file for an error's position, which counts characters from 1. */
  locate(position: number): { readonly statement: number; readonly offset: number } | undefined
}

/** What goes into a message besides the script. */
export interface MessageContext {
  readonly history: History
  readonly run: Run
  /** Of the lease that this run holds. */
  readonly token: string
  /** In milliseconds; 0 waits for ever. */
  readonly lockTimeoutMs: number
  /** In milliseconds; 0 is without a limit. */
  readonly statementTimeoutMs: number
}

/**
 * Writes the message that runs one revision: guard, statements, and the record of it, in one implicit transaction. An
 * error anywhere undoes all of it. A row after the guard and after each statement tells how far the server came, because an error at run
 * time carries no position.
 */
export function writeMessage(script: Script, context: MessageContext): Message {
  let sql = `${preamble(context)}${guard(script, context)}${marker}`
  const starts = script.statements.map((statement) => {
    const start = sql.length
    sql += `${statement.text};${marker}`
    return start
  })
  sql += record(script, context)
  return {
    sql,
    markerColumn,
    locate: (position) => {
      const at = toUtf16(sql, position - 1)
      const statement = starts.findLastIndex((start) => start <= at)
      const found = script.statements[statement]
      if (!found || at > starts[statement]! + found.text.length) return undefined
      return { statement, offset: found.start + at - starts[statement]! }
    },
  }
}

const markerColumn = 'drover:done'
const marker = `select 1 as "${markerColumn}";\n`

/**
 * A revision must not inherit what an earlier one left behind in the session (a search_path, which every script of pg_dump
 * empties, a role, a timeout, a temporary table): after a failure it would run without that.
 */
function preamble(context: MessageContext): string {
  return `reset session authorization; reset role; reset all; discard temp; select pg_advisory_unlock_all();
set local lock_timeout = ${context.lockTimeoutMs}; set local statement_timeout = ${context.statementTimeoutMs};
`
}

/**
 * The lock is only tried: whoever waits inside the database is in the way of CREATE INDEX CONCURRENTLY. It covers what
 * the lease cannot: a holder whose lease was taken over while its transaction was still open.
 */
function guard(script: Script, { history, run, token }: MessageContext): string {
  const { revision, direction } = script
  const name = quoteLiteral(run.history)
  const [present, absent] =
    direction === 'up' ? [comesAfter(revision), [revision.id]] : [[revision.id], history.followers.get(revision.id)!]
  return `do $drover$
begin
  if not ${tryHistoryLock(run.history)} then
    raise exception 'busy' using errcode = '${guardStates.busy}';
  end if;
  if not exists (select from ${storeSchema}.lease where history = ${name} and token = ${token}) then
    raise exception 'lease lost' using errcode = '${guardStates.leaseLost}';
  end if;
  if ${count(name, present)} <> ${present.length} or ${count(name, absent)} <> 0 then
    raise exception 'moved' using errcode = '${guardStates.moved}';
  end if;
${leaveStoreSchema}end
$drover$;
`
}

/**
 * For a user who is named like the schema of the store, the default search_path ("$user", public) begins with it: what
 * a script creates without a schema would be hidden among Drover's own tables.
 */
const leaveStoreSchema = `  if current_schema() = '${storeSchema}' then
    perform set_config('search_path', coalesce(string_agg(quote_ident(name), ', ' order by place), ''), true)
    from unnest(current_schemas(false)) with ordinality as path (name, place)
    where name <> '${storeSchema}';
  end if;
`

function count(history: string, ids: readonly string[]): string {
  if (ids.length === 0) return '0'
  const list = ids.map(quoteLiteral).join(', ')
  return `(select count(*) from ${storeSchema}.applied where history = ${history} and target = '' and revision in (${list}))`
}

function record({ revision, direction, checksum }: Script, { run }: MessageContext): string {
  const key = [quoteLiteral(run.history), "''", quoteLiteral(revision.id)]
  // The script may have left its role behind, or taken away its search_path.
  const reset = 'reset session authorization; reset role;\n'
  return direction === 'up'
    ? `${reset}insert into ${storeSchema}.applied (history, target, revision, checksum, run, duration_ms)
values (${key.join(', ')}, ${quoteLiteral(checksum)}, ${quoteLiteral(run.id)}, extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)`
    : `${reset}delete from ${storeSchema}.applied where (history, target, revision) = (${key.join(', ')})`
}

/** Index in UTF-16 units of the character at `characters`. */
function toUtf16(text: string, characters: number): number {
  let index = 0
  for (let passed = 0; passed < characters && index < text.length; passed += 1) {
    index += text.codePointAt(index)! > 0xffff ? 2 : 1
  }
  return index
}
