import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { findOfflineHookProblems, readHook } from '@drover/engine'
import { type Direction, DroverError, parseRange, type Range, throwProblems } from '@drover/history'
import {
  type OfflineFile,
  type OfflinePart,
  partsOfPlan,
  partsOfRange,
  type Workspace,
  writeScripts,
} from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { narrow, type Request, withPlan } from '../planning.ts'
import { describeHeldBack } from '../render/release.ts'
import { columns, count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'

interface OfflineOptions extends CommonOptions {
  readonly outDir?: string
  readonly lockTimeout?: number
  readonly statementTimeout?: number
}

/**
 * Writes what would be run as scripts for psql, and changes no database. A range is answered by the files alone; for
 * anything else it is looked up where the databases are.
 */
export async function writeOffline(session: Session, options: OfflineOptions, request: Request): Promise<ExitCode> {
  if (request.file || !request.target.includes(':')) {
    // What is run for ten thousand tenants is no script: `export` writes it for one of them.
    return withPlan(session, { ...request, tenants: 'none' }, async ({ workspace, plan }) => {
      for (const line of describeHeldBack(plan, session.err)) session.progress(line)
      return write(session, options, workspace, request.direction, partsOfPlan(plan))
    })
  }
  if (request.phase) {
    const message = `the range "${request.target}" is given together with --phase, and says itself what it takes`
    const hint = 'leave one of them out; without a range it is looked up where the databases stand'
    throw new DroverError({ code: 'USAGE', message, hint })
  }
  const parsed = parseRange(request.target)
  if (!parsed.ok) return session.finish({ databases: [] }, [parsed.problem])
  const { workspace, selected } = await session.workspace({ tenants: false })
  const ends = endsOf(parsed.range)
  const wanted = ends.reduce((databases, end) => narrow(workspace, databases, end, session.command), selected)
  const parts = partsOfRange(workspace.root, wanted, parsed.range, request.direction)
  return write(session, options, workspace, request.direction, parts)
}

/** Both ends as targets of the range's database. */
function endsOf({ database, from, to }: Range): readonly NonNullable<Range['from']>[] {
  const ends = [from, to].filter((end) => end !== undefined)
  const whole = ends.length === 0 ? [{ anchor: { kind: 'heads' as const }, steps: 0 }] : ends
  return whole.map((end) => ({ ...end, ...(database !== undefined && { database }) }))
}

async function write(
  session: Session,
  options: OfflineOptions,
  workspace: Workspace,
  direction: Direction,
  parts: readonly OfflinePart[],
): Promise<ExitCode> {
  if (options.outDir === undefined && !options.json) refuseSeveral(session.command, parts)
  await refuseRunHooks(session, workspace, parts)
  const { version, gitCommit } = session.actor(workspace)
  const files = await writeScripts(parts, {
    root: workspace.root,
    direction,
    actor: { version, gitCommit },
    ...(options.lockTimeout !== undefined && { lockTimeoutMs: options.lockTimeout }),
    ...(options.statementTimeout !== undefined && { statementTimeoutMs: options.statementTimeout }),
  })
  if (options.outDir === undefined) {
    // `print` would add a line; what goes to psql is the script as it would stand in a file.
    if (!options.json) session.io.stdout.write(files.map(({ sql }) => sql).join('\n'))
  } else {
    save(session, options.outDir, files)
    session.print(
      ...columns(files.map(({ file, steps }) => [join(options.outDir!, file), count(steps.length, 'revision')])),
    )
    session.progress('run them in this order, each in its database: psql -X -v ON_ERROR_STOP=1 -f <file> <url>')
  }
  const scripts = files.map(({ database, file, steps, sql }) => ({
    database,
    file: options.outDir === undefined ? null : join(options.outDir, file),
    revisions: steps.map((step) => step.revision.id),
    sql,
  }))
  return session.finish({ databases: [], scripts })
}

/** The hooks of a run as a whole are code, which nobody would run. Those on failure belong to a run that Drover does itself. */
async function refuseRunHooks(session: Session, workspace: Workspace, parts: readonly OfflinePart[]): Promise<void> {
  if (parts.every(({ steps }) => steps.length === 0)) return
  const hooks = await session.runHooks(workspace)
  throwProblems(
    hooks
      .filter(({ moment }) => moment !== 'onFailure')
      .flatMap((hook) => findOfflineHookProblems(readHook(workspace.root, hook))),
  )
}

/** Whoever sends the output of one command to one database would run another database's script in it. */
function refuseSeveral(command: string, parts: readonly OfflinePart[]): void {
  if (parts.length <= 1) return
  const names = [...new Set(parts.map(({ name }) => name))]
  const [what, hint] =
    names.length > 1
      ? [`scripts of ${names.length} databases (${names.join(', ')})`, ', or name one database: -d <name>']
      : [`${parts.length} scripts`, '']
  throw new DroverError({
    code: 'USAGE',
    message: `${what} cannot go to one output: each has to be run in its own database, in order`,
    hint: `write them to a folder: pnpm migrate ${command} --sql --out-dir <folder>${hint}`,
  })
}

function save(session: Session, folder: string, files: readonly OfflineFile[]): void {
  const path = resolve(session.io.cwd, folder)
  try {
    mkdirSync(path, { recursive: true })
    for (const { file, sql } of files) writeFileSync(join(path, file), sql)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    const message = `the scripts cannot be written to ${folder}${reason}`
    throw new DroverError({ code: 'WRITE_FAILED', message, hint: 'choose another folder' }, { cause: error })
  }
}
