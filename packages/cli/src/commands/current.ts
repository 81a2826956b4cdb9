import { allHeads, describeDone, type History, phases, type Problem } from '@drover/history'
import {
  type Database,
  findHalfDone,
  type Fleet,
  isExternal,
  type Member,
  type Status,
  statusOf,
  type TenantSurvey,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { fleetJson, tenantsPlanJson } from '../render/json.ts'
import type { Style } from '../render/style.ts'
import { describeStanding, someOf } from '../render/tenants.ts'
import { columns, count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'
import { filterOf, type TenantChoice } from '../tenant-filter.ts'

interface CurrentOptions extends CommonOptions, TenantChoice {
  readonly checkHeads?: boolean
}

/** Shows where the tenants of databases stand. */
export async function tenantCurrent(session: Session, options: CurrentOptions): Promise<ExitCode> {
  const { narrowToTenants } = await import('../tenants.ts')
  const { databases } = await narrowToTenants(session)
  return current(session.narrowedTo(databases), options)
}

/** Shows where each database stands. One that cannot be reached does not hide the others; the exit code tells. */
export async function current(session: Session, options: CurrentOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ external: true })
  await using fleet = await session.fleet(workspace, selected)
  const surveys = await surveyAll(fleet, session, options)
  session.print(
    ...columns(
      selected
        .filter((database) => !surveys.has(database))
        .map((database) => {
          const member = fleet.members.find((one) => one.database === database)
          if (member) return memberCells(member, session.out)
          // Databases of the development server are created by the first command that finds nothing wrong.
          const missing = fleet.unread.some((one) => one.database === database && one.problems.length === 0)
          return [database.name, '-', missing ? 'not created yet' : session.out.bad('cannot be read')]
        }),
    ),
  )
  const own = fleet.members.filter((member) => !isExternal(member.database) && !surveys.has(member.database))
  for (const [database, survey] of surveys) session.print(...describeStanding(database.name, survey, session.out))
  if (options.verbose) for (const member of own) session.print(...appliedLines(member))
  for (const member of fleet.members) {
    const halfDone = findHalfDone(member)
    if (halfDone && !options.checkHeads) session.warn(halfDone)
  }
  const unread = fleet.unread.flatMap((one) => one.problems)
  const problems = options.checkHeads
    ? [...unread, ...selected.flatMap((one) => findLag(one, fleet, surveys.get(one)))]
    : unread
  const tenants = new Map(
    [...surveys].map(([database, survey]) => [database, tenantsPlanJson(database.name, survey, { all: true })]),
  )
  const plain = fleetJson(selected, fleet)
  return session.finish({ databases: selected.map((database, at) => tenants.get(database) ?? plain[at]!) }, problems)
}

/** How the tenants of databases stand. */
async function surveyAll(
  { members }: Fleet,
  session: Session,
  options: CurrentOptions,
): Promise<ReadonlyMap<Database, TenantSurvey>> {
  const surveys = new Map<Database, TenantSurvey>()
  for (const { database, tenants } of members) {
    if (!tenants) continue
    const { surveyTenants } = await import('@drover/orchestrator/tenants')
    const wish = { direction: 'up', target: allHeads } as const
    const filter = filterOf(options, session.io.env)
    surveys.set(database, await surveyTenants(tenants, wish, filter, { all: options.json === true }))
  }
  return surveys
}

/** What keeps tenants from being up to date. */
function findTenantLag(
  about: Pick<Problem, 'code' | 'database'>,
  { groups, unusable, unread }: TenantSurvey,
): readonly Problem[] {
  const behind = groups.filter(({ status }) => status.state !== 'up-to-date')
  const number = behind.reduce((sum, { count: own }) => sum + own, unusable.length)
  const slugs = [...behind.flatMap((group) => group.slugs), ...unusable.map(({ slug }) => slug)]
  return [
    ...(number > 0
      ? [
          {
            ...about,
            message: `${count(number, 'tenant')} not up to date: ${someOf(slugs, number)}`,
            hint: 'pnpm migrate tenant upgrade',
          },
        ]
      : []),
    ...unread.map(({ problem }) => ({ ...problem, ...about })),
  ]
}

