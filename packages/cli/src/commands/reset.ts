import { openConnection, readHistory } from '@drover/engine'
import { DroverError, parseTarget, type Problem, throwProblems } from '@drover/history'
import {
  type Database,
  type Doomed,
  dropAll,
  findResetProblems,
  isExternal,
  type Located,
  type Member,
  planRelease,
  readScripts,
  type ResetWish,
  surveyDatabase,
  type Workspace,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { interruptible } from '../interruption.ts'
import { findAdministrator } from '../provisioning.ts'
import { doomedLine } from '../render/reset.ts'
import type { CommonOptions, Session } from '../session.ts'
import { init } from './release.ts'

interface ResetOptions extends CommonOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly force?: boolean
  /** Hosts that are not this machine. */
  readonly remote?: readonly string[]
}

/**
 * Drops databases and builds them again, for development. Everything that can be known is refused before the first one is
 * dropped: what is protected, what is elsewhere, what is in use, and what could not be built again.
 */
export async function reset(session: Session, options: ResetOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  throwProblems([
    ...findProduction(session, workspace),
    ...selected.filter(({ config }) => config.protected).map(describeProtected),
  ])
  const located = await session.locate(workspace, selected)
  throwProblems(findMissingAdministrators(session, workspace, located))
  await refuseUnbuildable(session, workspace, located)
  const doomed = await survey(session, workspace, located)
  const wish = { force: options.force === true, remote: options.remote ?? [] }
  throwProblems(findResetProblems(doomed, wish))

  const lines = doomed.map((one) => doomedLine(one, session.err))
  const names = new Set(selected.map(({ name }) => name))
  for (const database of workspace.databases) {
    if (isExternal(database) && !names.has(database.name) && options.database === undefined)
      session.progress(`${database.name}: migrates itself, and is left alone`, database.name)
  }
  const lost = () => ({ lost: doomed.filter(({ contents }) => contents).map(lostJson) })
  if (options.dryRun) {
    session.print(...doomed.map((one) => doomedLine(one, session.out)))
    return session.finish(() => ({ databases: [], ...lost() }))
  }
  const objection = await findUnconfirmed(session, lines, options.yes)
  if (objection) return session.finish(() => ({ databases: [] }), [objection])

  const ended = await drop(session, doomed, wish)
  return ended === 0 ? init(session.narrowedTo(selected), { ...options, dryRun: false }) : ended
}

/** Drops them, the last first, as a downgrade would. @returns 0, or how the command has ended */
function drop(session: Session, doomed: readonly Doomed[], wish: ResetWish): Promise<ExitCode> {
  const dropped: Doomed[] = []
  session.sayBesides(() => ({ lost: dropped.map(lostJson) }))
  const onDropped = (one: Doomed) => {
    dropped.push(one)
    const { name } = one.located.database
    session.progress(`${name}: dropped ${one.located.url.place}`, name)
  }
  return interruptible(session, {}, async ({ signal, exitCode }) => {
    const problems = await dropAll(doomed.toReversed(), wish, signal, onDropped)
    const names = dropped.map(({ located }) => located.database.name).join(', ')
    const hint = `build them again with: pnpm migrate init -d ${names.replaceAll(' ', '')}`
    if (signal.aborted) {
      const message =
        names === '' ? 'interrupted: nothing was dropped' : `interrupted: ${names} dropped, and not built again`
      return session.finish(
        { databases: [] },
        [{ code: 'INTERRUPTED', message, ...(names !== '' && { hint }) }],
        exitCode(),
      )
    }
    if (problems.length === 0) return 0
    return session.finish({ databases: [] }, problems, names === '' ? undefined : 1)
  })
}

/** @returns why nothing may be dropped here at all */
function findProduction(session: Session, workspace: Workspace): readonly Problem[] {
  if (session.environment(workspace)['NODE_ENV'] !== 'production') return []
  return [
    {
      code: 'RESET_REFUSED',
      message: 'NODE_ENV=production is set, and reset is for development alone',
      hint: 'nothing was changed; if this is no production, unset NODE_ENV',
    },
  ]
}

function describeProtected({ name, folder }: Database): Problem {
  return {
    code: 'RESET_REFUSED',
    database: name,
    message: 'it is protected, and reset drops everything that is in it',
    hint: `leave it out with --database; nothing but its "protected" in ${folder}/database.ts says that it may not be lost`,
  }
}

/** Databases with roles of their own are made by an administrator, and are not dropped where none is known. */
function findMissingAdministrators(
  session: Session,
  workspace: Workspace,
  located: readonly Located[],
): readonly Problem[] {
  return located
    .filter(
      ({ database, url, development }) =>
        !development &&
        database.config.access !== undefined &&
        findAdministrator(database, url, session.environment(workspace)) === undefined,
    )
    .map(({ database, url }) => ({
      code: 'URL_MISSING',
      database: database.name,
      message: `making it again with its roles and grants takes an administrator of ${url.host}:${url.port}, and no variable names one`,
      hint: 'set DROVER_ADMIN_URL; nothing was changed',
    }))
}

/** Refuses what could not be built again from nothing. */
async function refuseUnbuildable(session: Session, workspace: Workspace, located: readonly Located[]): Promise<void> {
  const members = located.map((one) => emptyMember(workspace, one))
  const head = parseTarget('head')
  if (!head.ok) throw new DroverError(head.problem)
  const neighbours = await session.neighbours(workspace, members, 'up')
  const planned = planRelease(members, 'up', head.target, new Map(), neighbours)
  if (!planned.ok) throwProblems(planned.problems)
  else {
    const steps = planned.plan.databases.map(({ member, steps: own }) => ({ name: member.database.name, steps: own }))
    await readScripts(workspace.root, steps)
  }
}

/** A database as it is when it has just been made. Nothing is sent on its connection. */
function emptyMember({ root }: Workspace, located: Located): Member {
  const { database, url } = located
  return {
    located,
    database,
    history: readHistory({ root, folder: database.migrations }),
    connection: openConnection(url),
    state: { applied: [], identity: url.place, initialised: false },
    created: true,
  }
}

async function survey(session: Session, workspace: Workspace, located: readonly Located[]): Promise<readonly Doomed[]> {
  return Promise.all(
    located.map(async (one) => {
      const administrator = one.development
        ? await session.developmentServer(workspace)
        : findAdministrator(one.database, one.url, session.environment(workspace))
      return surveyDatabase(one, administrator)
    }),
  )
}

/** Unlike what can be undone, this is never done without being agreed to. */
async function findUnconfirmed(
  session: Session,
  lines: readonly string[],
  yes: boolean | undefined,
): Promise<Problem | undefined> {
  const { confirm } = session.io
  if (yes) {
    for (const line of lines) session.progress(line)
    return undefined
  }
  if (!confirm || session.isLogged) {
    return {
      code: 'NOT_CONFIRMED',
      message: 'nobody can be asked whether all this may be lost: nothing was changed',
      hint: 'see what is lost with --dry-run, and confirm it with --yes',
    }
  }
  session.io.stderr.write(lines.map((line) => `${line}\n`).join(''))
  if (await confirm('Drop all this for good, and build it again?')) return undefined
  return {
    code: 'NOT_CONFIRMED',
    message: 'not confirmed: nothing was changed',
    hint: 'answer y, or confirm with --yes',
  }
}

function lostJson({ located, contents }: Doomed) {
  const { tables = 0, rows = 0, bytes = 0 } = contents ?? {}
  return { name: located.database.name, place: located.url.place, tables, rows, bytes }
}
