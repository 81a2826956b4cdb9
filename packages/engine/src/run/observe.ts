import { setTimeout as sleep } from 'node:timers/promises'

import type { Step } from '@drover/history'

import { type Connection, openConnection, type Row } from '../connect/connection.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { batchOf } from '../source/batch.ts'
import type { Script } from '../source/script.ts'
import { lineAt } from '../source/statements.ts'
import { isPlain } from './group-size.ts'
import { isStronger, type LockMode } from './lock-modes.ts'
import { marker } from './message.ts'
import {
  type Locks,
  locksTaken,
  parseLocks,
  readRelations,
  type Relations,
  selectLocksOfOthers,
  selectOwnLocks,
  type TakenLock,
} from './observed-locks.ts'
import type { FinishedStatement } from './statement-times.ts'

/** One statement that was carried out, and what it kept others from. */
export interface ObservedStatement {
  /** From 1. */
  readonly statement: number
  /** In its file. */
  readonly line: number
  readonly text: string
  /** In milliseconds, on the server. */
  readonly durationMs: number
  /** What it took beyond what its transaction had before. */
  readonly locks: readonly TakenLock[]
  /** Whether the locks were looked at while it ran, so that some may have been missed; otherwise they are what it held at its end. */
  readonly sampled: boolean
}

/** What was observed of one step. */
export interface StepObservation extends Step {
  /** Those that were carried out; none where they cannot be told apart: in TypeScript, in batches, with transactions of its own. */
  readonly statements: readonly ObservedStatement[]
  /** The strongest lock on each relation over the whole step. */
  readonly locks: readonly TakenLock[]
  /** Whether any of the locks were looked at from outside while it ran. */
  readonly sampled: boolean
}

/** Looks at what a script does while it runs. */
export interface ScriptObserver {
  /** Takes a row that the message has brought, if it is one of `observedMarker`. */
  readonly onRow: (row: Row) => void
  /** Forgets what was undone. */
  readonly onRetry: () => void
  /** Called with each statement of a script outside a transaction. */
  readonly onStatement: (finished: FinishedStatement) => void
  /** Ends the looking. */
  end(): Promise<StepObservation>
}

const atColumn = 'drover:at'
const locksColumn = 'drover:locks'
const selectClock = `select (extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000)::pg_catalog.float8 as "${atColumn}";\n`

/** What stands for the marker between statements that are observed. The clock is read twice: looking at locks takes a while itself. */
export const observedMarker = `${marker}${selectClock}select ${selectOwnLocks} as "${locksColumn}";\n${selectClock}`

/**
 * Begins to observe a script. A plain one tells about itself, between its statements; at anything else somebody looks from outside,
 * over a connection of its own, which takes every other client of the database for the script: this is for throw-away databases.
 */
export async function observeScript(connection: Connection, script: Script): Promise<ScriptObserver> {
  const relations = await readRelations(connection)
  return isPlain(script) ? observePlain(script, relations) : observeApart(connection, script, relations)
}

/** What is known between two statements. */
interface Boundary {
  readonly ended: number
  readonly locks: Locks
  readonly began: number
}

/** Puts rows of `observedMarker` together. */
function collectBoundaries() {
  const boundaries: Boundary[] = []
  let part: Partial<Boundary> = {}
  return {
    boundaries,
    reset: () => {
      boundaries.length = 0
      part = {}
    },
    take: (row: Row) => {
      if (locksColumn in row) part = { ...part, locks: parseLocks(row[locksColumn]) }
      else if (atColumn in row && !part.locks) part = { ended: Number(row[atColumn]) }
      else if (atColumn in row) {
        boundaries.push({ ended: part.ended!, locks: part.locks!, began: Number(row[atColumn]) })
        part = {}
      }
    },
  }
}

