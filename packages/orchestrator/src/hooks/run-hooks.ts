import type { Environment, Hook, HookScript, RetryReason, Surroundings } from '@drover/engine'
import type { Problem } from '@drover/history'

/** What happens while hooks run. */
export type HookEvent =
  | { readonly type: 'hook-started'; readonly hook: Hook }
  | {
      readonly type: 'hook-retried'
      readonly hook: Hook
      readonly attempt: number
      readonly reason: RetryReason
    }
  | { readonly type: 'hook-output'; readonly hook: Hook; readonly line: string }
  | { readonly type: 'hook-finished'; readonly hook: Hook; readonly durationMs: number }
  | { readonly type: 'hook-failed'; readonly hook: Hook; readonly problem: Problem }

/** How a hook went. */
export interface HookOutcome extends Hook {
  readonly status: 'done' | 'failed'
  /** In milliseconds. */
  readonly durationMs: number
}

/** How some hooks went, of which the first that fails is the last that is run. */
export interface HooksOutcome {
  readonly ran: readonly HookOutcome[]
  readonly end: { readonly kind: 'done' | 'interrupted' } | { readonly kind: 'failed'; readonly problem: Problem }
}

/** Where hooks run. */
export interface HookSurroundings {
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly environment?: Environment
  /** Ends them; they are not to be begun again then. */
  readonly signal?: AbortSignal | undefined
  readonly onEvent: (event: HookEvent) => void
}

/** Runs hooks one after the other. @param run runs one, and returns what it failed of */
export async function runHooks(
  hooks: readonly HookScript[],
  { root, environment = {}, signal, onEvent }: HookSurroundings,
  run: (hook: HookScript, surroundings: Surroundings) => Promise<Problem | 'interrupted' | undefined>,
): Promise<HooksOutcome> {
  const ran: HookOutcome[] = []
  for (const script of hooks) {
    const hook: Hook = { moment: script.moment, file: script.file }
    if (signal?.aborted) return { ran, end: { kind: 'interrupted' } }
    onEvent({ type: 'hook-started', hook })
    const started = performance.now()
    const problem = await run(script, {
      root,
      environment,
      signal,
      onLine: (line) => onEvent({ type: 'hook-output', hook, line }),
    })
    const durationMs = performance.now() - started
    if (problem === 'interrupted') return { ran, end: { kind: 'interrupted' } }
    ran.push({ ...hook, status: problem ? 'failed' : 'done', durationMs })
    if (problem) {
      onEvent({ type: 'hook-failed', hook, problem })
      return { ran, end: { kind: 'failed', problem } }
    }
    onEvent({ type: 'hook-finished', hook, durationMs })
  }
  return { ran, end: { kind: 'done' } }
}
