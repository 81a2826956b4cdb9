import {
  batchOf,
  type Connection,
  ConnectionUrl,
  findScriptProblems,
  lineAt,
  openConnection,
  readScript,
  replayCode,
  type Script,
  writeReplay,
} from '@drover/engine'
import { DroverError, type Problem, type Revision, throwProblems } from '@drover/history'
import { createThrowawayDatabase } from '@drover/server'

import { describeError, type StatementFailure, tryStatements } from './try-statements.ts'

/** A throw-away database in which things are proved. Disposing of it drops it. */
export interface Shadow extends AsyncDisposable {
  readonly url: ConnectionUrl
  /** One connection, opened by its first message. */
  readonly connection: Connection
  /** A copy of it. Closes `connection` first, because nobody may be connected to what is copied; it opens again by itself. */
  copy(): Promise<Shadow>
}

/**
 * Creates an empty shadow on a server.
 * @param server URL of a user who may create databases
 * @throws {DroverError} `SHADOW_FAILED` when the server does not let us
 */
export function createShadow(server: string): Promise<Shadow> {
  return openShadow(server, undefined)
}

/**
 * Creates a shadow and runs the up sides of revisions in it.
 * @throws {DroverError} as `replayInto` does
 */
export async function replayHistory(server: string, root: string, revisions: readonly Revision[]): Promise<Shadow> {
  await using opened = new AsyncDisposableStack()
  const shadow = opened.use(await createShadow(server))
  await replayInto(shadow, root, revisions)
  opened.move()
  return shadow
}

/**
 * Runs the up sides of revisions in an empty shadow, in this order, each in a transaction of its own (or statement by statement
 * when it says so). Drover's own tables are not made: a shadow is compared by its catalogues.
 * @param root absolute path of the workspace's root
 * @throws {DroverError} `SHADOW_FAILED` with revision, file, line and statement; the shadow is of no use then
 */
export async function replayInto(
  shadow: Pick<Shadow, 'connection'>,
  root: string,
  revisions: readonly Revision[],
): Promise<void> {
  const scripts: Script[] = []
  for (const revision of revisions) scripts.push(await readScript(root, revision, 'up'))
  throwProblems(scripts.flatMap(findScriptProblems).map(describeUnusable))
  const failure = await sendTogether(shadow.connection, root, scripts)
  if (failure) throw new DroverError(failure)
  // Whoever goes on should not find settings of the history's sessions.
  await shadow.connection[Symbol.asyncDispose]()
}

