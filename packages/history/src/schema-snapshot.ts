import { comesAfter, type History } from './graph.ts'
import { nameRevision, type Revision } from './revision.ts'

/** A revision as a schema snapshot knows it: which one, and a digest of the statements that it had. */
export interface SnapshotRevision {
  readonly id: string
  /** 64 hex digits: see `digestOf`. */
  readonly digest: string
}

/** What a schema snapshot is worth to a history. */
export type SnapshotVerdict =
  /** It holds all of the history. */
  | { readonly kind: 'current' }
  /** It holds a part of the history, and these revisions come after it. */
  | { readonly kind: 'behind'; readonly missing: readonly Revision[] }
  /** It is not what the files build. The reason goes on a sentence that began with the snapshot's file. */
  | { readonly kind: 'unusable'; readonly reason: string }

/**
 * The part of a revision's checksum that tells whether its statements have changed; comments and white space around them do
 * not count. Of TypeScript, that of the whole text.
 * @param checksum of an up side
 */
export function digestOf(checksum: string): string {
  return checksum.slice(-64)
}

/**
 * Judges what a schema snapshot says that it holds. Pure.
 * @param checksums of the files of the revisions as they are now, by id; those of the snapshot's revisions are needed
 */
export function judgeSnapshot(
  history: History,
  revisions: readonly SnapshotRevision[],
  checksums: ReadonlyMap<string, string>,
): SnapshotVerdict {
  const held = new Set(revisions.map(({ id }) => id))
  for (const { id, digest } of revisions) {
    const revision = history.byId.get(id)
    if (!revision) return { kind: 'unusable', reason: `holds the revision ${id}, which is not in the history` }
    if (digestOf(checksums.get(id)!) !== digest) {
      return { kind: 'unusable', reason: `was made before ${nameRevision(revision)} was edited` }
    }
    const below = comesAfter(revision).find((other) => !held.has(other))
    if (below !== undefined) {
      const name = nameRevision(history.byId.get(below)!)
      return { kind: 'unusable', reason: `was made before ${name} was put below ${nameRevision(revision)}` }
    }
  }
  const missing = history.revisions.filter(({ id }) => !held.has(id))
  return missing.length === 0 ? { kind: 'current' } : { kind: 'behind', missing }
}
