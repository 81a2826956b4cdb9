import type { Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { describeStatementError, sqlstateOf } from '../diagnose/statement-error.ts'
import { type Failure, sendPatiently } from '../run/attempt.ts'
import { type Group, type MessageContext, writeLoading } from '../run/message.ts'
import type { FinishedScript, ScriptsOptions } from '../run/run-scripts.ts'
import { countCarriedOut, doubt, isAnswerLost } from '../run/settle.ts'
import { describeRefusal } from '../run/stamp.ts'
import type { Script } from '../source/script.ts'
import type { SchemaSnapshot } from './snapshot-file.ts'

/** A schema snapshot, and the up sides of the revisions that it stands for. */
export interface Loading {
  readonly snapshot: SchemaSnapshot
  /** In run order; at least one. */
  readonly scripts: readonly Script[]
}

/** How it was loaded: all of it, or nothing. */
export type LoadingOutcome =
  | { readonly kind: 'loaded'; readonly finished: readonly FinishedScript[] }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly problem: Problem }

/**
 * Runs the script of a snapshot instead of those of its revisions, and records these as applied: one message, one transaction. Waits
 * patiently for locks. Refused where any of them is applied.
 */
export async function loadSnapshot(
  connection: Connection,
  { snapshot, scripts }: Loading,
  context: MessageContext,
  options: ScriptsOptions,
): Promise<LoadingOutcome> {
  const group = writeLoading(snapshot, scripts, context)
  let shareMs = 0
  const failure = await sendPatiently(connection, group.messages[0]!, {
    ...options,
    onRow: (row) => {
      if (group.durationColumn in row) shareMs = Number(row[group.durationColumn])
    },
  })
  if (failure === 'interrupted') return { kind: 'interrupted' }
  const loaded = {
    kind: 'loaded',
    finished: scripts.map((script) => ({ script, durationMs: shareMs, statements: [] })),
  } as const
  if (!failure) return loaded
  const done = isAnswerLost(failure.error)
    ? await countCarriedOut(connection, scripts, context.run, failure.error, options.fence)
    : 0
  if (done === scripts.length) return loaded
  const problem = describeLoadFailure(snapshot, group, failure, context.run.target)
  return { kind: 'failed', problem: done === undefined ? doubt(problem) : problem }
}

function describeLoadFailure(
  { file, sql, statements }: SchemaSnapshot,
  group: Group,
  { error, completed, blockers }: Failure,
  target: string | undefined,
): Problem {
  const state = sqlstateOf(error)
  const refusal = state?.startsWith('DR') ? describeRefusal(state) : undefined
  if (refusal) return { ...refusal, file }
  const next = `run the same command again: nothing of ${file} was kept`
  const source = { direction: 'up', file, sql, statements } as const
  const problem = describeStatementError(error, source, group.messages[0]!, completed, { blockers, next })
  if (!isPresent.has(state ?? '')) return problem
  if (target !== undefined) {
    return { ...problem, hint: `the schema ${target} is not empty: see what is there and drop it, then ${next}` }
  }
  const record = `where ${file} has made the database already, record it: pnpm migrate stamp head -d <database>`
  return { ...problem, hint: `the database is not empty: drop what is there, then ${next}; or ${record}` }
}

/** What PostgreSQL says of a relation, an object, a function and a schema that are there already. */
const isPresent: ReadonlySet<string> = new Set(['42P07', '42710', '42723', '42P06'])
