import { type RevisionDraft, type Source, writeGeneratedRevisions } from '@drover/engine'
import type { History, Revision } from '@drover/history'

import type { DraftedRevision } from './draft.ts'
import { idOfSnapshot } from './kit/snapshot-id.ts'

/** Where drafted revisions hang in the graph, and what they say they do. */
export type DraftPlace = Pick<
  RevisionDraft,
  'message' | 'parents' | 'labels' | 'dependsOn' | 'dependsOnElsewhere' | 'created' | 'phase'
>

/**
 * Writes drafted revisions, each behind the one before it. The labels and dependencies of the place are those of the first.
 * Either all of them appear or none does.
 * @returns the revisions as they were written
 * @throws {DroverError} `WRITE_FAILED` when one of the folders cannot be written
 */
export function writeDrafts(
  source: Source,
  history: History,
  place: DraftPlace,
  drafted: readonly DraftedRevision[],
): readonly Revision[] {
  const ids = drafted.map(({ snapshot }) => idOfSnapshot(snapshot))
  const drafts = drafted.map(({ part, up, down, snapshot, objects, transaction, proof }, index) => {
    const { message, created, phase } = place
    const before = ids[index - 1]
    const draft: RevisionDraft = {
      ...(before === undefined ? place : { created, parents: [before], ...(phase && { phase }) }),
      id: ids[index]!,
      message: part === undefined ? message : `${message}: ${part}`,
      ...(transaction !== undefined && { transaction }),
      ...(proof.kind === 'none' && { proof: 'none' }),
    }
    return { draft, files: { up, down, snapshot, ...(objects !== undefined && { objects }) } }
  })
  return writeGeneratedRevisions(source, history, drafts)
}
