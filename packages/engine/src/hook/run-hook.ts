import { type Direction, DroverError, type Problem } from '@drover/history'

import { type CodeFailure, failureOf } from '../code/run-code.ts'
import { type ModuleCall, runModule, type Surroundings } from '../code/run-module.ts'
import type { Connection } from '../connect/connection.ts'
import { describeStatementError, sqlstateOf } from '../diagnose/statement-error.ts'
import { type Lease, leaseLost } from '../lease/lease.ts'
import { type Failure, type Patience, sendPatiently, tryPatiently } from '../run/attempt.ts'
import { cleanSession, guardStates, holderOf, writeHolderGuard } from '../run/guard.ts'
import { type MessageContext, preamble, writeGuarded, writeOwnMessage } from '../run/message.ts'
import type { RunLimits } from '../run/run-limits.ts'
import type { Run } from '../store/runs.ts'
import { isCode, type HookScript } from './read-hook.ts'

/** What a hook of a run as a whole is run with. */
export interface HookRun {
  readonly command: string
  readonly direction: Direction
  /** What has failed, for hooks that run because of that. */
  readonly problems?: readonly Problem[]
  /** What there is to do when a hook has failed and its cause is put right. */
  readonly next: string
  readonly surroundings: Surroundings
}

/** What a hook of a database is run with. */
export interface DatabaseHookRun extends HookRun, RunLimits, Pick<Patience, 'onRetry'> {
  readonly run: Run
  /** The lease of that run. */
  readonly lease: Pick<Lease, 'token'>
}

/** How long code may leave its transaction alone, in milliseconds, before the server takes it for gone. */
const idleTimeoutMs = 600_000

/**
 * Runs a hook of a database in one transaction, for whoever holds the lease: SQL over the connection, code over one of its own in
 * a process of its own. All of it is done again while it cannot have a lock.
 * @returns what it failed of, if it did; nothing of it is kept then
 */
export async function runHook(
  connection: Connection,
  hook: HookScript,
  options: DatabaseHookRun,
): Promise<Problem | 'interrupted' | undefined> {
  const { run, lease, surroundings, lockTimeoutMs = 100, statementTimeoutMs = 0 } = options
  const context = { lockTimeoutMs, statementTimeoutMs }
  const guard = writeHolderGuard(holderOf(run, lease.token))
  const patience: Patience = {
    onRetry: options.onRetry,
    attempts: options.lockAttempts,
    signal: surroundings.signal,
    watch: { url: connection.url, place: { history: run.history }, killAfterMs: options.killBlockersAfterMs },
  }
  if (!isCode(hook)) return runSql(connection, hook, guard, context, { ...options, ...patience })
  const call: ModuleCall = {
    ...callOf(hook, { ...options, about: { database: run.history, problem: options.problems?.[0] } }),
    before: `${preamble({ ...context, idleTimeoutMs })}${guard}`,
    after: `set constraints all immediate;\n${cleanSession}`,
  }
  const failure = await tryPatiently(
    async () => failureOf(await runModule(connection.url, call, surroundings)),
    patience,
  )
  return failure === undefined || failure === 'interrupted' ? failure : describeCode(hook, failure, options)
}

/** Runs a hook of a run as a whole, which is code, in a process of its own. */
export async function runHookAlone(hook: HookScript, options: HookRun): Promise<Problem | 'interrupted' | undefined> {
  const call = callOf(hook, { ...options, about: { problems: options.problems } })
  const failure = failureOf(await runModule(undefined, call, options.surroundings))
  return failure === undefined || failure === 'interrupted' ? failure : describeCode(hook, failure, options)
}

function callOf(
  { file }: HookScript,
  { command, direction, about }: HookRun & Required<Pick<ModuleCall, 'about'>>,
): ModuleCall {
  return { file, call: 'run', expected: {}, before: '', after: '', about: { command, direction, ...about } }
}

async function runSql(
  connection: Connection,
  hook: HookScript,
  guard: string,
  context: Pick<MessageContext, 'lockTimeoutMs' | 'statementTimeoutMs'>,
  { next, surroundings, ...patience }: Patience & Pick<HookRun, 'next' | 'surroundings'>,
): Promise<Problem | 'interrupted' | undefined> {
  const message = writeGuarded(hook, guard, context)
  const cancel = () => void connection.cancel()
  surroundings.cancel?.addEventListener('abort', cancel, { once: true })
  const failure = await sendPatiently(connection, message, patience)
  surroundings.cancel?.removeEventListener('abort', cancel)
  if (failure === undefined || failure === 'interrupted') return failure
  const { error, completed, blockers } = failure
  if (sqlstateOf(error) === '57014' && isCancelled(surroundings)) return 'interrupted'
  const described = refusalOf(hook, failure)
  if (described) return described
  const source = { ...hook, direction: 'up' as const }
  return { ...describeStatementError(error, source, message, completed, { blockers, next }), code: 'HOOK_FAILED' }
}

/** Whether somebody has asked for what has happened then. Where there is no signal, it should not have happened. */
function isCancelled({ signal, cancel }: Surroundings): boolean {
  return signal !== undefined && cancel?.aborted === true
}

function describeCode(
  hook: HookScript,
  failure: CodeFailure,
  { next, surroundings }: Pick<HookRun, 'next' | 'surroundings'>,
): Problem | 'interrupted' {
  const { file } = hook
  const { end, error, blockers } = failure
  const common = { code: 'HOOK_FAILED', file, hint: `correct ${file}, then ${next}` } as const
  if (end.kind === 'died') {
    if (isCancelled(surroundings)) return 'interrupted'
    const notes = end.lastLines.length > 0 && { serverNotes: end.lastLines }
    return { ...common, message: `${file}: the process of its code ${end.reason}`, ...notes }
  }
  const described = refusalOf(hook, failure)
  if (described) return described
  const { kind, line, statement } = end.fault
  const place = line === undefined ? file : `${file}:${line}`
  const message = kind === 'torn' ? `${end.fault.message}, and what it did before that is kept` : end.fault.message
  const located = { ...(line !== undefined && { line }), message: `${place}: ${message}` }
  if (kind !== 'statement') return { ...common, ...located }
  const source = { file, sql: '', statements: [], direction: 'up' as const }
  const unlocated = describeStatementError(error, source, writeOwnMessage(''), -1, { blockers, next })
  return { ...unlocated, ...located, code: 'HOOK_FAILED', ...(statement !== undefined && { statement }) }
}

/** Why a hook was not run, or is not known to have been run, whatever is in it. */
function refusalOf({ file }: HookScript, { error }: Failure): Problem | undefined {
  if (error instanceof DroverError) {
    const [problem] = error.problems
    return { ...problem, file, message: `the hook ${file} was not run to its end: ${problem.message}` }
  }
  switch (sqlstateOf(error)) {
    case guardStates.busy:
      return {
        code: 'LOCKED',
        file,
        message: `the hook ${file} was not run: another run is still in the middle of a revision of this database`,
        hint: 'run the same command again when it has ended',
      }
    case guardStates.leaseLost:
      return {
        code: 'LEASE_LOST',
        file,
        message: `the hook ${file} was not run: ${leaseLost.reason}`,
        hint: leaseLost.hint,
      }
    default:
      return undefined
  }
}
