import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A program to be measured: arguments and environment of Node. */
export interface Subject {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** What one subject cost, in milliseconds: an entry for each round. */
export interface Samples {
  readonly wallMs: readonly number[]
  readonly cpuMs: readonly number[]
}

/** Where and how subjects are run. */
export interface MeasureOptions {
  readonly cwd: string
  readonly rounds: number
  /** A file of our own that a subject may overwrite. */
  readonly scratchFile: string
}

/**
 * Runs all subjects one after the other, and that again for every round, so that whatever else the machine does falls on
 * all of them alike. Each is run twice a round: once untouched for the wall time, and once for the CPU time that it counts itself.
 * @throws {Error} when a subject does not end with exit code 0
 */
export async function measure(
  subjects: readonly Subject[],
  { cwd, rounds, scratchFile }: MeasureOptions,
): Promise<ReadonlyMap<string, Samples>> {
  const samples = new Map(subjects.map(({ name }) => [name, { wallMs: [] as number[], cpuMs: [] as number[] }]))
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      const { wallMs, cpuMs } = samples.get(subject.name)!
      wallMs.push(await runOnce(subject, cwd))
      await runOnce({ ...subject, args: ['--require', cpuCounter, ...subject.args] }, cwd, scratchFile)
      cpuMs.push(Number(readFileSync(scratchFile, 'utf8')))
    }
  }
  return samples
}

const cpuCounter = fileURLToPath(new URL('./count-cpu.cjs', import.meta.url))

/** From starting the process to the end of its streams, in milliseconds. */
function runOnce({ name, args, env }: Subject, cwd: string, cpuFile?: string): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...env, ...(cpuFile !== undefined && { DROVER_BENCH_CPU_FILE: cpuFile }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (text: string) => (output += text)
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - started)
      else reject(new Error(`${name} ended with exit code ${code}:\n${output}`))
    })
  })
}
