import { readFileSync } from 'node:fs'

/**
 * The CPU time that a PostgreSQL server has used, in milliseconds: of the processes that are there, and of those that have
 * ended, sessions above all. The latter is counted in ticks of the kernel and so right to about 10 ms.
 */
export function serverCpuMs(postmaster: number): number {
  const running = [postmaster, ...childrenOf(postmaster)].map(runningMs)
  return running.reduce((sum, ms) => sum + ms, endedChildrenMs(postmaster))
}

/** The processes that a process has started and that have not ended. None when it has ended itself. */
export function childrenOf(pid: number): readonly number[] {
  const list = read(`/proc/${pid}/task/${pid}/children`) ?? ''
  return list.split(' ').filter(Boolean).map(Number)
}

/** The most memory that a process has had at once, in MiB; 0 when it has ended. */
export function peakMemoryMiB(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1]
  return kib === undefined ? 0 : Number(kib) / 1024
}

/** What a process of one thread has run for, exactly. */
function runningMs(pid: number): number {
  return Number(read(`/proc/${pid}/schedstat`)?.split(' ')[0] ?? 0) / 1e6
}

/** What the children of a process that have ended have run for. */
function endedChildrenMs(pid: number): number {
  // The name of the program, in brackets, may hold anything; cutime and cstime are the 14th and 15th field after it.
  const fields = (read(`/proc/${pid}/stat`) ?? '').replace(/^.*\) /s, '').split(' ')
  return (Number(fields[13]) + Number(fields[14])) * tickMs
}

/** proc(5) counts in `sysconf(_SC_CLK_TCK)`, which is 100 wherever Node runs on Linux. */
const tickMs = 10

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A process that has ended has no files.
    return undefined
  }
}
