import { type Direction, DroverError, nameRevision, type Problem, type Revision, type Step } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import type { ConnectionUrl } from '../connect/connection-url.ts'
import type { Script } from '../source/script.ts'
import { describeFailure, type Failure, type Patience, tryPatiently } from '../run/attempt.ts'
import { cleanSession, holderOf, writeGuard, writeRecord } from '../run/guard.ts'
import { type MessageContext, preamble, writeOwnMessage } from '../run/message.ts'
import type { ModuleFault, ModuleProgress } from './protocol.ts'
import { countCarriedOut, doubt, isAnswerLost } from '../run/settle.ts'
import { type ModuleCall, type ModuleEnd, runModule, type Surroundings } from './run-module.ts'

/** How the code of a revision is run. */
export interface CodeOptions extends Patience, Surroundings {
  /** See `countCarriedOut`. */
  readonly fence: () => Promise<void>
}

/** How long code may leave its transaction alone, in milliseconds, before the server takes it for gone. */
const idleTimeoutMs = 600_000

/** What code does while it runs. */
export type CodeEvent =
  | { readonly type: 'step-output'; readonly step: Step; readonly line: string }
  | ({ readonly type: 'step-progress'; readonly step: Step } & ModuleProgress)

/**
 * Runs a side of a revision in TypeScript in a process of its own: guard, code and record are one transaction, over a connection
 * that the code has to itself. All of it is done again while it cannot have a lock.
 * @returns what it failed of, if it did; nothing of it is kept then
 */
export async function runCode(
  connection: Connection,
  script: Script,
  context: MessageContext,
  options: CodeOptions,
): Promise<Problem | 'interrupted' | undefined> {
  const holder = holderOf(context.run, context.token)
  const transaction = {
    before: `${preamble({ ...context, idleTimeoutMs })}${writeGuard(script, context.history, holder)}`,
    after: `${writeRecord(script, holder)};\nset constraints all immediate;\n${cleanSession}`,
  }
  const failure = await tryPatiently(
    async () => failureOf(await runModule(connection.url, callOf(script, transaction), options)),
    options,
  )
  if (failure === undefined || failure === 'interrupted') return failure
  const problem = describe(script, failure)
  const lost = lostAnswer(failure)
  if (!lost) return problem
  const done = await countCarriedOut(connection, [script], context.run, lost, options.fence)
  if (done === 1) return undefined
  if (done === undefined) return doubt(problem, 'it was kept')
  return options.cancel?.aborted ? 'interrupted' : problem
}

/**
 * Runs the up side of a revision in TypeScript in a database that nobody else uses, without a record of it.
 * @returns what it failed of, if it did
 */
export async function replayCode(
  url: ConnectionUrl,
  script: Script,
  surroundings: Pick<Surroundings, 'root' | 'environment'>,
): Promise<Problem | undefined> {
  const end = await runModule(url, callOf(script, { before: '', after: '' }), surroundings)
  const failure = failureOf(end)
  return failure === undefined || failure === 'interrupted' ? undefined : describe(script, failure)
}

function callOf({ file, direction, revision }: Script, transaction: Pick<ModuleCall, 'before' | 'after'>): ModuleCall {
  return { ...transaction, file, call: direction, expected: { up: true, down: revision.reversible } }
}

/** A failure, with what is known of it beside the error. */
export type CodeFailure = Failure & { readonly end: Extract<ModuleEnd, { readonly kind: 'failed' | 'died' }> }

/** How a call ended, as what is sent to a server ends. */
export function failureOf(end: ModuleEnd): CodeFailure | 'interrupted' | undefined {
  switch (end.kind) {
    case 'done':
      return undefined
    case 'interrupted':
      return 'interrupted'
    case 'died':
      return { end, error: new Error(end.reason), completed: -1 }
    case 'failed':
      return { end, error: errorOf(end.fault), completed: -1 }
  }
}

/** What the answer to COMMIT may have been lost with. */
function lostAnswer({ end, error }: CodeFailure): unknown {
  if (isAnswerLost(error)) return error
  return end.kind === 'died'
    ? new DroverError({ code: 'CONNECTION_LOST', message: 'the process that had the connection has ended' })
    : undefined
}

/** What the server has said looks as if the driver had got it here. */
function errorOf({ message, problem, server }: ModuleFault): Error {
  return problem ? new DroverError(problem) : Object.assign(new Error(message), server)
}

function describe(script: Script, failure: CodeFailure): Problem {
  const { revision, file, direction } = script
  const { end } = failure
  const common = { code: 'MIGRATION_FAILED', revision: revision.id, file } as const
  if (end.kind === 'died') {
    return {
      ...common,
      message: `${file}: the process of its code ${end.reason}`,
      hint: `nothing of this revision was kept: correct ${file} and run the same command again`,
      ...(end.lastLines.length > 0 && { serverNotes: end.lastLines }),
    }
  }
  const { kind, message, line, statement } = end.fault
  const place = line === undefined ? file : `${file}:${line}`
  const located = { ...(line !== undefined && { line }), message: `${place}: ${message}` }
  switch (kind) {
    case 'connection':
      return describeFailure(script, writeOwnMessage(''), failure)
    case 'statement': {
      const described = describeFailure(script, writeOwnMessage(''), failure)
      // What is not about a statement has its own words.
      if (described.code !== 'STATEMENT_FAILED') return described
      return { ...described, ...located, ...(statement !== undefined && { statement }) }
    }
    case 'module':
      return { ...common, ...located, code: 'REVISION_INVALID', hint: `correct ${file}: nothing of it was run` }
    case 'torn':
      return { ...common, ...located, hint: describeTorn(revision, file, direction) }
    case 'code':
      return {
        ...common,
        ...located,
        hint: `nothing of this revision was kept: correct ${file} and run the same command again`,
      }
  }
}

function describeTorn(revision: Revision, file: string, direction: Direction): string {
  const verb = direction === 'up' ? 'applied' : 'reverted'
  return `what it did before that is kept, and ${nameRevision(revision)} does not count as ${verb}: take the "commit" or "rollback" out of ${file} and of what it runs, undo by hand what it did, then run the same command again`
}
