import { parseSnapshot, readChecksums, readSnapshot, type SchemaSnapshot } from '@drover/engine'
import { type History, judgeSnapshot, type Revision } from '@drover/history'

import type { Database } from '../workspace/discover.ts'

/** What is in the `schema.sql` of a database, compared with the files of its history. */
export type SnapshotState =
  | { readonly kind: 'missing' }
  /** The reason goes on a sentence that began with the file. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** It stands for all of the history, or for a part of it which `missing` comes after. */
  | {
      readonly kind: 'usable'
      readonly snapshot: SchemaSnapshot
      readonly missing: readonly Revision[]
      /** Of the files of its revisions, as a database remembers them; by id. */
      readonly checksums: ReadonlyMap<string, string>
    }

/**
 * Reads the snapshot of a database, and judges it by the files alone.
 * @param text of the snapshot. Default: that of its file
 * @throws {DroverError} when a file of a revision cannot be read
 */
export async function readSnapshotState(
  root: string,
  database: Database,
  history: History,
  text?: string,
): Promise<SnapshotState> {
  const file = database.snapshot
  const reading = text === undefined ? readSnapshot(root, file) : parseSnapshot(file, text)
  if (reading.kind === 'missing') return reading
  if (reading.kind === 'damaged') return { kind: 'unusable', reason: reading.reason }
  const { snapshot } = reading
  const isOfTenant = database.config.tenants?.kind === 'schema'
  if (snapshot.isOfTenant !== isOfTenant) {
    return {
      kind: 'unusable',
      reason: `was made ${isOfTenant ? 'before' : 'while'} each tenant had a schema of its own`,
    }
  }
  const held = new Set(snapshot.revisions.map(({ id }) => id))
  const revisions = history.revisions.filter(({ id }) => held.has(id))
  const checksums = await readChecksums(root, revisions)
  const verdict = judgeSnapshot(history, snapshot.revisions, checksums)
  if (verdict.kind === 'unusable') return verdict
  return { kind: 'usable', snapshot, checksums, missing: verdict.kind === 'behind' ? verdict.missing : [] }
}
