import { mkdirSync, readdirSync, renameSync, rmSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ServerError } from '../server-error.ts'
import { birthOf, isSameProcess } from './process-identity.ts'
import { ifPresent, systemCode } from './system-error.ts'
import { waitFor } from './wait.ts'

/**
 * Takes the lock that lets one process at a time start or stop the server of a folder; it frees itself when the
 * holder is gone.
 *
 * The lock is the folder `start-lock` with one file in it, named after its holder. Taking it is renaming a prepared
 * folder to that name, which the file system does only while none, or an empty one, is there. Breaking the lock of a
 * dead process is removing its file by name, so whoever comes second removes nothing: there is no moment in which a
 * lock that has just been taken can be mistaken for the dead one (as there is with a lock file at a fixed name).
 *
 * `onWait` hears of every holder it waits for. Throws BUSY when the lock was not free within `timeoutMs` (60 s).
 */
export async function takeStartLock(
  folder: string,
  options: { readonly onWait?: (pid: number) => void; readonly timeoutMs?: number } = {},
): Promise<Disposable> {
  const lock = join(folder, 'start-lock')
  const ticket = ticketOf(process.pid)
  const prepared = join(folder, `start-lock.${ticket}`)
  const timeoutMs = options.timeoutMs ?? 60_000
  let holder: number | undefined

  const taken = await waitFor(
    () => {
      const pid = tryTake(lock, prepared, ticket)
      if (pid !== undefined && pid !== holder) options.onWait?.(pid)
      holder = pid
      return pid === undefined ? true : undefined
    },
    { timeoutMs },
  )
  rmSync(prepared, { recursive: true, force: true })
  if (taken === undefined) {
    throw new ServerError(
      'BUSY',
      `Process ${holder} has been starting or stopping the server in ${folder} for more than ${timeoutMs / 1000} s.`,
      { hint: `See what process ${holder} does; if it is not a start of this server, remove ${lock}.` },
    )
  }
  removeForgotten(folder)
  return { [Symbol.dispose]: () => release(lock, ticket) }
}

/** Returns the pid of the living holder, or undefined once the lock is ours. */
function tryTake(lock: string, prepared: string, ticket: string): number | undefined {
  for (;;) {
    try {
      mkdirSync(prepared, { recursive: true })
      writeFileSync(join(prepared, ticket), '')
      renameSync(prepared, lock)
      return undefined
    } catch (error) {
      // ENOENT: the whole folder was removed under our hands.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error) ?? '')) throw error
    }
    for (const held of ifPresent(() => readdirSync(lock)) ?? []) {
      const [pid, birth] = parseTicket(held)
      if (isSameProcess(pid, birth)) return pid
      ifPresent(() => unlinkSync(join(lock, held)))
    }
  }
}

function release(lock: string, ticket: string): void {
  ifPresent(() => unlinkSync(join(lock, ticket)))
  try {
    rmdirSync(lock)
  } catch (error) {
    // Somebody has taken it already.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
  }
}

/** Removes what processes left that were killed while they waited. */
function removeForgotten(folder: string): void {
  const prefix = 'start-lock.'
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(prefix))) {
    const [pid, birth] = parseTicket(name.slice(prefix.length))
    if (!isSameProcess(pid, birth)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function ticketOf(pid: number): string {
  return [pid, birthOf(pid), randomBytes(6).toString('hex')].join('.')
}

function parseTicket(ticket: string): readonly [pid: number, birth: string] {
  const [pid, birth] = ticket.split('.')
  return [Number(pid), birth ?? '']
}
