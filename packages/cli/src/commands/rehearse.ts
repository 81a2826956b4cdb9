import { isAboutForeign } from '@drover/drizzle'
import { ConnectionUrl } from '@drover/engine'
import { DroverError, parseTarget, type Problem, type Target, throwProblems } from '@drover/history'
import {
  type ClonedDatabase,
  copyDatabase,
  copyTemplate,
  type Database,
  isExternal,
  type Located,
  type Member,
  openFleet,
  planRelease,
  readVariable,
  rehearse as rehearseOn,
  replayDatabase,
  type ReplayOptions,
  restoreDump,
  withoutHooks,
  type Workspace,
} from '@drover/orchestrator'

import { findObjection } from '../confirmation.ts'
import type { ExitCode } from '../exit-code.ts'
import { interruptible, throwIfInterrupted } from '../interruption.ts'
import { narrow, readAppliedChecksums, withPlan } from '../planning.ts'
import { findAdministrator } from '../provisioning.ts'
import { eventEntry } from '../render/event.ts'
import { passTexts, rehearsalLines, rehearsalProblems, type Rehearsed, withOrigins } from '../render/rehearsal.ts'
import { rehearsalJson } from '../render/rehearsal-json.ts'
import { rehearsalMarkdown } from '../render/rehearsal-markdown.ts'
import type { CommonOptions, Session } from '../session.ts'

interface RehearseOptions extends CommonOptions {
  /** A database of the same server to copy. */
  readonly template?: string
  /** A URL, or the name of a variable that holds it: of a database to dump. */
  readonly from?: string
  /** The same: of a database to rehearse on as it is. */
  readonly on?: string
  readonly markdown?: boolean
  readonly yes?: boolean
}

/** Rehearses an upgrade on throw-away databases. Of the databases themselves it only reads. */
export async function rehearse(session: Session, options: RehearseOptions, target = 'head'): Promise<ExitCode> {
  const isElsewhere = options.template !== undefined || options.from !== undefined || options.on !== undefined
  const parsed = parseTarget(target)
  if (!parsed.ok) return session.finish({ databases: [] }, [parsed.problem])
  if (isElsewhere) return rehearseElsewhere(session, options, parsed.target, target)
  return withPlan(session, { direction: 'up', target, tenants: 'none' }, async ({ workspace, plan }) => {
    const busy = plan.databases.filter(({ member, steps }) => steps.length > 0 && !isExternal(member.database))
    for (const { member, steps } of plan.databases) {
      if (isExternal(member.database)) session.progress(`${member.database.name}: migrates itself, and is left out`)
      else if (steps.length === 0) session.print(`${session.out.strong(member.database.name)}: nothing to rehearse`)
    }
    if (busy.length === 0 && options.markdown) session.print(rehearsalMarkdown([], target))
    if (busy.length === 0) return session.finish({ databases: [] })
    // Nobody may be connected to what is copied, not even us.
    for (const { member } of plan.databases) await member.connection[Symbol.asyncDispose]()
    const members = busy.map(({ member }) => member)
    return carryOut(session, options, workspace, { parsed: parsed.target, target }, (opened, replay) =>
      cloneAll(session, workspace, members, opened, replay),
    )
  })
}

