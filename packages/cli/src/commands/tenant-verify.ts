import { buildTenantDatabase, buildTenantSchema, readShadowServer } from '@drover/drizzle'
import { describeDifference } from '@drover/engine'
import type { Problem } from '@drover/history'
import type { TenantFindings, Verification } from '@drover/orchestrator/tenants'

import type { ExitCode } from '../exit-code.ts'
import type { Style } from '../render/style.ts'
import { someOf } from '../render/tenants.ts'
import { count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'
import { filterOf, type TenantChoice } from '../tenant-filter.ts'
import { narrowToTenants, openTenants } from '../tenants.ts'

/** Proves that tenants are what the history makes, and keep to themselves. Writes nothing to any of them. */
export async function verifyTenants(session: Session, options: CommonOptions & TenantChoice): Promise<ExitCode> {
  const { workspace, databases } = await narrowToTenants(session)
  const { url, version } = await readShadowServer(await session.shadowServer(workspace))
  const documents = []
  const problems: Problem[] = []
  for (const database of databases) {
    await using set = await openTenants(session, workspace, database)
    const { verifyTenants: verify } = await import('@drover/orchestrator/tenants')
    const build = set.config.kind === 'schema' ? buildTenantSchema : buildTenantDatabase
    let told = performance.now()
    const { otherVersions, ...found } = await verify(set, {
      filter: filterOf(options, session.io.env),
      build: (revisions) => build(url, workspace.root, revisions),
      version,
      onProgress: (looked) => {
        if (performance.now() - told < 2000) return
        told = performance.now()
        session.progress(`${database.name}  ${count(looked, 'tenant')} compared`, database.name)
      },
    })
    for (const other of otherVersions) session.warn(versionWarning(database.name, other, version))
    session.print(...describe(database.name, found, session.out, options.verbose ? Infinity : undefined))
    problems.push(...problemsOf(database.name, found))
    documents.push({ name: database.name, ...found })
  }
  return session.finish({ databases: documents }, problems, problems.length === 0 ? 0 : 4)
}

type Found = Omit<Verification, 'otherVersions'>

function versionWarning(
  database: string,
  { server, version }: Verification['otherVersions'][number],
  shadow: number,
): Problem {
  return {
    code: 'TENANT_DIFFERS',
    database,
    message: `${server === '' ? 'its server' : `the server ${server}`} is PostgreSQL ${version} and that of the shadow PostgreSQL ${shadow}: the two may write the same definition differently`,
    hint: `set DROVER_SHADOW_URL to a server of PostgreSQL ${version}`,
  }
}

function describe(name: string, found: Found, style: Style, mostLines?: number): readonly string[] {
  const { looked, behind, findings } = found
  const late = behind > 0 ? `, ${behind} of them behind` : ''
  const title = `${style.strong(name)}: ${count(looked, 'tenant')} compared${late}`
  if (findings.length === 0) return [`${title}: ${style.good('as the history makes them, and each by itself')}`]
  return [title, ...findings.flatMap((one) => describeFindings(one, style, mostLines))]
}

function describeFindings(
  { tenant, server, differences, references, privileges }: TenantFindings,
  style: Style,
  mostLines?: number,
): readonly string[] {
  const lines = [
    ...(differences === undefined
      ? ['is not what its revisions make']
      : differences.flatMap((difference) => describeDifference(difference, mostLines))),
    ...references.map(({ object, to }) => `${object} needs ${to}`),
    ...privileges.map((one) =>
      one.kind === 'member'
        ? `${one.member} may act as ${one.role}`
        : `${one.grantee} may ${one.privileges.join(', ').toLowerCase()} ${one.object}${one.kind === 'default privilege' ? ' to come' : ''}`,
    ),
  ]
  return [
    `  ${style.bad(server === '' ? tenant.slug : `${tenant.slug} on ${server}`)}`,
    ...lines.map((line) => `    ${line}`),
  ]
}

function problemsOf(database: string, { findings, unusable, unread }: Found): readonly Problem[] {
  const named = [...findings.map(({ tenant }) => tenant.slug), ...unusable.map(({ slug }) => slug)]
  return [
    ...(named.length > 0
      ? [
          {
            code: 'TENANT_DIFFERS' as const,
            database,
            message: `${count(named.length, 'tenant')} not as the history makes ${named.length === 1 ? 'it' : 'them'}, or not by ${named.length === 1 ? 'itself' : 'themselves'}: ${someOf(named)}`,
            hint: 'undo by hand what was changed by hand, or write a revision that makes it the same everywhere',
            tenants: named,
          },
        ]
      : []),
    ...unread.map(({ problem }) => ({ ...problem, database })),
  ]
}
