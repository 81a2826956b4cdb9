import type { Source } from '@drover/engine'
import { type History, throwProblems } from '@drover/history'

import { readGround } from './ground.ts'
import { startKit } from './kit/kit.ts'
import { idOfSnapshot } from './kit/snapshot-id.ts'
import { recordedObjects } from './objects/recorded-objects.ts'

/** What a revision records of the schema that changes nothing in it. */
export interface SameSchema {
  /** Its id, when there is a snapshot to take it from. */
  readonly id?: string
  readonly files: { readonly snapshot?: string; readonly objects?: string }
}

/**
 * What a revision after `parents` records when it leaves the schema as it is; of several parents, what all of them have
 * changed, so that the next revision needs to hold only what none of them has. Nothing in a history without snapshots: then
 * drizzle-kit is not even started.
 * @throws {DroverError} `SNAPSHOT_INVALID`; `BRANCHES_CONFLICT` when two parents change the same thing
 */
export async function keepSchema(source: Source, history: History, parents: readonly string[]): Promise<SameSchema> {
  const { snapshots, objects } = readGround(source, history, parents)
  const files = recordedObjects(objects)
  if (snapshots.length === 0) return { files }
  await using kit = startKit(source.root)
  if (parents.length > 1) {
    throwProblems(
      (await kit.findConflicts(snapshots)).map(({ object, folders }) => ({
        code: 'BRANCHES_CONFLICT',
        message: `${folders.join(' and ')} both change ${object}: what comes of it depends on which of them runs first`,
        hint: 'let one come after the other: delete one of them, and make it again after the head of the other branch with --head',
      })),
    )
  }
  const snapshot = await kit.writeSnapshot(snapshots, undefined, [])
  return { id: idOfSnapshot(snapshot), files: { snapshot, ...files } }
}
