import {
  type CatalogDifference,
  compareCatalogs,
  countRows,
  findDataLoss,
  objectsOf,
  readCatalog,
  readScript,
  readState,
  type StepObservation,
} from '@drover/engine'
import { type Direction, DroverError, type Problem, type Revision, type Step, throwProblems } from '@drover/history'

import type { Member } from '../release/fleet.ts'
import { interleave, type Neighbour } from '../release/interleave.ts'
import type { DatabasePlan, ReleasePlan } from '../release/plan-release.ts'
import { type ReleaseOptions, runRelease } from '../release/run-release.ts'
import { statusOf } from '../release/status.ts'
import { findLostRows, type LostRows } from './lost-rows.ts'
import { planRoundTrip, type RoundTrip } from './round-trip.ts'

/** Which way through the revisions it was. */
export type PassName = 'up' | 'down' | 'again'

/** One step that was carried out in a rehearsal. */
export interface RehearsedStep extends Step {
  /** In milliseconds, on the server. */
  readonly durationMs: number
  /** Missing where nobody has looked. */
  readonly observation?: StepObservation
  /** The statements that take data away for good, each on one line. */
  readonly losses: readonly string[]
}

/** One way through the revisions of a database. */
export interface RehearsedPass {
  readonly pass: PassName
  readonly steps: readonly RehearsedStep[]
  /** What it has failed of, and what was observed of the step that did. */
  readonly failed?: { readonly problem: Problem; readonly observation?: StepObservation }
}

/** How it went on one database. */
export interface DatabaseRehearsal {
  readonly member: Member
  /** `not-tried`: not to the end, because of another database that did not get there. */
  readonly verdict: 'rehearsed' | 'different' | 'failed' | 'not-tried' | 'nothing-to-do'
  readonly passes: readonly RehearsedPass[]
  /** What was applied and not reverted again, and because of which revision that is. */
  readonly stayed: readonly Revision[]
  readonly irreversible?: Revision
  /** What the way back leaves otherwise than it was. */
  readonly afterDown: readonly CatalogDifference[]
  /** What the second way up leaves otherwise than the first. */
  readonly afterAgain: readonly CatalogDifference[]
  /** The rows that are not there any more after the way back. */
  readonly lostRows: readonly LostRows[]
  /** How many objects were compared. */
  readonly objects: number
}

/** What a rehearsal is done with. */
export interface RehearsalOptions extends Pick<
  ReleaseOptions,
  'root' | 'databases' | 'command' | 'actor' | 'environment' | 'limits' | 'onEvent'
> {
  /** Once aborted, what is running is cancelled. */
  readonly signal: AbortSignal
  /** The databases that the plan leaves alone. */
  readonly neighbours: (members: readonly Member[], direction: Direction) => Promise<readonly Neighbour[]>
  /** Whether a difference is about what `foreign` in `database.ts` declares, which the way back may leave behind. */
  readonly isForeign: (difference: CatalogDifference, declared: readonly string[]) => boolean
  /** Called when a way through the revisions begins. */
  readonly onPass?: (pass: PassName) => void
}

/**
 * Carries out an upgrade on throw-away databases, goes back as far as there is a way back, and upgrades again. Their catalogues are
 * compared after each way, and their rows counted. What fails on one database is part of the result.
 * @param plan an upgrade of throw-away databases, which are left where it leads
 * @throws {DroverError} for what keeps any of it from being begun, `INTERRUPTED`
 */
export async function rehearse(plan: ReleasePlan, options: RehearsalOptions): Promise<readonly DatabaseRehearsal[]> {
  const planned = plan.databases.map(({ member, steps }) => ({ name: member.database.name, steps }))
  const stages = plan.databases.map(({ member }, index) => stageOf(member, planRoundTrip(planned)[index]!))

  await run('up', 'up', stages, (stage) => stage.trip.oneWay, options)
  await look(stages, async (stage) => (stage.before = await takePicture(stage.member)))
  await run('up', 'up', stages, (stage) => stage.trip.back, options)
  await look(stages, async (stage) => (stage.afterUp = await takePicture(stage.member)))
  await run('down', 'down', stages, backwards, options)
  await look(stages, async (stage) => (stage.afterDown = await takePicture(stage.member)))
  for (const stage of stages) endWhereDifferent(stage, options)
  await run('again', 'up', stages, (stage) => stage.trip.back, options)
  await look(stages, async (stage) => (stage.afterAgain = await takePicture(stage.member)))
  return stages.map((stage) => judge(stage, options))
}

/** What the way back has left otherwise would fail the second way up, which would tell less. */
function endWhereDifferent(stage: Stage, options: RehearsalOptions): void {
  const { member, before, afterDown } = stage
  if (compare(member, before, afterDown, options).length > 0) stage.ended = 'different'
}

/** How far the rehearsal of a database has come. */
interface Stage {
  readonly member: Member
  readonly trip: RoundTrip
  readonly passes: {
    readonly pass: PassName
    readonly steps: RehearsedStep[]
    failed?: NonNullable<RehearsedPass['failed']>
  }[]
  /** Why nothing more is done with it. */
  ended?: 'failed' | 'different' | 'not-tried'
  before?: Picture
  afterUp?: Picture
  afterDown?: Picture
  afterAgain?: Picture
}

/** A database at one moment. */
interface Picture {
  readonly catalog: readonly string[]
  readonly rows: ReadonlyMap<string, number>
}

function stageOf(member: Member, trip: RoundTrip): Stage {
  return { member, trip, passes: [] }
}

