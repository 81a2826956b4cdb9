import { allHeads } from '@drover/history'
import type { TenantSurvey } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { tenantsPlanJson } from '../render/json.ts'
import { plainly } from '../render/tenants.ts'
import { columns } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'
import { narrowToTenants, openTenants } from '../tenants.ts'
import { filterOf, type TenantChoice } from '../tenant-filter.ts'

interface ListOptions extends CommonOptions, TenantChoice {
  readonly state?: string
}

/** Shows each tenant with where it is, and what there is that belongs to none. */
export async function listTenants(session: Session, options: ListOptions): Promise<ExitCode> {
  const { workspace, databases } = await narrowToTenants(session)
  const documents = []
  const filter = filterOf(options, session.io.env)
  for (const database of databases) {
    await using set = await openTenants(session, workspace, database)
    const { findOrphans, surveyTenants } = await import('@drover/orchestrator/tenants')
    const found = await surveyTenants(set, { direction: 'up', target: allHeads }, filter, { all: true })
    const survey = options.state === undefined ? found : narrow(found, options.state)
    const isWhole = Object.keys(filter).length === 0 && options.state === undefined
    const orphans = isWhole ? await findOrphans(set) : []
    session.print(...columns(rowsOf(survey)))
    for (const { server, target: name } of orphans) {
      session.warn({
        code: 'TENANT_UNKNOWN',
        database: database.name,
        message: `${name}${server === '' ? '' : ` on ${server}`} has revisions, and there is no tenant that it belongs to`,
        hint: 'finish it with: pnpm migrate tenant create <slug>; or be rid of it with: pnpm migrate tenant drop <slug>',
      })
    }
    for (const { problem } of survey.unread) session.warn({ ...problem, database: database.name })
    documents.push({ ...tenantsPlanJson(database.name, survey, { all: true }), ...(orphans.length > 0 && { orphans }) })
  }
  return session.finish({ databases: documents })
}

function narrow(survey: TenantSurvey, state: string): TenantSurvey {
  const groups = survey.groups.filter(({ status }) => status.state === state)
  return { ...survey, groups, unusable: state === 'unusable' ? survey.unusable : [], unread: [] }
}

function rowsOf({ groups, unusable, unread }: TenantSurvey): readonly (readonly string[])[] {
  const rows = [
    ...groups.flatMap(({ status, slugs, targets }) =>
      slugs.map((slug, at) => [slug, targets[at]!, status.current.join(', ') || 'base', stateOf(status)]),
    ),
    ...unusable.map(({ slug, target, problem }) => [
      plainly(slug),
      slug === target ? '-' : target,
      '-',
      problem.message,
    ]),
    ...unread.map(({ server, count, problem }) => [`${count} on ${server || 'the server'}`, '-', '-', problem.message]),
  ].toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1))
  return rows.length === 0 ? [['no tenants']] : rows
}

function stateOf({ state, pending }: TenantSurvey['groups'][number]['status']): string {
  return state === 'behind' ? `behind: ${pending.length} pending` : state.replaceAll('-', ' ')
}
