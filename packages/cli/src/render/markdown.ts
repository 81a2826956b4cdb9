import { findDataLoss, type Hook, type Script } from '@drover/engine'
import type { Step } from '@drover/history'
import {
  type Database,
  type DatabasePlan,
  hooksOf,
  isExternal,
  type PlanRequest,
  type ReleasePlan,
  type TenantsPlan,
} from '@drover/orchestrator'

import { isLoaded, moments } from './release.ts'
import { standingOf } from './tenants.ts'
import { count, marksOfRun } from './text.ts'

/**
 * A plan as Markdown for a comment on a pull request: a table for each database, and under it the statements that take
 * data away for good. Steps are numbered over all databases, in the order in which they run.
 */
export function describeMarkdown(
  plan: ReleasePlan,
  { target, phase }: Pick<PlanRequest, 'target' | 'phase'>,
  scripts: ReadonlyMap<Step, Script>,
  hooks: readonly Hook[] = [],
): string {
  const up = plan.direction === 'up'
  const order = new Map(plan.segments.flatMap(({ steps }) => steps).map((step, index) => [step, index + 1]))
  const busy = plan.databases.filter(({ steps }) => steps.length > 0)
  const external = plan.databases.map(({ member }) => member.database).filter(isExternal)
  const idle = plan.databases
    .filter(({ member, steps, tenants }) => steps.length === 0 && !tenants && !isExternal(member.database))
    .map(({ member }) => member.database.name)
  const title = `### ${up ? 'Upgrade' : 'Downgrade'} to ${code(target)}${phase ? `, phase ${code(phase)}` : ''}`
  const summary =
    busy.length === 0
      ? `Nothing to ${up ? 'apply' : 'revert'}.`
      : `${count(order.size, 'revision')} to ${up ? 'apply' : 'revert'} in ${count(busy.length, 'database')}.${describeDangers(busy, up, scripts)}`
  return [
    title,
    summary,
    ...(plan.segments.length > 0 ? describeHooks(hooks, 'of the run') : []),
    ...busy.flatMap((database) => [
      describeDatabase(database, up, order, scripts),
      ...describeHooks(hooksOf(database.member.database), `of ${database.member.database.name}`),
    ]),
    ...external.map((database) => describeExternal(database)),
    ...plan.databases.flatMap(({ member, tenants }) =>
      tenants ? [describeTenants(member.database.name, tenants)] : [],
    ),
    ...(idle.length > 0 && busy.length > 0 ? [`Nothing to ${up ? 'apply' : 'revert'} in ${idle.join(', ')}.`] : []),
    ...describeHeldBack(plan),
  ].join('\n\n')
}

/** Which hooks run, in one line. @param whose in words */
function describeHooks(hooks: readonly Hook[], whose: string): readonly string[] {
  const parts = [...Map.groupBy(hooks, ({ moment }) => moment)].map(
    ([moment, own]) => `${moments[moment]} ${own.map(({ file }) => code(file)).join(', ')}`,
  )
  return parts.length > 0 ? [`Hooks ${whose}: ${parts.join('; ')}.`] : []
}

/** What the databases stop before, as one list. */
function describeHeldBack({ databases }: ReleasePlan): readonly string[] {
  const items = databases.flatMap(({ member, heldBack = [] }) =>
    heldBack.map(({ revision, phase, waitsFor }) => {
      const reason = waitsFor ? `, which waits for ${code(`${waitsFor.database}/${waitsFor.revision}`)}` : ''
      return `- ${member.database.name} stops before ${code(revision.id)} ${escape(revision.message)}${reason} (**${phase}**)`
    }),
  )
  return items.length > 0 ? [items.join('\n')] : []
}

function describeExternal({ name, config }: Database): string {
  const { command, managedBy } = config.external ?? {}
  return `#### ${name}\n\n${command ? `Runs ${code(command.join(' '))}.` : `Managed by ${escape(managedBy ?? '')}.`}`
}

/** The tenants of a database: a row for those for whom the same is to be done. */
function describeTenants(name: string, { survey }: TenantsPlan): string {
  const rows = survey.groups.flatMap(({ plan, count: tenants }) =>
    plan.kind === 'steps'
      ? [
          `| ${tenants} | ${plan.steps.map(({ revision }) => `${code(revision.id)} ${escape(revision.message)}`).join('<br>')} |`,
        ]
      : [],
  )
  const title = `#### ${name}\n\n${standingOf(survey)}.`
  return rows.length === 0 ? title : `${title}\n\n| tenants | revisions |\n| --- | --- |\n${rows.join('\n')}`
}

function describeDangers(databases: readonly DatabasePlan[], up: boolean, scripts: ReadonlyMap<Step, Script>): string {
  const steps = databases.flatMap((database) => database.steps)
  const losing = steps.filter((step) => findDataLoss(scripts.get(step)!).length > 0).length
  const oneWay = up ? steps.filter(({ revision }) => !revision.reversible).length : 0
  return [
    losing > 0 ? ` **${losing} of them ${losing === 1 ? 'loses' : 'lose'} data.**` : '',
    oneWay > 0 ? ` **${oneWay} of them cannot be reverted.**` : '',
  ].join('')
}

function describeDatabase(
  { member, steps, snapshot }: DatabasePlan,
  up: boolean,
  order: ReadonlyMap<Step, number>,
  scripts: ReadonlyMap<Step, Script>,
): string {
  const rows = steps.map((step) => {
    const marks = [
      ...(isLoaded(step, snapshot) ? ['loaded'] : []),
      ...(findDataLoss(scripts.get(step)!).length > 0 ? ['**loses data**'] : []),
      ...(up && !step.revision.reversible ? ['**irreversible**'] : []),
      ...marksOfRun(step.revision),
    ]
    const cells = [String(order.get(step)), code(step.revision.id), escape(step.revision.message), marks.join(', ')]
    return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |')
  })
  const losses = steps.flatMap((step) =>
    findDataLoss(scripts.get(step)!).map((loss) => `- ${code(step.revision.id)} loses data: ${code(loss)}`),
  )
  return [
    `#### ${member.database.name}`,
    '',
    ...(snapshot
      ? [`Loads ${code(snapshot.file)}, which stands for ${count(snapshot.revisions.length, 'revision')}.`, '']
      : []),
    `| # | revision | ${up ? 'applies' : 'reverts'} | |`,
    '| ---: | --- | --- | --- |',
    ...rows,
    ...(losses.length > 0 ? ['', ...losses] : []),
  ].join('\n')
}

/** Text that Markdown and HTML leave as it is, in one line, also in a cell of a table. Nobody is notified by it. */
export function escape(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]~|#]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '@&#8203;')
}

/** Text as code, in one line: between more backticks than it has in a row. */
export function code(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  const longest = Math.max(0, ...Array.from(line.matchAll(/`+/g), (match) => match[0].length))
  const fence = '`'.repeat(longest + 1)
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${fence}${space}${line}${space}${fence}`
}