function backwards({ trip }: Stage): readonly Step[] {
  return trip.back.map(({ revision }) => ({ direction: 'down' as const, revision })).toReversed()
}

/** Runs steps of all databases that are still with us, as a release does, and keeps what was seen. */
async function run(
  pass: PassName,
  direction: Direction,
  stages: readonly Stage[],
  stepsOf: (stage: Stage) => readonly Step[],
  options: RehearsalOptions,
): Promise<void> {
  const release = await planSteps(direction, stages, stepsOf, options)
  if (release.segments.length === 0) return
  options.onPass?.(pass)
  const observations = new Map<string, StepObservation>()
  const { signal, onPass: _, neighbours: __, isForeign: ___, ...others } = options
  const { databases: outcomes } = await runRelease(release, {
    ...others,
    signal,
    cancel: signal,
    // Side by side they would slow each other down.
    jobs: 1,
    onFailure: 'continue',
    onObserved: (database, observation) => observations.set(`${database}/${observation.revision.id}`, observation),
  })
  throwIfAborted(signal)
  for (const { plan, finished, failed, end } of outcomes) {
    const stage = stages.find(({ member }) => member.database === plan.member.database)!
    const { name } = stage.member.database
    if (end === 'nothing-to-do') continue
    const observationOf = ({ revision }: Step) => observations.get(`${name}/${revision.id}`)
    const rehearsed = await Promise.all(
      finished.map(async (step) => {
        const observation = observationOf(step)
        const losses = findDataLoss(await readScript(options.root, step.revision, step.direction))
        return { ...step, losses, ...(observation && { observation }) }
      }),
    )
    const before = stage.passes.find((other) => other.pass === pass)
    if (before) before.steps.push(...rehearsed)
    else stage.passes.push({ pass, steps: rehearsed })
    if (failed) {
      const observation = failed.step && observationOf(failed.step)
      stage.passes.at(-1)!.failed = { problem: failed.problem, ...(observation && { observation }) }
    }
    if (end !== 'done') stage.ended = failed ? 'failed' : 'not-tried'
  }
}

/** Plans the steps of all databases that are still with us. Whoever needs one that is not does not go on either. */
async function planSteps(
  direction: Direction,
  stages: readonly Stage[],
  stepsOf: (stage: Stage) => readonly Step[],
  options: RehearsalOptions,
): Promise<ReleasePlan> {
  const ordered = direction === 'up' ? stages : stages.toReversed()
  const databases: DatabasePlan[] = await Promise.all(
    ordered.map(async (stage) => {
      const state = await readState(stage.member.connection, stage.member.database.name)
      const member = { ...stage.member, state }
      return { member, status: statusOf(member), steps: stage.ended ? [] : stepsOf(stage) }
    }),
  )
  const members = databases.map(({ member }) => member)
  // What is reverted here is not reverted where the others are.
  const neighbours = direction === 'up' ? await options.neighbours(members, direction) : []
  const { segments, problems, warnings } = interleave(direction, databases, neighbours)
  const held = stages.filter(
    ({ member, ended }) => !ended && problems.some(({ database }) => database === member.database.name),
  )
  if (held.length > 0 && stages.some(({ ended }) => ended)) {
    for (const stage of held) stage.ended = 'not-tried'
    return planSteps(direction, stages, stepsOf, options)
  }
  throwProblems(problems)
  return { direction, databases, segments, warnings }
}

/** Looks at the databases that are still with us. */
async function look(stages: readonly Stage[], act: (stage: Stage) => Promise<unknown>): Promise<void> {
  for (const stage of stages) if (!stage.ended && stage.trip.back.length > 0) await act(stage)
}

async function takePicture({ connection }: Member): Promise<Picture> {
  return { catalog: await readCatalog(connection), rows: await countRows(connection) }
}

/** The differences between two moments that are the history's business; none where one of them was not reached. */
function compare(
  { database }: Member,
  before: Picture | undefined,
  after: Picture | undefined,
  { isForeign }: RehearsalOptions,
): readonly CatalogDifference[] {
  if (!before || !after) return []
  const differences = compareCatalogs(before.catalog, after.catalog)
  return differences.filter((difference) => !isForeign(difference, database.config.foreign))
}

function judge({ member, trip, passes, ended, ...pictures }: Stage, options: RehearsalOptions): DatabaseRehearsal {
  const { before, afterUp, afterDown, afterAgain } = pictures
  const losses = passes.flatMap(({ steps }) => steps.flatMap((step) => step.losses))
  const differencesDown = compare(member, before, afterDown, options)
  const differencesAgain = compare(member, afterUp, afterAgain, options)
  const lostRows = before && afterDown ? findLostRows(before.rows, afterDown.rows, losses) : []
  const isDifferent =
    differencesDown.length > 0 || differencesAgain.length > 0 || lostRows.some(({ declared }) => declared === undefined)
  const isIdle = trip.oneWay.length + trip.back.length === 0
  return {
    member,
    verdict: ended ?? (isIdle ? 'nothing-to-do' : isDifferent ? 'different' : 'rehearsed'),
    passes,
    stayed: trip.oneWay.map(({ revision }) => revision),
    ...(trip.irreversible && { irreversible: trip.irreversible }),
    afterDown: differencesDown,
    afterAgain: differencesAgain,
    lostRows,
    objects: objectsOf([...(afterUp?.catalog ?? []), ...(before?.catalog ?? [])]).size,
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return
  const hint = 'nothing but throw-away databases was changed; run the same command again'
  throw new DroverError({ code: 'INTERRUPTED', message: 'interrupted', hint })
}
