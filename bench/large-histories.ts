import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { readChecksums, readHistory } from '@drover/engine'
import { type History, parseTarget, planUpgrade } from '@drover/history'
import { type Member, statusOf } from '@drover/orchestrator'

import { environmentOf, initialise, script } from './fleet.ts'
import { branchingHistory, linearHistory, makeWorkspace, type Shape, writeDatabase } from './generate.ts'
import { measure, type Subject } from './measure.ts'
import { compare, median, type Report } from './report.ts'
import { installDrover, published } from './runner/install-drover.ts'
import { type BenchServer, startBenchServer } from './server.ts'
import { baseline, emptyNode } from './start-up.ts'

/** What is done with a history inside one process, in milliseconds. */
export interface HistoryTimes {
  readonly revisions: number
  readonly merges: number
  /** From the files to the graph. */
  readonly load: number
  readonly planFromEmpty: number
  /** With the comparison of what is applied with the files that are there, as `upgrade` does it. */
  readonly planUpToDate: number
  /** Reading and hashing the SQL of all revisions, all of them unchanged. */
  readonly compareFiles: number
  /** What Node alone needs to read those files: the floor, whose growth is the file system's. */
  readonly readAlone: number
}

/** The result of the benchmark of large histories. */
export interface LargeReport {
  readonly histories: readonly HistoryTimes[]
  /** How much longer 10,000 revisions take than 1,000, by what is done. Linear growth is 10. */
  readonly growth: Readonly<Record<'load' | 'planFromEmpty' | 'planUpToDate' | 'compareFiles' | 'readAlone', number>>
  readonly upToDate: Report
}

const shapes: Readonly<Record<string, readonly Shape[]>> = {
  short: linearHistory(1000),
  long: linearHistory(10_000),
  branching: branchingHistory(2000, 300),
}

/** Wall ratios to the baseline. */
const aims = {
  'migrate upgrade -d long': 15,
  'migrate upgrade -d long, all read': 15,
  'published upgrade -d long': 15,
  'published upgrade -d long, all read': 15,
}

/** Writes histories of thousands of revisions, applies all of them, and measures what is done with them after that. */
export async function measureLargeHistories(rounds: number, onProgress: (line: string) => void): Promise<LargeReport> {
  await using server = await startBenchServer()
  const root = prepareWorkspace(server)
  const path = process.env['PATH']
  const env: Record<string, string> = { ...environmentOf(server, path) }
  for (const name of Object.keys(shapes)) env[`${name.toUpperCase()}_DATABASE_URL`] = server.urlOf(name)
  initialise(root, env)

  const histories: HistoryTimes[] = []
  for (const [name, shape] of Object.entries(shapes)) histories.push(await timesOf(root, name, shape))
  const [short, long] = histories
  const grown = (what: keyof LargeReport['growth']) => long![what] / short![what]

  await installDrover(onProgress)
  const upgrades = (program: string, file: string): readonly Subject[] =>
    Object.keys(shapes).flatMap((database) => {
      const args = [file, 'upgrade', '-d', database]
      const name = `${program} upgrade -d ${database}`
      return [
        { name, args, env },
        { name: `${name}, all read`, args, env: { ...env, DROVER_READ_ALL: '1' } },
      ]
    })
  const subjects = [emptyNode(path), ...upgrades('migrate', script), ...upgrades('published', published)]
  const place = { cwd: root, scratchFile: join(server.scratch, 'cpu') }
  await measure(subjects, { ...place, rounds: 2 })
  return {
    histories,
    growth: {
      load: grown('load'),
      planFromEmpty: grown('planFromEmpty'),
      planUpToDate: grown('planUpToDate'),
      compareFiles: grown('compareFiles'),
      readAlone: grown('readAlone'),
    },
    upToDate: compare(await measure(subjects, { ...place, rounds }), baseline, aims),
  }
}

function prepareWorkspace(server: BenchServer): string {
  const root = join(server.scratch, 'workspace')
  makeWorkspace(root)
  for (const [name, shape] of Object.entries(shapes)) writeDatabase(root, name, shape)
  return root
}

async function timesOf(root: string, name: string, shape: readonly Shape[]): Promise<HistoryTimes> {
  const source = { root, folder: `databases/${name}/migrations` }
  const history = readHistory(source)
  const head = parseTarget('head')
  if (!head.ok) throw new Error(head.problem.message)
  const ids = new Set(history.revisions.map((revision) => revision.id))
  const state = stateOf(history, await readChecksums(root, history.revisions))
  const paths = history.revisions.map((revision) => join(root, revision.folder, 'migration.sql'))
  return {
    revisions: shape.length,
    merges: shape.filter(({ parents }) => parents.length > 1).length,
    load: await typical(() => readHistory(source)),
    planFromEmpty: await typical(() => planUpgrade(history, new Set(), head.target)),
    planUpToDate: await typical(() => [planUpgrade(history, ids, head.target), statusOf({ history, state })]),
    compareFiles: await typical(() => readChecksums(root, history.revisions, state.applied)),
    readAlone: await typical(() => paths.map((path) => readFileSync(path, 'utf8').length)),
  }
}

function stateOf(history: History, checksums: ReadonlyMap<string, string>): Member['state'] {
  const appliedAt = '2026-11-20T10:00:00.000Z'
  const applied = history.revisions.map(({ id }) => ({ id, checksum: checksums.get(id)!, appliedAt }))
  return { applied, identity: 'the benchmark', initialised: true }
}

/** The median of some calls, after some that are not counted. */
async function typical(act: () => unknown): Promise<number> {
  const times: number[] = []
  for (let call = 0; call < 20; call += 1) {
    const started = performance.now()
    await act()
    if (call >= 5) times.push(performance.now() - started)
  }
  return median(times)
}