/** On something else than a copy of the database itself: what is applied there is what counts. */
async function rehearseElsewhere(
  session: Session,
  options: RehearseOptions,
  parsed: Target,
  target: string,
): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  const wanted = narrow(workspace, selected, parsed, session.command)
  const [database] = wanted
  if (!database || wanted.length > 1) {
    const option = options.on !== undefined ? '--on' : options.from !== undefined ? '--from' : '--template'
    throw new DroverError({
      code: 'USAGE',
      message: `${option} is for one database, and ${wanted.length} are selected: ${wanted.map(({ name }) => name).join(', ')}`,
      hint: `say which with --database: pnpm migrate rehearse -d ${database?.name ?? '<name>'} ${option} …`,
    })
  }
  const branch = options.on === undefined ? undefined : parseSource(session, workspace, options.on, '--on')
  if (branch) {
    await refuseLive(session, workspace, database, branch)
    const objection = await findObjection(session, {
      lines: [`${database.name}: the upgrade is rehearsed on ${branch.toString()}, which stays upgraded`],
      question: `Change ${branch.place}?`,
      what: 'the rehearsal',
      databases: [],
      yes: options.yes,
    })
    if (objection) return session.finish({ databases: [] }, [objection])
  }
  const source = options.from === undefined ? undefined : parseSource(session, workspace, options.from, '--from')
  return carryOut(session, options, workspace, { parsed, target }, async (opened, replay) => {
    if (branch) return [{ located: { database, url: branch, development: false }, origin: { kind: 'branch' } }]
    if (source) {
      session.progress(`${database.name}: copying it by a dump`, database.name)
      const clone = opened.use(await restoreDump(source, await shadowUrl(session, workspace), replay))
      return [{ located: { database, url: clone.url, development: false }, origin: { kind: 'dump' } }]
    }
    const [located] = await session.locate(workspace, [database])
    const maker = await makerOf(session, workspace, located!)
    session.progress(`${database.name}: copying ${options.template}`, database.name)
    const clone = opened.use(await copyTemplate(located!, maker, options.template!))
    return [{ located: { ...located!, url: clone.url, development: false }, origin: { kind: 'template' } }]
  })
}

/** Makes the throw-away databases, rehearses on them, tells, and drops them, whatever happens. */
async function carryOut(
  session: Session,
  options: RehearseOptions,
  workspace: Workspace,
  { parsed, target }: { readonly parsed: Target; readonly target: string },
  clone: (opened: AsyncDisposableStack, replay: ReplayOptions) => Promise<readonly ClonedDatabase[]>,
): Promise<ExitCode> {
  const onSignal = (signal: string) => {
    const message = `${signal}: stopping, and dropping what was made for the rehearsal`
    session.tell(() => ({ level: 'warn', event: 'signal', message, signal }), message)
  }
  return interruptible(session, { onSignal }, async (interruption) => {
    await using opened = new AsyncDisposableStack()
    const { root, databases } = workspace
    const actor = session.actor(workspace)
    const common = { root, databases, actor, environment: session.io.env, signal: interruption.signal }
    const clones = await clone(opened, common)
    throwIfInterrupted(interruption)
    const { databases: stripped } = withoutHooks(workspace)
    const located = clones.map((one) => ({
      ...one.located,
      database: stripped.find(({ name }) => name === one.located.database.name)!,
    }))
    const members = await openClones(workspace, located, opened)
    const plan = await planOn(session, workspace, members, parsed)
    const found = await rehearseOn(plan, {
      ...common,
      command: session.command,
      neighbours: (own, direction) => session.neighbours(workspace, own, direction),
      isForeign: isAboutForeign,
      onPass: (pass) => session.progress(`rehearsing: ${passTexts[pass]}`),
      onEvent: (event) => session.tell(() => eventEntry(event)),
    })
    return tell(session, options, withOrigins(found, clones), target)
  })
}

async function openClones(
  workspace: Workspace,
  located: readonly Located[],
  opened: AsyncDisposableStack,
): Promise<readonly Member[]> {
  const fleet = opened.use(await openFleet(located, { root: workspace.root, readSql: true }))
  throwProblems(fleet.unread.flatMap(({ problems }) => problems))
  return fleet.members
}

async function planOn(session: Session, workspace: Workspace, members: readonly Member[], target: Target) {
  const checksums = await readAppliedChecksums(workspace, members)
  const neighbours = await session.neighbours(workspace, members, 'up')
  const planned = planRelease(members, 'up', target, checksums, neighbours)
  if (!planned.ok) throwProblems(planned.problems)
  if (!planned.ok) throw new Error('a plan is made or has problems')
  for (const warning of planned.plan.warnings) session.warn(warning)
  return planned.plan
}

function tell(session: Session, options: RehearseOptions, rehearsed: readonly Rehearsed[], target: string): ExitCode {
  if (options.markdown) session.print(rehearsalMarkdown(rehearsed, target))
  else for (const one of rehearsed) session.print(...rehearsalLines(one, session.out, options.verbose === true))
  const problems = rehearsed.flatMap(rehearsalProblems)
  const exitCode = rehearsed.some(({ verdict }) => verdict === 'failed') ? 1 : problems.length > 0 ? 4 : 0
  return session.finish(() => ({ databases: rehearsed.map(rehearsalJson) }), problems, exitCode)
}