async function openShadow(server: string, template: string | undefined): Promise<Shadow> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await createDatabase(server, template))
  const url = ConnectionUrl.parse(database.url, 'the URL of the server for shadows')
  let current: Connection | undefined
  const open = async () => {
    if (current) return current
    current = openConnection(url)
    // What is thrown away need not be on the disk.
    await current.send('set synchronous_commit = off')
    return current
  }
  const close = async () => {
    const closing = current
    current = undefined
    await closing?.[Symbol.asyncDispose]()
  }
  opened.defer(close)
  const owned = opened.move()
  return {
    url,
    connection: {
      url,
      send: async (sql, onRow) => (await open()).send(sql, onRow),
      isPooled: async () => (await open()).isPooled(),
      cancel: async () => current?.cancel(),
      [Symbol.asyncDispose]: close,
    },
    copy: async () => {
      await close()
      return openShadow(server, database.name)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function createDatabase(server: string, template: string | undefined) {
  try {
    return await createThrowawayDatabase(server, {
      prefix: 'drover_shadow',
      ...(template !== undefined && { template }),
    })
  } catch (error) {
    const { message, sqlstate } = describeError(error)
    throw new DroverError(
      {
        code: 'SHADOW_FAILED',
        message: `no shadow could be created: ${message}`,
        hint: 'name a server in DROVER_SHADOW_URL that is running, and a user who may create databases there',
        ...(sqlstate !== undefined && { sqlstate }),
      },
      { cause: error },
    )
  }
}

function describeUnusable(problem: Problem): Problem {
  return { ...problem, code: 'SHADOW_FAILED', message: `no shadow can be built of the history: ${problem.message}` }
}

/** As few messages as possible, in which each revision has a transaction of its own. */
async function sendTogether(
  connection: Connection,
  root: string,
  scripts: readonly Script[],
): Promise<Problem | undefined> {
  for (const part of partScripts(scripts)) {
    const failure = await runPart(connection, root, part)
    if (failure) return failure
  }
  return undefined
}

async function runPart(connection: Connection, root: string, scripts: readonly Script[]): Promise<Problem | undefined> {
  const [first] = scripts
  if (first?.revision.language === 'typescript') {
    // What it does may be DDL as well. Of the caller's environment, as for a schema, it sees nothing.
    const problem = await replayCode(connection.url, first, { root, environment: {} })
    return problem && describeUnusable(problem)
  }
  const batch = first && batchOf(first)
  if (first && batch) {
    const statement = await writeReplay(connection, first, batch)
    if (typeof statement !== 'string') return describeUnusable(statement)
    return sendOneByOne(connection, [first], () => [statement])
  }
  return first?.revision.transaction !== undefined ? sendOneByOne(connection, scripts) : sendPart(connection, scripts)
}

async function sendPart(connection: Connection, scripts: readonly Script[]): Promise<Problem | undefined> {
  const texts = scripts.map(({ sql }, index) => `begin;\n${sql}\n;\nset drover.replayed = ${index + 1};\ncommit;`)
  const failure = await tryStatements(connection, [`set drover.replayed = 0;\n${texts.join('\n')}`], 'none')
  if (!failure) return undefined
  // What was sent together does not tell which statement it was.
  const [row] = await connection.send(`select current_setting('drover.replayed') as replayed`)
  return sendOneByOne(connection, scripts.slice(Number(row?.['replayed'])))
}

/** Longest text of a message, in characters: the server takes all of it apart before it runs any of it. */
const messageSize = 1_000_000

/** Whether a script is no text that could share a message. */
function isAlone(script: Script): boolean {
  const { transaction, language } = script.revision
  return transaction !== undefined || language === 'typescript' || batchOf(script) !== undefined
}

/** Neighbours that can share a message. */
function partScripts(scripts: readonly Script[]): readonly (readonly Script[])[] {
  const parts: Script[][] = []
  let size = 0
  for (const script of scripts) {
    const before = parts.at(-1)
    const alone = isAlone(script) || (before?.[0] !== undefined && isAlone(before[0]))
    if (!before || alone || size + script.sql.length > messageSize) {
      parts.push([script])
      size = script.sql.length
    } else {
      before.push(script)
      size += script.sql.length
    }
  }
  return parts
}

/** Statement by statement, so that a failure has a place. */
async function sendOneByOne(
  connection: Connection,
  scripts: readonly Script[],
  textsOf = ({ statements }: Script): readonly string[] => statements.map(({ text }) => text),
): Promise<Problem | undefined> {
  for (const script of scripts) {
    const transaction = script.revision.transaction === undefined ? 'per-revision' : 'none'
    const failure = await tryStatements(connection, textsOf(script), transaction)
    if (failure) return describeFailure(script, failure, script.statements[failure.index]?.start)
  }
  return undefined
}

function describeFailure(script: Script, failure: StatementFailure, start: number | undefined): Problem {
  const { file, revision, sql } = script
  const line = start === undefined ? undefined : lineAt(sql, start)
  const place = line === undefined ? `${file}, at the end of its transaction` : `${file}:${line}`
  return {
    code: 'SHADOW_FAILED',
    message: `no shadow can be built of the history: ${place}: ${failure.message}`,
    hint: 'every revision has to run in a new database after those before it; what it needs besides (roles, extensions) has to be on the server for shadows, too',
    revision: revision.id,
    file,
    ...(line !== undefined && { line, statement: failure.statement }),
    ...(failure.sqlstate !== undefined && { sqlstate: failure.sqlstate }),
    ...(failure.notes.length > 0 && { serverNotes: failure.notes }),
  }
}
