import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BenchServer } from '../server.ts'
import { childrenOf, peakMemoryMiB, serverCpuMs } from './processes.ts'

/** What it cost to run something. */
export interface Cost {
  readonly wallMs: number
  /** Of client and server together. */
  readonly cpuMs: number
  readonly serverCpuMs: number
  /** The most that the processes of the client had at once; of the server nothing. */
  readonly memoryMiB: number
}

/** Lines of shell that do the same, and where they are run. The cost is that of one of them. */
export interface Task {
  readonly lines: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Runs lines of shell, one after the other, and tells what they cost. Wall and CPU time of the client are what bash's
 * `time` says. The server's is counted from before until every session that came along has ended, whatever its processes
 * do meanwhile.
 * @throws {Error} when a line does not end with exit code 0; the first line of the message says why, and the rest is what it
 * printed last
 */
export async function runMeasured(server: BenchServer, task: Task): Promise<Cost> {
  const sessions = childrenOf(server.pid)
  const before = serverCpuMs(server.pid)
  const { wallMs, clientCpuMs, memoryMiB } = await runClient(task)
  await untilEnded(server, sessions)
  const serverMs = serverCpuMs(server.pid) - before
  const runs = task.lines.length
  return {
    wallMs: wallMs / runs,
    cpuMs: (clientCpuMs + serverMs) / runs,
    serverCpuMs: serverMs / runs,
    memoryMiB,
  }
}

/** Waits until a server has no processes but these: the time of a session counts when it has ended. */
async function untilEnded(server: BenchServer, but: readonly number[]): Promise<void> {
  const deadline = performance.now() + 10_000
  while (childrenOf(server.pid).some((pid) => !but.includes(pid))) {
    if (performance.now() > deadline) throw new Error('a session of the server has not ended in 10 seconds')
    await sleep(2)
  }
}

async function runClient({ lines, cwd, env }: Task) {
  const work = lines.map((line) => `{ ${line}; } || exit\n`).join('')
  // What `time` says goes to a stream of its own.
  const script = `TIMEFORMAT='%3R %3U %3S'; exec 4>&2\n{ time { ${work}} 2>&4 3>&-; } 2>&3`
  const child = spawn('bash', ['-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  let output = ''
  let timing = ''
  for (const stream of [child.stdout, child.stderr]) {
    // What a tool prints for each of its revisions is not kept.
    stream?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-2000)))
  }
  child.stdio[3]?.on('data', (bytes: Buffer) => (timing += bytes.toString()))

  // The kernel keeps the peak, so that only what is added in the last moments of a process can be missed.
  let memoryMiB = 0
  const watch = setInterval(() => (memoryMiB = Math.max(memoryMiB, memoryOf(child.pid!))), 5)
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
    if (code !== 0) throw new Error(`${complaintOf(output)} (exit code ${code})\n${output}`)
  } finally {
    clearInterval(watch)
  }
  const [wall, user, system] = timing
    .trim()
    .split(' ')
    .map((seconds) => Number(seconds) * 1000)
  return { wallMs: wall!, clientCpuMs: user! + system!, memoryMiB }
}

/** The line of an output that says what went wrong, as far as one can tell. */
function complaintOf(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /error|not found/i.test(line)) ?? lines.at(-1) ?? 'no output'
}

/** The peaks of all processes that come from one, the shell itself left out. */
function memoryOf(shell: number): number {
  const sum = (pids: readonly number[]): number =>
    pids.reduce((total, pid) => total + peakMemoryMiB(pid) + sum(childrenOf(pid)), 0)
  return sum(childrenOf(shell))
}
