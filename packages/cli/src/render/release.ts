import { describeHolder, findDataLoss, type Hook, type Moment, readScript } from '@drover/engine'
import type { Step } from '@drover/history'
import {
  type Database,
  type DatabaseOutcome,
  hooksOf,
  type ReleaseEvent,
  type ReleasePlan,
  type TenantsPlan,
} from '@drover/orchestrator'

import { progressText } from './progress.ts'
import type { Style } from './style.ts'
import {
  describeTenantsEvent,
  describeTenantsOutcome,
  describeTenantsPlan,
  standingOf,
  tenantsWords,
} from './tenants.ts'
import {
  blockersText,
  columns,
  count,
  duration,
  externalText,
  heldBackText,
  marksOfRun,
  nameBlocker,
  stepText,
} from './text.ts'

/** What happens during a release, as a line of progress. `undefined` for what people need not be told. */
export function describeEvent(event: ReleaseEvent, width: number, style: Style): string | undefined {
  const database = style.strong(nameOf(event).padEnd(width))
  switch (event.type) {
    case 'lease-waiting':
      return `${database}  ${style.warn('waiting')} for another run: ${describeHolder(event.holder)}`
    case 'database-started':
    case 'database-finished':
    case 'step-started':
    case 'statement-finished':
    case 'hook-started':
      return undefined
    case 'hook-output':
      return `${nameOf(event)}: ${event.line}`
    case 'hook-retried':
      return `${database}  ${style.warn('retrying')} ${event.hook.file} (${reasons[event.reason]}, attempt ${event.attempt + 1})`
    case 'hook-finished':
      return `${database}  ${style.good('ran')} ${event.hook.file} ${style.dim(`(${moments[event.hook.moment]}, ${duration(event.durationMs)})`)}`
    case 'hook-failed':
      return `${database}  ${style.bad('failed')} ${event.hook.file} ${style.dim(`(${moments[event.hook.moment]})`)}`
    case 'command-started':
      return `${database}  running ${event.command.join(' ')}`
    case 'command-output':
      return `${event.database}: ${event.line}`
    case 'command-finished':
      return `${database}  ${style.good('migrated')} by ${event.command.join(' ')} ${style.dim(`(${duration(event.durationMs)})`)}`
    case 'others-stopping':
      return `${database}  ${style.bad('failed')}: ${event.others.join(', ')} will stop after what is running`
    case 'rollback-started':
      return `${database}  ${style.warn('rolling back')} ${count(event.steps, 'revision')}`
    case 'step-retried':
      return `${database}  ${style.warn('retrying')} ${stepText(event.step)} (${reasons[event.reason]}, attempt ${event.attempt + 1})`
    case 'blockers-found':
      return blockersText(event.blockers)
        .map((line) => `${database}  ${line}`)
        .join('\n')
    case 'blocker-ended':
      return `${database}  ${style.warn('ended')} ${nameBlocker(event.blocker)}: it was in the way, and idle in a transaction for ${duration(event.blocker.stateAgeMs ?? 0)}`
    case 'blocker-kept':
      return `${database}  ${style.warn('cannot end')} ${nameBlocker(event.blocker)}: ${event.reason}`
    case 'step-output':
      return `${event.database}: ${event.line}`
    case 'step-progress':
      return `${database}  ${stepText(event.step)}: ${progressText(event)}`
    case 'snapshot-loaded':
      return `${database}  ${style.good('loaded')}   ${loadText(event.file, event.revisions.length)} ${style.dim(`(${duration(event.durationMs)})`)}`
    case 'tenants-progress':
    case 'tenant-failed':
    case 'tenant-parked':
    case 'canary-passed':
    case 'gate-passed-over':
    case 'server-silent':
    case 'server-lost':
      return describeTenantsEvent(event, database, style)
    case 'step-finished': {
      const verb = event.step.direction === 'up' ? 'applied ' : 'reverted'
      const own = event.step.revision.transaction === 'own' ? ' (own transaction)' : ''
      return `${database}  ${style.good(verb)} ${stepText(event.step)}${own} ${style.dim(`(${duration(event.step.durationMs)})`)}`
    }
  }
}

/** Whose event it is: of a database, or of the run as a whole. */
function nameOf({ database = 'run' }: ReleaseEvent): string {
  return database
}

/** When hooks run, in words. */
export const moments: Readonly<Record<Moment, string>> = { before: 'before', after: 'after', onFailure: 'on failure' }

/** The hooks of one moment, a line each. */
function describeHooks(hooks: readonly Hook[], moment: Moment, what = ''): readonly string[] {
  return hooks.filter((hook) => hook.moment === moment).map(({ file }) => `${moments[moment]}${what}: ${file}`)
}

/**
 * What is run besides the revisions of a database, around what is said of those.
 * @param share whether those are the first of it, and the last. Default: all of them
 */
