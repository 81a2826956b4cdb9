import type { Problem } from '@drover/history'
import type { Arrival, Delay, Patience } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { columns, duration } from './text.ts'

/** What is waited for and why, as a line of progress. */
export function delayLine({ database, tries, problem }: Delay, patience: Patience): string {
  const next = patience.intervalMs > 0 ? `, again in ${duration(patience.intervalMs)}` : ''
  return `${database.name}: waiting: ${problem.message} (try ${tries} of ${patience.tries}${next})`
}

/** What has become of waiting, a line for each database. */
export function arrivalLines(arrivals: readonly Arrival[], style: Style): readonly string[] {
  return columns(
    arrivals.map((arrival) => {
      const after = arrival.tries === 1 ? '' : ` at try ${arrival.tries}`
      return [arrival.database.name, `${stateText(arrival, style)}${after}`]
    }),
  )
}

function stateText({ state }: Arrival, style: Style): string {
  switch (state) {
    case 'ready':
      return style.good('ready')
    case 'database-missing':
      return style.warn('the server is ready, and does not have the database')
    case 'unreachable':
      return style.bad('unreachable')
  }
}

/** What is wrong with those that have not come: the last that was heard of each. */
export function arrivalProblems(arrivals: readonly Arrival[]): readonly Problem[] {
  return arrivals.flatMap(({ problems, tries, waitedMs }) =>
    problems.map((problem) => ({
      ...problem,
      message: tries === 1 ? problem.message : `${problem.message}, at try ${tries} after ${duration(waitedMs)}`,
    })),
  )
}

/** The same as data. */
export function arrivalJson({ database, state, tries, waitedMs }: Arrival): Readonly<Record<string, unknown>> {
  return { name: database.name, state, tries, waitedMs: Math.round(waitedMs) }
}
