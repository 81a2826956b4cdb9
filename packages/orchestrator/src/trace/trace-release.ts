import type { Hook } from '@drover/engine'
import { DroverError, type Problem, scriptFile } from '@drover/history'
import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'

import type { ReleaseEvent, ReleaseOutcome } from '../release/outcome.ts'
import type { DatabasePlan, ReleasePlan } from '../release/plan-release.ts'
import type { ReleaseOptions } from '../release/run-release.ts'
import { createTimeline, type RevisionTimes, type Timeline } from './timeline.ts'

/** The trace of a release that is under way. */
export interface ReleaseTrace {
  readonly onEvent: (event: ReleaseEvent) => void
  end(outcome: ReleaseOutcome): void
  /** Ends it with what the release has thrown. */
  fail(error: unknown): void
}

/**
 * Begins the spans of a release: release, database, target, revision, statement, with hooks and commands beside the revisions.
 * Names of attributes are those of the semantic conventions for databases (version 1.33 and later) where they have any.
 */
export function traceRelease(
  id: string,
  { direction, databases }: ReleasePlan,
  { command, actor, environment = {} }: ReleaseOptions,
): ReleaseTrace {
  const tracer = trace.getTracer('drover', actor.version)
  const carrier = { traceparent: environment['TRACEPARENT'], tracestate: environment['TRACESTATE'] }
  const release = open(tracer, `release ${command}`, propagation.extract(context.active(), carrier), {
    'drover.release': id,
    'drover.command': command,
    'drover.direction': direction,
    'drover.databases': databases.map(({ member }) => member.database.name),
  })
  const works = new Map<string, DatabaseTrace>()
  let hook: Opened | undefined

  const begin = (name: string, kind: 'database' | 'rollback'): DatabaseTrace => {
    works.get(name)?.end()
    const plan = databases.find(({ member }) => member.database.name === name)!
    const work = traceDatabase(tracer, release, plan, `${kind} ${name}`)
    works.set(name, work)
    return work
  }
  const end = (problem?: Problem) => {
    hook?.span.end()
    for (const work of works.values()) work.end()
    close(release.span, problem)
  }
  return {
    onEvent: (event) => {
      if (event.database === undefined) {
        hook = traceHook(tracer, release, hook, event)
        return
      }
      const { database } = event
      if (event.type === 'lease-waiting') {
        release.span.addEvent('waiting for another run', { 'drover.database': database })
      } else if (event.type === 'rollback-started') {
        begin(database, 'rollback')
      } else {
        const work = works.get(database) ?? begin(database, 'database')
        work.onEvent(event)
      }
    },
    end: ({ databases: outcomes, problem }) =>
      end(problem ?? outcomes.flatMap(({ failed, rolledBack }) => failed?.problem ?? rolledBack?.problem ?? [])[0]),
    fail: (error) => {
      const internal = { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) } as const
      end(error instanceof DroverError ? error.problems[0] : internal)
    },
  }
}

/** A span under which there are others. */
interface Opened {
  readonly span: Span
  readonly context: Context
}

/** The spans of one database. */
interface DatabaseTrace {
  readonly onEvent: (event: Exclude<ReleaseEvent, { readonly database?: undefined }>) => void
  /** Ends what has not ended yet, at the time at which something was heard of it last. */
  end(): void
}

function traceDatabase(tracer: Tracer, release: Opened, plan: DatabasePlan, name: string): DatabaseTrace {
  const { database, located } = plan.member
  const server = {
    'db.system.name': 'postgresql',
    'db.namespace': located.url.database,
    'server.address': located.url.host,
    'server.port': located.url.port,
  }
  const whole = open(tracer, name, release.context, { 'drover.database': database.name, ...server })
  const target = open(tracer, `target ${database.name}`, whole.context, { 'drover.target': '', ...server })
  const timeline = createTimeline((times) => traceRevision(tracer, target, server, times), currentTime)
  let heard = currentTime()
  let hook: Opened | undefined
  let command: Opened | undefined
  let isOpen = true
  const end = (problem?: Problem) => {
    if (!isOpen) return
    isOpen = false
    const spans = [hook?.span, command?.span].filter((span) => span !== undefined)
    for (const span of [...spans, target.span, whole.span]) close(span, problem, heard)
  }
  return {
    onEvent: (event) => {
      heard = currentTime()
      if (event.type === 'command-started') {
        command = open(tracer, 'command', target.context, { 'process.command_args': [...event.command] })
      } else if (event.type === 'command-finished') {
        command?.span.end(heard)
        command = undefined
      } else if (event.type === 'database-finished') {
        const { step, problem } = event
        timeline.ended(step && problem && { step, problem })
        end(problem)
      } else if ('hook' in event) {
        hook = traceHook(tracer, target, hook, event)
      } else {
        pass(timeline, event)
      }
    },
    end: () => {
      timeline.ended()
      end()
    },
  }
}

