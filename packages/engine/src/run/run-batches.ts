import {
  type Batch,
  type BatchProgress,
  describeDone,
  describeHalfDone,
  DroverError,
  goesOn,
  type Problem,
  resumeCommand,
} from '@drover/history'

import { reportProgress } from '../code/progress.ts'
import type { ModuleProgress } from '../code/protocol.ts'
import type { Connection, Row } from '../connect/connection.ts'
import { readServerError } from '../diagnose/server-error.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { fillRange } from '../source/batch.ts'
import { checksumOfStatements, type Script } from '../source/script.ts'
import { readProgress } from '../store/progress.ts'
import { describeFailure, type Failure, pause, type Patience, sendPatiently } from './attempt.ts'
import {
  type BatchKey,
  describeMissingIndex,
  describeNullKeys,
  type NextKeys,
  rangeOf,
  readKey,
  readKeys,
  selectEnd,
  selectNext,
} from './batch-key.ts'
import { cleanSession, type Holder, holderOf, limitTime, writeHolderGuard } from './guard.ts'
import {
  doDeferred,
  marker,
  markerColumn,
  type Message,
  type MessageContext,
  preamble,
  toUtf16,
  writeOwnMessage,
} from './message.ts'
import { change, writeAdvance, writeStart, writeTakeover, writeUndo } from './outside-record.ts'
import { countCarriedOut, isAnswerLost, settleEnd } from './settle.ts'

/** How a revision in batches is run. */
export interface BatchOptions extends Patience {
  /** See `countCarriedOut`. */
  readonly fence: () => Promise<void>
  readonly onProgress: (progress: ModuleProgress) => void
}

/**
 * Repeats the statement of a revision, each time in a transaction of its own that records how far it has come as well: what
 * is recorded as done was done once, however a run ends. The revision is marked as begun first; one that is half done is gone on with.
 * @returns what it failed of, if it did; the batches before that stay. `interrupted` between two of them; `again` where the answer to
 * one was lost that was done all the same, and the revision is to be gone on with under the token that the lease has now
 */
export async function runBatches(
  connection: Connection,
  script: Script,
  batch: Batch,
  context: MessageContext,
  options: BatchOptions,
): Promise<Problem | 'interrupted' | 'again' | undefined> {
  const task = { connection, script, batch, context, holder: holderOf(context.run, context.token), options }
  try {
    const key = batch.range && (await readKey(connection, script, batch.range.key))
    if (key && 'code' in key) return key
    const begun = await begin(task, key)
    return begun === 'interrupted' || 'code' in begun ? begun : await repeat(task, key, begun)
  } catch (error) {
    return describeFailure(script, writeOwnMessage(''), { error, completed: -1 })
  }
}

interface Task {
  readonly connection: Connection
  readonly script: Script
  readonly batch: Batch
  readonly context: MessageContext
  readonly holder: Holder
  readonly options: BatchOptions
}

/** How far a revision has come. */
interface Place {
  /** How many batches are done. */
  readonly done: number
  readonly progress: BatchProgress
  /** The keys of the next batch; missing behind the last one, and where there is no key. */
  readonly next?: NextKeys | undefined
}

/** Marks the revision as begun, or takes over what another run has begun. */
async function begin(task: Task, key: BatchKey | undefined): Promise<Place | Problem | 'interrupted'> {
  const { connection, script, context, holder } = task
  const found = await readProgress(connection, holder)
  if (found?.halfDone.id === script.revision.id) {
    const { halfDone } = found
    if (!halfDone.batch || !goesOn(halfDone, script.revision)) return describeHalfDone(halfDone, script.revision)
    return enter(task, key, writeTakeover(script, holder, found), { done: halfDone.done, progress: halfDone.batch })
  }
  if (key && !key.isIndexed) return describeMissingIndex(script, key)
  const end = key ? await findEnd(task, key) : undefined
  if (end === 'interrupted' || (typeof end === 'object' && 'code' in end)) return end
  const progress = {
    rows: 0,
    elapsedMs: 0,
    ...(task.batch.range && { key: task.batch.range.key }),
    ...(end?.last !== undefined && { end: end.last }),
  }
  const start = `${writeStart(script, context.history, holder)}${writeProgress(task, 0, 0, progress)}`
  return enter(task, key, start, { done: 0, progress })
}

/** Finds the last key, so that there is an end however fast rows are added meanwhile. */
async function findEnd(
  task: Task,
  key: BatchKey,
): Promise<{ readonly last?: string | undefined } | Problem | 'interrupted'> {
  const { connection, script, context, options } = task
  const message = writeOwnMessage(`${preamble(context)}${selectEnd(key)}`)
  let read: ReturnType<typeof readKeys> = {}
  const failure = await sendPatiently(connection, message, {
    ...options,
    onRow: (row) => (read = { ...read, ...readKeys(row) }),
  })
  if (failure) return failure === 'interrupted' ? failure : describeFailure(script, message, failure)
  return read.hasNull ? describeNullKeys(script, key) : { last: read.end }
}

