import { align, median } from '../report.ts'
import { cannot, type Measured } from './measure-row.ts'
import type { Row } from './rows.ts'
import type { Cost } from './run-measured.ts'
import type { Tool } from './tool.ts'

/** The result of the benchmark of the runner. */
export interface RunnerReport {
  readonly node: string
  readonly platform: string
  readonly cpus: number
  readonly rounds: number
  readonly rows: readonly RowReport[]
}

/** One row: every tool beside the floors and beside Drover. */
export interface RowReport {
  readonly row: string
  readonly title: string
  readonly results: readonly (ToolReport | { readonly tool: string; readonly reason: string })[]
  readonly aims: readonly Aim[]
}

/** What a tool cost. Ratios are medians of the ratios of the rounds, and missing where there is nothing to compare with. */
interface ToolReport extends Cost {
  readonly tool: string
  readonly wallToPsql?: number
  readonly wallToBare?: number
  readonly cpuToPsql?: number
  readonly cpuToBare?: number
  /** The CPU time of Drover as a multiple of this tool's: below 1, Drover is ahead. */
  readonly droverCpu?: number
}

/** Something that Drover is meant to reach. */
interface Aim {
  readonly aim: string
  readonly met: boolean
  /** What keeps it from being met. */
  readonly because?: string
}

type Ran = Extract<Measured, { readonly costs: unknown }>

/** Compares what was measured in one row. */
export function compareTools(row: Row, measured: readonly Measured[]): RowReport {
  const ran = measured.filter((one): one is Ran => 'costs' in one)
  const costsOf = (name: string) => ran.find(({ tool }) => tool.name === name)?.costs
  const [toPsql, toBare, ofDrover] = [costsOf('psql'), costsOf('bare'), costsOf('drover')]
  const results = measured.map((one) => {
    const tool = one.tool.name
    if ('reason' in one) return { tool, reason: one.reason }
    const { costs } = one
    return {
      tool,
      wallMs: median(costs.map(({ wallMs }) => wallMs)),
      cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
      serverCpuMs: median(costs.map(({ serverCpuMs }) => serverCpuMs)),
      memoryMiB: median(costs.map(({ memoryMiB }) => memoryMiB)),
      ...(toPsql && { wallToPsql: ratio(costs, toPsql, 'wallMs'), cpuToPsql: ratio(costs, toPsql, 'cpuMs') }),
      ...(toBare && { wallToBare: ratio(costs, toBare, 'wallMs'), cpuToBare: ratio(costs, toBare, 'cpuMs') }),
      ...(ofDrover && { droverCpu: ratio(ofDrover, costs, 'cpuMs') }),
    }
  })
  return { row: row.name, title: row.title, results, aims: ofDrover ? aimsOf(row, ran, ofDrover) : [] }
}

function aimsOf(row: Row, ran: readonly Ran[], drover: readonly Cost[]): readonly Aim[] {
  const ahead = (kind: Tool['kind'], what: keyof Cost, aim: string): Aim[] => {
    const peers = ran.filter(({ tool }) => tool.kind === kind)
    if (peers.length === 0) return []
    const behind = peers
      .map(({ tool, costs }) => ({ tool, droverToIt: ratio(drover, costs, what) }))
      .filter(({ droverToIt }) => droverToIt >= 1)
      .map(({ tool, droverToIt }) => `${tool.name} (× ${droverToIt.toFixed(2)})`)
    return [{ aim, met: behind.length === 0, ...(behind.length > 0 && { because: behind.join(', ') }) }]
  }
  const bare = ran.find(({ tool }) => tool.name === 'bare')?.costs
  const toBare = bare && ratio(drover, bare, 'cpuMs')
  return [
    ...ahead('node', 'cpuMs', 'less CPU time than every Node tool'),
    ...ahead('node', 'wallMs', 'faster than every Node tool'),
    ...ahead('node', 'memoryMiB', 'less memory than every Node tool'),
    ...(row.workDecides ? ahead('binary', 'cpuMs', 'less CPU time than dbmate') : []),
    ...(row.workDecides ? ahead('binary', 'wallMs', 'faster than dbmate') : []),
    ...(row.withinBare !== undefined && toBare !== undefined
      ? [
          {
            aim: `within × ${row.withinBare} of the CPU time of the bare script`,
            met: toBare <= row.withinBare,
            because: `× ${toBare.toFixed(2)}`,
          },
        ]
      : []),
  ]
}

function ratio(costs: readonly Cost[], base: readonly Cost[], what: keyof Cost): number {
  return median(costs.map((cost, round) => cost[what] / base[round]![what]))
}

/** What goes with all tables: the machine, and what their numbers are. */
export function formatCircumstances({ node, platform, cpus, rounds }: RunnerReport): string {
  return `Node ${node} on ${platform}, ${cpus} CPUs; medians of ${rounds} rounds, × are ratios of the same round\n`
}

/** A row as a table of plain text. */
export function formatRow({ title, results, aims }: RowReport): string {
  const head = [
    title,
    'wall',
    '× psql',
    '× bare',
    'CPU',
    '× psql',
    '× bare',
    'of it server',
    'memory',
    'Drover’s CPU to it',
  ]
  const lines = results.map((result) => {
    if ('reason' in result) {
      const short = result.reason === cannot ? cannot : 'did not run'
      return [result.tool, short, ...head.slice(2).map(() => '')]
    }
    const { tool, wallMs, wallToPsql, wallToBare, cpuMs, cpuToPsql, cpuToBare, serverCpuMs, memoryMiB } = result
    return [
      tool,
      milliseconds(wallMs),
      ...[wallToPsql, wallToBare].map(times),
      milliseconds(cpuMs),
      ...[cpuToPsql, cpuToBare].map(times),
      milliseconds(serverCpuMs),
      `${memoryMiB.toFixed(0)} MiB`,
      result.droverCpu === undefined ? '' : `× ${times(result.droverCpu)}`,
    ]
  })
  const judged = aims.map(({ aim, met, because }) => {
    return `${aim}: ${met ? 'met' : 'not met'}${because === undefined ? '' : `: ${because}`}`
  })
  const excuses = results.flatMap((result) =>
    'reason' in result && result.reason !== cannot ? [`${result.tool} did not run: ${firstLine(result.reason)}`] : [],
  )
  const notes = [...excuses, ...judged]
  return [...align(head, lines, [0]), ...(notes.length > 0 ? ['', ...notes] : []), ''].join('\n')
}

function times(ratioOfTwo: number | undefined): string {
  return ratioOfTwo?.toFixed(2) ?? ''
}

function milliseconds(time: number): string {
  return time < 10 ? `${time.toFixed(1)} ms` : `${time.toFixed(0)} ms`
}

function firstLine(text: string): string {
  return text.split('\n')[0]!
}
