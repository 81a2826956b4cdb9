import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { installedVersion, kitVersion } from '@drover/drizzle'
import { ConnectionUrl, isAlive, openConnection, readServerFacts } from '@drover/engine'
import { DroverError } from '@drover/history'
import {
  type Database,
  type EnvironmentFacts,
  examineDatabases,
  fine,
  type Finding,
  isExternal,
  judgeEnvironment,
  judgeShadows,
  type Located,
  problemsOf,
  readVariable,
  type Workspace,
  wrongAs,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { findAdministrator } from '../provisioning.ts'
import { findingJson, findingLines, findingProblems } from '../render/doctor.ts'
import { count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'

/** Looks at everything that runs could stumble over, and says what to do about it. Changes nothing. */
export async function doctor(session: Session, _options: CommonOptions): Promise<ExitCode> {
  const found = await findWorkspace(session)
  if ('problems' in found) return tell(session, found.problems, [])
  const { workspace, selected } = found
  const [environment, located] = await Promise.all([
    readEnvironment(session, workspace, selected),
    locateEach(session, workspace, selected),
  ])
  const places = located.flatMap((one) => ('url' in one ? [one] : []))
  const examined = await examineDatabases(places, {
    root: workspace.root,
    hasAdministrator: ({ database, url, development }) =>
      development || findAdministrator(database, url, session.environment(workspace)) !== undefined,
    isAlive,
  })
  const general = [
    fine('workspace', `${count(workspace.databases.length, 'database')} in ${workspace.root}`),
    ...judgeEnvironment(environment),
    ...(await examineShadows(session, workspace, places)),
  ]
  const databases = located.map((one) => ({
    name: one.database.name,
    findings: 'url' in one ? [describePlace(one), ...(examined.get(one.database) ?? [])] : one.findings,
  }))
  return tell(session, general, databases)
}

interface Examined {
  readonly name: string
  readonly findings: readonly Finding[]
}

function tell(session: Session, general: readonly Finding[], databases: readonly Examined[]): ExitCode {
  session.print(...findingLines(general, session.out))
  for (const { name, findings } of databases) {
    session.print(session.out.strong(name), ...findingLines(findings, session.out).map((line) => `  ${line}`))
  }
  const problems = [
    ...findingProblems(general),
    ...databases.flatMap(({ name, findings }) => findingProblems(findings, name)),
  ]
  const body = {
    findings: general.map(findingJson),
    databases: databases.map(({ name, findings }) => ({ name, findings: findings.map(findingJson) })),
  }
  return session.finish(body, problems, problems.length > 0 ? 4 : 0)
}

/** What is wrong with a `database.ts` is a finding; what was typed wrong ends the command. */
async function findWorkspace(
  session: Session,
): Promise<
  { readonly workspace: Workspace; readonly selected: readonly Database[] } | { readonly problems: readonly Finding[] }
> {
  try {
    return await session.workspace({ external: true })
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'CONFIG_INVALID') throw error
    return { problems: error.problems.map((problem) => wrongAs('workspace', problem)) }
  }
}

/** Where each of them is. One whose URL is missing or wrong is not to hide the others. */
async function locateEach(
  session: Session,
  workspace: Workspace,
  selected: readonly Database[],
): Promise<readonly (Located | { readonly database: Database; readonly findings: readonly Finding[] })[]> {
  const located: (Located | { readonly database: Database; readonly findings: readonly Finding[] })[] = []
  // One after the other: the development server is started by the first.
  for (const database of selected) {
    try {
      located.push(...(await session.locate(workspace, [database])))
    } catch (error) {
      const findings = problemsOf(error, database.name).map((problem) => wrongAs('url', problem))
      located.push({ database, findings })
    }
  }
  return located
}

function describePlace({ url, development }: Located): Finding {
  return fine(
    'url',
    development ? `${url.toString()}, on the development server` : `${url.toString()}, from ${url.source}`,
  )
}

async function examineShadows(
  session: Session,
  workspace: Workspace,
  located: readonly Located[],
): Promise<readonly Finding[]> {
  // Without the variable they are on the development server, which is ours.
  if (!readVariable('DROVER_SHADOW_URL', session.environment(workspace))) {
    return [fine('shadows', 'on the development server, which is started when it is needed')]
  }
  try {
    const url = ConnectionUrl.parse(await session.shadowServer(workspace), 'DROVER_SHADOW_URL')
    await using connection = openConnection(url)
    const shadow = await readServerFacts(connection)
    const live = await Promise.all(located.filter(({ database }) => !isExternal(database)).map(versionOf))
    return [judgeShadows(shadow, live.flat())]
  } catch (error) {
    return problemsOf(error, '').map(({ code, message, hint }) =>
      wrongAs('shadows', { code, message, ...(hint !== undefined && { hint }) }),
    )
  }
}

/** The version of a database's server; nothing where it cannot be reached, which is said elsewhere. */
async function versionOf({ url }: Located): Promise<readonly number[]> {
  await using connection = openConnection(url)
  try {
    const [row] = await connection.send('show server_version_num')
    return [Number(row?.['server_version_num'])]
  } catch {
    return []
  }
}

async function readEnvironment(
  session: Session,
  { root }: Workspace,
  selected: readonly Database[],
): Promise<EnvironmentFacts> {
  return {
    node: process.versions.node,
    userAgent: session.io.env['npm_config_user_agent'],
    packageManager: readPackageManager(root),
    kit: kitVersion(),
    orm: selected
      .filter(({ config }) => config.schema !== undefined)
      .map(({ name, folder }) => ({ database: name, version: installedVersion('drizzle-orm', join(root, folder)) })),
    dotEnv: existsSync(join(root, '.env')) ? await askGit(root, session.io.env) : undefined,
  }
}

function readPackageManager(root: string): string | undefined {
  const file = join(root, 'package.json')
  if (!existsSync(file)) return undefined
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const named = typeof manifest === 'object' && manifest !== null && 'packageManager' in manifest
    return named && typeof manifest.packageManager === 'string' ? manifest.packageManager : undefined
  } catch {
    // What is wrong with it, the package manager says.
    return undefined
  }
}

/** What git does with `.env`; `undefined` where there is no git, or no repository. */
async function askGit(root: string, env: Session['io']['env']): Promise<EnvironmentFacts['dotEnv']> {
  const ask = (...args: readonly string[]) =>
    new Promise<number | undefined>((resolve) => {
      const { PATH, HOME } = env
      const options = { cwd: root, env: { ...(PATH !== undefined && { PATH }), ...(HOME !== undefined && { HOME }) } }
      const child = execFile('git', args, options, () => resolve(child.exitCode ?? undefined))
    })
  if ((await ask('rev-parse', '--is-inside-work-tree')) !== 0) return undefined
  if ((await ask('ls-files', '--error-unmatch', '.env')) === 0) return 'tracked'
  return (await ask('check-ignore', '--quiet', '.env')) === 0 ? 'ignored' : 'untracked'
}
