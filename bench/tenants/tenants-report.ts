import { arch, availableParallelism, platform } from 'node:os'

import { align, median } from '../report.ts'
import type { Cost } from '../runner/run-measured.ts'
import { type MeasuredSize, type MeasuredTool, steps, type StepName } from './tenant-steps.ts'

/** The result of the benchmark of tenants. */
export interface TenantsReport {
  readonly node: string
  readonly platform: string
  readonly cpus: number
  readonly rounds: number
  readonly tables: readonly StepReport[]
  /** The peaks of Drover's memory with the two numbers of tenants, in MiB, and the second as a multiple of the first. */
  readonly memory: readonly {
    readonly step: StepName
    readonly few: number
    readonly many: number
    readonly growth: number
  }[]
}

/** One step with one number of tenants. */
interface StepReport {
  readonly step: StepName
  readonly tenants: number
  readonly results: readonly (ToolCost | { readonly tool: string; readonly reason: string })[]
}

/** Medians; ratios are medians of the ratios to the floor of the same round. */
interface ToolCost extends Cost {
  readonly tool: string
  readonly wallRatio: number
  readonly cpuRatio: number
}

type Ran = Extract<MeasuredTool, { readonly rounds: unknown }>

/** Compares all tools with the floor, which is the first of them. */
export function compareTenantTools(sizes: readonly MeasuredSize[], rounds: number): TenantsReport {
  return {
    node: process.version,
    platform: `${platform()}-${arch()}`,
    cpus: availableParallelism(),
    rounds,
    tables: steps.flatMap(({ name }) => sizes.map((size) => compareStep(size, name))),
    memory: steps.map(({ name }) => {
      const [few = Number.NaN, many = Number.NaN] = sizes.map((size) => memoryOfDrover(size, name))
      return { step: name, few, many, growth: many / few }
    }),
  }
}

function memoryOfDrover({ tools }: MeasuredSize, step: StepName): number {
  const found = tools.find(({ tool }) => tool === 'drover')
  return found && 'rounds' in found ? median(found.rounds.map((round) => round[step].memoryMiB)) : Number.NaN
}

function compareStep({ tenants, tools }: MeasuredSize, step: StepName): StepReport {
  const base = tools.find((one): one is Ran => 'rounds' in one)
  return {
    step,
    tenants,
    results: tools.map((one) => {
      if ('reason' in one) return one
      const medianOf = (what: keyof Cost) => median(one.rounds.map((round) => round[step][what]))
      const ratioOf = (what: keyof Cost) =>
        median(one.rounds.map((round, at) => round[step][what] / base!.rounds[at]![step][what]))
      return {
        tool: one.tool,
        wallMs: medianOf('wallMs'),
        cpuMs: medianOf('cpuMs'),
        serverCpuMs: medianOf('serverCpuMs'),
        memoryMiB: medianOf('memoryMiB'),
        wallRatio: ratioOf('wallMs'),
        cpuRatio: ratioOf('cpuMs'),
      }
    }),
  }
}

/** The report as tables of plain text. */
export function formatTenantsReport({ node, platform: system, cpus, rounds, tables, memory }: TenantsReport): string {
  const title = `Node ${node} on ${system}, ${cpus} CPUs; medians of ${rounds} rounds, × are ratios to psql of the same round`
  const growth = align(
    ['memory of Drover', 'few', 'many', 'growth'],
    memory.map(({ step, few, many, growth: factor }) => [
      step,
      mebibytes(few),
      mebibytes(many),
      `× ${factor.toFixed(2)}`,
    ]),
    [0],
  )
  return `${[title, ...tables.map(formatStep), growth.join('\n')].join('\n\n')}\n`
}

function formatStep({ step, tenants, results }: StepReport): string {
  const title = `${steps.find(({ name }) => name === step)!.title}, ${tenants.toLocaleString('en-US')} tenants`
  const head = [title, 'wall', '×', 'CPU', '×', 'of it server', 'a tenant', 'memory']
  const rows = results.map((one) =>
    'reason' in one
      ? [one.tool, 'out', '', '', '', '', '', '']
      : [
          one.tool,
          milliseconds(one.wallMs),
          one.wallRatio.toFixed(2),
          milliseconds(one.cpuMs),
          one.cpuRatio.toFixed(2),
          milliseconds(one.serverCpuMs),
          `${(one.wallMs / tenants).toFixed(2)} ms`,
          mebibytes(one.memoryMiB),
        ],
  )
  const out = results.flatMap((one) => ('reason' in one ? [`${one.tool}: ${one.reason}`] : []))
  return [...align(head, rows, [0]), ...out].join('\n')
}

function milliseconds(time: number): string {
  return `${time.toFixed(0)} ms`
}

function mebibytes(size: number): string {
  return `${size.toFixed(0)} MiB`
}