/** A copy of each, or where that would be in anybody's way a replay. */
async function cloneAll(
  session: Session,
  workspace: Workspace,
  members: readonly Member[],
  opened: AsyncDisposableStack,
  replay: ReplayOptions,
): Promise<readonly ClonedDatabase[]> {
  const clones: ClonedDatabase[] = []
  for (const member of members) {
    throwIfInterrupted(replay)
    const { name } = member.database
    session.progress(`${name}: copying it`, name)
    const copy = await copyDatabase(member.located, await makerOf(session, workspace, member.located))
    if (!('reason' in copy)) {
      opened.use(copy)
      clones.push({ located: { ...member.located, url: copy.url, development: false }, origin: { kind: 'copy' } })
      continue
    }
    session.progress(`${name}: replaying what is applied in it, without rows (no copy: ${copy.reason})`, name)
    const clone = opened.use(await replayDatabase(await shadowUrl(session, workspace), member, replay))
    clones.push({
      located: { ...member.located, url: clone.url, development: false },
      origin: { kind: 'replay', reason: copy.reason },
    })
  }
  return clones
}

async function shadowUrl(session: Session, workspace: Workspace): Promise<ConnectionUrl> {
  return ConnectionUrl.parse(await session.shadowServer(workspace), 'DROVER_SHADOW_URL')
}

/** Who makes copies of a database on its server: its administrator, where one is named. */
async function makerOf(session: Session, workspace: Workspace, located: Located): Promise<ConnectionUrl> {
  if (located.development) return session.developmentServer(workspace)
  return findAdministrator(located.database, located.url, session.environment(workspace)) ?? located.url
}

/** A URL as it was typed, or the name of a variable that holds it: the list of processes shows what is typed. */
function parseSource(session: Session, workspace: Workspace, text: string, option: string): ConnectionUrl {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return ConnectionUrl.parse(text, option)
  const named = readVariable(text, session.environment(workspace))
  if (named) return ConnectionUrl.parse(named.text, named.source)
  throw new DroverError({
    code: 'URL_MISSING',
    message: `${option} names the variable ${text}, which is not set`,
    hint: `set ${text}, or give the URL itself: ${option} postgres://user@host:5432/name`,
  })
}

/**
 * Refuses to rehearse on a database of the workspace itself.
 * @throws {DroverError} `SAME_DATABASE`
 */
async function refuseLive(
  session: Session,
  workspace: Workspace,
  database: Database,
  branch: ConnectionUrl,
): Promise<void> {
  const problems: Problem[] = []
  for (const other of workspace.databases) {
    const live = await findLive(session, workspace, other)
    if (live && (live.url.place === branch.place || (await isSame(workspace, live, branch)))) {
      problems.push({
        code: 'SAME_DATABASE',
        database: database.name,
        message: `${branch.source} leads to ${other.name} itself, ${branch.place}`,
        hint: 'name a database in --on that may be thrown away, such as a branch; without --on a copy is made',
      })
    }
  }
  throwProblems(problems)
}

/** Where a database is, if the environment says it. */
async function findLive(session: Session, workspace: Workspace, database: Database): Promise<Located | undefined> {
  if (!session.isConfigured(workspace)) return undefined
  try {
    const [located] = await session.locate(workspace, [database])
    return located
  } catch (error) {
    // One that nobody knows the place of cannot be compared.
    if (error instanceof DroverError && error.code === 'URL_MISSING') return undefined
    throw error
  }
}

/** Whether two URLs lead to the same physical database, by what it says of itself; one that cannot be reached does not say. */
async function isSame(workspace: Workspace, live: Located, branch: ConnectionUrl): Promise<boolean> {
  const read = async (url: ConnectionUrl) => {
    await using fleet = await openFleet([{ ...live, url, development: false }], { root: workspace.root })
    return fleet.members[0]?.state.identity
  }
  const [one, other] = await Promise.all([read(live.url), read(branch)])
  return one !== undefined && one === other
}
