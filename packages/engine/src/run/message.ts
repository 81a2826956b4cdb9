import type { History } from '@drover/history'

import type { Script } from '../source/script.ts'
import { leadOf, type Place } from '../store/place.ts'
import type { Run } from '../store/runs.ts'
import { prepareGroup } from './group-statements.ts'
import {
  cleanSession,
  type Holder,
  holderOf,
  type Limits,
  limitTime,
  type SearchPath,
  setSearchPath,
  spent,
  writeEmptyGuard,
  writeGuard,
  writeGuardOfAll,
  writeRemovals,
  writeRecord,
  writeRecords,
} from './guard.ts'
import { selectTime } from './statement-times.ts'

/** One revision as one message to the server, with the way back from a position in it to the file. */
export interface Message {
  readonly sql: string
  /** The column of the row that the server sends before the first statement of the script, and after each of them. */
  readonly markerColumn: string
  /** Finds the statement and its place in the file for an error's position, which counts characters from 1. */
  locate(position: number): { readonly statement: number; readonly offset: number } | undefined
}

/** What goes into a message besides the script. */
export interface MessageContext extends Limits, SearchPath {
  readonly history: History
  readonly run: Run
  /** Of the lease that this run holds; missing for who holds none, and is kept from others by the guard alone. */
  readonly token: string | undefined
  /** What marks the end of a statement. Default: a row that tells how far the server came. */
  readonly mark?: string | undefined
  /** Whether the rows that tell how far the server came tell the time as well. Default `false`. */
  readonly timed?: boolean | undefined
  /** Statements that prepare the place for the first revision, in its transaction and behind its guard. Default: none. */
  readonly opening?: string | undefined
}

/** Several revisions as one message. */
export interface Group {
  readonly sql: string
  /** Each of them as if it were alone in the message. */
  readonly messages: readonly Message[]
  /** The column of the rows that records bring, one for each revision: how long it took on the server, in milliseconds. */
  readonly durationColumn: string
}

/**
 * Writes the message that runs revisions in one implicit transaction: guards, statements and records, of each revision on its own, or of all
 * together where the run is for one of many targets. An error anywhere undoes all of it. A row before the first statement of a revision and
 * after each of them tells how far the server came, because an error at run time carries no position.
 */
export function writeTransaction(scripts: readonly Script[], context: MessageContext): Group {
  const holder = holderOf(context.run, context.token)
  const parts =
    context.run.target === undefined ? writeEach(scripts, context, holder) : writeAll(scripts, context, holder)
  // Behind a pooler, whoever comes next has this session, and this run perhaps another. What the revisions have deferred to the
  // commit is done before that, with the settings that they have left.
  return join(parts, { before: '', after: `${doDeferred}${cleanSession}` })
}

/** Each revision with a guard and a record of its own: what another one of them leaves undone is said by its guard. */
function writeEach(scripts: readonly Script[], context: MessageContext, holder: Holder): readonly Part[] {
  return scripts.map((script, index) => {
    const duration = script.direction === 'up' ? 'duration_ms' : spent
    const end = `${writeRecord(script, holder)} returning ${duration} as "${durationColumn}";\n`
    const begin = writeBegin(script, index === 0 ? context : { ...context, opening: undefined })
    return writePart(script, { begin, mark: markOf(context), end })
  })
}

/**
 * All revisions with one guard and one record, as the lock is held to the end and nobody else can change what was looked at. Where there
 * are ten thousand targets, what is Drover's own is most of what the server has to do.
 */
function writeAll(scripts: readonly Script[], context: MessageContext, holder: Holder): readonly Part[] {
  const [first] = scripts
  const guard = writeGuardOfAll(scripts, context.history, holder)
  const record =
    first?.direction === 'up'
      ? `${writeRecords(scripts, holder)} returning duration_ms`
      : `${writeRemovals(scripts, holder)} returning (${spent}) operator(pg_catalog./) ${scripts.length}`
  return scripts.map((script, index) =>
    writePart(script, {
      begin: index === 0 ? writeBegin(script, context, guard) : `${preamble(context)}${markOf(context)}`,
      mark: markOf(context),
      end: index === scripts.length - 1 ? `${record} as "${durationColumn}";\n` : '',
    }),
  )
}

/**
 * Writes the message that runs revisions one after the other, each in a transaction of its own. An error skips the rest of the
 * message, and leaves the session in a failed transaction. Only the last commit waits for the disk: the log is written in order, so
 * with it all are there (PostgreSQL, "Asynchronous Commit").
 *
 * The first has the guard of a message of its own. Behind it only who holds the lease can change the history, so the others make
 * sure of that, and their records that they change what the plan says; of a run without a lease, the records alone do. All that is theirs is
 * prepared once. Where they let nobody through, the SQLSTATE does not tell why: the guard of a message of its own does.
 */
export function writeGroup(scripts: readonly Script[], context: MessageContext): Group {
  const holder = holderOf(context.run, context.token)
  const columns = { markerColumn, durationColumn, ...(context.timed && { more: selectTime }) }
  const statements = prepareGroup(scripts[0]!.direction, holder, { idleTimeoutMs, ...context }, columns)
  const parts = scripts.map((script, index) => {
    const isLast = index === scripts.length - 1
    const guard =
      index === 0
        ? `${writeBegin(script, context)}${isLast ? '' : 'set local synchronous_commit = off;\n'}`
        : `${statements.begin}${isLast ? waitForDisk : ''}`
    return writePart(script, {
      begin: `begin;\n${guard}`,
      mark: statements.mark,
      // What is deferred may leave a role behind as well, and the record has it reset for the next one.
      end: `${doDeferred}${statements.record(script)}${isLast ? waitForDisk : ''}commit;\n`,
    })
  })
  return join(parts, { before: statements.prepare, after: `${cleanSession} deallocate all` })
}