export function withDatabaseHooks(
  database: Database,
  lines: readonly string[],
  share: { readonly isFirst: boolean; readonly isLast: boolean } = { isFirst: true, isLast: true },
): readonly string[] {
  const hooks = hooksOf(database)
  const describe = (moment: Moment) => describeHooks(hooks, moment).map((line) => `  ${line}`)
  return [
    ...(share.isFirst ? describe('before') : []),
    ...lines,
    ...(share.isLast ? [...describe('after'), ...describe('onFailure')] : []),
  ]
}

/** What is run besides all databases, around what is said of those. Nothing where there is nothing to run. */
export function withRunHooks(plan: ReleasePlan, hooks: readonly Hook[], lines: readonly string[]): readonly string[] {
  if (plan.segments.length === 0) return lines
  const describe = (moment: Moment) => describeHooks(hooks, moment, ' all')
  return [...describe('before'), ...lines, ...describe('after'), ...describeHooks(hooks, 'onFailure', ' of any')]
}

const reasons = {
  'lock-timeout': 'somebody holds a lock that it needs',
  deadlock: 'it was in a deadlock',
  busy: 'another run is in the middle of a revision',
  conflict: 'somebody else was making or changing the same object',
} as const

/** The steps that a plan would take, for `--dry-run`. */
export function describePlan(plan: ReleasePlan, hooks: readonly Hook[], style: Style): readonly string[] {
  const verb = plan.direction === 'up' ? 'would apply' : 'would revert'
  const lines = plan.databases.flatMap(({ member, steps, snapshot, tenants }) => {
    if (tenants) return describeTenantsPlan(member.database.name, tenants, style)
    const name = style.strong(member.database.name)
    const external = externalText(member.database, 'would run')
    if (external !== undefined) return [`${name}: ${external}`]
    if (steps.length === 0) return [`${name}: ${nothing(plan)}`]
    return [
      `${name}: ${verb} ${count(steps.length, 'revision')}`,
      ...withDatabaseHooks(member.database, [
        ...(snapshot ? [`  loads ${loadText(snapshot.file, snapshot.revisions.length)}`] : []),
        ...steps.map((step) => `  ${stepText(step)}${noteOf(step, snapshot)}`),
      ]),
    ]
  })
  return withRunHooks(plan, hooks, lines)
}

/** What each database stops before, for whom a phase was asked for. */
export function describeHeldBack(plan: ReleasePlan, style: Style): readonly string[] {
  return plan.databases.flatMap(({ member, heldBack = [] }) =>
    heldBack.map((one) => `${style.strong(member.database.name)}: ${heldBackText(one)}`),
  )
}

/** A snapshot that is loaded, in words. */
export function loadText(file: string, revisions: number): string {
  return `${file}: ${count(revisions, 'revision')}`
}

/** Whether a step is not run, because a snapshot is loaded that stands for it. */
export function isLoaded({ revision }: Step, snapshot: ReleasePlan['databases'][number]['snapshot']): boolean {
  return snapshot?.revisions.some(({ id }) => id === revision.id) === true
}

function noteOf(step: Step, snapshot?: ReleasePlan['databases'][number]['snapshot']): string {
  const marks = [...(isLoaded(step, snapshot) ? ['loaded'] : []), ...marksOfRun(step.revision)]
  return marks.length > 0 ? ` (${marks.join(', ')})` : ''
}

/** What a downgrade undoes, and which of its statements take data away for good. */
export async function describeUndoing(root: string, plan: ReleasePlan, style: Style): Promise<readonly string[]> {
  const lines: string[] = []
  for (const { member, steps, tenants } of plan.databases) {
    if (tenants) lines.push(...(await describeTenantsUndoing(root, member.database.name, tenants, style)))
    if (steps.length === 0) continue
    lines.push(`${style.strong(member.database.name)}: will revert ${count(steps.length, 'revision')}`)
    lines.push(...(await describeReverted(root, steps, style)))
  }
  return lines
}

/** What a downgrade undoes of tenants, those with the same steps together. */
async function describeTenantsUndoing(
  root: string,
  name: string,
  { survey }: TenantsPlan,
  style: Style,
): Promise<readonly string[]> {
  const lines: string[] = []
  for (const { plan, count: tenants } of survey.groups) {
    if (plan.kind !== 'steps') continue
    lines.push(
      `${style.strong(name)}: will revert ${count(plan.steps.length, 'revision')} of ${count(tenants, 'tenant')}`,
    )
    lines.push(...(await describeReverted(root, plan.steps, style)))
  }
  return lines
}

async function describeReverted(root: string, steps: readonly Step[], style: Style): Promise<readonly string[]> {
  const lines: string[] = []
  for (const step of steps) {
    lines.push(`  ${stepText(step)}${noteOf(step)}`)
    const losses = findDataLoss(await readScript(root, step.revision, 'down'))
    lines.push(...losses.map((loss) => `    ${style.bad('loses data:')} ${loss}`))
  }
  return lines
}

