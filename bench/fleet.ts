import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import { type BenchServer, startBenchServer } from './server.ts'

/** The repository's four databases, up to date, on a server of their own. Everything goes away when it is disposed of. */
export interface BenchFleet extends AsyncDisposable {
  /** The root of the repository. */
  readonly root: string
  /** A folder for whatever a benchmark writes. */
  readonly scratch: string
  /** The environment in which commands run, as `pnpm migrate` sets it up. */
  readonly env: Readonly<Record<string, string>>
}

/** The script behind `pnpm migrate`. */
export const script = join(import.meta.dirname, '..', 'scripts', 'migrate.ts')

/** Starts a PostgreSQL in a temporary folder, and creates and migrates the databases in it. */
export async function prepareFleet(path: string | undefined): Promise<BenchFleet> {
  const server = await startBenchServer()
  try {
    const root = join(import.meta.dirname, '..')
    const env = {
      ...environmentOf(server, path),
      CREDENTIALS_DATABASE_URL: asOwner(server, 'credentials'),
      DATABASE_URL: asOwner(server, 'main'),
      GDPR_DATABASE_URL: asOwner(server, 'gdpr'),
      TEST_DATABASE_URL: asOwner(server, 'test'),
    }
    initialise(root, { ...env, DROVER_ADMIN_URL: server.urlOf('postgres') })
    return { root, scratch: server.scratch, env, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

/** The URL of a database for the role that owns it, which `init` makes. */
function asOwner(server: BenchServer, database: string): string {
  const url = new URL(server.urlOf(database))
  url.username = `${database}_owner`
  url.password = 'bench'
  return url.href
}

/** What commands need besides the URLs of their databases. */
export function environmentOf(server: BenchServer, path: string | undefined): Readonly<Record<string, string>> {
  return { PATH: path ?? '', NODE_COMPILE_CACHE: join(server.scratch, 'compile-cache') }
}

/** Creates and migrates the databases of a workspace. */
export function initialise(root: string, env: Readonly<Record<string, string>>): void {
  execFileSync(process.execPath, [script, 'init', '--quiet'], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
