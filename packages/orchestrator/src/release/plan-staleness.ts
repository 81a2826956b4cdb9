import { readScript } from '@drover/engine'
import {
  compareChecksums,
  type Direction,
  missingWayBack,
  nameRevision,
  type Problem,
  scriptFile,
} from '@drover/history'

import { type Member, problemsOf } from './fleet.ts'
import { digestOfApplied, type PlanFile } from './plan-file.ts'
import type { ReleasePlan } from './plan-release.ts'
import { statusOf } from './status.ts'

/** What a plan is about to be used for. */
export interface PlanUse {
  /** The file, as messages name it. */
  readonly path: string
  readonly direction: Direction
  /** The databases that the command is about, and all there are. */
  readonly selected: readonly string[]
  readonly workspace: readonly string[]
}

/** The databases that a plan is run on, or why it is not for what it is used for. Pure. */
export function databasesOfPlan(
  plan: PlanFile,
  use: PlanUse,
):
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  if (plan.direction !== use.direction) {
    const message = `${use.path} is the plan of ${plan.direction === 'up' ? 'an upgrade' : 'a downgrade'}`
    const hint = `pnpm migrate ${commandOf(plan.direction)} --plan ${use.path}`
    return { ok: false, problems: [{ code: 'PLAN_STALE', message, hint }] }
  }
  const planned = plan.databases.map(({ name }) => name)
  const isNarrowed = use.selected.length < use.workspace.length
  // Without databases of its own, the command goes by the plan; one for all of them has to know all there are.
  const wanted = isNarrowed ? use.selected : plan.scope === 'all' ? use.workspace : planned
  const surplus = planned.filter((name) => !wanted.includes(name) || !use.workspace.includes(name))
  const missing = wanted.filter((name) => !planned.includes(name))
  if (surplus.length === 0 && missing.length === 0) return { ok: true, names: planned }
  const differences = [
    ...(missing.length > 0 ? [`it says nothing of ${missing.join(', ')}`] : []),
    ...(surplus.length > 0
      ? [`${surplus.join(', ')} ${surplus.length === 1 ? 'is' : 'are'} not among the databases of this command`]
      : []),
  ]
  const message = `${use.path} was made for other databases (${planned.join(', ')}): ${differences.join(', and ')}`
  return { ok: false, problems: [{ code: 'PLAN_STALE', message, hint: newPlan(plan, use.path, wanted) }] }
}

/**
 * What has moved since a plan was made, in the databases and in the files that it runs. What is found here keeps all of it
 * from being run.
 */
export async function findMoved(
  root: string,
  plan: PlanFile,
  members: readonly Member[],
  path: string,
): Promise<readonly Problem[]> {
  const hint = newPlan(plan, path)
  const problems: Problem[] = []
  for (const { name, applied, current } of plan.databases) {
    const member = members.find(({ database }) => database.name === name)!
    if (digestOfApplied(member.state.applied) === applied) continue
    const now = statusOf(member).current
    const where =
      placeOf(current) === placeOf(now)
        ? `it is at ${placeOf(now)} as it was then, with other revisions below, or other SQL in them`
        : `it was at ${placeOf(current)} then, and is at ${placeOf(now)} now`
    const message = `what is applied has changed since ${path} was made: ${where}`
    problems.push({ code: 'PLAN_STALE', database: name, message, hint })
  }
  for (const step of plan.steps) {
    const member = members.find(({ database }) => database.name === step.database)!
    const problem = await findMovedFile(root, plan, step, member)
    if (problem)
      problems.push({ code: 'PLAN_STALE', database: step.database, revision: step.revision, hint, ...problem })
  }
  return problems
}

