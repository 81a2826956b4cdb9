import { setTimeout } from 'node:timers/promises'

import type { Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { type ExampleDatabase, exampleDatabase } from '../connect/example-database.ts'
import { acquireLease } from '../lease/lease.ts'
import { recordStart, type Run } from '../store/runs.ts'
import { readState } from '../store/state.ts'
import { ensureStore } from '../store/tables.ts'
import { exampleHistory, exampleRun, exampleScripts, type ExampleSql } from './example-plan.ts'
import { type PlanOutcome, type PlanRun, runPlan } from './run-plan.ts'

/** A database with Drover's tables, and a run that holds its lease; for tests. */
export interface ExampleRunner extends AsyncDisposable {
  readonly database: ExampleDatabase
  readonly connection: Connection
  readonly run: Run
  upgrade(sources: readonly ExampleSql[], options?: Options): Promise<PlanOutcome>
  /** Reverts all of them. */
  downgrade(sources: readonly ExampleSql[], options?: Options): Promise<PlanOutcome>
  /** Runs some scripts of a history of `count` revisions. */
  runScripts(scripts: PlanRun['scripts'], count: number, options?: Options): Promise<PlanOutcome>
  applied(): Promise<readonly string[]>
  tables(): Promise<readonly string[]>
}

/** What a test may set, or take another connection for. */
type Options = Partial<PlanRun> & { readonly connection?: Connection }

/** Makes such a database on a server. */
export async function exampleRunner(serverUrl: string): Promise<ExampleRunner> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await exampleDatabase(serverUrl))
  const connection = database.connect()
  const run = exampleRun()
  await ensureStore(connection)
  await recordStart(connection, run, [])
  const lease = opened.use(await acquireLease(connection, run))
  const runScripts: ExampleRunner['runScripts'] = (scripts, count, options = {}) =>
    runPlan(options.connection ?? connection, { history: exampleHistory(count), run, lease, scripts, ...options })
  const owned = opened.move()
  return {
    database,
    connection,
    run,
    upgrade: (sources, options) => runScripts(exampleScripts(sources), sources.length, options),
    downgrade: (sources, options) => runScripts(exampleScripts(sources, 'down'), sources.length, options),
    runScripts,
    applied: async () => (await readState(connection, 'main')).applied.map(({ id }) => id).toSorted(),
    tables: async () => {
      const rows = await database
        .connect()
        .send(`select tablename from pg_tables where schemaname = 'public' order by 1`)
      return rows.map((row) => String(row['tablename']))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What a run that should fail has failed of. */
export function problemOf({ end }: PlanOutcome): Problem {
  if (end.kind !== 'failed') throw new Error(`the run should have failed, and ended as ${end.kind}`)
  return end.problem
}

/** Waits until a session of the database waits for another. */
export async function someoneWaits({ database }: Pick<ExampleRunner, 'database'>): Promise<void> {
  const watching = database.connect()
  const waits = `exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`
  for (;;) {
    const [row] = await watching.send(`select ${waits} as waits`)
    if (row?.['waits'] === true) return
    await setTimeout(5)
  }
}
