import {
  type AccessStep,
  type DeclaredAccess,
  describeStep,
  generatePassword,
  type Passwords,
  type PasswordStep,
  provision,
  readSecrets,
  roleKinds,
  wantedAccess,
  type WantedAccess,
  writeSecrets,
} from '@drover/access'
import { ConnectionUrl } from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'
import {
  type Database,
  type Located,
  problemsOf,
  readPassword,
  readVariable,
  type Workspace,
} from '@drover/orchestrator'

import type { Style } from './render/style.ts'
import { count } from './render/text.ts'
import { roleSecretsFile, type Session } from './session.ts'

/** What a database declares of its roles, if anything. */
export function declaredAccess(
  { name, config: { access } }: Database,
  { databases }: Workspace,
): DeclaredAccess | undefined {
  if (!access) return undefined
  const { owner, app, readonly, extensions } = access
  const makesRoles = databases.some(
    ({ config: { tenants } }) => tenants?.role !== undefined && tenants.registry.database === name,
  )
  return { name, roles: { owner, app, readonly }, extensions, ...(makesRoles && { makesRoles }) }
}

/** What is declared in a whole workspace. */
export function allDeclared(workspace: Workspace): readonly DeclaredAccess[] {
  return workspace.databases.flatMap((database) => declaredAccess(database, workspace) ?? [])
}

/**
 * The login of an administrator for a database: `<NAME>_ADMIN_URL`, or `DROVER_ADMIN_URL` where that leads to the same server.
 * Over it, the database itself is reached as well.
 * @throws {DroverError} `URL_INVALID`
 */
export function findAdministrator(
  { name }: Database,
  { host, port }: ConnectionUrl,
  environment: Session['io']['env'],
): ConnectionUrl | undefined {
  const own = readVariable(`${variablePrefix(name)}_ADMIN_URL`, environment)
  if (own) return ConnectionUrl.parse(own.text, own.source)
  const common = readVariable('DROVER_ADMIN_URL', environment)
  const url = common && ConnectionUrl.parse(common.text, common.source)
  return url?.host === host && url.port === port ? url : undefined
}

/** The passwords that the environment has for the roles of a database; that of the owner is in the database's own URL. */
export function findPasswords(
  { name, config: { access } }: Database,
  url: ConnectionUrl | undefined,
  environment: Session['io']['env'],
): Passwords {
  const owner = url?.user === access?.owner ? url?.revealPassword() : undefined
  const app = readPassword(`${variablePrefix(name)}_APP_PASSWORD`, environment)?.text
  const readonly = readPassword(`${variablePrefix(name)}_READONLY_PASSWORD`, environment)?.text
  return { ...(owner && { owner }), ...(app && { app }), ...(readonly && { readonly }) }
}

/** One database that is to be provisioned. */
interface Work {
  readonly database: Database
  readonly wanted: WantedAccess
  /** Logs in as whoever does it. */
  readonly url: ConnectionUrl
  readonly passwords: Passwords
  /** What is to be done. */
  readonly steps: readonly (AccessStep | PasswordStep)[]
  /** Keeps what was generated. */
  readonly keep?: () => Promise<void>
}

