import { readFileSync } from 'node:fs'
import { systemCode } from './system-error.ts'

// A pid alone proves nothing: after a crash or a reboot it may belong to another process. So a process is known by
// more than its number. Linux tells through /proc, at the price of a small file; elsewhere `ps` has to be run.
const hasProc = process.platform === 'linux'

/** Says whether a process with this pid exists, whosever it is. A zombie counts. */
export function isAlive(pid: number): boolean {
  // 0 and below would mean groups of processes.
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

/** Says whether the process was started with this text among its arguments. Runs `ps` where there is no /proc. */
export function carries(pid: number, text: string): boolean {
  return isAlive(pid) && commandLine(pid).includes(text)
}

/** As `carries`, but without `ps`: where there is no /proc it believes every living process. */
export function mayCarry(pid: number, text: string): boolean {
  return hasProc ? carries(pid, text) : isAlive(pid)
}

/** Returns what, with its pid, tells a process from all others since the machine was started: when it was born. */
export function birthOf(pid: number): string {
  return readBirth(pid) ?? UNKNOWN
}

/** Says whether the process with this pid is still the one that had this birth. */
export function isSameProcess(pid: number, birth: string): boolean {
  if (!isAlive(pid)) return false
  const now = readBirth(pid)
  // Not to be told (another user's process on a machine that hides those): better wait for it than disturb it.
  return now === undefined || birth === UNKNOWN || now === birth
}

const UNKNOWN = 'unknown'
const ENDED = 'ended'

/** The command line in one string, empty for a zombie and for a process that may not be looked at. */
function commandLine(pid: number): string {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return ps(pid, 'command')
  } catch {
    return ''
  }
}

function readBirth(pid: number): string | undefined {
  try {
    if (!hasProc) return ps(pid, 'lstart').replaceAll(/[^0-9A-Za-z]+/g, '-')
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the name in parentheses and may hold anything; the third is the state, the 22nd the birth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? ENDED : fields[19]
  } catch {
    return undefined
  }
}

function ps(pid: number, column: string): string {
  // Loaded here: looking for a server must stay cheap.
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  return execFileSync('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}
