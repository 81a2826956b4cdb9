import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { makeConcurrent } from './concurrently.ts'
import { renameEnumValues } from './enum-values.ts'
import { findIdentityRenames, renameIdentities } from './identity-names.ts'
import type { Kit, SnapshotFile } from './kit/kit.ts'
import { continueNumbering } from './next-values.ts'
import { formatRecordedObjects } from './objects/recorded-objects.ts'
import type { ObjectChange } from './objects/objects.ts'
import { type Candidate, runCandidate } from './prove.ts'
import { reverseRenames } from './rename.ts'
import { findLosses, reverseHints } from './renames.ts'
import type { SchemaChange } from './schema-change.ts'
import { formatScript } from './script-text.ts'
import { type Proof, settle, type Settled, wishOf } from './settle.ts'
import { createShadow, replayInto } from './shadow.ts'
import { statementsBetween } from './statements-between.ts'
import { type ChangeStep, takeApart } from './steps.ts'
import type { Wish } from './wish.ts'

/** A revision that is ready to be written. */
export interface DraftedRevision {
  /** What it does, behind the message of the whole, when the change takes several revisions. */
  readonly part?: string
  /** Texts of its files. */
  readonly up: string
  readonly down: string
  readonly snapshot: string
  readonly objects?: string
  /** Whether its statements run one by one, outside a transaction. */
  readonly transaction?: 'none'
  readonly losses: readonly string[]
  readonly proof: Proof
}

/** How to draft. */
export interface DraftOptions {
  /** URL of a server on which shadows may be created; missing: nothing is proved. */
  readonly shadowServer?: string
  /** Whether indexes on tables that exist are made without blocking writers. Default: those with `.concurrently()`. */
  readonly concurrently: boolean
  /** Called when something that takes a while begins, in words. */
  readonly onProgress?: (what: string) => void
}

/**
 * Works out the revisions that a change takes, usually one, and proves each on a shadow. What cannot be proved is drafted
 * with a marker that keeps it from running.
 * @throws {DroverError} `SHADOW_FAILED` when the history cannot be built, `SCHEMA_INVALID` when the schema cannot
 */
export async function draftRevisions(
  kit: Kit,
  change: SchemaChange,
  options: DraftOptions,
): Promise<readonly DraftedRevision[]> {
  const { before, after, hints, target } = change
  const steps = takeApart(change, await statementsBetween(kit, before, after, hints), options.concurrently)
  await using folder = await makeTemporaryFolder()
  await using prover = await openProver(kit, change, steps, options)
  const snapshots = [...change.ground.snapshots]
  const drafted: DraftedRevision[] = []
  for (const [index, step] of steps.entries()) {
    const candidate = await candidateOf(kit, step)
    const settled = prover ? await prover.settle(step, candidate) : unchecked(candidate)
    // Of the last step there is the schema itself; nothing about it has changed when only objects have.
    const schema = before === after ? undefined : join(target.source.root, target.schema)
    const snapshot = await kit.writeSnapshot(snapshots, index === steps.length - 1 ? schema : step.after, step.hints)
    snapshots.push(await folder.keep(String(index), snapshot))
    drafted.push(toRevision(step, settled, snapshot))
  }
  return drafted
}

function unchecked(candidate: Candidate): Settled {
  return { candidate, proof: { kind: 'none' }, remarks: [] }
}

/** Proves step after step, each on what the one before left behind. */
interface Prover extends AsyncDisposable {
  settle(step: ChangeStep, candidate: Candidate): Promise<Settled>
}

