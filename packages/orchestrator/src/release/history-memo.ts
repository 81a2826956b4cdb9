import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type DatabaseState, type Source, stampFiles } from '@drover/engine'
import { currentOf, fingerprintOf, type History } from '@drover/history'
import * as v from 'valibot'

import type { Status } from './status.ts'

/** Where it is kept what histories come to, from one run to the next. */
export interface MemoPlace {
  /** An absolute path. It need not be there. */
  readonly folder: string
  /** Of Drover: another one may see other things in the same files. */
  readonly version: string
}

/**
 * What the files of a history came to when they were last read. Nothing is run because of it: all it can say is that there is
 * nothing to do, where the database says the same of itself.
 */
export type HistoryMemo = v.InferOutput<typeof memoSchema>

const ids = v.array(v.string())
const memoSchema = v.strictObject({
  version: v.string(),
  /** Of the files, from the root. */
  migrations: v.string(),
  /** What the file system said of them. */
  stamp: v.strictObject({ names: v.string(), files: v.string() }),
  /** Of the revisions, with the texts of their up sides. */
  fingerprint: v.string(),
  /** Where a database is that has had all of them. */
  current: ids,
  heads: ids,
})

/** Reads what is kept of the history of a database. `undefined` where there is nothing that can be used. */
export function readMemo(place: MemoPlace, database: string, { folder }: Source): HistoryMemo | undefined {
  try {
    const memo = v.parse(memoSchema, JSON.parse(readFileSync(fileOf(place, database), 'utf8')))
    return memo.version === place.version && memo.migrations === folder ? memo : undefined
  } catch {
    return undefined
  }
}

/**
 * Where a database stands that has had all revisions of a history, each as its files are: asked of the file system, which says
 * whether anything was changed since they were read, and of the database. `undefined` wherever that is not certain.
 * @param state with the fingerprint
 */
export async function recall(
  memo: HistoryMemo,
  source: Source,
  state: Promise<DatabaseState>,
): Promise<{ readonly status: Status; readonly state: DatabaseState } | undefined> {
  const stamp = await stampFiles(source, memo.stamp)
  if (stamp?.files !== memo.stamp.files) return undefined
  const now = await state
  if (now.halfDone || now.fingerprint !== memo.fingerprint) return undefined
  const { current, heads } = memo
  return { status: { current, heads, pending: [], state: 'up-to-date' }, state: now }
}

/** Smaller histories are read in a few milliseconds. */
const worthKeeping = 500

/** How coarse the times of files may be, and how far the clock of a file server behind ours, in milliseconds. */
const graceMs = 2_000

/**
 * Keeps what the files of a history came to, once a database has had all of it: the next run on that has a use for it. Where nothing can be
 * written, nothing is kept.
 * @param read what the files have brought, with the checksums of the texts of the up sides, and when reading them began, in milliseconds
 * since 1970. Where a file was changed since, or shortly before, nothing is kept: it may have been read as it was
 */
export async function keepMemo(
  place: MemoPlace,
  database: string,
  source: Source,
  read: { readonly history: History; readonly texts: ReadonlyMap<string, string>; readonly readAt: number },
  state: DatabaseState,
): Promise<void> {
  const { revisions } = read.history
  if (revisions.length < worthKeeping || revisions.length !== read.texts.size) return
  if (state.halfDone || state.applied.length !== revisions.length || !isWritable(place)) return
  const fingerprint = fingerprintOf(read.texts)
  if (fingerprint !== fingerprintOf(new Map(state.applied.map((row) => [row.id, row.checksum])))) return
  const { names, files, changedAt } = await stampFiles(source)
  if (changedAt > read.readAt - graceMs) return
  const heads = read.history.heads.map(({ id }) => id)
  const current = currentOf(read.history, new Set(read.texts.keys()))
  write(place, database, {
    version: place.version,
    migrations: source.folder,
    stamp: { names, files },
    fingerprint,
    current: [...current],
    heads,
  })
}

/** Whether it is worth while to find out what would be kept. */
function isWritable({ folder }: MemoPlace): boolean {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function write(place: MemoPlace, database: string, memo: HistoryMemo): void {
  const file = fileOf(place, database)
  // Others may be at it as well, or about to read it.
  const own = `${file}.${process.pid}`
  try {
    writeFileSync(own, JSON.stringify(memo))
    renameSync(own, file)
  } catch {
    rmSync(own, { force: true })
  }
}

function fileOf({ folder }: MemoPlace, database: string): string {
  return join(folder, `${database}.history.json`)
}
