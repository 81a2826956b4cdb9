import type { ServerFacts } from '@drover/engine'

import { fine, type Finding, warn, wrong } from './finding.ts'

/** What there is on this machine, and in the workspace. Versions are as their programs print them. */
export interface EnvironmentFacts {
  readonly node: string
  /** What a package manager says of itself to what it starts: `pnpm/12.21.0 npm/? node/v24.21.0 linux x64`. */
  readonly userAgent: string | undefined
  /** The package manager that the workspace asks for: `pnpm@12.21.0`. */
  readonly packageManager: string | undefined
  /** Of the drizzle-kit that makes revisions. */
  readonly kit: string | undefined
  /** Of the drizzle-orm that each database with a schema sees. */
  readonly orm: readonly { readonly database: string; readonly version: string | undefined }[]
  /** What git does with `.env`; missing where there is no such file, or no git. */
  readonly dotEnv: 'tracked' | 'ignored' | 'untracked' | undefined
}

const oldestNode = 24

/** What there is to say of this machine and the workspace. Pure. */
export function judgeEnvironment(facts: EnvironmentFacts): readonly Finding[] {
  return [judgeNode(facts), judgePackageManager(facts), ...judgeDrizzle(facts), judgeDotEnv(facts)]
}

/** What there is to say of the server for shadows. Pure. @param live the versions of the databases' servers */
export function judgeShadows(shadow: ServerFacts, live: readonly number[]): Finding {
  if (!shadow.mayCreateDatabases) {
    return wrong(
      'shadows',
      `user "${shadow.user}" of DROVER_SHADOW_URL may not create databases`,
      `alter role ${shadow.user} createdb`,
    )
  }
  const major = majorOf(shadow.version)
  const other = live.map(majorOf).find((version) => version !== major)
  if (other !== undefined) {
    return warn(
      'shadows',
      `they are on PostgreSQL ${major}, and a database is on PostgreSQL ${other}: the two may write the same definition differently`,
      `set DROVER_SHADOW_URL to a server of PostgreSQL ${other}`,
    )
  }
  return fine('shadows', `on PostgreSQL ${shadow.versionText}`)
}

function majorOf(version: number): number {
  return Math.trunc(version / 10_000)
}

function judgeNode({ node }: EnvironmentFacts): Finding {
  if (Number(node.split('.')[0]) >= oldestNode) return fine('node', node)
  return wrong(
    'node',
    `${node} is older than ${oldestNode}, which runs TypeScript as it is`,
    `install Node ${oldestNode} or later; in this workspace "pnpm install" brings one along`,
  )
}

function judgePackageManager({ userAgent, packageManager }: EnvironmentFacts): Finding {
  const running = /^(\w+)\/(\S+)/.exec(userAgent ?? '')
  if (packageManager === undefined) return fine('packages', 'the workspace asks for no package manager')
  if (!running) return fine('packages', `the workspace asks for ${packageManager}; this was started without one`)
  const [, name, version] = running
  const wanted = packageManager.split('+')[0]
  if (`${name}@${version}` === wanted) return fine('packages', wanted)
  return warn(
    'packages',
    `this was started by ${name} ${version}, and the workspace asks for ${wanted}`,
    `use it: npx -y ${wanted} migrate doctor`,
  )
}

function judgeDrizzle({ kit, orm }: EnvironmentFacts): readonly Finding[] {
  if (orm.length === 0) return []
  if (kit === undefined) {
    return [
      wrong('drizzle', 'drizzle-kit, which makes revisions, is not installed', 'install the packages: pnpm install'),
    ]
  }
  const others = orm.filter(({ version }) => version !== kit)
  if (others.length === 0) return [fine('drizzle', `drizzle-kit and drizzle-orm ${kit}`)]
  return others.map(({ database, version }) =>
    version === undefined
      ? wrong(
          'drizzle',
          `drizzle-orm is not installed for ${database}, which has a schema`,
          `pnpm add drizzle-orm@${kit}`,
        )
      : wrong(
          'drizzle',
          `the schema of ${database} is of drizzle-orm ${version}, and revisions are made by drizzle-kit ${kit}`,
          `install the same version: pnpm add drizzle-orm@${kit}`,
        ),
  )
}

function judgeDotEnv({ dotEnv }: EnvironmentFacts): Finding {
  switch (dotEnv) {
    case 'tracked':
      return wrong(
        '.env',
        'it is in the repository, with the passwords that are in it',
        'git rm --cached .env, put it into .gitignore, and change those passwords: they stay in the history',
      )
    case 'untracked':
      return warn('.env', 'git does not ignore it, so that it may get into the repository', 'put .env into .gitignore')
    case 'ignored':
      return fine('.env', 'git ignores it')
    case undefined:
      return fine('.env', 'there is none, or no git')
  }
}
