import { findDataLoss, type Hook, type Script } from '@drover/engine'
import type { Step } from '@drover/history'
import type { ReleasePlan, Segment } from '@drover/orchestrator'

import { describeHeldBack, isLoaded, loadText, withDatabaseHooks, withRunHooks } from './release.ts'
import type { Style } from './style.ts'
import { describeTenantsPlan } from './tenants.ts'
import { count, externalText, marksOfRun, stepText } from './text.ts'

/** The steps of a plan, numbered in the order in which they run, with what they take away for good. */
export function describePlanned(
  plan: ReleasePlan,
  scripts: ReadonlyMap<Step, Script>,
  style: Style,
  hooks: readonly Hook[] = [],
): readonly string[] {
  const up = plan.direction === 'up'
  const tenants = plan.databases.flatMap(({ member, tenants: own }) =>
    own ? describeTenantsPlan(member.database.name, own, style) : [],
  )
  const idle = plan.databases
    .filter(({ tenants: own }) => !own)
    .filter(
      (database) => database.steps.length === 0 && !plan.segments.some((segment) => segment.database === database),
    )
    .map(({ member: { database } }) => {
      const words = externalText(database, 'runs') ?? (up ? 'nothing to apply' : 'nothing to revert')
      return `${style.strong(database.name)}: ${words}`
    })
  let number = 0
  const busy = plan.segments.flatMap(({ database, steps }, place) => {
    const { member, snapshot } = database
    if (database.tenants) return []
    const isOfIt = (segment: Segment) => segment.database === database
    const share = {
      isFirst: plan.segments.findIndex(isOfIt) === place,
      isLast: plan.segments.findLastIndex(isOfIt) === place,
    }
    const title = `${style.strong(member.database.name)}: ${externalText(member.database, 'runs') ?? `${count(steps.length, 'revision')} to ${up ? 'apply' : 'revert'}`}`
    const lines = steps.flatMap((step) => {
      number += 1
      const marks = [
        ...(isLoaded(step, snapshot) ? ['loaded'] : []),
        ...(up && !step.revision.reversible ? ['irreversible'] : []),
        ...marksOfRun(step.revision),
      ]
      const noted = marks.length > 0 ? ` ${style.warn(`(${marks.join(', ')})`)}` : ''
      const losses = findDataLoss(scripts.get(step)!)
      return [
        `  ${number}. ${stepText(step)}${noted}`,
        ...losses.map((loss) => `       ${style.bad('loses data:')} ${loss}`),
      ]
    })
    const load = snapshot && share.isFirst ? [`  loads ${loadText(snapshot.file, snapshot.revisions.length)}`] : []
    return [title, ...withDatabaseHooks(member.database, [...load, ...lines], share)]
  })
  return [...withRunHooks(plan, hooks, [...busy, ...idle, ...tenants]), ...describeHeldBack(plan, style)]
}
