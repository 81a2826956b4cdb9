import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { markerOf, readPostmasterFile, stopPostmaster } from './postmaster-file.ts'
import type { StartEvent } from './start-event.ts'
import { readState, writeState } from './server-state.ts'
import { belongsToOther, ifPresent } from './system-error.ts'
import { canEnter, chooseUnprivilegedUser, giveTo, isRoot, ownerOf } from './unprivileged-user.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/** Where a folder's cluster is, and who runs it. */
export interface Place {
  /** The folder of the server, with its state, its lock and its log. */
  readonly home: string
  /** Holds `data` and `password`; appears complete or not at all. Not there yet before the first start. */
  readonly cluster: string
  readonly data: string
  /** How the folder's state names the cluster. */
  readonly recorded: string
  /** Absent when the server runs as the user of this process. */
  readonly user?: UnprivilegedUser
}

/**
 * Decides where the cluster of a folder is, or is to be, and as whom it runs.
 *
 * A normal user has it in the folder. So has root, if the unprivileged user who runs it can get there; otherwise root
 * has it in a folder under `outside`, and remembers that in the folder.
 */
export async function choosePlace(
  home: string,
  outside: string,
  onProgress: (event: StartEvent) => void,
): Promise<Place> {
  const recorded = readState(home)?.cluster ?? INSIDE
  if (!isRoot()) return ofThisUser(home, recorded)

  if (isAbsolute(recorded) && belongsHere(recorded, home)) return outsideAs(userOf(recorded), home, recorded)
  const cluster = join(home, INSIDE)
  const user = userOf(cluster)
  if (existsSync(cluster) || canEnter(user, home))
    return { home, cluster, data: join(cluster, 'data'), recorded: INSIDE, user }

  onProgress({ type: 'placing-data-outside', folder: home, outside, user: user.name })
  await removeOrphans(home, outside)
  return outsideAs(user, home, join(outside, `${nameFor(home)}-${randomBytes(3).toString('hex')}`, INSIDE))
}

/** Says whether a cluster is one that was placed outside for this folder and for no other. */
export function isOutside(cluster: string, home: string): boolean {
  return isAbsolute(cluster) && ifPresent(() => readFileSync(join(cluster, '../folder'), 'utf8')) === home
}

const INSIDE = 'cluster'

function ofThisUser(home: string, recorded: string): Place {
  const cluster = resolve(home, recorded)
  const owner = ifPresent(() => statSync(cluster).uid)
  if (owner === process.geteuid?.()) return { home, cluster, data: join(cluster, 'data'), recorded }
  if (owner !== undefined) throw belongsToOther(home)
  const inside = join(home, INSIDE)
  return { home, cluster: inside, data: join(inside, 'data'), recorded: INSIDE }
}

/** Whoever owns the data runs the server; data that root owns (copied, perhaps) is handed over. */
function userOf(cluster: string): UnprivilegedUser {
  const owner = ifPresent(() => ownerOf(cluster))
  if (owner !== undefined && owner.uid !== 0) return owner
  const user = chooseUnprivilegedUser()
  if (owner !== undefined) {
    giveTo(user, cluster)
    // A copy may have lost this as well, and PostgreSQL insists on it.
    chmodSync(join(cluster, 'data'), 0o700)
  }
  return user
}

function outsideAs(user: UnprivilegedUser, home: string, cluster: string): Place {
  const around = join(cluster, '..')
  for (const folder of [join(around, '..'), around]) {
    mkdirSync(folder, { recursive: true })
    // Whatever the umask: the user has to get through.
    chmodSync(folder, statSync(folder).mode | 0o111)
  }
  writeFileSync(join(around, 'folder'), home)
  writeState(home, { ...readState(home), cluster })
  return { home, cluster, data: join(cluster, 'data'), recorded: cluster, user }
}

/** False in a copy of a folder whose original is still there: the cluster is the original's. */
function belongsHere(cluster: string, home: string): boolean {
  const owner = ifPresent(() => readFileSync(join(cluster, '../folder'), 'utf8'))
  return owner === undefined || owner === home || ifPresent(() => readState(owner))?.cluster !== cluster
}

/** A folder that was removed has left its cluster outside, perhaps with a server that still runs. */
async function removeOrphans(home: string, outside: string): Promise<void> {
  const names = ifPresent(() => readdirSync(outside)) ?? []
  for (const name of names.filter((entry) => entry.startsWith(`${nameFor(home)}-`))) {
    const data = join(outside, name, INSIDE, 'data')
    const { pid } = readPostmasterFile(data) ?? {}
    const marker = pid === undefined ? undefined : markerOf(pid, data, undefined)
    if (pid !== undefined && marker !== undefined) await stopPostmaster(pid, marker, home)
    rmSync(join(outside, name), { recursive: true, force: true })
  }
}

function nameFor(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 12)
}