/** Sends what makes the revision this run's, and finds the keys that come first. */
async function enter(
  { connection, script, batch, context, options }: Task,
  key: BatchKey | undefined,
  statements: string,
  place: Place,
): Promise<Place | Problem | 'interrupted'> {
  const select = key && batch.range ? selectNext(key, batch.range.size, place.progress) : ''
  const message = writeOwnMessage(`${preamble(context)}${statements}${select}${cleanSession}`)
  let next: NextKeys | undefined
  const failure = await sendPatiently(connection, message, {
    ...options,
    onRow: (row) => {
      const keys = readKeys(row)
      if ('next' in keys) next = keys.next
    },
  })
  if (failure) return failure === 'interrupted' ? failure : describeFailure(script, message, failure)
  return { ...place, next }
}

async function repeat(
  task: Task,
  key: BatchKey | undefined,
  begun: Place,
): Promise<Problem | 'interrupted' | 'again' | undefined> {
  const { batch, options } = task
  const { rows: estimate } = key ?? {}
  const began = performance.now() - begun.progress.elapsedMs
  const reporter = reportProgress(
    (one) => options.onProgress(one.total === undefined ? one : { ...one, estimated: true }),
    performance.now.bind(performance),
    begun.progress.elapsedMs,
  )
  try {
    for (let place = begun; ;) {
      if (key && !place.next) return await finish(task, place)
      if (options.signal?.aborted) return 'interrupted'
      const result = await runBatch(task, key, place, Math.round(performance.now() - began))
      if (result === 'interrupted' || result === 'again' || 'code' in result) return result
      place = result.place
      const { rows } = place.progress
      reporter.report(rows, estimate && Math.max(estimate, rows))
      if (!key && result.changed === 0) return await finish(task, place)
      if (batch.pauseMs > 0 && (!key || place.next)) await pause(batch.pauseMs, options.signal)
    }
  } finally {
    reporter.finish()
  }
}

interface BatchResult {
  readonly place: Place
  /** How many rows its statement has changed. */
  readonly changed: number
}

async function runBatch(
  task: Task,
  key: BatchKey | undefined,
  { done, progress, next }: Place,
  elapsedMs: number,
): Promise<BatchResult | Problem | 'interrupted' | 'again'> {
  const { connection, options } = task
  const after = {
    ...progress,
    elapsedMs,
    ...(next && { after: next.to, rows: progress.rows + next.rows }),
  }
  const range = key && next && rangeOf(key, progress.after, next.to)
  const message = writeBatch(task, key, range, done, after)
  let changed = 0
  let following: NextKeys | undefined
  const failure = await sendPatiently(connection, message, {
    ...options,
    onRow: (row) => {
      changed = readChanged(row) ?? changed
      const keys = readKeys(row)
      if ('next' in keys) following = keys.next
    },
  })
  if (failure === 'interrupted') return failure
  if (failure && isAnswerLost(failure.error) && (await isDone(task, done + 1, failure.error))) return 'again'
  if (failure) return fail(task, { done, progress, next }, message, failure)
  const rows = key ? after.rows : progress.rows + changed
  return { changed, place: { done: done + 1, progress: { ...after, rows }, next: following } }
}

/** Whether this run has recorded so many batches as done, asked for once the server can no longer be at one. */
async function isDone({ connection, script, context, options }: Task, done: number, error: unknown): Promise<boolean> {
  const settled = await countCarriedOut(connection, [script], context.run, error, options.fence)
  if (settled === undefined) return false
  const found = await readProgress(connection, context.run)
  return found?.run === context.run.id && found.halfDone.done === done
}

/** A message with the place of its statement, which is in a block. */
interface BatchMessage extends Message {
  /** As the block runs it. */
  readonly statement: string
}

/**
 * Writes the message of one batch: the guard, the statement, the record of it, and the keys that come next. The statement runs in a
 * block, which alone tells inside the transaction how many rows it has changed.
 */
