import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { readScript, type Source } from '@drover/engine'
import type { History, Revision } from '@drover/history'

import { type Ground, readGround } from '../ground.ts'
import type { Kit } from '../kit/kit.ts'
import type { SchemaState } from '../kit/state.ts'
import type { Rename } from '../rename.ts'
import { resolveRenames, reverseHints } from '../renames.ts'
import { statementsBetween } from '../statements-between.ts'
import { findWrittenRenames } from './written-renames.ts'

/** A revision that drizzle-kit has made among ours, and what a way back from it could be. */
export interface KitRevision {
  readonly revision: Revision
  /** What it comes after. */
  readonly ground: Ground
  /** The states that its snapshot leads from and to. They are the same for a custom migration. */
  readonly before: SchemaState
  readonly after: SchemaState
  /** The renames that its SQL carries out. */
  readonly renames: readonly Rename[]
  /** The statements of its `migration.sql`, without semicolons. */
  readonly up: readonly string[]
  /** Drizzle-kit's statements that lead back. None when the schema does not change: what else a file does, only its author knows. */
  readonly down: readonly string[]
}

/** The revisions of a history that have a snapshot of drizzle-kit and no `revision.json`, in run order. */
export function findKitRevisions(source: Source, history: History): readonly Revision[] {
  const has = ({ folder }: Revision, file: string) => existsSync(join(source.root, folder, file))
  return history.revisions.filter((revision) => !has(revision, 'revision.json') && has(revision, 'snapshot.json'))
}

/**
 * Reads a revision that drizzle-kit has made, and works out the way back.
 * @throws {DroverError} `SNAPSHOT_INVALID`, or `REVISION_INVALID` when its SQL cannot be read
 */
export async function readKitRevision(
  kit: Kit,
  source: Source,
  history: History,
  revision: Revision,
): Promise<KitRevision> {
  const ground = readGround(source, history, revision.parents)
  const own = { folder: join(source.root, revision.folder) }
  const [before, after, script] = await Promise.all([
    kit.readHistory(ground.snapshots),
    kit.readHistory([...ground.snapshots, own]),
    readScript(source.root, revision, 'up'),
  ])
  const up = script.statements.map(({ text }) => text)
  const { hints, renames } = resolveRenames(findWrittenRenames(up), before, after)
  return {
    revision,
    ground,
    before,
    after,
    renames,
    up,
    down: await statementsBetween(kit, after, before, reverseHints(hints)),
  }
}
