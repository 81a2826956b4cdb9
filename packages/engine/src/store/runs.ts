import type { Problem, Step } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
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
export interface Run {
  readonly id: string
  /** The same for all databases that one command moves. */
  readonly release: string
  readonly history: string
  readonly command: string
  readonly actor: Actor
}

export type Outcome = 'succeeded' | 'failed' | 'interrupted'

/** Records that a run has begun. Runs of the same history that never ended are marked as lost: their holder is gone. */
export async function recordStart(connection: Connection, run: Run, steps: readonly Step[]): Promise<void> {
  const plan = steps.map((step) => ({ direction: step.direction, revision: step.revision.id }))
  const { actor } = run
  await connection.send(`
update ${storeSchema}.run
set outcome = 'lost', finished_at = clock_timestamp()
where history = ${quoteLiteral(run.history)} and outcome = 'running';
insert into ${storeSchema}.run (id, release, history, command, plan, os_user, host, pid, version, git_commit)
values (
  ${quoteLiteral(run.id)}, ${quoteLiteral(run.release)}, ${quoteLiteral(run.history)}, ${quoteLiteral(run.command)},
  ${quoteLiteral(JSON.stringify(plan))}, ${quoteLiteral(actor.osUser)}, ${quoteLiteral(actor.host)}, ${actor.pid},
  ${quoteLiteral(actor.version)}, ${actor.gitCommit === undefined ? 'null' : quoteLiteral(actor.gitCommit)}
)`)
}

/** Records how a run ended. */
export async function recordEnd(connection: Connection, run: Run, outcome: Outcome, problem?: Problem): Promise<void> {
  await connection.send(`
update ${storeSchema}.run
set outcome = ${quoteLiteral(outcome)},
  finished_at = clock_timestamp(),
  error = ${problem ? quoteLiteral(JSON.stringify(problem)) : 'null'}
where id = ${quoteLiteral(run.id)}`)
}
