import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { serverUrl, startEmbedded, stopEmbedded } from '@drover/server'

/** The repository's four databases, up to date, on a server of their own. Everything goes away when it is disposed of. */
export interface BenchFleet extends AsyncDisposable {
  /** The root of the repository. */
  readonly root: string
  /** A folder for whatever a benchmark writes. */
  readonly scratch: string
  /** The script behind `pnpm migrate`. */
  readonly script: string
  /** The environment in which commands run, as `pnpm migrate` sets it up. */
  readonly env: Readonly<Record<string, string>>
}

/** Starts a PostgreSQL in a temporary folder, and creates and migrates the databases in it. */
export async function prepareFleet(path: string | undefined): Promise<BenchFleet> {
  const scratch = mkdtempSync(join(tmpdir(), 'drover-bench-'))
  // As root the server runs as another user, who has to be able to come in.
  chmodSync(scratch, 0o755)
  const folder = join(scratch, 'server')
  const outside = join(scratch, 'outside')
  const dispose = async () => {
    await stopEmbedded(folder)
    rmSync(scratch, { recursive: true, force: true })
  }
  try {
    const server = await startEmbedded({ folder, outside })
    const env = {
      PATH: path ?? '',
      NODE_COMPILE_CACHE: join(scratch, 'compile-cache'),
      CREDENTIALS_DATABASE_URL: serverUrl(server, 'credentials'),
      DATABASE_URL: serverUrl(server, 'main'),
      GDPR_DATABASE_URL: serverUrl(server, 'gdpr'),
      TEST_DATABASE_URL: serverUrl(server, 'test'),
    }
    execFileSync(process.execPath, [script, 'init', '--quiet'], {
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return { root, scratch, script, env, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

const root = join(import.meta.dirname, '..')
const script = join(root, 'scripts', 'migrate.ts')