function writeBatch(
  task: Task,
  key: BatchKey | undefined,
  range: ReturnType<typeof rangeOf> | undefined,
  done: number,
  after: BatchProgress,
): BatchMessage {
  const { script, batch, context, holder } = task
  const { text, start } = script.statements[0]!
  const filled = range ? fillRange(text, range) : { sql: text, originOf: (at: number) => at }
  const block = `declare
  drover_changed pg_catalog.int8;
begin
  execute ${quoteLiteral(filled.sql)};
  get diagnostics drover_changed = row_count;
  perform pg_catalog.set_config('${changedSetting}', drover_changed::pg_catalog.text, true);
end`
  const parts = [
    preamble(context),
    writeHolderGuard(holder),
    marker,
    `do ${quoteLiteral(block)};\n`,
    marker,
    writeProgress(task, done, done + 1, after),
    doDeferred,
    `select pg_catalog.current_setting('${changedSetting}') as "${changedColumn}";\n`,
    key && batch.range ? selectNext(key, batch.range.size, after) : '',
    cleanSession,
  ]
  return {
    sql: parts.join(''),
    markerColumn,
    statement: filled.sql,
    locate: (position) => ({ statement: 0, offset: start + filled.originOf(toUtf16(filled.sql, position - 1)) }),
  }
}

const changedSetting = 'drover.changed'
const changedColumn = 'drover:changed'

function readChanged(row: Row): number | undefined {
  return changedColumn in row ? Number(row[changedColumn]) : undefined
}

/** The statements that record how far the batches have come; behind a batch until nothing changes, with the rows that it has changed. */
function writeProgress({ script, batch, holder }: Task, from: number, to: number, progress: BatchProgress): string {
  const isCounted = batch.range === undefined && to > from
  const rows = isCounted ? `${progress.rows} + current_setting('${changedSetting}')::bigint` : String(progress.rows)
  const what = `${quoteLiteral(JSON.stringify(progress))}::jsonb || jsonb_build_object('rows', ${rows})`
  const checksum = quoteLiteral(checksumOfStatements(script.statements.slice(0, to)))
  const record = `jsonb_build_object('done', ${to}, 'total', 0, 'checksum', ${checksum}, 'batch', ${what})`
  return change(script, holder, from, `set progress = (progress - 'statement') || ${record}`)
}

/** Records that the revision is applied. */
async function finish({ connection, script, context, holder, options }: Task, { done }: Place) {
  const message = writeOwnMessage(`${limitTime(context)}${writeAdvance(script, holder, done, done + 1)}${cleanSession}`)
  const failure = await sendPatiently(connection, message, options)
  if (failure === undefined || failure === 'interrupted') return failure
  const problem = describeFailure(script, message, failure)
  return settleEnd(connection, script, context.run, problem, options.fence)
}

/** Describes a batch that failed: nothing of it is kept, and all before it is. */
async function fail(
  { connection, script, holder, batch }: Task,
  { done, progress, next: keys }: Place,
  message: BatchMessage,
  failure: Failure,
): Promise<Problem> {
  const outside = { ...failure, error: outOfBlock(failure.error, message.statement) }
  const isLost = failure.error instanceof DroverError
  const isForgotten =
    done === 0 &&
    !isLost &&
    (await sendPatiently(connection, writeOwnMessage(writeUndo(script, holder, 0)), { onRetry: () => {} })) ===
      undefined
  const next = isForgotten ? undefined : `go on with: ${resumeCommand('up', script.revision)}`
  const problem = describeFailure(script, message, outside, next)
  if (problem.code !== 'STATEMENT_FAILED') return problem
  const range =
    batch.range && keys
      ? ` with ${batch.range.key}${progress.after === undefined ? '' : ` over ${progress.after}`} up to ${keys.to}`
      : ''
  return {
    ...problem,
    message: `${problem.message} (batch ${done + 1}${range})`,
    ...(done > 0 && { hint: `${describeDone({ done, total: 0, batch: progress })} and stay so: ${problem.hint}` }),
  }
}

/** An error as it would be without the block around the statement. */
function outOfBlock(error: unknown, statement: string): unknown {
  if (!(error instanceof Error) || error instanceof DroverError) return error
  const { internalQuery, internalPosition, where } = readServerError(error)
  const isOwn = internalQuery === statement
  return Object.assign(new Error(error.message, { cause: error }), error, {
    position: isOwn ? internalPosition : undefined,
    where: where && withoutBlock(where, statement),
    ...(isOwn && { internal_query: undefined, internal_position: undefined }),
  })
}

/** The last lines of a context are the statement and the block that it is in. */
function withoutBlock(where: string, statement: string): string {
  const end = where.lastIndexOf('\n') + 1
  if (!where.slice(end).includes('inline_code_block')) return where
  const rest = where.slice(0, Math.max(0, end - 1))
  if (!rest.endsWith(`"${statement}"`)) return rest
  const line = rest.lastIndexOf('\n', rest.length - statement.length - 2) + 1
  return rest.slice(0, Math.max(0, line - 1))
}
