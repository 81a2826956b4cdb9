import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { serverUrl, startEmbedded, stopEmbedded } from '@drover/server'

/** A PostgreSQL of a benchmark's own. It goes away, with its folder, when it is disposed of. */
export interface BenchServer extends AsyncDisposable {
  /** A folder for whatever a benchmark writes. */
  readonly scratch: string
  /** The process that all others of the server come from. */
  readonly pid: number
  urlOf(database: string): string
}

/** Starts a PostgreSQL in a temporary folder. */
export async function startBenchServer(): Promise<BenchServer> {
  const scratch = mkdtempSync(join(tmpdir(), 'drover-bench-'))
  // As root the server runs as another user, who has to be able to come in.
  chmodSync(scratch, 0o755)
  const folder = join(scratch, 'server')
  const dispose = async () => {
    process.off('SIGINT', leave).off('SIGTERM', leave)
    await stopEmbedded(folder)
    rmSync(scratch, { recursive: true, force: true })
  }
  // Nobody else would stop it: it outlives this process.
  const leave = () => void dispose().finally(() => process.exit(130))
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    const server = await startEmbedded({ folder, outside: join(scratch, 'outside') })
    const urlOf = (database: string) => serverUrl(server, database)
    return { scratch, pid: server.pid, urlOf, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
