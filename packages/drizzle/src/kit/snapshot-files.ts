import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import type { Problem } from '@drover/history'

import { KitFault } from './fault.ts'
import { originId } from './state.ts'

/** A `snapshot.json`, of whatever format. */
export interface RawSnapshot {
  readonly id: string
  readonly prevIds: readonly string[]
  /** In drizzle-kit's format of today `base` or `diff`; whole states and older formats have none. */
  readonly type?: unknown
  readonly [field: string]: unknown
}

/** A snapshot of a history, and where it comes from. */
export interface Snapshot {
  /** Absolute path. */
  readonly file: string
  /** The name of its revision's folder. */
  readonly folder: string
  /** What its folder is called for drizzle-kit, which wants children to sort after their parents. */
  readonly key: string
  readonly content: RawSnapshot
}

/**
 * Reads the snapshots of a history, parents before children.
 * @throws {KitFault} `SNAPSHOT_INVALID` for what is missing, is no snapshot, or follows one that is not there
 */
export async function readSnapshots(folders: readonly string[]): Promise<readonly Snapshot[]> {
  const snapshots = await Promise.all(folders.map(readSnapshot))
  const seen = new Set([originId])
  for (const { file, content } of snapshots) {
    const lost = content.prevIds.find((id) => !seen.has(id))
    if (lost !== undefined) {
      throw invalid(file, `follows the snapshot ${lost}, which no revision below it has`, restore)
    }
    if (seen.has(content.id)) {
      throw invalid(file, `has the id ${content.id}, which another snapshot of this history has as well`, restore)
    }
    seen.add(content.id)
  }
  return snapshots
}

async function readSnapshot(folder: string, at: number): Promise<Snapshot> {
  const file = join(folder, 'snapshot.json')
  const content = parse(file, await read(file))
  return { file, folder: basename(folder), key: folderKey(at), content }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw invalid(file, 'does not exist', restore)
    }
    throw invalid(file, `cannot be read: ${reasonOf(error)}`, 'check its permissions')
  }
}

function parse(file: string, text: string): RawSnapshot {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(file, `is not JSON: ${reasonOf(error)}`, restore)
  }
  if (typeof value !== 'object' || value === null) throw invalid(file, 'is no snapshot of drizzle-kit', restore)
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const { id, dialect, prevIds, prevId } = fields
  // Snapshots of drizzle-kit 0.31 have one parent, in a field of its own.
  const parents: readonly unknown[] = Array.isArray(prevIds) ? prevIds : [prevId]
  if (typeof id !== 'string' || !parents.every((parent) => typeof parent === 'string')) {
    throw invalid(file, 'is no snapshot of drizzle-kit: it has no id, or does not say what it follows', restore)
  }
  if (dialect !== 'postgres' && dialect !== 'postgresql') {
    throw invalid(file, `is a snapshot of ${String(dialect)}, not of postgres`, restore)
  }
  return { ...fields, id, prevIds: parents }
}

/** A name that sorts by place. */
export function folderKey(at: number): string {
  return `${String(at + 1).padStart(6, '0')}_revision`
}

/** Lets `work` look at snapshots as a migrations folder of drizzle-kit, which goes away afterwards. */
export async function withMigrationsFolder<T>(
  contents: readonly unknown[],
  work: (out: string) => Promise<T>,
): Promise<T> {
  const out = await mkdtemp(join(tmpdir(), 'drover-kit-'))
  try {
    for (const [at, content] of contents.entries()) {
      await mkdir(join(out, folderKey(at)))
      await writeFile(join(out, folderKey(at), 'snapshot.json'), JSON.stringify(content))
    }
    return await work(out)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

/** The end of a request over a snapshot that cannot be used. */
export function invalid(file: string, what: string, hint: string): KitFault {
  const problem: Problem = { code: 'SNAPSHOT_INVALID', message: `${file} ${what}`, hint, file }
  return new KitFault([problem])
}

/** What to do about a snapshot that has been damaged or removed: nothing can make it again. */
export const restore = 'restore the file from version control; drizzle-kit writes it, and nobody edits it'

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
