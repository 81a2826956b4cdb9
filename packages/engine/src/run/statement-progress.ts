import { setTimeout as sleep } from 'node:timers/promises'

import * as v from 'valibot'

import { type Connection, openConnection } from '../connect/connection.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { selectWorking } from '../store/progress.ts'

/** How far the server has come with one long statement. */
export interface StatementProgress {
  /** What it is doing, in the words of PostgreSQL ("Progress Reporting"): `building index: scanning table`. */
  readonly stage: string
  /** What is counted: sessions that are waited for, blocks of a relation, or rows. */
  readonly unit: 'sessions' | 'blocks' | 'rows'
  readonly done: number
  readonly total?: number
  /** Process id of the session that is waited for, if any is. */
  readonly waitsFor?: number
  /** Since the statement was sent, in milliseconds. */
  readonly elapsedMs: number
}

/** What statements are watched by. */
export interface ProgressWatchOptions {
  readonly url: Connection['url']
  /** The statement as it was sent, by which its session is found behind any pooler. */
  readonly statement: string
  readonly onProgress: (progress: StatementProgress) => void
}

/** How often the server is asked; before the first time, a statement is none that takes long. In milliseconds. */
const pauseMs = 1000

/** After so long the same stage is told again, in milliseconds. */
const repeatMs = 5000

/**
 * Tells how far the server has come with a statement that takes long, until it is disposed of: when its stage changes, and every few
 * seconds. Asks over a connection of its own, which a quick statement does not open. What goes wrong with it is nobody's problem:
 * then nothing is told.
 */
export function watchStatement({ url, statement, onProgress }: ProgressWatchOptions): AsyncDisposable {
  const started = performance.now()
  const over = new AbortController()
  const watching = watch()
  watching.catch(() => undefined)
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort()
      await watching.catch(() => undefined)
    },
  }

  async function watch(): Promise<void> {
    await sleep(pauseMs, undefined, { signal: over.signal })
    await using connection = openConnection(url, { connectTimeout: 5 })
    let told = { stage: '', at: -Infinity }
    while (!over.signal.aborted) {
      const found = await readStatementProgress(connection, statement)
      const at = performance.now()
      const stage = found && `${found.stage} ${found.waitsFor}`
      if (found && (stage !== told.stage || at - told.at >= repeatMs) && !over.signal.aborted) {
        told = { stage: stage!, at }
        onProgress({ ...found, elapsedMs: at - started })
      }
      await sleep(pauseMs, undefined, { signal: over.signal })
    }
  }
}

/** Asks how far the session is that is at a statement; `undefined` where none is, or the server does not say. */
export async function readStatementProgress(
  connection: Connection,
  statement: string,
): Promise<Omit<StatementProgress, 'elapsedMs'> | undefined> {
  const [row] = await connection.send(`${pinSearchPath}${selectProgress(statement)}`)
  return row && measure(v.parse(rowSchema, JSON.parse(String(row['progress']))))
}

const count = v.nullish(v.number(), 0)
const rowSchema = v.object({
  stage: v.string(),
  lockers_total: count,
  lockers_done: count,
  locker: count,
  blocks_total: count,
  blocks_done: count,
  rows_total: count,
  rows_done: count,
})

/** The views of PostgreSQL for what runs outside a transaction, with the columns that they have in every version since 12. */
function selectProgress(statement: string): string {
  return `
with working as materialized (select ${selectWorking(statement)} as pid)
select to_json(found)::text as progress
from working,
lateral (
  select phase as stage, lockers_total, lockers_done, current_locker_pid as locker, blocks_total, blocks_done,
    tuples_total as rows_total, tuples_done as rows_done
  from pg_stat_progress_create_index where pg_stat_progress_create_index.pid = working.pid
  union all
  select phase, null, null, null, heap_blks_total, heap_blks_scanned, null, null
  from pg_stat_progress_vacuum where pg_stat_progress_vacuum.pid = working.pid
  union all
  select phase, null, null, null, heap_blks_total, heap_blks_scanned, null, heap_tuples_written
  from pg_stat_progress_cluster where pg_stat_progress_cluster.pid = working.pid
) as found
limit 1`
}

/** Picks what the stage is about: the others keep what they counted in an earlier one. */
function measure(row: v.InferOutput<typeof rowSchema>): Omit<StatementProgress, 'elapsedMs'> {
  const { stage } = row
  if (stage.startsWith('waiting')) {
    const waitsFor = row.locker > 0 && { waitsFor: row.locker }
    return { stage, unit: 'sessions', done: row.lockers_done, total: row.lockers_total, ...waitsFor }
  }
  const isOfRows = row.blocks_total === 0 || /tuples|writing/.test(stage)
  const total = isOfRows ? row.rows_total : row.blocks_total
  return {
    stage,
    unit: isOfRows ? 'rows' : 'blocks',
    done: isOfRows ? row.rows_done : row.blocks_done,
    ...(total > 0 && { total }),
  }
}
