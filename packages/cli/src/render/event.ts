import type { Hook } from '@drover/engine'
import type { ReleaseEvent } from '@drover/orchestrator'

import type { LogEntry } from './log.ts'
import { describeEvent } from './release.ts'
import { styleFor } from './style.ts'

/** What happens during a release. Its message is what people read. */
export function eventEntry(event: ReleaseEvent): LogEntry {
  const { type, database, ...fields } = event
  const message =
    'line' in event && typeof event.line === 'string'
      ? event.line
      : describeEvent(event, 0, plain)?.replaceAll(/ {2,}/g, ' ')
  return {
    level: worrying.has(type) ? 'warn' : 'info',
    event: type,
    ...(message !== undefined && { message }),
    ...(database !== undefined && { database }),
    ...fieldsOf(type, fields),
  }
}

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

const worrying: ReadonlySet<ReleaseEvent['type']> = new Set([
  'lease-waiting',
  'others-stopping',
  'rollback-started',
  'step-retried',
  'blockers-found',
  'blocker-ended',
  'blocker-kept',
  'hook-retried',
  'hook-failed',
  'tenant-failed',
  'tenant-parked',
  'gate-passed-over',
  'server-silent',
  'server-lost',
] as const)

/** Those whose problem nothing else tells, because the run goes on. That of any other is told in full at the end. */
const passing: ReadonlySet<ReleaseEvent['type']> = new Set(['tenant-parked', 'gate-passed-over', 'server-silent'])

/** The fields of an event by the names that programs know them by. */
function fieldsOf(type: ReleaseEvent['type'], fields: Fields): Readonly<Record<string, unknown>> {
  const { step, hook, command, line, problem, ...others } = fields
  return {
    ...(step && describeStep(step)),
    ...hook,
    ...(typeof line === 'number' && { line }),
    ...(command && { argv: command }),
    ...(passing.has(type) && { problem }),
    ...others,
    ...(others.durationMs !== undefined && { durationMs: round(others.durationMs) }),
  }
}

/** What events may have besides what all of them have. */
interface Fields {
  readonly step?: Extract<ReleaseEvent, { readonly type: 'step-started' | 'step-finished' }>['step'] | undefined
  readonly command?: readonly string[]
  readonly hook?: Hook
  /** What is said, or where it is. */
  readonly line?: string | number
  readonly problem?: unknown
  readonly durationMs?: number
  readonly [field: string]: unknown
}

function describeStep(step: NonNullable<Fields['step']>): Readonly<Record<string, unknown>> {
  const { direction, revision } = step
  return {
    revision: revision.id,
    direction,
    ...(revision.phase && { phase: revision.phase }),
    ...('durationMs' in step && { durationMs: round(step.durationMs) }),
  }
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
