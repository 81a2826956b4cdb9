import type { Direction, Problem, Step } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import type { Place } from './place.ts'
import { storeSchema } from './tables.ts'

/** Who is running Drover, from where, and with which sources: recorded with each run. */
export interface Actor {
  readonly osUser: string
  readonly host: string
  readonly pid: number
  /** Drover's own version. */
  readonly version: string
  /** The commit of the checkout, where there is one. */
  readonly gitCommit: string | undefined
}

/** One execution of a plan on one database. */
export interface Run extends Place {
  readonly id: string
  /** The same for all databases that one command moves. */
  readonly release: string
  readonly command: string
  readonly actor: Actor
}

export type Outcome = 'succeeded' | 'failed' | 'interrupted'

/**
 * Records that a run has begun. Runs of the same history that never ended are marked as lost: their holder is gone.
 * @param options.isShared whether others run beside it, of whom nothing is known then. Default `false`
 */
export async function recordStart(
  connection: Connection,
  run: Run,
  steps: readonly Step[],
  { isShared = false }: { readonly isShared?: boolean } = {},
): Promise<void> {
  const plan = steps.map((step) => ({ direction: step.direction, revision: step.revision.id }))
  await connection.send(`${pinSearchPath}${isShared ? addRun(columnsOf(run), plan) : startOf(run, plan)}`)
}

/** Records how a run ended. */
export async function recordEnd(connection: Connection, run: Run, outcome: Outcome, problem?: Problem): Promise<void> {
  await connection.send(`${pinSearchPath}${endOf(run, outcome, problem)}`)
}

/** One step as a run remembers it. */
interface PlannedStep {
  readonly direction: Direction
  readonly revision: string
}

/** The statements that record that a run has begun. */
export function startOf(run: Run, plan: readonly PlannedStep[]): string {
  return insertRun(columnsOf(run), plan)
}

/** The statement that records how a run ended. */
export function endOf(run: Run, outcome: Outcome, problem?: Problem): string {
  return updateRun(quoteLiteral(run.id), outcome, problem)
}

/** A run as SQL expressions: what is not known when the SQL is written is found out when it is run. */
export interface RunColumns {
  readonly history: string
  readonly id: string
  readonly release: string
  readonly command: string
  readonly osUser: string
  readonly host: string
  readonly pid: string
  readonly version: string
  readonly gitCommit: string
}

/** A run as SQL literals. */
export function columnsOf({ id, release, history, command, actor }: Run): RunColumns {
  return {
    history: quoteLiteral(history),
    id: quoteLiteral(id),
    release: quoteLiteral(release),
    command: quoteLiteral(command),
    osUser: quoteLiteral(actor.osUser),
    host: quoteLiteral(actor.host),
    pid: String(actor.pid),
    version: quoteLiteral(actor.version),
    gitCommit: actor.gitCommit === undefined ? 'null' : quoteLiteral(actor.gitCommit),
  }
}

/** The statements that record that a run has begun, whoever it is. */
export function insertRun(run: RunColumns, plan: readonly PlannedStep[]): string {
  return `
update ${storeSchema}.run
set outcome = 'lost', finished_at = clock_timestamp()
where history = ${run.history} and outcome = 'running';
${addRun(run, plan)}`
}

function addRun(run: RunColumns, plan: readonly PlannedStep[]): string {
  return `insert into ${storeSchema}.run (id, release, history, command, plan, os_user, host, pid, version, git_commit)
values (
  ${run.id}, ${run.release}, ${run.history}, ${run.command},
  ${quoteLiteral(JSON.stringify(plan))}, ${run.osUser}, ${run.host}, ${run.pid},
  ${run.version}, ${run.gitCommit}
)`
}

/** The statement that records how a run ended, whoever it is. */
export function updateRun(id: string, outcome: Outcome, problem?: Problem): string {
  return `
update ${storeSchema}.run
set outcome = ${quoteLiteral(outcome)},
  finished_at = clock_timestamp(),
  error = ${problem ? quoteLiteral(JSON.stringify(problem)) : 'null'}
where id = ${id}`
}