/**
 * Writes the message that runs the statements of a schema snapshot instead of those of its revisions, in one implicit transaction with
 * the record of them all. It is refused where any of them is applied.
 */
export function writeLoading(
  snapshot: Statements,
  scripts: readonly Pick<Script, 'revision' | 'checksum'>[],
  context: Omit<MessageContext, 'history'>,
): Group {
  const holder = holderOf(context.run, context.token)
  const ids = scripts.map(({ revision }) => revision.id)
  const part = writePart(snapshot, {
    begin: `${preamble(context)}${writeEmptyGuard(ids, holder)}${openingOf(context)}${marker}`,
    mark: marker,
    end: `${writeRecords(scripts, holder)} returning duration_ms as "${durationColumn}";\n`,
  })
  return join([part], { before: '', after: `${doDeferred}${cleanSession}` })
}

function markOf({ mark, timed }: MessageContext): string {
  return mark ?? (timed ? timedMarker : marker)
}

/**
 * What comes before the statements of a revision that has to look at all that it comes after.
 * @param guard what it looks with. Default: a guard of its own
 */
function writeBegin(script: Script, context: MessageContext, guard?: string): string {
  const holder = holderOf(context.run, context.token)
  const own = guard ?? writeGuard(script, context.history, holder, { remembersStart: true })
  return `${preamble(context)}${own}${openingOf(context)}${markOf(context)}`
}

function openingOf({ opening = '' }: Pick<MessageContext, 'opening'>): string {
  return opening
}

/**
 * Writes the message that runs statements which are no revision, and of which nothing is recorded, in one implicit transaction.
 * @param guard what comes before them
 */
export function writeGuarded(
  script: Statements,
  guard: string,
  context: Pick<MessageContext, 'lockTimeoutMs' | 'statementTimeoutMs'>,
): Message {
  const part = writePart(script, { begin: `${preamble(context)}${guard}${marker}`, mark: marker, end: '' })
  return join([part], { before: '', after: `${doDeferred}${cleanSession}` }).messages[0]!
}

/** What a message needs to know of a script. */
type Statements = Pick<Script, 'statements'>

/** One revision in a message. */
interface Part {
  readonly script: Statements
  readonly sql: string
  /** Where each statement is in it. */
  readonly starts: readonly number[]
}

function writePart(
  script: Statements,
  { begin, mark, end }: { readonly begin: string; readonly mark: string; readonly end: string },
): Part {
  let sql = begin
  const starts = script.statements.map((statement) => {
    const start = sql.length
    sql += `${statement.text};${mark}`
    return start
  })
  return { script, sql: sql + end, starts }
}

function join(parts: readonly Part[], { before, after }: { readonly before: string; readonly after: string }): Group {
  let sql = before
  const placed = parts.map((part) => {
    const start = sql.length
    sql += part.sql
    return { part, start }
  })
  sql += after
  const messages = placed.map(({ part, start }) => ({ sql, markerColumn, locate: locator(sql, part, start) }))
  return { sql, messages, durationColumn }
}

/** @param start where the part is in the message */
function locator(sql: string, { script, starts }: Part, start: number): Message['locate'] {
  return (position) => {
    const at = toUtf16(sql, position - 1) - start
    const statement = starts.findLastIndex((own) => own <= at)
    const found = script.statements[statement]
    if (!found || at > starts[statement]! + found.text.length) return undefined
    return { statement, offset: found.start + at - starts[statement]! }
  }
}

/** A message of Drover's own, with nothing of a script in it. */
export function writeOwnMessage(sql: string): Message {
  return { sql, markerColumn, locate: () => undefined }
}

/**
 * One statement of a script as a message, with something around it that makes it a transaction, or by itself.
 * @param around what that is; alone, a statement is told from the same one of another target by what it begins with
 */
export function writeSingle(
  { statements }: Script,
  index: number,
  around: { readonly before: string; readonly after: string; readonly mark?: string | undefined } | Place,
): Message {
  const { text, start } = statements[index]!
  const isAlone = 'history' in around
  const mark = (isAlone ? undefined : around.mark) ?? marker
  const before = isAlone ? leadOf(around) : `${around.before}${mark}`
  const sql = isAlone ? `${before}${text}` : `${before}${text};${mark}${around.after}`
  return {
    sql,
    markerColumn,
    locate: (position) => {
      const at = toUtf16(sql, position - 1) - before.length
      return at < 0 || at > text.length ? undefined : { statement: index, offset: start + at }
    },
  }
}

// What is deferred to the commit fails here, where it is still told apart from what comes after it.
export const doDeferred = 'set constraints all immediate;\n'

// Unless the database is not to; what a revision has said is for itself, and not for those before it.
const waitForDisk = 'reset synchronous_commit;\n'

export const markerColumn = 'drover:done'
const durationColumn = 'drover:ms'
/** The statement that sends the row which tells how far the server is. */
export const marker = `select 1 as "${markerColumn}";\n`
const timedMarker = `select 1 as "${markerColumn}", ${selectTime};\n`

/** A transaction is one message: whoever is waited for in the middle of it is gone. */
const idleTimeoutMs = 60_000

/** What a message begins with: a clean session, and how long its statements may wait and take. */
export function preamble(limits: Limits & SearchPath): string {
  return `${cleanSession} select pg_catalog.pg_advisory_unlock_all();
${limitTime({ idleTimeoutMs, ...limits })}${setSearchPath(limits)}`
}

/** Index in UTF-16 units of the character at `characters`. */
export function toUtf16(text: string, characters: number): number {
  let index = 0
  for (let passed = 0; passed < characters && index < text.length; passed += 1) {
    index += text.codePointAt(index)! > 0xffff ? 2 : 1
  }
  return index
}