/** What there is to do, or what stands in the way of it. */
export type Provisioning =
  | { readonly ok: true; readonly works: readonly Work[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Finds out what is missing of databases, roles and grants, and changes nothing. Databases that declare no roles have nothing
 * missing.
 * @throws {DroverError} when it cannot be known where the databases are
 */
export async function planProvisioning(
  session: Session,
  workspace: Workspace,
  selected: readonly Database[],
): Promise<Provisioning> {
  const problems: Problem[] = []
  const works: Work[] = []
  // All of them, so that a URL that is missing is known before anything is made anywhere.
  for (const located of await session.locate(workspace, selected)) {
    if (!located.database.config.access) continue
    try {
      const work = await planOne(session, workspace, located)
      if (work.steps.length > 0) works.push(work)
    } catch (error) {
      problems.push(...problemsOf(error, located.database.name))
    }
  }
  return problems.length === 0 ? { ok: true, works } : { ok: false, problems }
}

/** What there is to do, in lines. With `dryRun` every step. */
export function describeProvisioning(works: readonly Work[], dryRun: boolean, style: Style): readonly string[] {
  return works.flatMap(({ database, steps }) => {
    const name = style.strong(database.name)
    if (!dryRun) return [`${name}: ${count(steps.length, 'change')} to its roles and grants`]
    return [
      `${name}: would make ${count(steps.length, 'change')} to its roles and grants`,
      ...steps.map((step) => `  ${describeStep(step)}`),
    ]
  })
}

/** Called with steps of a database, as text, which never holds a password. */
type OnSteps = (database: string, steps: readonly string[]) => void

/** Tells what there is to do, as data. */
export function tellSteps(works: readonly Work[], onSteps: OnSteps): void {
  for (const { database, steps } of works) onSteps(database.name, steps.map(describeStep))
}

/**
 * Does it, a line of progress for each step. What fails ends it; what was done stays, and the next call goes on from there.
 * @param onSteps called with what has been done for good
 */
export async function carryOutProvisioning(
  session: Session,
  works: readonly Work[],
  onSteps: OnSteps,
): Promise<readonly Problem[]> {
  for (const { database, wanted, url, passwords, keep } of works) {
    const onStep = (step: AccessStep | PasswordStep) => {
      session.progress(`${database.name}: ${describeStep(step)}`, database.name)
      if (step.where === 'password' || step.makes === undefined || passwords[step.makes] !== undefined) return
      const variable = `${variablePrefix(database.name)}_${step.makes.toUpperCase()}_PASSWORD`
      const role = wanted.roles[step.makes]
      session.progress(
        `${database.name}: ${role} has no password yet: set ${variable} and run init again, or use \\password of psql`,
        database.name,
      )
    }
    try {
      const onDone = (steps: readonly (AccessStep | PasswordStep)[]) => onSteps(database.name, steps.map(describeStep))
      await provision(wanted, url, { passwords, onStep, onDone })
      await keep?.()
    } catch (error) {
      return problemsOf(error, database.name)
    }
  }
  return []
}

async function planOne(session: Session, workspace: Workspace, located: Located): Promise<Work> {
  const { database, url, development } = located
  const declared = declaredAccess(database, workspace)!
  const wanted = wantedAccess(declared, url.database, allDeclared(workspace))
  const environment = session.environment(workspace)
  if (development) return planDevelopment(session, workspace, database, wanted)
  if (url.user !== declared.roles.owner) throw ownedByOther(database, declared, url)
  const administrator = findAdministrator(database, url, environment)
  const passwords = findPasswords(database, url, environment)
  if (administrator) {
    const steps = await provision(wanted, administrator, { passwords, dryRun: true })
    return { database, wanted, url: administrator, passwords, steps }
  }
  const steps = await provision(wanted, url, { passwords: {}, dryRun: true }).catch((error: unknown) => {
    if (!(error instanceof DroverError && ['AUTHENTICATION_FAILED', 'DATABASE_MISSING'].includes(error.code)))
      throw error
    return undefined
  })
  // What is in its own database, the owner can put right itself.
  if (!steps || steps.some(({ where }) => where !== 'database')) throw administratorMissing(database, url)
  return { database, wanted, url, passwords: {}, steps }
}

/** On the development server, passwords are made up, and kept beside it. */
async function planDevelopment(
  session: Session,
  workspace: Workspace,
  database: Database,
  wanted: WantedAccess,
): Promise<Work> {
  const url = await session.developmentServer(workspace)
  const [file, server] = [roleSecretsFile(workspace.root), url.revealPassword()]
  const known = (await readSecrets(file, server)).passwords
  const passwords = Object.fromEntries(
    roleKinds.map((kind) => [kind, known.get(wanted.roles[kind]) ?? generatePassword()]),
  )
  const steps = await provision(wanted, url, { passwords, dryRun: true })
  const keep = async () => {
    const { passwords: before } = await readSecrets(file, server)
    const own = roleKinds.map((kind) => [wanted.roles[kind], passwords[kind]!] as const)
    await writeSecrets(file, server, { passwords: new Map([...before, ...own]) })
  }
  return { database, wanted, url, passwords, steps, keep }
}

function ownedByOther(database: Database, { roles }: DeclaredAccess, { source, user }: ConnectionUrl): DroverError {
  return new DroverError({
    code: 'CONFIG_INVALID',
    database: database.name,
    message: `${source} logs in as "${user}", and ${database.folder}/database.ts declares "${roles.owner}" as the owner`,
    hint: `put the login of "${roles.owner}" into ${source} (init gives it that password), and the administrator's URL into DROVER_ADMIN_URL`,
  })
}

function administratorMissing({ name }: Database, { host, port }: ConnectionUrl): DroverError {
  return new DroverError({
    code: 'URL_MISSING',
    database: name,
    message: `making its roles and grants on ${host}:${port} takes an administrator of that server, and no variable names one`,
    hint: `set DROVER_ADMIN_URL (or ${variablePrefix(name)}_ADMIN_URL where it is another server), or give your administrator the script of: pnpm --silent migrate init --sql -d ${name}`,
  })
}

/** `my-db` → `MY_DB`. */
function variablePrefix(name: string): string {
  return name.replaceAll('-', '_').toUpperCase()
}
