import type { ReleaseOptions } from '../release/run-release.ts'
import type { ReleasePlan } from '../release/plan-release.ts'
import type { ReleaseTrace } from './trace-release.ts'

/**
 * Begins the trace of a release, where this process has an SDK of OpenTelemetry; otherwise nothing of it is loaded. The trace
 * that TRACEPARENT in the environment names is gone on with.
 * @param id of the release
 */
export async function startTrace(
  id: string,
  plan: ReleasePlan,
  options: ReleaseOptions,
): Promise<ReleaseTrace | undefined> {
  if (!hasSdk()) return undefined
  const { traceRelease } = await import('./trace-release.ts')
  return traceRelease(id, plan, options)
}

/**
 * Whether an SDK has registered itself. It does so with any copy of `@opentelemetry/api` 1.x, and all of them keep what is
 * registered in the same place: `GLOBAL_OPENTELEMETRY_API_KEY` in its src/internal/global-utils.ts.
 */
function hasSdk(): boolean {
  const registered: unknown = Reflect.get(globalThis, Symbol.for('opentelemetry.js.api.1'))
  return typeof registered === 'object' && registered !== null && 'trace' in registered
}