/** How the same request would be planned otherwise now, for a plan that nothing else speaks against: a head has moved. */
export function findOtherSteps(plan: PlanFile, now: ReleasePlan, path: string): readonly Problem[] {
  const steps = now.segments.flatMap((segment) =>
    segment.steps.map((step) => ({ database: segment.database.member.database.name, revision: step.revision })),
  )
  const isPlanned = new Set(plan.steps.map((step) => `${step.database}/${step.revision}`))
  const isNow = new Set(steps.map((step) => `${step.database}/${step.revision.id}`))
  const hint = newPlan(plan, path)
  const added = steps.filter((step) => !isPlanned.has(`${step.database}/${step.revision.id}`))
  const gone = plan.steps.filter((step) => !isNow.has(`${step.database}/${step.revision}`))
  const problems = [
    ...findOtherSnapshots(plan, now, path),
    ...added.map(({ database, revision }) => ({
      code: 'PLAN_STALE' as const,
      database,
      revision: revision.id,
      message: `"${plan.target}" has moved since ${path} was made: ${nameRevision(revision)} would be ${doneTo(plan.direction)} as well`,
      hint,
    })),
    ...gone.map(({ database, revision, message }) => ({
      code: 'PLAN_STALE' as const,
      database,
      revision,
      message: `"${plan.target}" has moved since ${path} was made: ${nameRevision({ id: revision, message })} would not be ${doneTo(plan.direction)}`,
      hint,
    })),
  ]
  if (problems.length > 0) return problems
  const at = steps.findIndex(({ database, revision }, index) => {
    const planned = plan.steps[index]
    return planned?.database !== database || planned.revision !== revision.id
  })
  if (at === -1) return []
  const message = `the order of the revisions has changed since ${path} was made, from step ${at + 1} on`
  return [{ code: 'PLAN_STALE', message, hint }]
}

/** What is loaded has to be what was planned, to the letter: the steps alone do not tell. */
function findOtherSnapshots(plan: PlanFile, now: ReleasePlan, path: string): readonly Problem[] {
  return plan.databases
    .filter(({ name, snapshot }) => {
      const planned = now.databases.find(({ member }) => member.database.name === name)
      return snapshot !== undefined && planned?.snapshot?.content !== snapshot
    })
    .map(({ name }) => ({
      code: 'PLAN_STALE',
      database: name,
      message: `the schema.sql that ${path} would load has changed since, or can no longer be loaded`,
      hint: newPlan(plan, path),
    }))
}

/** What keeps a request from being planned at all, said of the plan that was made of it before. */
export function describeUnplannable(plan: PlanFile, problems: readonly Problem[], path: string): readonly Problem[] {
  return problems.map((problem) => ({
    ...problem,
    code: 'PLAN_STALE',
    message: `"${plan.target}" can no longer be planned as it was for ${path}: ${problem.message}`,
  }))
}

function placeOf(current: readonly string[]): string {
  return current.join(', ') || 'the base'
}

async function findMovedFile(
  root: string,
  plan: PlanFile,
  step: PlanFile['steps'][number],
  { database, history }: Member,
): Promise<Pick<Problem, 'message' | 'file'> | undefined> {
  const revision = history.byId.get(step.revision)
  const planned = nameRevision({ id: step.revision, message: step.message })
  if (!revision) return { message: `${planned} is in the plan, and its folder is no longer in ${database.migrations}` }
  if (plan.direction === 'down' && !revision.reversible) {
    const message = `${planned} is in the plan, and ${missingWayBack(revision).name} is gone`
    return { message, file: scriptFile(revision, 'down') }
  }
  try {
    const { file, checksum } = await readScript(root, revision, plan.direction)
    return compareChecksums(step.checksum, checksum) === 'same'
      ? undefined
      : { message: `${file} was edited after the plan was made`, file }
  } catch (error) {
    return problemsOf(error, database.name)[0]!
  }
}

function newPlan(plan: PlanFile, path: string, databases: readonly string[] = []): string {
  const down = plan.direction === 'down' ? ' --downgrade' : ''
  const named = databases.length > 0 ? databases : plan.scope === 'some' ? plan.databases.map(({ name }) => name) : []
  const phase = plan.phase ? ` --phase ${plan.phase}` : ''
  const options = named.length > 0 ? ` -d ${named.join(',')}` : ''
  return `make a new plan: pnpm migrate plan ${plan.target}${down}${phase}${options} --out ${path}`
}

function commandOf(direction: Direction): string {
  return direction === 'up' ? 'upgrade' : 'downgrade'
}

function doneTo(direction: Direction): string {
  return direction === 'up' ? 'applied' : 'reverted'
}
