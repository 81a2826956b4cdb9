import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Connection } from '@drover/engine'

import type { BenchServer } from '../server.ts'
import { type Contents, connect, createAll, expectContents, readContents } from './bench-databases.ts'
import { type BenchRevision, smallRevisions, textOf } from './revisions.ts'
import type { Row } from './rows.ts'
import { type Cost, runMeasured } from './run-measured.ts'
import type { Place, Tool } from './tool.ts'

/** What a tool cost in each round, or why it did not run. */
export type Measured =
  | { readonly tool: Tool; readonly costs: readonly Cost[] }
  | { readonly tool: Tool; readonly reason: string }

/** The reason of a tool that has no way of doing what a row is about. */
export const cannot = 'cannot'

/** A tool with its files, and with the databases that it made if it starts from those. */
interface Contestant {
  readonly tool: Tool
  readonly folder: string
  readonly prepared: readonly Place[]
  readonly costs: Cost[]
}

/** Where a row is measured. */
export interface RowOptions {
  readonly server: BenchServer
  readonly env: Readonly<Record<string, string>>
  readonly rounds: number
  /** Why tools are not there, by name. */
  readonly missing: ReadonlyMap<string, string>
  readonly onProgress: (line: string) => void
}

/**
 * Measures tools on one row: all of them once per round, in turns, after a round that is not counted. Every run starts
 * from databases in the same state, and is looked at afterwards: a tool whose databases are not as they should be is out,
 * as is one that fails.
 */
export async function measureRow(row: Row, tools: readonly Tool[], options: RowOptions): Promise<readonly Measured[]> {
  const { server, onProgress } = options
  const revisions = smallRevisions(row.revisions)
  await using control = connect({ name: 'postgres', url: server.urlOf('postgres') })
  const reasons = new Map<Tool, string>()
  const contentsAfter = async (of: readonly BenchRevision[], purpose: string) => {
    const place = { name: 'expected', url: server.urlOf(`${row.name}_${purpose}`) }
    await createAll(control, [place])
    await using connection = connect(place)
    if (of.length > 0) await connection.send(of.map(({ up }) => textOf(up)).join('\n'))
    return await readContents(connection)
  }
  const out = (tool: Tool, error: unknown) => {
    reasons.set(tool, error instanceof Error ? error.message : String(error))
    onProgress(`${row.name}: ${tool.name} is out: ${reasons.get(tool)}`)
  }

  const expected = { full: await contentsAfter(revisions, 'full'), empty: await contentsAfter([], 'empty') }
  const stage: Stage = { ...options, ...expected, row, control, revisions }
  const contestants: Contestant[] = []
  onProgress(`${row.name}: preparing`)
  for (const tool of tools) {
    const reason = options.missing.get(tool.name) ?? (row.kind === 'reverted' && !tool.down ? cannot : undefined)
    if (reason !== undefined) {
      reasons.set(tool, reason)
      continue
    }
    try {
      contestants.push(await prepare(stage, tool))
    } catch (error) {
      out(tool, error)
    }
  }
  for (let round = 0; round <= options.rounds; round += 1) {
    onProgress(`${row.name}: ${round === 0 ? 'a round that is not counted' : `round ${round} of ${options.rounds}`}`)
    for (const contestant of contestants) {
      const { tool, costs } = contestant
      if (reasons.has(tool)) continue
      try {
        const cost = await runOnce(stage, contestant, round)
        if (round > 0) costs.push(cost)
      } catch (error) {
        out(tool, error)
      }
    }
  }
  return tools.map((tool) => {
    const reason = reasons.get(tool)
    if (reason !== undefined) return { tool, reason }
    return { tool, costs: contestants.find((contestant) => contestant.tool === tool)!.costs }
  })
}

/** What all runs of a row have in common. */
interface Stage extends RowOptions {
  readonly row: Row
  readonly revisions: readonly BenchRevision[]
  /** A session in no database that is measured. */
  readonly control: Connection
  /** What a database is like with all revisions, and with none. */
  readonly full: Contents
  readonly empty: Contents
}

async function prepare(stage: Stage, tool: Tool): Promise<Contestant> {
  const { row, revisions, control, server, env, full } = stage
  const folder = join(server.scratch, row.name, tool.name)
  mkdirSync(folder, { recursive: true })
  tool.write(folder, row.databases, revisions)
  if (row.kind === 'from-empty' || row.kind === 'start-up') return { tool, folder, prepared: [], costs: [] }

  const prepared = placesOf(stage, tool, 'prepared')
  await createAll(control, prepared)
  await runMeasured(server, { cwd: folder, env, lines: [tool.up(prepared)] })
  // What is looked at loses the tool's tables, and so cannot be what the tool goes on with.
  const copies = placesOf(stage, tool, 'copy')
  await createAll(control, copies, prepared)
  await expectContents(copies, tool, full)
  for (const place of prepared) {
    await using connection = connect(place)
    await connection.send('vacuum analyze')
  }
  return { tool, folder, prepared, costs: [] }
}

async function runOnce(stage: Stage, { tool, folder, prepared }: Contestant, round: number): Promise<Cost> {
  const { row, control, server, env, full, empty } = stage
  const changes = row.kind === 'from-empty' || row.kind === 'reverted'
  // What changes nothing finds the same databases every time.
  const sets = Array.from({ length: row.times }, (_, turn) =>
    changes ? placesOf(stage, tool, `${round}_${turn}`) : prepared,
  )
  if (changes) for (const places of sets) await createAll(control, places, prepared)
  for (const place of sets.flat()) {
    // The first session of a database builds caches for those after it.
    await using connection = connect(place)
    await connection.send('select 1')
  }
  await control.send('checkpoint')
  const cost = await runMeasured(server, { cwd: folder, env, lines: sets.map((places) => lineOf(row, tool, places)) })
  const expected = row.kind === 'reverted' ? empty : full
  if (changes) await expectContents(sets.flat(), tool, expected)
  return cost
}

function lineOf({ kind, revisions }: Row, tool: Tool, places: readonly Place[]): string {
  switch (kind) {
    case 'start-up':
      return tool.startUp
    case 'nothing-to-do':
      return tool.nothing?.(places) ?? tool.up(places)
    case 'from-empty':
      return tool.up(places)
    case 'reverted':
      return tool.down!(places, revisions)
  }
}

/** Databases of a tool, one for each that the row has: `one` as `reverted-1000_knex_one_prepared`. */
function placesOf({ row, server }: Stage, tool: Tool, purpose: string): readonly Place[] {
  return row.databases.map((name) => ({ name, url: server.urlOf(`${row.name}_${tool.name}_${name}_${purpose}`) }))
}
