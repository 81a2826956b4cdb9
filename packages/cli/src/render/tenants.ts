import type {
  ServerOutcome,
  SurveyGroup,
  TenantFailure,
  TenantsEvent,
  TenantsOutcome,
  TenantsPlan,
  TenantSurvey,
} from '@drover/orchestrator'
import { sumCounts } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { columns, count, duration, grouped, stepText } from './text.ts'

/** What happens while tenants are worked on, as a line of progress. @param database its name, as lines begin with it */
export function describeTenantsEvent(event: TenantsEvent, database: string, style: Style): string {
  switch (event.type) {
    case 'tenants-progress':
      return `${database}  ${progressWords(event)}`
    case 'tenant-failed':
      return `${database}  ${style.bad('failed')} ${placeOf(event.failure)}: ${event.failure.problem.message}`
    case 'tenant-parked':
      return `${database}  ${style.warn('later')} ${event.tenant.slug}: ${event.problem.message} (attempt ${event.attempt})`
    case 'canary-passed':
      return `${database}  ${style.good('first')} ${event.tenants.join(', ')}: nothing is wrong, and the others follow`
    case 'server-silent':
      return `${database}  ${style.warn('waiting')} for ${event.server || 'the server'}: ${event.problem.message}`
    case 'gate-passed-over':
      return `${database}  ${style.warn('not compared')}: ${event.problem.message}`
    case 'server-lost':
      return `${database}  ${style.bad('lost')} ${event.server || 'the server'}: ${event.problem.message}`
  }
}

type Progress = Extract<TenantsEvent, { readonly type: 'tenants-progress' }>

function progressWords({ done, failed, waiting, total, ratePerSecond, leftMs }: Progress): string {
  const share = total > 0 ? ` (${Math.floor((done / total) * 100)} %)` : ''
  return [
    `${grouped(done)} of ${grouped(total)} tenants${share}`,
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
    ...(waiting > 0 ? [`${grouped(waiting)} waiting`] : []),
    ...(ratePerSecond > 0 ? [`${grouped(Math.round(ratePerSecond))}/s`] : []),
    ...(leftMs !== undefined && leftMs > 0 ? [`${duration(leftMs)} left`] : []),
  ].join(', ')
}

/** What would be done for tenants, those with the same steps together. */
export function describeTenantsPlan(name: string, { wish, survey }: TenantsPlan, style: Style): readonly string[] {
  const verb = wish.direction === 'up' ? 'would apply' : 'would revert'
  return [
    `${style.strong(name)}: ${standingOf(survey)}`,
    ...survey.groups.flatMap(({ plan, count: tenants, slugs }) =>
      plan.kind === 'steps'
        ? [
            `  ${grouped(tenants)} of them (${someOf(slugs, tenants)}): ${verb} ${count(plan.steps.length, 'revision')}`,
            ...plan.steps.map((step) => `    ${stepText(step)}`),
          ]
        : [],
    ),
    ...describeTrouble(survey, style),
  ]
}

/** What keeps something from being done for tenants. */
function describeTrouble({ unusable, unread }: TenantSurvey, style: Style): readonly string[] {
  return [
    ...firstOf(unusable, (failure) => `${style.bad(placeOf(failure))}: ${failure.problem.message}`),
    ...unread.map(
      ({ server, count: tenants, problem }) =>
        `  ${style.bad(server || 'the server')}: ${problem.message} (${count(tenants, 'tenant')})`,
    ),
  ]
}

/** How many tenants there are, and how many of them are where they should be. */
export function standingOf({ total, groups }: TenantSurvey): string {
  if (total === 0) return 'no tenants'
  const upToDate = groups.filter(({ status }) => status.state === 'up-to-date').reduce((sum, one) => sum + one.count, 0)
  return upToDate === total
    ? `${count(total, 'tenant')}, up to date`
    : `${count(total, 'tenant')}, ${grouped(upToDate)} of them up to date`
}