function observePlain(script: Script, relations: Relations): ScriptObserver {
  const { boundaries, take, reset } = collectBoundaries()
  return {
    onRow: take,
    onRetry: reset,
    onStatement: () => {},
    end: async () => {
      const between = boundaries.slice(1).map((after, index) => ({ before: boundaries[index]!, after, index }))
      const durations = between.map(({ before, after }) => after.ended - before.began)
      const statements = between.map(({ before, after, index }) => ({
        ...placeOf(script, index),
        durationMs: durations[index]!,
        // Held until the end of the transaction, without the time that the looking took.
        locks: locksTaken(
          relations,
          before.locks,
          after.locks,
          durations.slice(index).reduce((sum, ms) => sum + ms, 0),
        ),
        sampled: false,
      }))
      return { ...stepOf(script), statements, locks: strongestOf(statements), sampled: false }
    },
  }
}

/** How long somebody who looks from outside waits between two looks, in milliseconds. */
const pauseMs = 5

function observeApart(connection: Connection, script: Script, relations: Relations): ScriptObserver {
  const { boundaries, take, reset } = collectBoundaries()
  const seen = new Map<number, LockMode>()
  const all = new Map<number, LockMode>()
  const over = new AbortController()
  const watching = watch(connection, over.signal, (locks) => {
    for (const [oid, mode] of locks) {
      if (isStronger(mode, seen.get(oid))) seen.set(oid, mode)
      if (isStronger(mode, all.get(oid))) all.set(oid, mode)
    }
  })
  const statements: ObservedStatement[] = []
  return {
    onRow: take,
    onRetry: reset,
    onStatement: ({ statement, durationMs }) => {
      const [before, after] = boundaries.slice(-2)
      const place = placeOf(script, statement - 1)
      // Of a statement with a transaction around it, the message has told.
      if (before && after) {
        const heldMs = after.ended - before.began
        const locks = locksTaken(relations, before.locks, after.locks, heldMs)
        statements.push({ ...place, durationMs: heldMs, locks, sampled: false })
      } else {
        statements.push({ ...place, durationMs, locks: locksTaken(relations, new Map(), seen), sampled: true })
      }
      reset()
      seen.clear()
    },
    end: async () => {
      over.abort()
      await watching
      const isTold = statements.length > 0 && script.revision.transaction === 'none' && batchOf(script) === undefined
      const locks = isTold ? strongestOf(statements) : locksTaken(relations, new Map(), all)
      return { ...stepOf(script), statements, locks, sampled: !isTold || statements.some(({ sampled }) => sampled) }
    },
  }
}

/** Looks until it is told to stop. What goes wrong with it is nobody's problem: then nothing is seen. */
async function watch({ url }: Connection, signal: AbortSignal, onLocks: (locks: Locks) => void): Promise<void> {
  try {
    await using connection = openConnection(url, { connectTimeout: 5 })
    while (!signal.aborted) {
      const [row] = await connection.send(`${pinSearchPath}${selectLocksOfOthers}`)
      onLocks(parseLocks(row?.['locks']))
      await sleep(pauseMs, undefined, { signal })
    }
  } catch {
    // Said by `sampled`.
  }
}

function placeOf({ statements, sql }: Script, index: number): Pick<ObservedStatement, 'statement' | 'line' | 'text'> {
  const { text, start } = statements[index]!
  return { statement: index + 1, line: lineAt(sql, start), text }
}

function stepOf({ direction, revision }: Script): Step {
  return { direction, revision }
}

/** Of each relation the strongest lock, with the longest time that any of that strength was held. */
function strongestOf(statements: readonly Pick<ObservedStatement, 'locks'>[]): readonly TakenLock[] {
  const strongest = new Map<string, TakenLock>()
  for (const lock of statements.flatMap(({ locks }) => locks)) {
    const before = strongest.get(lock.relation)
    const isLonger = before?.mode === lock.mode && (lock.heldMs ?? 0) > (before.heldMs ?? 0)
    if (isStronger(lock.mode, before?.mode) || isLonger) strongest.set(lock.relation, lock)
  }
  return [...strongest.values()].toSorted((a, b) => (a.relation < b.relation ? -1 : 1))
}
