import { describeHolder, findDataLoss, readScript } from '@drover/engine'
import type { Step } from '@drover/history'
import type { Database, DatabaseOutcome, ReleaseEvent, ReleasePlan } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { columns, count, duration, externalText, marksOfRun, stepText } from './text.ts'

/** What happens during a release, as a line of progress. `undefined` for what people need not be told. */
export function describeEvent(event: ReleaseEvent, width: number, style: Style): string | undefined {
  const database = style.strong(event.database.padEnd(width))
  switch (event.type) {
    case 'lease-waiting':
      return `${database}  ${style.warn('waiting')} for another run: ${describeHolder(event.holder)}`
    case 'database-started':
    case 'step-started':
      return undefined
    case 'command-started':
      return `${database}  running ${event.command.join(' ')}`
    case 'command-output':
      return `${event.database}: ${event.line}`
    case 'command-finished':
      return `${database}  ${style.good('migrated')} by ${event.command.join(' ')} ${style.dim(`(${duration(event.durationMs)})`)}`
    case 'rollback-started':
      return `${database}  ${style.warn('rolling back')} ${count(event.steps, 'revision')}`
    case 'step-retried':
      return `${database}  ${style.warn('retrying')} ${stepText(event.step)} (${reasons[event.reason]}, attempt ${event.attempt + 1})`
    case 'step-finished': {
      const verb = event.step.direction === 'up' ? 'applied ' : 'reverted'
      return `${database}  ${style.good(verb)} ${stepText(event.step)} ${style.dim(`(${duration(event.step.durationMs)})`)}`
    }
  }
}

const reasons = {
  'lock-timeout': 'somebody holds a lock that it needs',
  deadlock: 'it was in a deadlock',
  busy: 'another run is in the middle of a revision',
} as const

/** The steps that a plan would take, for `--dry-run`. */
export function describePlan(plan: ReleasePlan, style: Style): readonly string[] {
  const verb = plan.direction === 'up' ? 'would apply' : 'would revert'
  return plan.databases.flatMap(({ member, steps }) => {
    const name = style.strong(member.database.name)
    const external = externalText(member.database, 'would run')
    if (external !== undefined) return [`${name}: ${external}`]
    if (steps.length === 0) return [`${name}: ${nothing(plan)}`]
    return [
      `${name}: ${verb} ${count(steps.length, 'revision')}`,
      ...steps.map((step) => `  ${stepText(step)}${noteOf(step)}`),
    ]
  })
}

function noteOf({ revision }: Step): string {
  const marks = marksOfRun(revision)
  return marks.length > 0 ? ` (${marks.join(', ')})` : ''
}

/** What a downgrade undoes, and which of its statements take data away for good. */
export async function describeUndoing(root: string, plan: ReleasePlan, style: Style): Promise<readonly string[]> {
  const lines: string[] = []
  for (const { member, steps } of plan.databases) {
    if (steps.length === 0) continue
    lines.push(`${style.strong(member.database.name)}: will revert ${count(steps.length, 'revision')}`)
    for (const step of steps) {
      lines.push(`  ${stepText(step)}${noteOf(step)}`)
      const losses = findDataLoss(await readScript(root, step.revision, 'down'))
      lines.push(...losses.map((loss) => `    ${style.bad('loses data:')} ${loss}`))
    }
  }
  return lines
}

/** How a release went: one line a database. */
export function describeOutcome(outcomes: readonly DatabaseOutcome[], ms: number, style: Style): readonly string[] {
  const rows = outcomes.map((outcome) => [outcome.plan.member.database.name, ...outcomeWords(outcome)])
  const painted = columns(rows).map((line, at) => paintOutcome(outcomes[at]!, line, style))
  const changed = outcomes.reduce((sum, outcome) => sum + outcome.finished.length, 0)
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
}: DatabaseOutcome): readonly string[] {
  const { external } = plan.member.database.config
  if (external) return [externalOutcome(external, end)]
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
    case 'interrupted':
      return [`${end}: ${done}${elsewhere}${rest}`]
    case 'not-tried':
      return [`not tried: ${count(notTried.length, 'revision')} left`]
    case 'failed':
      return [`failed${failed?.step ? ` at ${stepText(failed.step)}` : ''}: ${done}${elsewhere}${rest}`]
  }
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
