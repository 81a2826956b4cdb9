import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { type ConnectionUrl, type Environment, withoutSecrets } from '@drover/engine'
import { DroverError } from '@drover/history'

const run = promisify(execFile)

/** A pg_dump of this machine. */
export interface DumpProgram {
  readonly path: string
  /** The major version of its PostgreSQL. */
  readonly version: number
}

/**
 * Finds the pg_dump of the lowest version that can dump a server: its own, or a later one. Looked at are `PATH` and where the packages
 * of Linux distributions put the versions side by side.
 * @param version the major version of the server
 */
export async function findDumpProgram(version: number, environment: Environment): Promise<DumpProgram | undefined> {
  const folders = [...(environment['PATH'] ?? '').split(delimiter).filter(Boolean), ...listVersions()]
  const paths = [...new Set(folders.map((folder) => join(folder, 'pg_dump')))].filter((path) => existsSync(path))
  const programs = await Promise.all(paths.map(askVersion))
  const fitting = programs.flatMap((program) => (program && program.version >= version ? [program] : []))
  return fitting.toSorted((one, other) => one.version - other.version)[0]
}

/**
 * Dumps a database.
 * @throws {DroverError} `SNAPSHOT_FAILED` with what the program said
 */
export async function runDump(
  program: DumpProgram,
  url: ConnectionUrl,
  args: readonly string[],
  environment: Environment,
): Promise<string> {
  // Passwords in arguments can be seen by everybody on the machine.
  const env = {
    ...withoutSecrets(environment),
    PGHOST: url.host,
    PGPORT: String(url.port),
    PGUSER: url.user,
    PGPASSWORD: url.revealPassword(),
    PGDATABASE: url.database,
    PGSSLMODE: url.sslMode,
    LC_ALL: 'C',
  }
  try {
    const { stdout } = await run(program.path, ['--no-password', ...args], { env, maxBuffer: 1_000_000_000 })
    return stdout
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new DroverError(
      {
        code: 'SNAPSHOT_FAILED',
        message: `${program.path} failed: ${said.replaceAll(url.revealPassword() || '\0', '***')}`,
        hint: 'see what it says; it was run on a shadow of the history',
      },
      { cause: error },
    )
  }
}

/** Debian's packages, and those of postgresql.org for Red Hat. */
function listVersions(): readonly string[] {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  const redHat = existsSync('/usr') ? readdirSync('/usr').filter((name) => /^pgsql-\d+$/.test(name)) : []
  return [...versions, ...redHat.map((name) => join('/usr', name, 'bin'))]
}

async function askVersion(path: string): Promise<DumpProgram | undefined> {
  try {
    const { stdout } = await run(path, ['--version'])
    const version = Number(/\b(\d+)(?:\.\d+)*\b/.exec(stdout)?.[1])
    return Number.isInteger(version) ? { path, version } : undefined
  } catch {
    return undefined
  }
}