/** What keeps a database that could be read from being up to date. */
function findLag(database: Database, fleet: Fleet, tenants: TenantSurvey | undefined): readonly Problem[] {
  if (tenants) return findTenantLag({ code: 'NOT_UP_TO_DATE', database: database.name }, tenants)
  const member = fleet.members.find((one) => one.database === database)
  const about = { code: 'NOT_UP_TO_DATE', database: database.name } as const
  // Databases of the development server are created by the first command that finds nothing wrong.
  const missing = fleet.unread.some((one) => one.database === database && one.problems.length === 0)
  if (missing) return [{ ...about, message: 'not created yet', hint: 'pnpm migrate upgrade' }]
  if (!member) return []
  const halfDone = findHalfDone(member)
  if (halfDone) return [{ ...about, message: halfDone.message, ...(halfDone.hint && { hint: halfDone.hint }) }]
  const { state, pending } = statusOf(member)
  switch (state) {
    case 'up-to-date':
      return []
    case 'behind':
      return [
        {
          ...about,
          message: `not up to date: ${count(pending.length, 'revision')} pending`,
          hint: `pnpm migrate upgrade heads -d ${database.name}`,
        },
      ]
    case 'ahead':
    case 'diverged': {
      const message = state === 'ahead' ? 'ahead of the files' : 'diverged from the files'
      return [{ ...about, message, hint: `see what disagrees: pnpm migrate check -d ${database.name}` }]
    }
  }
}

function memberCells(member: Member, style: Style): readonly string[] {
  const { external } = member.database.config
  if (external) return [member.database.name, '-', `managed by ${external.managedBy}`]
  const status = statusOf(member)
  const place = status.current.map((id) => (status.heads.includes(id) ? `${id} (head)` : id)).join(', ')
  const { halfDone } = member.state
  if (halfDone) {
    const verb = halfDone.direction === 'up' ? 'applied' : 'reverted'
    const words = halfDone.held
      ? style.warn(`${halfDone.id} is being ${verb}: ${describeDone(halfDone)}`)
      : style.bad(`${halfDone.id} is half ${verb}`)
    return [member.database.name, place || 'base', words]
  }
  return [member.database.name, place || 'base', stateText(status, member, style)]
}

function stateText(status: Status, { history }: Member, style: Style): string {
  switch (status.state) {
    case 'up-to-date':
      return style.good('up to date')
    case 'behind':
      return style.warn(`behind: ${count(status.pending.length, 'revision')} pending${phasesText(status, history)}`)
    case 'ahead':
      return style.bad('ahead of the files: see pnpm migrate check')
    case 'diverged':
      return style.bad('diverged from the files: see pnpm migrate check')
  }
}

/** How many of what is pending belong to which phase: `, of which 1 backfill, 2 contract`. */
function phasesText({ pending }: Status, history: History): string {
  const counts = phases
    .map((phase) => ({ phase, number: pending.filter((id) => history.byId.get(id)?.phase === phase).length }))
    .filter(({ number }) => number > 0)
    .map(({ phase, number }) => `${number} ${phase}`)
  return counts.length > 0 ? `, of which ${counts.join(', ')}` : ''
}

function appliedLines(member: Member): readonly string[] {
  const rows = member.state.applied
    .toSorted((a, b) => (a.appliedAt < b.appliedAt ? -1 : 1))
    .map((row) => [`  ${row.id}`, row.appliedAt, member.history.byId.get(row.id)?.message ?? '(its folder is missing)'])
  return [`${member.database.name}: ${count(rows.length, 'revision')} applied`, ...columns(rows)]
}
