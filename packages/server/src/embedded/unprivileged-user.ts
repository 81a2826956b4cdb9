import { chownSync, lstatSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { ServerError } from '../server-error.ts'
import { ifPresent } from './system-error.ts'

/** The operating system user that runs a server for root. */
export interface UnprivilegedUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Says whether this process is root, as whom PostgreSQL refuses to run. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0
}

/** Chooses the user who runs PostgreSQL for root: `postgres` where the machine has one, else `nobody`. */
export function chooseUnprivilegedUser(passwd = '/etc/passwd'): UnprivilegedUser {
  const users = parsePasswd(ifPresent(() => readFileSync(passwd, 'utf8')) ?? '')
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid !== 0)
    if (user !== undefined) return user
  }
  throw new ServerError(
    'NO_UNPRIVILEGED_USER',
    `PostgreSQL refuses to run as root, and ${passwd} has neither a user postgres nor nobody.`,
    { hint: 'Add a user postgres, run this as a normal user, or give the URL of a server of your own.' },
  )
}

/** Returns the owner of a folder as a user to run the server as. */
export function ownerOf(folder: string): UnprivilegedUser {
  const { uid, gid } = statSync(folder)
  return { name: `the user with id ${uid}`, uid, gid }
}

/** Says whether a user may enter a folder, as far as the modes of it and of the folders above it tell. */
export function canEnter(user: UnprivilegedUser, folder: string): boolean {
  const real = realpathSync.native(folder)
  if (!allows(statSync(real), user, EXECUTE)) return false
  const above = dirname(real)
  return above === real || canEnter(user, above)
}

/** Says whether a user may read and run a file in a folder that it may enter. */
export function canRun(user: UnprivilegedUser, file: string): boolean {
  return canEnter(user, dirname(realpathSync.native(file))) && allows(statSync(file), user, READ | EXECUTE)
}

/** Gives a file, or a folder with all in it, to a user. */
export function giveTo(user: UnprivilegedUser, path: string): void {
  try {
    chownSync(path, user.uid, user.gid)
  } catch (cause) {
    throw new ServerError('NO_UNPRIVILEGED_USER', `Root may not hand ${path} to ${user.name} on this machine.`, {
      hint: 'Run this as a normal user, or give the URL of a server of your own.',
      cause,
    })
  }
  if (!statSync(path).isDirectory()) return
  for (const name of readdirSync(path)) {
    const inside = join(path, name)
    if (!lstatSync(inside).isSymbolicLink()) giveTo(user, inside)
  }
}

const READ = 4
const EXECUTE = 1

// The user gets no supplementary groups when it is switched to, so its own group is all that counts.
function allows(stats: Stats, user: UnprivilegedUser, wanted: number): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0
  return ((stats.mode >> shift) & wanted) === wanted
}

function parsePasswd(text: string): readonly UnprivilegedUser[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && uid && gid && !name.startsWith('#') ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
