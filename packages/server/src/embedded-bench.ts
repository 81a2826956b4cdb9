import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import postgres from 'postgres'
import { afterAll, onTestFinished } from 'vitest'
import { removeEmbedded, startEmbedded, stopEmbedded } from './embedded.ts'
import type { RunningServer } from './embedded/find-server.ts'
import { carries, isAlive } from './embedded/process-identity.ts'
import { waitFor } from './embedded/wait.ts'
import { serverUrl } from './server-url.ts'

/** The module that child processes of tests import. */
export const DOOR = new URL('index.ts', import.meta.url)

/** Makes a folder for the servers of one test; what runs in it or below it is stopped and removed in the end. */
export function makeFolder(): string {
  const around = mkdtempSync(join(realpathSync(tmpdir()), 'drover-embedded-'))
  chmodSync(around, 0o755)
  const folder = join(around, 'server')
  mkdirSync(folder)
  onTestFinished(async () => {
    for (const at of readdirSync(around, { recursive: true, encoding: 'utf8' })) {
      if (at.endsWith('/server.json') && existsSync(join(around, at))) await removeEmbedded(join(around, at, '..'))
    }
    rmSync(around, { recursive: true, force: true })
  })
  return folder
}

/** Makes such a folder with a cluster in it that was never started there: much faster than creating one each time. */
export async function makeFolderWithCluster(): Promise<string> {
  const folder = makeFolder()
  seed ??= makeSeed()
  // With its owner and modes, but without the memory of its port.
  execFileSync('cp', ['-a', join(await seed, 'cluster'), folder])
  return folder
}

/** Runs one statement on a connection of its own and returns the rows. */
export async function query(server: RunningServer, statement: string): Promise<readonly object[]> {
  const sql = postgres(serverUrl(server), { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(statement))]
  } finally {
    await sql.end()
  }
}

/** Says whether the postmaster of a server still runs; a zombie that nobody has waited for does not. */
export function isRunning(server: RunningServer | undefined): boolean {
  return server !== undefined && carries(server.pid, 'cluster_name=drover-')
}

/** Ends the postmaster without giving it a chance, and waits until it is gone. */
export async function killServer(server: RunningServer): Promise<void> {
  if (isRunning(server)) process.kill(server.pid, 'SIGKILL')
  const gone = await waitFor(() => (isAlive(server.pid) ? undefined : true), { timeoutMs: 10_000 })
  if (gone === undefined) throw new Error(`process ${server.pid} survived SIGKILL`)
}

/** Runs `startEmbedded` or `stopEmbedded` in a process of its own; returns its result, or the fields of its error. */
export async function callInChild(
  name: 'startEmbedded' | 'stopEmbedded',
  folder: string,
  user?: { readonly uid: number; readonly gid: number },
): Promise<unknown> {
  const program = `
    const { [process.argv[2]]: call } = await import(process.argv[1])
    const folder = process.argv[3]
    const outcome = await call(process.argv[2] === 'startEmbedded' ? { folder } : folder)
      .catch(({ name, code, message, hint, stack }) => ({ name, code, message, hint, stack }))
    console.log(JSON.stringify(outcome))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, DOOR.href, name, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...(user && { uid: user.uid, gid: user.gid }),
  })
  return JSON.parse(await text(child.stdout))
}

let seed: Promise<string> | undefined

async function makeSeed(): Promise<string> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'drover-seed-'))
  chmodSync(folder, 0o755)
  await startEmbedded({ folder })
  await stopEmbedded(folder)
  return folder
}

afterAll(async () => {
  if (seed !== undefined) await removeEmbedded(await seed)
})