async function openProver(
  kit: Kit,
  change: SchemaChange,
  steps: readonly ChangeStep[],
  { shadowServer, onProgress }: DraftOptions,
): Promise<Prover | undefined> {
  if (shadowServer === undefined) return undefined
  onProgress?.('building the history in a shadow')
  await using opened = new AsyncDisposableStack()
  const base = opened.use(await createShadow(shadowServer))
  const wishes = new Map<ChangeStep, Wish>()
  for (const step of steps) wishes.set(step, await wishOf(kit, shadowServer, base, step))
  await replayInto(base, change.target.source.root, change.ground.revisions)
  const owned = opened.move()
  let broken = false
  return {
    settle: async (step, candidate) => {
      if (broken) return untried(candidate)
      onProgress?.(`proving ${step.part ?? 'the change'}: up, down, up`)
      const settled = await settle(base, wishes.get(step)!, step, candidate)
      broken = settled.proof.kind === 'unproved' && settled.proof.side === 'up'
      // The next step begins where this one ends.
      if (!broken && step !== steps.at(-1)) await runCandidate(base, settled.candidate, 'up')
      return settled
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function untried(candidate: Candidate): Settled {
  const reason = 'The revision before it could not be proved, so this one was not tried.'
  return { candidate, remarks: [], proof: { kind: 'unproved', side: 'up', fault: 'failed', reason } }
}

function toRevision(step: ChangeStep, { candidate, proof, remarks }: Settled, snapshot: string): DraftedRevision {
  const losses = findLosses(step.before, step.after, step.renames)
  const objects = step.objectsAfter.length > 0 || step.objectsBefore.length > 0
  const marked = proof.kind === 'unproved' ? { unproved: proof.reason } : {}
  const lost = losses.length > 0 ? ['What migration.sql drops comes back without what it held.'] : []
  return {
    ...(step.part !== undefined && { part: step.part }),
    up: formatScript(candidate.up, {
      remarks: losses,
      ...(proof.kind === 'unproved' && proof.side === 'up' && marked),
    }),
    // A way down from where nobody has been is as unproved as the way up.
    down: formatScript(candidate.down, { remarks: [...lost, ...remarks], ...marked }),
    snapshot,
    ...(objects && { objects: formatRecordedObjects(step.objectsAfter) }),
    ...(candidate.transaction === 'none' && { transaction: 'none' }),
    losses,
    proof,
  }
}

/** Drizzle-kit's way up and down, with what leads from one set of declared objects to the other around it. */
async function candidateOf(kit: Kit, step: ChangeStep): Promise<Candidate> {
  const values = renameEnumValues(step.before, step.enumValues)
  const statementsUp = [
    ...values.up,
    ...(await statementsBetween(kit, values.state, step.after, step.hints)),
    ...renameIdentities(findIdentityRenames(step.before, step.after)),
  ]
  const statementsDown = [
    ...renameIdentities(findIdentityRenames(step.after, step.before)),
    ...(await statementsBetween(kit, step.after, values.state, reverseHints(step.hints))),
    ...values.down,
  ]
  const up = continueNumbering(statementsUp, step.before, step.after, step.renames)
  const down = continueNumbering(statementsDown, step.after, step.before, reverseRenames(step.renames))
  if (step.concurrent) {
    return { up: outside(up), down: outside(down), transaction: 'none' }
  }
  return {
    up: withObjects(up, step.objectsUp),
    down: withObjects(down, step.objectsDown),
    transaction: 'per-revision',
  }
}

/** A step of its own makes indexes of tables that are all there. */
function outside(statements: readonly string[]): readonly string[] {
  return makeConcurrent(statements, () => true).outside
}

function withObjects(tables: readonly string[], { before, early, late }: ObjectChange): readonly string[] {
  return [...before, ...early, ...tables, ...late]
}

/** A folder for the snapshots of steps that others build on. */
interface TemporaryFolder extends AsyncDisposable {
  keep(name: string, snapshot: string): Promise<SnapshotFile>
}

async function makeTemporaryFolder(): Promise<TemporaryFolder> {
  const root = await mkdtemp(join(tmpdir(), 'drover-draft-'))
  return {
    keep: async (name, snapshot) => {
      const folder = join(root, name)
      await mkdir(folder)
      await writeFile(join(folder, 'snapshot.json'), snapshot)
      return { folder }
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}
