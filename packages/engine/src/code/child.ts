/**
 * The process in which code of revisions runs: see run-module.ts, which starts it. It does one task and ends, with its parent
 * at the latest.
 */
import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'

import { DroverError } from '@drover/history'
import type { TransactionSql } from 'postgres'

import { connectDriver } from '../connect/connection.ts'
import { ConnectionUrl } from '../connect/connection-url.ts'
import { translateConnectionError } from '../diagnose/connection-error.ts'
import { reportProgress } from './progress.ts'
import type { ChildMessage, ModuleFault, ModuleTask, ParentMessage } from './protocol.ts'
import { tieToTransaction } from './transaction-client.ts'

const exit = process.exit.bind(process)
process.exit = () => {
  throw new Error('it calls process.exit: it has to return, or to throw')
}
process.on('disconnect', () => exit(1))
// Ctrl+C and the end of a service reach both processes; what becomes of them is decided by the parent.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

const interrupt = new AbortController()
/** Fails with what was thrown where nobody was waiting for it. */
const stray = Promise.withResolvers<never>()
stray.promise.catch(() => undefined)
/** Where it is; what is thrown means something else at each place. */
let stage: 'load' | 'connect' | 'code' | 'end' | 'commit' = 'load'
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    if (stage === 'commit') process.stderr.write(`after its end: ${describeThrown(error)}\n`)
    else stray.reject(error)
  })
}

process.on('message', (message: ParentMessage) => {
  if (message.type === 'abort') interrupt.abort()
  else {
    watchParent(message.parent)
    void perform(message.task).then(end)
  }
})

/** Code that never waits keeps this thread from hearing that the parent is gone, and its transaction from ending. */
function watchParent(pid: number): void {
  const watch = `setInterval(() => process.ppid === ${pid} || process.kill(process.pid, 'SIGKILL'), 500)`
  new Worker(watch, { eval: true }).unref()
}

function end(fault: ModuleFault | undefined): void {
  // Whatever the code has left behind that would go on must not.
  tell({ type: 'ended', ...(fault && { fault }) }, () => exit(0))
}

function tell(message: ChildMessage, then?: () => void): void {
  process.send?.(message, () => then?.())
}

async function perform(task: ModuleTask): Promise<ModuleFault | undefined> {
  const file = realpathSync(task.file)
  const url = task.database && ConnectionUrl.parse(task.database.url, task.database.source)
  let sql: ReturnType<typeof connectDriver> | undefined
  try {
    // The files that a URL names are relative to where Drover was called.
    sql = url && connectDriver(url, { fetchTypes: true, traces: true })
    process.chdir(task.root)
    const act = await load(task, file)
    stage = 'connect'
    if (sql) await sql.begin((client) => runInTransaction(client, task, act))
    else await runAlone(task, act)
    return undefined
  } catch (error) {
    return describeFault(error, file, url)
  } finally {
    // Not a statement more over a connection whose transaction has ended.
    await sql?.end({ timeout: 0 })
  }
}

type Act = (context: object) => unknown

/** What is wrong with a module as such. */
class ModuleError extends Error {
  override readonly name = 'ModuleError'
}

async function load({ call, expected }: ModuleTask, file: string): Promise<Act> {
  const loading: Promise<unknown> = import(pathToFileURL(file).href)
  const module = await Promise.race([loading, stray.promise])
  const exported = valueOf(module, 'default')
  const wrong = Object.entries(expected).find(([name, isThere]) => isThere !== isFunction(valueOf(exported, name)))
  if (wrong) {
    const [name, isThere] = wrong
    throw new ModuleError(
      isThere
        ? `it seems to have "${name}", and its default export has no such function: write it as a method of "export default defineMigration({ … })", and use that word for nothing else at the beginning of a line`
        : `its default export has "${name}", which the text does not show: write it as a method of "export default defineMigration({ … })"`,
    )
  }
  const act = valueOf(exported, call)
  if (!isFunction(act)) throw new ModuleError(`its default export has no function "${call}"`)
  // With the object in front of it, as a method is called.
  return (context) => Reflect.apply(act, exported, [context])
}

function valueOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isFunction(value: unknown): value is (...args: readonly unknown[]) => unknown {
  return typeof value === 'function'
}

async function runAlone(task: ModuleTask, act: Act): Promise<void> {
  stage = 'code'
  await Promise.race([act(contextOf(task)), stray.promise])
  stage = 'commit'
}