function pass(timeline: Timeline, event: ReleaseEvent): void {
  switch (event.type) {
    case 'step-started':
      return timeline.started(event.step)
    case 'step-retried':
      return timeline.retried(event.reason)
    case 'statement-finished':
      return timeline.statementFinished(event)
    case 'step-finished':
      return timeline.finished(event.step)
    default:
      return undefined
  }
}

/** @param running the hook that is running, if one is. @returns the one that is running now */
function traceHook(
  tracer: Tracer,
  parent: Opened,
  running: Opened | undefined,
  event: ReleaseEvent & { readonly hook: Hook },
): Opened | undefined {
  switch (event.type) {
    case 'hook-started': {
      const { moment, file } = event.hook
      return open(tracer, `hook ${moment}`, parent.context, { 'drover.hook': moment, 'code.file.path': file })
    }
    case 'hook-retried':
      running?.span.addEvent('retried', { 'drover.reason': event.reason })
      return running
    case 'hook-finished':
    case 'hook-failed':
      if (running) close(running.span, 'problem' in event ? event.problem : undefined)
      return undefined
    default:
      return running
  }
}

function traceRevision(tracer: Tracer, target: Opened, server: Attributes, times: RevisionTimes): void {
  const { step, start, end, problem, retries, statements } = times
  const { direction, revision } = step
  const file = scriptFile(revision, direction)
  const attributes = {
    ...server,
    'drover.revision': revision.id,
    'drover.message': revision.message,
    'drover.direction': direction,
    ...(revision.phase && { 'drover.phase': revision.phase }),
    'code.file.path': file,
  }
  const verb = direction === 'up' ? 'apply' : 'revert'
  const opened = open(tracer, `${verb} ${revision.id}`, target.context, attributes, {
    startTime: start,
    kind: SpanKind.CLIENT,
  })
  for (const { at, reason } of retries) opened.span.addEvent('retried', { 'drover.reason': reason }, at)
  for (const { number, line, start: from, end: to } of statements) {
    const own = { ...server, 'drover.statement': number, 'code.file.path': file, 'code.line.number': line }
    open(tracer, 'statement', opened.context, own, { startTime: from, kind: SpanKind.CLIENT }).span.end(to)
  }
  if (problem?.statement !== undefined) {
    // When it began is known only where each statement has its own message.
    const from = revision.transaction === 'none' ? (statements.at(-1)?.end ?? start) : end
    const own = {
      ...server,
      'code.file.path': problem.file ?? file,
      ...(problem.line !== undefined && { 'code.line.number': problem.line }),
    }
    close(open(tracer, 'statement', opened.context, own, { startTime: from, kind: SpanKind.CLIENT }).span, problem, end)
  }
  close(opened.span, problem, end)
}

function open(
  tracer: Tracer,
  name: string,
  parent: Context,
  attributes: Attributes,
  { startTime = currentTime(), kind = SpanKind.INTERNAL }: Pick<SpanOptions, 'startTime' | 'kind'> = {},
): Opened {
  const span = tracer.startSpan(name, { kind, attributes, startTime }, parent)
  return { span, context: trace.setSpan(parent, span) }
}

/** Ends a span. @param problem what was wrong. Default: nothing was */
function close(span: Span, problem?: Problem, endTime = currentTime()): void {
  if (problem) {
    span.setAttribute('error.type', problem.sqlstate ?? problem.code)
    if (problem.sqlstate !== undefined) span.setAttribute('db.response.status_code', problem.sqlstate)
    span.setStatus({ code: SpanStatusCode.ERROR, message: problem.message })
  }
  span.end(endTime)
}

/** In milliseconds since 1970, with fractions. */
function currentTime(): number {
  return performance.timeOrigin + performance.now()
}
