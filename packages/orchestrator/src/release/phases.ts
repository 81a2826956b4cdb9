import {
  comesAfter,
  type ElsewhereDependency,
  findHeldBack,
  formatTarget,
  type History,
  type Phase,
  type PhasedNode,
  type Revision,
  type Target,
} from '@drover/history'

import { keyOf, nodeOf } from './dependencies.ts'
import type { Neighbour } from './interleave.ts'
import type { DatabasePlan } from './plan-release.ts'

/** A revision that an upgrade asks for and its phase does not run yet; the first of those that have to wait. */
export interface HeldBack {
  readonly revision: Revision
  /** The phase with which it runs. */
  readonly phase: Phase
  /** What it waits for in another database, where that and not its own phase is the reason. */
  readonly waitsFor?: ElsewhereDependency
  /** What to type once its phase has come. */
  readonly hint: string
}

/**
 * Takes out of an upgrade what does not run with a phase: revisions of a later one, and whatever comes after one of those,
 * in other databases too. What a database that migrates itself does has no phase.
 * @param target as it was asked for; what is to be typed later is made from it
 */
export function holdBack(
  databases: readonly DatabasePlan[],
  neighbours: readonly Neighbour[],
  phase: Phase,
  target: Target,
): readonly DatabasePlan[] {
  const own = databases.flatMap(({ member }) => nodesOf(member.database.name, member.history, settledOf(member.state)))
  const others = neighbours.flatMap((one) => ('history' in one ? nodesOf(one.name, one.history, one.applied) : []))
  const held = findHeldBack([...own, ...others], phase)
  return databases.map((database) => {
    const { name } = database.member.database
    const phaseOf = (id: string): Phase | undefined => held.get(keyOf(name, id))
    const late = database.steps.flatMap(({ revision }) => {
      const isFirst = !comesAfter(revision).some((id) => phaseOf(id))
      const needed = isFirst ? phaseOf(revision.id) : undefined
      return needed ? [describeHeldBack(name, revision, needed, held, target)] : []
    })
    return { ...database, steps: database.steps.filter(({ revision }) => !phaseOf(revision.id)), heldBack: late }
  })
}

function describeHeldBack(
  database: string,
  revision: Revision,
  phase: Phase,
  held: ReadonlyMap<string, Phase>,
  target: Target,
): HeldBack {
  const isOthers = ({ database: other, revision: id }: ElsewhereDependency): boolean =>
    held.get(keyOf(other, id)) === phase
  const waitsFor = revision.phase === phase ? undefined : revision.dependsOnElsewhere?.find(isOthers)
  if (waitsFor) {
    const command = `pnpm migrate upgrade ${keyOf(waitsFor.database, waitsFor.revision)} --phase ${phase}`
    return { revision, phase, waitsFor, hint: `after the deploy, run that first: ${command}` }
  }
  const command = `pnpm migrate upgrade${placeOf(target, revision)} --phase ${phase} -d ${database}`
  return { revision, phase, hint: `run it after the deploy with: ${command}` }
}

/** The target once more, if it has to be said: one that counts from what is applied would then be another place. */
function placeOf(target: Target, revision: Revision): string {
  if (!target.anchor) return ` ${revision.id}`
  const { database: _, ...place } = target
  const text = formatTarget(place)
  return text === 'head' ? '' : ` ${text}`
}

/** What is applied, or comes before anything else because it is half done. */
function settledOf({ applied, halfDone }: DatabasePlan['member']['state']): ReadonlySet<string> {
  return new Set([...applied.map(({ id }) => id), ...(halfDone ? [halfDone.id] : [])])
}

function nodesOf(name: string, { revisions }: History, applied: ReadonlySet<string>): readonly PhasedNode[] {
  return revisions
    .filter(({ id }) => !applied.has(id))
    .map((revision) => ({ ...nodeOf(name, revision), ...(revision.phase && { phase: revision.phase }) }))
}
