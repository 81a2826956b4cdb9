import { createHash } from 'node:crypto'

/** Who makes throw-away databases, and when. */
export interface CloneMaker {
  /** Name of the machine. */
  readonly host: string
  readonly pid: number
  /** In milliseconds since 1970. */
  readonly now: number
}

const prefix = 'drover_rehearsal'

/** After so long nobody rehearses any more, wherever it was begun. In milliseconds. */
const longestMs = 24 * 3_600_000

/** A name for a throw-away database that tells who has made it and when, so that others know when it is left over. */
export function nameClone({ host, pid, now }: CloneMaker, random: string): string {
  return [prefix, Math.floor(now / 1000).toString(36), hashOf(host), pid, random].join('_')
}

/**
 * Whether a database is what a rehearsal has left behind that was killed: its process is gone from this machine, or it is older
 * than any rehearsal lasts. Other databases never are.
 * @param isAlive whether a process of this machine is there
 */
export function isLeftover(name: string, { host, now }: CloneMaker, isAlive: (pid: number) => boolean): boolean {
  const [, time, madeOn, pid] = pattern.exec(name) ?? []
  if (time === undefined) return false
  const isGone = madeOn === hashOf(host) && !isAlive(Number(pid))
  return isGone || now - Number.parseInt(time, 36) * 1000 > longestMs
}

/** What names of clones begin with, for a `like` that escapes with a backslash. */
export const clonePattern = `${prefix.replaceAll('_', String.raw`\_`)}\\_%`

const pattern = new RegExp(`^${prefix}_([0-9a-z]+)_([0-9a-f]{8})_(\\d+)_[0-9a-f]+$`)

function hashOf(host: string): string {
  return createHash('sha256').update(host).digest('hex').slice(0, 8)
}
