import { relative, sep } from 'node:path'

import { DroverError, type Problem } from '@drover/history'

import { startChild } from './child.ts'
import type { KitHint, KitQuestion } from './hints.ts'
import type { KitRequest } from './protocol.ts'
import type { SchemaState } from './state.ts'

/** A snapshot of a history on disk. */
export interface SnapshotFile {
  /** Absolute path of its revision's folder, which has a `snapshot.json`. */
  readonly folder: string
}

/** The statements that lead from one state to another, or what drizzle-kit has to be told first. */
export type KitDiff =
  | { readonly ok: true; readonly statements: readonly string[] }
  | { readonly ok: false; readonly questions: readonly KitQuestion[] }

/** How the Drizzle schema differs from a history. */
export type KitComparison =
  | { readonly changed: false }
  | {
      readonly changed: true
      readonly before: SchemaState
      readonly after: SchemaState
      readonly diff: KitDiff
    }

/** Two branches that change the same thing, so that their order matters. */
export interface KitConflict {
  /** What both change, as drizzle-kit names it: `table public.users`. */
  readonly object: string
  /** The folders' names of the revisions that conflict. */
  readonly folders: readonly string[]
}

/**
 * drizzle-kit, in a process of its own: it prints, calls `process.exit` on a schema that it does not like, and costs half a
 * second to load. Started at once, so that it loads while its caller goes on. It loads the files of a schema once: what
 * is edited later, another Kit sees.
 */
export interface Kit extends AsyncDisposable {
  /**
   * Compares a Drizzle schema with the state after the last of `snapshots`.
   * @param snapshots the history below and with its head, parents before children; none for an empty history
   * @throws {DroverError} `SCHEMA_INVALID` with file and object when drizzle-kit or Node cannot take the schema, or
   * `SNAPSHOT_INVALID` with the file
   */
  compare(schema: string, snapshots: readonly SnapshotFile[], hints: readonly KitHint[]): Promise<KitComparison>
  /** The state after the last of `snapshots`; after several heads, that of a revision that joins them. */
  readHistory(snapshots: readonly SnapshotFile[]): Promise<SchemaState>
  /** The state of a Drizzle schema. */
  readSchema(schema: string): Promise<SchemaState>
  /** The statements from one state to another. */
  diff(from: SchemaState, to: SchemaState, hints: readonly KitHint[]): Promise<KitDiff>
  /**
   * The `snapshot.json` of a revision after `snapshots`, in drizzle-kit's own format (a base, or the deltas), so that its
   * other commands go on from it. `to` is a path of a Drizzle schema, or a state, or missing: the same state as before, for a
   * revision that changes data, or that joins the heads of `snapshots`.
   * @returns the text of the file, which holds its id
   */
  writeSnapshot(
    snapshots: readonly SnapshotFile[],
    to: string | SchemaState | undefined,
    hints: readonly KitHint[],
  ): Promise<string>
  /**
   * The texts of snapshots in drizzle-kit's format of today, whatever they are in; their ids stay. In the order of
   * `snapshots`, parents before children.
   */
  convertSnapshots(snapshots: readonly SnapshotFile[]): Promise<readonly string[]>
  /** What the branches of a history change differently. Empty when they can be joined. */
  findConflicts(snapshots: readonly SnapshotFile[]): Promise<readonly KitConflict[]>
}

/** Starts drizzle-kit. `root` is the workspace's: messages name files from there. It may become known after the start. */
export function startKit(root: string | (() => string)): Kit {
  const rootNow = typeof root === 'string' ? () => root : root
  let child = startChild()
  let lastTurn: Promise<unknown> = Promise.resolve()

  // One at a time, so that what a process prints last, or ends over, belongs to one request.
  const ask = <Value>(request: KitRequest): Promise<Value> => {
    const turn = lastTurn.then(async () => {
      if (child.ended) child = startChild()
      const answer = await child.ask<Value>(request)
      if (answer.ok) return answer.value
      const [first, ...rest] = answer.problems
      throw new DroverError([fromRoot(first, rootNow()), ...rest.map((problem) => fromRoot(problem, rootNow()))])
    })
    lastTurn = turn.catch(() => {})
    return turn
  }

  return {
    compare: (...args) => ask({ operation: 'compare', args }),
    readHistory: (...args) => ask({ operation: 'readHistory', args }),
    readSchema: (...args) => ask({ operation: 'readSchema', args }),
    diff: (...args) => ask({ operation: 'diff', args }),
    writeSnapshot: (...args) => ask({ operation: 'writeSnapshot', args }),
    convertSnapshots: (...args) => ask({ operation: 'convertSnapshots', args }),
    findConflicts: (...args) => ask({ operation: 'findConflicts', args }),
    [Symbol.asyncDispose]: async () => {
      await lastTurn
      await child.end()
    },
  }
}

function fromRoot(problem: Problem, root: string): Problem {
  const message = problem.message.replaceAll(`${root}${sep}`, '')
  return problem.file === undefined
    ? { ...problem, message }
    : { ...problem, message, file: relative(root, problem.file) }
}
