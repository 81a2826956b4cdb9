import { arch, availableParallelism, platform } from 'node:os'

import { environmentOf } from '../fleet.ts'
import { startBenchServer } from '../server.ts'
import { bare, drover, psql } from './floors.ts'
import { installDrover } from './install-drover.ts'
import { installPeer } from './install-peer.ts'
import { measureRow } from './measure-row.ts'
import { peers } from './peers.ts'
import { prepareServer } from './prepare-server.ts'
import { compareTools, type RowReport, type RunnerReport } from './runner-report.ts'
import { rows } from './rows.ts'
import type { Tool } from './tool.ts'

/** What is measured. By default everything. */
export interface RunnerOptions {
  readonly rounds: number
  /** Names of rows. */
  readonly rows?: readonly string[]
  /** Names of tools. */
  readonly only?: readonly string[]
  readonly onProgress: (line: string) => void
  /** Called with each row as soon as it is measured: all of them take long. */
  readonly onRow: (row: RowReport) => void
}

/** What it costs to run migrations, for Drover, for tools beside it, and for the work alone. */
export async function measureRunner(options: RunnerOptions): Promise<RunnerReport> {
  const { rounds, onProgress, onRow } = options
  const wanted = pick('row', rows, options.rows)
  const tools = pick<Tool>('tool', [psql, bare, drover, ...peers], options.only)
  if (tools.includes(drover)) await installDrover(onProgress)
  const missing = await installAll(tools, onProgress)

  await using server = await startBenchServer()
  await prepareServer(server)
  const env = { ...environmentOf(server, process.env['PATH']), HOME: server.scratch }

  const reports: RowReport[] = []
  for (const row of wanted) {
    const measured = await measureRow(row, tools, { server, env, rounds, missing, onProgress })
    const report = compareTools(row, measured)
    onRow(report)
    reports.push(report)
  }
  return {
    node: process.version,
    platform: `${platform()}-${arch()}`,
    cpus: availableParallelism(),
    rounds,
    rows: reports,
  }
}

/** Installs the tools that are to be installed, and returns why some are not there. */
async function installAll(
  tools: readonly Tool[],
  onProgress: RunnerOptions['onProgress'],
): Promise<ReadonlyMap<string, string>> {
  const missing = new Map<string, string>()
  for (const { name, packages } of peers.filter((peer) => tools.includes(peer))) {
    try {
      await installPeer(name, packages, onProgress)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      missing.set(name, `does not install: ${message.replace(/^Command failed: .*\n/, '')}`)
    }
  }
  return missing
}

function pick<Item extends { readonly name: string }>(
  what: string,
  items: readonly Item[],
  names: readonly string[] | undefined,
): readonly Item[] {
  const unknown = names?.find((name) => !items.some((item) => item.name === name))
  if (unknown !== undefined) {
    throw new RangeError(`"${unknown}" is no ${what}; there are: ${items.map(({ name }) => name).join(', ')}`)
  }
  return items.filter(({ name }) => names?.includes(name) ?? true)
}
