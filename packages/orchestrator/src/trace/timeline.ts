import type { FinishedStatement, FinishedStep } from '@drover/engine'
import type { Problem, Step } from '@drover/history'

/** When one revision ran. Times are in milliseconds. */
export interface RevisionTimes {
  readonly step: Step
  readonly start: number
  readonly end: number
  /** What it failed of, if it did. */
  readonly problem?: Problem
  /** How often it could not have a lock, and was tried again. */
  readonly retries: readonly Retry[]
  /** Those whose times are known: of revisions in SQL. */
  readonly statements: readonly StatementTimes[]
}

/** One time at which a revision could not have a lock. */
interface Retry {
  readonly at: number
  readonly reason: string
}

/** When one statement ran. */
interface StatementTimes {
  /** From 1. */
  readonly number: number
  readonly line: number
  readonly start: number
  readonly end: number
}

/** Finds out when the revisions of one database ran, from what is told of them. */
export interface Timeline {
  started(step: Step): void
  retried(reason: string): void
  statementFinished(statement: FinishedStatement): void
  finished(step: FinishedStep): void
  /** Nothing more comes. */
  ended(failed?: { readonly step: Step; readonly problem: Problem }): void
}

/** What is known of a revision besides its beginning and end. */
interface Details {
  readonly retries: readonly Retry[]
  readonly statements: readonly (FinishedStatement & { readonly heard: number })[]
}

/** Makes one. @param tell called with each revision, in their order, at the latest at the end. @param now in milliseconds */
export function createTimeline(tell: (times: RevisionTimes) => void, now: () => number): Timeline {
  let running: { readonly step: Step; readonly start: number } | undefined
  let retries: Retry[] = []
  let statements: (FinishedStatement & { readonly heard: number })[] = []
  // The last one that has finished. When it ended is known for sure only when the next one is told of.
  let last:
    | (Omit<RevisionTimes, 'statements'> & { readonly durationMs: number } & Pick<Details, 'statements'>)
    | undefined
  const tellLast = () => {
    if (last) tell({ ...last, statements: placeStatements(last) })
    last = undefined
  }
  /** What shares a message with the last one ran behind it, and is told of only when all of them have ended. */
  const endLast = (): number | undefined => {
    if (last) last = { ...last, end: Math.min(last.end, last.start + last.durationMs) }
    return last?.end
  }
  const takeDetails = (): Details => {
    const details = { retries, statements }
    retries = []
    statements = []
    return details
  }
  return {
    started: (step) => {
      // It is told of again when it is run alone after all.
      if (running?.step.revision.id !== step.revision.id) running = { step, start: now() }
    },
    retried: (reason) => retries.push({ at: now(), reason }),
    statementFinished: (statement) => statements.push({ ...statement, heard: now() }),
    finished: ({ durationMs, ...step }) => {
      const end = now()
      const announced = running?.start ?? end
      const isInCompany = durationMs > end - announced
      const start = (isInCompany ? endLast() : undefined) ?? announced
      tellLast()
      last = { step, start, end, durationMs, ...takeDetails() }
      running = undefined
    },
    ended: (failed) => {
      const end = now()
      const start = failed && (running?.start ?? endLast() ?? end)
      tellLast()
      if (failed) {
        const times = { ...failed, start: start ?? end, end, ...takeDetails() }
        tell({ ...times, statements: placeStatements(times) })
      }
      running = undefined
    },
  }
}

/** @param revision with the time that the server took for it, if it has finished */
function placeStatements(
  revision: Pick<RevisionTimes, 'start' | 'end'> & Pick<Details, 'statements'> & { readonly durationMs?: number },
): readonly StatementTimes[] {
  const { start, end, durationMs, statements } = revision
  // What comes before that are tries in which it could not have a lock, and the way to the server.
  const began = durationMs === undefined ? start : Math.max(start, end - durationMs)
  return statements.map(({ statement: number, line, durationMs: own, offsetMs, heard }) => {
    if (offsetMs === undefined) return { number, line, start: heard - own, end: heard }
    const from = Math.min(began + offsetMs, end)
    return { number, line, start: from, end: Math.min(from + own, end) }
  })
}
