import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { Source } from '@drover/engine'
import { ancestorsOf, closureOf, type History, type Revision } from '@drover/history'

import type { SnapshotFile } from './kit/kit.ts'
import type { ObjectFile } from './objects/object-file.ts'
import { readRecordedObjects } from './objects/recorded-objects.ts'

/** What a new revision builds on. */
export interface Ground {
  /** Every revision that is applied before it, in run order. */
  readonly revisions: readonly Revision[]
  /** What those below it recorded of the Drizzle schema, parents before children. */
  readonly snapshots: readonly SnapshotFile[]
  /** The objects that are declared after them. */
  readonly objects: readonly ObjectFile[]
}

/**
 * Reads what a revision after `parents` builds on.
 * @throws {DroverError} `SNAPSHOT_INVALID` for a malformed `objects.json`, `BRANCHES_CONFLICT` where branches meet that declare an
 * object differently
 */
export function readGround(source: Source, history: History, parents: readonly string[]): Ground {
  const needed = ancestorsOf(history, parents)
  const lineage = lineageOf(history, parents)
  const folders = lineage.map((revision) => join(source.root, revision.folder))
  return {
    revisions: history.revisions.filter((revision) => needed.has(revision.id)),
    snapshots: folders.filter((folder) => existsSync(join(folder, 'snapshot.json'))).map((folder) => ({ folder })),
    objects: readRecordedObjects(source.root, lineage),
  }
}

/** Revisions and their parents, up to the bases, in run order: without dependencies in other branches, whose snapshots are not part of theirs. */
function lineageOf(history: History, ids: readonly string[]): readonly Revision[] {
  const found = closureOf(ids, (id) => history.byId.get(id)?.parents)
  return history.revisions.filter((revision) => found.has(revision.id))
}
