import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ServerError } from '../server-error.ts'
import { USER, readPassword } from './find-server.ts'
import type { Place } from './place.ts'
import type { Programs } from './programs.ts'
import type { StartEvent } from './start-event.ts'
import { ifPresent } from './system-error.ts'
import { giveTo } from './unprivileged-user.ts'

/** The environment of PostgreSQL's programs: nothing of the caller's, whose secrets are none of its business. */
export const PROGRAM_ENV = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Makes sure that the place has a cluster that these programs can run, and returns its password.
 *
 * A new one is made beside its place and moved there when it is complete, password and all, so that a start that was
 * killed leaves nothing that looks like a cluster. Throws INIT_FAILED, VERSION_MISMATCH or DAMAGED. The caller holds
 * the start lock.
 */
export async function ensureCluster(
  place: Place,
  programs: Programs,
  onProgress: (event: StartEvent) => void,
): Promise<string> {
  removeUnfinished(place)
  if (!existsSync(place.cluster)) {
    onProgress({ type: 'creating-cluster', folder: place.cluster })
    await createCluster(place, programs)
  }
  checkVersion(place, programs)
  const password = readPassword(place.cluster)
  if (password !== undefined) return password
  throw damaged(place, `${place.cluster} has lost its file password.`)
}

async function createCluster(place: Place, programs: Programs): Promise<void> {
  const fresh = mkdtempSync(`${place.cluster}.new-`)
  chmodSync(fresh, 0o700)
  const password = join(fresh, 'password')
  writeFileSync(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  if (place.user) giveTo(place.user, fresh)

  try {
    await runInitdb(place, programs, ['-D', join(fresh, 'data'), `--pwfile=${password}`])
    renameSync(fresh, place.cluster)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    throw error
  }
}

async function runInitdb(place: Place, programs: Programs, where: readonly string[]): Promise<void> {
  const initdb = join(programs.folder, 'bin/initdb')
  const child = spawn(initdb, [...where, ...INITDB_OPTIONS], {
    cwd: '/',
    env: PROGRAM_ENV,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
    ...(place.user && { uid: place.user.uid, gid: place.user.gid }),
  })
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
  try {
    const [, said, outcome] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    if (outcome !== 0) throw new Error(said.trim() || `initdb ended with ${outcome}`)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const hint =
      HINTS.find(({ when }) => when.test(why))?.hint ?? 'Nothing was left behind: solve that, and start again.'
    throw new ServerError('INIT_FAILED', `The cluster in ${place.cluster} could not be created: ${why}`, {
      hint,
      cause,
    })
  }
}

const INITDB_OPTIONS = [
  `--username=${USER}`,
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  // The same order of text on every machine: built into the server, not taken from the C library.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--no-instructions',
]

const HINTS = [
  {
    when: /could not look up effective user/,
    hint: 'Give this user an entry in /etc/passwd, or give the URL of a server of your own.',
  },
  {
    // The program is there, so it is its loader that is not.
    when: /initdb ENOENT/,
    hint: 'On Linux the embedded PostgreSQL needs glibc; give the URL of a server of your own.',
  },
  { when: /ended with SIGTERM/, hint: 'It took more than 60 s. Start again when the machine has less to do.' },
]

/** What a killed start has left. An initdb that has lost its parent may still write there: then the next start clears it. */
function removeUnfinished(place: Place): void {
  for (const name of ifPresent(() => readdirSync(dirname(place.cluster))) ?? []) {
    const path = join(dirname(place.cluster), name)
    if (path.startsWith(`${place.cluster}.new-`)) {
      try {
        rmSync(path, { recursive: true, force: true, maxRetries: 3 })
      } catch (error) {
        if (!existsSync(path)) throw error
      }
    }
  }
}

function checkVersion(place: Place, programs: Programs): void {
  const major = ifPresent(() => readFileSync(join(place.data, 'PG_VERSION'), 'utf8').trim())
  if (major === undefined) throw damaged(place, `${place.data} is not the data of a PostgreSQL server.`)
  if (major === programs.version.split('.')[0]) return
  throw new ServerError(
    'VERSION_MISMATCH',
    `The data in ${place.data} is of PostgreSQL ${major}, and the installed server is ${programs.version}.`,
    {
      hint: `Install the version from before to save what you need, or remove ${place.home} to begin with an empty server.`,
    },
  )
}

function damaged(place: Place, message: string): ServerError {
  return new ServerError('DAMAGED', message, { hint: `Remove ${place.home} to begin with an empty server.` })
}
