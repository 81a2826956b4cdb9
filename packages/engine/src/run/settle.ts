import { setTimeout as sleep } from 'node:timers/promises'

import { DroverError, type Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import type { Script } from '../source/script.ts'
import type { Run } from '../store/runs.ts'
import { isOfPlace } from '../store/place.ts'
import { readProgress } from '../store/progress.ts'
import { storeSchema } from '../store/tables.ts'
import { cleanSession, guardStates, plainRefusals, refuseBusy } from './guard.ts'

/** For how long an answer is asked for that was lost: a server that restarts is back after that. */
const patienceMs = 10_000
const pauseMs = 250

/**
 * Finds out how many revisions of a message that failed were carried out, counted from its first; what was is on the server's disk then.
 * Where the answer was lost, the server may still be at the message, and begin more of it: the fence keeps it from that, and the lock
 * of the history tells when it is done with the one that it is at. So nothing is guessed about a COMMIT whose answer did not come.
 * @param error what came instead of the answer
 * @param fence see `Lease`
 * @returns `undefined` where the server does not tell within ten seconds, and what the last attempt to reach it takes
 */
export async function countCarriedOut(
  connection: Connection,
  scripts: readonly Script[],
  run: Run,
  error: unknown,
  fence: () => Promise<void>,
): Promise<number | undefined> {
  const question = ask(scripts, run)
  if (!isAnswerLost(error)) {
    const rows = await connection.send(`rollback;\n${cleanSession} deallocate all;\n${question}`).catch(() => undefined)
    if (rows) return countOf(scripts, rows[0]?.['applied'])
  }
  let isFenced = false
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
    try {
      if (!isFenced) await fence()
      isFenced = true
      const [row] = await connection.send(question)
      return countOf(scripts, row?.['applied'])
    } catch (failure) {
      // Somebody else has it, so nothing of ours can begin any more.
      if (failure instanceof DroverError && failure.code === 'LEASE_LOST') isFenced = true
      else if (!mayPass(failure)) return undefined
      await sleep(pauseMs)
    }
  }
  return undefined
}

/**
 * Finds out whether a revision is over that was begun and whose end has failed: it may be where only the answer was lost.
 * @param problem what there is to say of it if it is not
 * @returns `undefined` when it is over; the problem with a word of doubt where the server does not tell
 */
export async function settleEnd(
  connection: Connection,
  script: Script,
  run: Run,
  problem: Problem,
  fence: () => Promise<void>,
): Promise<Problem | undefined> {
  const error = new DroverError(problem)
  if (!isAnswerLost(error)) return problem
  try {
    const settled = await countCarriedOut(connection, [script], run, error, fence)
    // What is under way says how far it is, be it on its way up or down.
    if (settled !== undefined) return (await readProgress(connection, run)) ? problem : undefined
  } catch {
    // As little is known then.
  }
  return doubt(problem)
}

/** The problem of something of which nobody knows whether it was carried out. */
export function doubt(problem: Problem, what = 'it was carried out'): Problem {
  return { ...problem, message: `${problem.message}, and whether ${what} could not be found out` }
}

/** Whether a message failed without the server's word on it. */
export function isAnswerLost(error: unknown): boolean {
  return error instanceof DroverError && error.code === 'CONNECTION_LOST'
}

function ask(scripts: readonly Script[], run: Run): string {
  const ids = scripts.map(({ revision }) => quoteLiteral(revision.id)).join(', ')
  // The update changes nothing: it makes the commit one that waits for the disk, and so for all that came before it.
  return `${pinSearchPath}do $drover$
begin
${refuseBusy(run, plainRefusals)}end
$drover$;
update ${storeSchema}.run set outcome = outcome where id = ${quoteLiteral(run.id)};
select string_agg(revision, ' ') as applied
from ${storeSchema}.applied
where ${isOfPlace(run)} and state = 'applied' and revision in (${ids})`
}

function mayPass(failure: unknown): boolean {
  if (failure instanceof DroverError) return failure.code === 'CONNECTION_LOST' || failure.code === 'UNREACHABLE'
  return sqlstateOf(failure) === guardStates.busy
}

function countOf(scripts: readonly Script[], answer: unknown): number {
  const applied = new Set(typeof answer === 'string' ? answer.split(' ') : [])
  const first = scripts.findIndex(({ revision, direction }) => applied.has(revision.id) !== (direction === 'up'))
  return first === -1 ? scripts.length : first
}
