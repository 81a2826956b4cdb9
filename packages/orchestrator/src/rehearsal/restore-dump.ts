import { once } from 'node:events'

import { type Clone, type ConnectionUrl, type Environment, openConnection, readMajorVersion } from '@drover/engine'
import { DroverError } from '@drover/history'

import { makeShadow } from './clone-source.ts'

/** What programs are run with. */
interface RestoreOptions {
  /** Where PATH and HOME are from. */
  readonly environment: Environment
  readonly signal: AbortSignal
}

/**
 * Copies a database from anywhere to the server for shadows, with its rows, by pg_dump and pg_restore of this machine. Owners, grants and comments
 * stay behind: everything belongs to whoever makes shadows.
 * @throws {DroverError} `CLONE_FAILED` where the programs are missing, too old, or fail; `SHADOW_FAILED`
 */
export async function restoreDump(
  source: ConnectionUrl,
  server: ConnectionUrl,
  options: RestoreOptions,
): Promise<Clone> {
  const program = await versionOf('pg_dump', options)
  const [from, to] = await Promise.all([serverVersion(source), serverVersion(server)])
  if (program < from) {
    throw failed(
      `pg_dump on this machine is of PostgreSQL ${program}, and ${source.source} leads to a server of PostgreSQL ${from}, which it cannot read`,
      `install the client programs of PostgreSQL ${from} or later, and put them first in PATH`,
    )
  }
  if (to < from) {
    throw failed(
      `the server for shadows is PostgreSQL ${to}, and the dump is of PostgreSQL ${from}`,
      `set DROVER_SHADOW_URL to a server of PostgreSQL ${from} or later`,
    )
  }
  await using opened = new AsyncDisposableStack()
  const clone = opened.use(await makeShadow(server))
  await pipe(source, clone.url, options)
  opened.move()
  return clone
}

async function pipe(source: ConnectionUrl, target: ConnectionUrl, options: RestoreOptions): Promise<void> {
  const dump = start('pg_dump', ['--format=custom', ...left], source, options)
  const restore = start(
    'pg_restore',
    ['--exit-on-error', '--no-comments', ...left, '--dbname', target.database],
    target,
    options,
  )
  // When one of them ends early the other notices by the pipe; their exit codes tell more than it does.
  const { pipeline } = process.getBuiltinModule('node:stream/promises')
  await pipeline(dump.child.stdout, restore.child.stdin).catch(() => undefined)
  for (const { name, ended } of [dump, restore]) {
    const { code, said } = await ended
    if (options.signal.aborted) throw new DroverError({ code: 'INTERRUPTED', message: 'interrupted' })
    if (code === 0) continue
    throw new DroverError({
      code: 'CLONE_FAILED',
      message: `${name} has failed${code === null ? '' : ` (exit code ${code})`}`,
      hint: 'see to what it says; extensions have to be on the server for shadows, too',
      ...(said !== '' && { serverNotes: said.trim().split('\n').slice(-10) }),
    })
  }
}

/** What belongs to a server, and not to a database. */
const left = ['--no-owner', '--no-privileges', '--no-publications', '--no-subscriptions', '--no-security-labels']

function start(name: string, args: readonly string[], url: ConnectionUrl, { environment, signal }: RestoreOptions) {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn(name, args, { env: { ...pathAndHome(environment), ...variablesOf(url) }, signal })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'close').then(
    () => ({ code: child.exitCode, said }),
    (error: unknown) => ({ code: null, said: error instanceof Error ? error.message : String(error) }),
  )
  return { name, child, ended }
}

/** For libpq: in the environment, because everybody may see the arguments of a program. */
function variablesOf(url: ConnectionUrl): Readonly<Record<string, string>> {
  const { sslrootcert, sslcert, sslkey, sslpassword } = url.tlsFiles
  if (sslpassword) {
    throw failed(
      `${url.source} has a key with a password, which pg_dump cannot be given in secret`,
      'name a key without a password, or rehearse on a branch with --on',
    )
  }
  return {
    PGHOST: url.host,
    PGPORT: String(url.port),
    PGUSER: url.user,
    PGPASSWORD: url.revealPassword(),
    PGDATABASE: url.database,
    PGSSLMODE: url.sslMode,
    PGAPPNAME: 'drover',
    PGCONNECT_TIMEOUT: '10',
    ...(sslrootcert !== undefined && { PGSSLROOTCERT: sslrootcert }),
    ...(sslcert !== undefined && { PGSSLCERT: sslcert }),
    ...(sslkey !== undefined && { PGSSLKEY: sslkey }),
    ...(url.parameters['options'] !== undefined && { PGOPTIONS: url.parameters['options'] }),
  }
}

async function versionOf(name: string, { environment, signal }: RestoreOptions): Promise<number> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn(name, ['--version'], {
    env: pathAndHome(environment),
    signal,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  try {
    await once(child, 'close')
  } catch (error) {
    throw failed(
      `${name} is not on this machine, or cannot be run`,
      'install the client programs of PostgreSQL (postgresql-client), or rehearse on a copy with --template, or on a branch with --on',
      error,
    )
  }
  return Number(/ (\d+)(?:\.|\w|$)/.exec(text)?.[1] ?? 0)
}

async function serverVersion(url: ConnectionUrl): Promise<number> {
  await using connection = openConnection(url)
  return await readMajorVersion(connection)
}

function pathAndHome({ PATH, HOME }: Environment): Record<string, string> {
  return { ...(PATH !== undefined && { PATH }), ...(HOME !== undefined && { HOME }) }
}

function failed(message: string, hint: string, cause?: unknown): DroverError {
  return new DroverError({ code: 'CLONE_FAILED', message, hint }, { cause })
}
