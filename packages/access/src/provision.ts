import {
  type Connection,
  type ConnectionUrl,
  openConnection,
  quoteIdentifier,
  quoteLiteral,
  pinSearchPath,
} from '@drover/engine'
import { DroverError } from '@drover/history'

import { type RoleKind, roleKinds, type WantedAccess } from './declare.ts'
import { type AccessStep, describeStep, type PasswordStep, planDatabase, planServer } from './plan.ts'
import { emptyDatabase, readDatabase, readServer, readVerifiers } from './read.ts'
import { isVerifierOf, makeVerifier } from './verifier.ts'

/** The passwords that are known. */
export type Passwords = Readonly<Partial<Record<RoleKind, string>>>

/** How to provision. */
export interface ProvisionOptions {
  readonly passwords: Passwords
  /** Whether the steps are only found out. Default `false`. */
  readonly dryRun?: boolean
  /** Called with each step before it is taken. */
  readonly onStep?: (step: AccessStep | PasswordStep) => void
  /** Called with steps that have been taken for good: a transaction takes several, and undoes them together. */
  readonly onDone?: (steps: readonly (AccessStep | PasswordStep)[]) => void
}

/**
 * Makes what is missing of a database, its roles and its grants. Passwords are sent as SCRAM verifiers, so that none stands in
 * a statement.
 * @param administrator logs in as somebody who may create roles and databases; its database is any that exists
 * @returns the steps that were taken, or with `dryRun` would be; none when there was nothing to do. Several runs may be at it at once
 * @throws {DroverError} `PRIVILEGE_MISSING` or `STATEMENT_FAILED` with the statement, or what is wrong with the connection
 */
export async function provision(
  wanted: WantedAccess,
  administrator: ConnectionUrl,
  options: ProvisionOptions,
): Promise<readonly (AccessStep | PasswordStep)[]> {
  refuseOwnRoles(wanted, administrator)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await provisionOnce(wanted, administrator, options)
    } catch (error) {
      if (!isRace(error) || attempt === 20) throw error
      // Somebody else is doing the same. What is left to do then is looked at anew.
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 200))
    }
  }
}

async function provisionOnce(
  wanted: WantedAccess,
  administrator: ConnectionUrl,
  options: ProvisionOptions,
): Promise<readonly (AccessStep | PasswordStep)[]> {
  await using server = openConnection(administrator)
  await using inside = openConnection(administrator.withDatabase(wanted.database))
  const facts = await readServer(server, wanted)
  const passwords = await findOtherPasswords(server, wanted, administrator, options.passwords)
  const first = planServer(wanted, facts, passwords)
  if (!options.dryRun) await takeSteps(server, wanted, first, options)
  // A database that is not there yet will be an empty one.
  const found = facts.database || !options.dryRun ? await readDatabase(inside, wanted) : emptyDatabase
  const second = planDatabase(wanted, found)
  if (!options.dryRun) await takeSteps(inside, wanted, second, options)
  return [...first, ...second]
}

/** Something was made in between: a role, a database; or two changed one row of the catalogue, which has no code of its own. */
function isRace(error: unknown): boolean {
  if (!(error instanceof DroverError)) return false
  const { sqlstate, message } = error.problems[0]
  if (sqlstate === 'XX000') return message.includes('concurrently updated')
  return sqlstate !== undefined && ['42710', '42P04', '23505', '40P01', '55006'].includes(sqlstate)
}

/** An administrator who is one of the roles would take away from itself what it needs. */
function refuseOwnRoles({ name, roles }: WantedAccess, { user, source }: ConnectionUrl): void {
  const kind = roleKinds.find((one) => one !== 'owner' && roles[one] === user)
  if (kind === undefined) return
  throw new DroverError({
    code: 'CONFIG_INVALID',
    database: name,
    message: `${source} logs in as ${user}, which is the ${kind} role of ${name}`,
    hint: `let ${source} name an administrator: somebody who may create roles and databases`,
  })
}