/** Where tenants stand: one line for those that stand in the same place. */
export function describeStanding(name: string, survey: TenantSurvey, style: Style): readonly string[] {
  const rows = survey.groups.toSorted((a, b) => b.count - a.count).map((group) => standingCells(group))
  const lines = columns(rows.map((cells) => ['', ...cells]))
  return [`${style.strong(name)}: ${standingOf(survey)}`, ...lines, ...describeTrouble(survey, style)]
}

function standingCells({ status, count: tenants, slugs }: SurveyGroup): readonly string[] {
  const place = status.current.map((id) => (status.heads.includes(id) ? `${id} (head)` : id)).join(', ') || 'base'
  const words = {
    'up-to-date': 'up to date',
    behind: `behind: ${count(status.pending.length, 'revision')} pending`,
    ahead: 'ahead of the files',
    diverged: 'diverged from the files',
  }[status.state]
  return [grouped(tenants), place, words, ...(status.state === 'up-to-date' ? [] : [someOf(slugs, tenants)])]
}

/** How it went on tenants: one row for each server, fit for a screen whatever their number, and what failed. */
export function describeTenantsOutcome(outcome: TenantsOutcome, style: Style): readonly string[] {
  const { servers, failed, waiting } = outcome
  const isSingle = servers.length < 2
  const rows = [
    ['', ...(isSingle ? [] : ['server']), 'up to date', 'done', 'failed', 'waiting', 'not tried'],
    ...servers.map((server) => ['', ...(isSingle ? [] : [server.name]), ...countCells(server)]),
    ...(isSingle ? [] : [['', 'all', ...countCells(sumCounts(servers))]]),
  ]
  return [
    ...columns(rows),
    ...nameFailures(failed, 'failed', style),
    ...nameFailures(waiting, 'waiting', style),
    ...servers.flatMap(({ name, problem }) =>
      problem ? [`  ${style.bad(name || 'the server')}: ${problem.message}`] : [],
    ),
  ]
}

function countCells({ settled, done, failed, waiting, notTried }: Omit<ServerOutcome, 'name'>): readonly string[] {
  return [settled, done, failed, waiting, notTried].map(grouped)
}

function nameFailures(failures: readonly TenantFailure[], word: string, style: Style): readonly string[] {
  return firstOf(failures, (failure) => `${style.bad(word)} ${placeOf(failure)}: ${failure.problem.message}`)
}

/** How it went on tenants, in a few words. */
export function tenantsWords({ servers, revisions, isInterrupted }: TenantsOutcome): string {
  const { settled, done, failed, waiting, notTried } = sumCounts(servers)
  return [
    ...(isInterrupted ? ['interrupted'] : []),
    `${count(done, 'tenant')} moved by ${count(revisions, 'revision')}`,
    ...(settled > 0 ? [`${grouped(settled)} up to date`] : []),
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
    ...(waiting > 0 ? [`${grouped(waiting)} waiting`] : []),
    ...(notTried > 0 ? [`${grouped(notTried)} not tried`] : []),
  ].join(', ')
}

function placeOf({ slug, server }: TenantFailure): string {
  const name = plainly(slug)
  return server === '' ? name : `${name} on ${server}`
}

/** A slug on one line: a registry may hold anything, and a terminal obeys some of it. */
export function plainly(slug: string): string {
  return /\p{Cc}/u.test(slug) ? JSON.stringify(slug) : slug
}

/** A line for each of the first of what may be thousands, and how many others there are. */
export function firstOf<Item>(items: readonly Item[], describe: (item: Item) => string): readonly string[] {
  const lines = items.slice(0, mostNamed).map((item) => `  ${describe(item)}`)
  return items.length > mostNamed ? [...lines, `  and ${grouped(items.length - mostNamed)} more`] : lines
}

const mostNamed = 10

/** The first few of many, in words. */
export function someOf(slugs: readonly string[], total = slugs.length): string {
  const named = slugs.slice(0, 5)
  return total > named.length ? `${named.join(', ')}, …` : named.join(', ')
}