/** How a release went: one line a database. */
export function describeOutcome(outcomes: readonly DatabaseOutcome[], ms: number, style: Style): readonly string[] {
  const rows = outcomes.map((outcome) => [outcome.plan.member.database.name, ...outcomeWords(outcome)])
  const painted = columns(rows).flatMap((line, at) => {
    const { tenants, end } = outcomes[at]!
    const matrix = tenants && end !== 'nothing-to-do' ? describeTenantsOutcome(tenants, style) : []
    return [paintOutcome(outcomes[at]!, line, style), ...matrix]
  })
  const changed = outcomes.reduce((sum, { finished, tenants }) => sum + finished.length + (tenants?.revisions ?? 0), 0)
  if (outcomes.every((outcome) => outcome.end === 'nothing-to-do')) return [...painted, 'nothing to do']
  const commands = outcomes.filter(({ plan, end }) => plan.member.database.config.external && end === 'done').length
  const done = `${count(changed, 'revision')}${commands > 0 ? ` and ${count(commands, 'command')}` : ''}`
  return [...painted, `${done} in ${duration(ms)}`]
}

function outcomeWords({
  end,
  plan,
  finished,
  doneElsewhere,
  failed,
  notTried,
  rolledBack,
  stoppedBy,
  tenants,
}: DatabaseOutcome): readonly string[] {
  const { external } = plan.member.database.config
  if (external) return [externalOutcome(external, end)]
  if (tenants) return [tenantsWords(tenants)]
  if (plan.tenants) return [end === 'failed' ? 'failed before any tenant was tried' : standingOf(plan.tenants.survey)]
  const up = plan.steps[0]?.direction !== 'down'
  const done = `${count(finished.length, 'revision')} ${up ? 'applied' : 'reverted'}`
  const elsewhere = doneElsewhere.length > 0 ? `, ${doneElsewhere.length} by another run` : ''
  const undone = rolledBack ? `, ${rolledBack.finished.length} rolled back` : ''
  const rest = (notTried.length > 0 ? `, ${notTried.length} not tried` : '') + undone
  switch (end) {
    case 'nothing-to-do':
      return [doneElsewhere.length > 0 ? 'done by another run' : standing(plan)]
    case 'done':
      return [`${done}${elsewhere}${undone}`]
    case 'stopped':
      return [`stopped because ${stoppedBy} failed: ${done}${elsewhere}${rest}`]
    case 'interrupted':
      return [`interrupted: ${done}${elsewhere}${rest}`]
    case 'not-tried':
      return [`not tried: ${count(notTried.length, 'revision')} left`]
    case 'failed':
      return [`failed${placeOf(failed)}: ${done}${elsewhere}${rest}`]
  }
}

function placeOf(failed: DatabaseOutcome['failed']): string {
  if (failed?.step) return ` at ${stepText(failed.step)}`
  return failed?.problem.code === 'HOOK_FAILED' ? ` at ${failed.problem.file}` : ''
}

function externalOutcome(
  { command, managedBy }: NonNullable<Database['config']['external']>,
  end: DatabaseOutcome['end'],
): string {
  const words = command?.join(' ') ?? ''
  return end === 'nothing-to-do' ? `managed by ${managedBy}` : `${endsOfCommand[end]} ${words}`
}

const endsOfCommand = {
  done: 'migrated by',
  failed: 'failed at',
  interrupted: 'interrupted:',
  stopped: 'interrupted:',
  'not-tried': 'not tried:',
} as const

function standing({ status }: DatabaseOutcome['plan']): string {
  if (status.current.length === 0) return status.heads.length === 0 ? 'no revisions' : 'at base, nothing left to revert'
  const place =
    status.state === 'up-to-date' ? 'up to date' : `stays with ${count(status.pending.length, 'revision')} pending`
  return `${place}, at ${status.current.join(', ')}`
}

function paintOutcome(outcome: DatabaseOutcome, line: string, style: Style): string {
  if (outcome.end === 'failed') return style.bad(line)
  return ['interrupted', 'stopped', 'not-tried'].includes(outcome.end) ? style.warn(line) : line
}

/** Where the databases are, and how to reach them. Without passwords. */
export function describePlaces(plan: ReleasePlan, style: Style): readonly string[] {
  const rows = plan.databases.map(({ member }) => [`  ${member.database.name}`, String(member.located.url)])
  const development = plan.databases.find(({ member }) => member.located.development)
  return [
    style.dim(development ? 'on the development server:' : 'on:'),
    ...columns(rows),
    ...(development
      ? [style.dim(`connect with: psql "$(pnpm --silent migrate server url ${development.member.database.name})"`)]
      : []),
  ]
}

function nothing(plan: ReleasePlan): string {
  return plan.direction === 'up' ? 'up to date, nothing to apply' : 'nothing left to revert'
}