async function takeSteps(
  connection: Connection,
  wanted: WantedAccess,
  steps: readonly (AccessStep | PasswordStep)[],
  { passwords, onStep, onDone }: ProvisionOptions,
): Promise<void> {
  const take = async (step: AccessStep | PasswordStep) => {
    onStep?.(step)
    await sendStep(connection, wanted, step, passwords)
  }
  for (const together of groupSteps(steps)) {
    const isAlone = together.some((step) => step.where === 'alone')
    if (isAlone) await takeEach(together, take)
    else await inTransaction(connection, () => takeEach(together, take))
    onDone?.(together)
  }
}

/** What goes into one transaction each, and between them what cannot be in any. */
function groupSteps(steps: readonly (AccessStep | PasswordStep)[]): readonly (typeof steps)[] {
  const at = steps.findIndex((step) => step.where === 'alone')
  const groups = at === -1 ? [steps] : [steps.slice(0, at), steps.slice(at, at + 1), steps.slice(at + 1)]
  return groups.filter((group) => group.length > 0)
}

async function takeEach<Step>(steps: readonly Step[], take: (step: Step) => Promise<void>): Promise<void> {
  for (const step of steps) await take(step)
}

async function inTransaction(connection: Connection, work: () => Promise<void>): Promise<void> {
  await connection.send(`begin;\n${pinSearchPath}`)
  try {
    await work()
    await connection.send('commit')
  } catch (error) {
    await connection.send('rollback')
    throw error
  }
}

async function sendStep(
  connection: Connection,
  wanted: WantedAccess,
  step: AccessStep | PasswordStep,
  passwords: Passwords,
): Promise<void> {
  const sql =
    step.where === 'password'
      ? `alter role ${quoteIdentifier(step.role)} password ${quoteLiteral(makeVerifier(passwords[step.kind] ?? ''))}`
      : step.sql
  try {
    await connection.send(sql)
  } catch (error) {
    if (error instanceof DroverError) throw error
    const sqlstate = error instanceof Error && 'code' in error ? String(error.code) : undefined
    const { user, source } = connection.url
    throw new DroverError(
      {
        code: sqlstate === '42501' ? 'PRIVILEGE_MISSING' : 'STATEMENT_FAILED',
        database: wanted.name,
        message: error instanceof Error ? error.message : String(error),
        hint:
          sqlstate === '42501'
            ? `"${user}" of ${source} may not do this: name somebody who may, or have it done with: pnpm migrate init --sql -d ${wanted.name}`
            : `correct what the server says, then run the same command again`,
        statement: describeStep(step),
        ...(sqlstate !== undefined && { sqlstate }),
      },
      { cause: error },
    )
  }
}

/** The kinds whose known password is not that of their role. */
async function findOtherPasswords(
  server: Connection,
  wanted: WantedAccess,
  administrator: ConnectionUrl,
  passwords: Passwords,
): Promise<ReadonlySet<RoleKind>> {
  const known = roleKinds.filter((kind) => passwords[kind] !== undefined)
  if (known.length === 0) return new Set()
  const verifiers = await readVerifiers(server, Object.values(wanted.roles))
  const others: RoleKind[] = []
  for (const kind of known) {
    const [role, password] = [wanted.roles[kind], passwords[kind]!]
    const verifier = verifiers?.get(role) ?? ''
    const isThat = verifiers
      ? isVerifierOf(verifier, password)
      : await isAccepted(administrator.withDatabase(wanted.database).withLogin(role, password))
    if (!isThat) others.push(kind)
  }
  return new Set(others)
}

/** Whether a server accepts a login. What it says after that is of no interest here. */
async function isAccepted(url: ConnectionUrl): Promise<boolean> {
  await using connection = openConnection(url)
  try {
    await connection.send('select 1')
    return true
  } catch (error) {
    if (error instanceof DroverError) {
      if (error.code === 'DATABASE_MISSING') return true
      if (error.code === 'AUTHENTICATION_FAILED') return false
      throw error
    }
    // It may not connect to this database: known, and not welcome.
    if (error instanceof Error && 'code' in error && error.code === '42501') return true
    throw error
  }
}
