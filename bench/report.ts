import { arch, availableParallelism, platform } from 'node:os'

import type { LargeReport } from './large-histories.ts'
import type { Samples } from './measure.ts'

/** A subject beside the baseline of the same run. */
export interface Comparison {
  readonly name: string
  /** Medians, in milliseconds. */
  readonly wallMs: number
  readonly cpuMs: number
  /** Medians of the ratios to the baseline of the same round. */
  readonly wallRatio: number
  readonly cpuRatio: number
  /** The wall ratio that it should stay within, and whether it did. */
  readonly aim?: { readonly wallRatio: number; readonly met: boolean }
}

/** The result of a benchmark. */
export interface Report {
  readonly node: string
  readonly platform: string
  readonly cpus: number
  readonly rounds: number
  readonly baseline: string
  readonly results: readonly Comparison[]
}

/** Compares all samples with those of the baseline. `aims` are wall ratios by name. */
export function compare(
  samples: ReadonlyMap<string, Samples>,
  baseline: string,
  aims: Readonly<Record<string, number>>,
): Report {
  const base = samples.get(baseline)!
  const results = [...samples].map(([name, { wallMs, cpuMs }]) => {
    const wallRatio = median(wallMs.map((ms, round) => ms / base.wallMs[round]!))
    const cpuRatio = median(cpuMs.map((ms, round) => ms / base.cpuMs[round]!))
    const aim = aims[name]
    return {
      name,
      wallMs: median(wallMs),
      cpuMs: median(cpuMs),
      wallRatio,
      cpuRatio,
      ...(aim !== undefined && { aim: { wallRatio: aim, met: wallRatio <= aim } }),
    }
  })
  return {
    node: process.version,
    platform: `${platform()}-${arch()}`,
    cpus: availableParallelism(),
    rounds: base.wallMs.length,
    baseline,
    results,
  }
}

/** The report as a table of plain text. */
export function formatTable({ node, platform: system, cpus, rounds, baseline, results }: Report): string {
  const head = ['', 'wall', 'ratio', 'CPU', 'ratio', 'aim']
  const rows = results.map(({ name, wallMs, wallRatio, cpuMs, cpuRatio, aim }) => [
    name,
    `${wallMs.toFixed(1)} ms`,
    wallRatio.toFixed(2),
    `${cpuMs.toFixed(1)} ms`,
    cpuRatio.toFixed(2),
    aim ? `within ${aim.wallRatio}: ${aim.met ? 'met' : 'not met'}` : '',
  ])
  const lines = align(head, rows, [0, 5])
  const title = `Node ${node} on ${system}, ${cpus} CPUs; medians of ${rounds} rounds, ratios to ${baseline} of the same round`
  return `${[title, '', ...lines].join('\n')}\n`
}

/** The report on large histories as tables of plain text. */
export function formatLargeReport({ histories, growth, upToDate }: LargeReport): string {
  const head = ['revisions', 'merges', 'load', 'plan from empty', 'plan when up to date', 'compare files', 'read alone']
  const rows = histories.map((one) => [
    String(one.revisions),
    String(one.merges),
    ...[one.load, one.planFromEmpty, one.planUpToDate, one.compareFiles, one.readAlone].map(milliseconds),
  ])
  const times = [growth.load, growth.planFromEmpty, growth.planUpToDate, growth.compareFiles, growth.readAlone]
  const grown = ['1,000 to 10,000', '', ...times.map((factor) => `× ${factor.toFixed(1)}`)]
  const lines = align(head, [...rows, grown], [0])
  return `${['Large histories in one process; linear growth is × 10', '', ...lines].join('\n')}\n\n${formatTable(upToDate)}`
}

function milliseconds(time: number): string {
  return `${time.toFixed(1)} ms`
}

/** Lines in columns, numbers to the right. */
export function align(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[],
): readonly string[] {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => (left.includes(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** The middle one of some numbers, or what lies between the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