/** What every function is given. */
function contextOf({ about }: ModuleTask) {
  return {
    ...about,
    log: (text: unknown) => void process.stdout.write(`${String(text)}\n`),
    signal: interrupt.signal,
  }
}

async function runInTransaction(client: TransactionSql, task: ModuleTask, act: Act): Promise<void> {
  const begun = (
    await rowsOf(client, `${task.before}\nselect pg_catalog.pg_current_xact_id()::pg_catalog.text as id`)
  ).at(-1)
  const tied = tieToTransaction(client)
  const progress = reportProgress((one) => tell({ type: 'progress', progress: one }), performance.now.bind(performance))
  const context = {
    ...contextOf(task),
    sql: tied.sql,
    progress: (done: number, total?: number) => progress.report(done, total),
  }
  stage = 'code'
  try {
    await Promise.race([act(context), stray.promise])
  } finally {
    tied.close()
    progress.finish()
  }
  stage = 'end'
  await Promise.race([finish(client, task, begun), stray.promise])
  if (tied.misuse) throw tied.misuse
  stage = 'commit'
}

type Row = Readonly<Record<string, unknown>>

async function finish(client: TransactionSql, { after }: ModuleTask, begun: Row | undefined): Promise<void> {
  const [now] = await rowsOf(client, 'select pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text as id')
  if (now?.['id'] !== begun?.['id']) throw new TornTransaction()
  await client.unsafe(after).simple()
}

/** What the code did before it ended the transaction is committed, with nothing to tell of it. */
class TornTransaction extends Error {
  override readonly name = 'TornTransaction'
  override readonly message = 'it has ended the transaction that it was in'
}

/** The rows of some statements. */
async function rowsOf(client: TransactionSql, statements: string): Promise<readonly Row[]> {
  const result: readonly (Row | readonly Row[])[] = await client.unsafe(statements).simple()
  return result.flatMap((one) => one)
}

function describeFault(error: unknown, file: string, url: ConnectionUrl | undefined): ModuleFault {
  const isConnections = url !== undefined && (stage === 'connect' || isDrivers(error))
  const translated = error instanceof DroverError || !isConnections ? error : translateConnectionError(error, url)
  if (translated instanceof DroverError)
    return { kind: 'connection', message: translated.message, problem: translated.problems[0] }
  const line = error instanceof Error ? lineIn(error.stack ?? '', file) : undefined
  const common = { message: describeThrown(error), ...(line !== undefined && { line }) }
  if (error instanceof TornTransaction) return { ...common, kind: 'torn' }
  if (error instanceof ModuleError) return { ...common, kind: 'module' }
  if (!(error instanceof Error) || error.name !== 'PostgresError') return { ...common, kind: 'code' }
  const query = valueOf(error, 'query')
  return {
    ...common,
    message: error.message,
    kind: 'statement',
    server: fieldsOf(error),
    // Drover's own statements are nothing that anybody can look up in the module.
    ...(line !== undefined && typeof query === 'string' && { statement: query.trim() }),
  }
}

/** Whether an error is of the connection to the database: what code does over the network fails with the same codes. */
function isDrivers(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const isClosed = 'code' in error && typeof error.code === 'string' && error.code.startsWith('CONNECTION_')
  return isClosed || error.name === 'PostgresError' || 'query' in error
}

/** An error in words, with what has caused it: the message of a failed request says nothing without. */
function describeThrown(error: unknown): string {
  if (!(error instanceof Error)) return `it throws ${inspect(error)}, which is no Error`
  const cause = error.cause instanceof Error ? ` (${describeThrown(error.cause)})` : ''
  return `${error.message || error.name}${cause}`
}

/** Where in a module an error came up. The names of modules in stacks are URLs, those of syntax errors may be paths. */
function lineIn(stack: string, file: string): number | undefined {
  const places = [pathToFileURL(file).href, file].map((name) => ({ name, at: stack.indexOf(`${name}:`) }))
  const found = places.find(({ at }) => at >= 0)
  const line = found && Number.parseInt(stack.slice(found.at + found.name.length + 1), 10)
  return line === undefined || Number.isNaN(line) ? undefined : line
}

function fieldsOf(error: Error): Readonly<Record<string, string>> {
  const names = [
    'code',
    'detail',
    'hint',
    'where',
    'internal_query',
    'internal_position',
    'schema_name',
    'table_name',
    'column_name',
    'constraint_name',
  ]
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = valueOf(error, name)
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}
