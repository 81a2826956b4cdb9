import type { Source } from '@drover/engine'

import { makeConcurrent } from '../concurrently.ts'
import type { Kit } from '../kit/kit.ts'
import { noObjectChange } from '../object-change.ts'
import { formatScript } from '../script-text.ts'
import { type Proof, settle, wishOf } from '../settle.ts'
import { createShadow, replayInto } from '../shadow.ts'
import type { KitRevision } from './kit-folders.ts'

/** The way back from a revision that drizzle-kit has written. */
export interface WayBack {
  /** The text of its `down.sql`. */
  readonly down: string
  /** Whether its statements run one by one, outside a transaction. */
  readonly transaction?: 'none'
  readonly proof: Proof
}

/**
 * Works out the way back from a revision that drizzle-kit has written, and proves it together with the way up, which stays as it
 * is. What cannot be proved is marked, so that it refuses to run.
 * @param server URL of a server on which shadows may be created; missing: nothing is proved
 * @throws {DroverError} `SHADOW_FAILED` when the history below it cannot be built
 */
export async function draftWayBack(
  kit: Kit,
  source: Source,
  { ground, before, after, renames, up, down }: KitRevision,
  server: string | undefined,
): Promise<WayBack> {
  const isOutside = up.some((statement) => /^(?:CREATE (?:UNIQUE )?|DROP )INDEX CONCURRENTLY\b/i.test(statement))
  const apart = makeConcurrent(down, () => true)
  const candidate = isOutside
    ? { up, down: [...apart.outside, ...apart.inside], transaction: 'none' as const }
    : { up, down, transaction: 'per-revision' as const }
  const transaction = isOutside ? { transaction: 'none' as const } : {}
  if (down.length === 0 && up.length > 0) {
    const reason = 'It changes rows, or what drizzle-kit has no words for: only its author knows the way back.'
    const proof: Proof = { kind: 'unproved', side: 'down', fault: 'different', reason }
    return { down: formatScript([], { remarks: [], unproved: reason }), ...transaction, proof }
  }
  if (server === undefined)
    return { down: formatScript(down, { remarks: [] }), ...transaction, proof: { kind: 'none' } }
  await using base = await createShadow(server)
  const step = {
    before,
    after,
    renames,
    hints: [],
    enumValues: [],
    objectsBefore: ground.objects,
    objectsAfter: ground.objects,
    objectsUp: noObjectChange,
    objectsDown: noObjectChange,
    concurrent: isOutside,
    isWritten: true,
  }
  const wish = await wishOf(kit, server, base, step)
  await replayInto(base, source.root, ground.revisions)
  const settled = await settle(base, wish, step, candidate)
  const { proof } = settled
  const text = formatScript(settled.candidate.down, {
    remarks: settled.remarks,
    ...(proof.kind === 'unproved' && { unproved: proof.reason }),
  })
  return { down: text, ...transaction, proof }
}
