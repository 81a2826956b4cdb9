import type { Outcome } from './change-case.ts'
import type { ChangeResult } from './try-change.ts'

/** What came of the cases of one kind. */
export interface KindResults {
  readonly kind: string
  readonly results: readonly (ChangeResult & { readonly name: string })[]
}

const outcomes: readonly Outcome[] = ['right', 'fell back', 'needs data', 'refused']

/** The table of schema changes, with what came of each, and a line that sums it up. */
export function formatResults(kinds: readonly KindResults[]): string {
  const all = kinds.flatMap(({ results }) => results)
  const width = Math.max(...all.map(({ name }) => name.length), 0)
  const lines = kinds.flatMap(({ kind, results }) => [
    '',
    kind,
    ...results.map(
      ({ name, outcome, reason, faults }) =>
        `  ${name.padEnd(width)}  ${faults.length > 0 ? 'WRONG' : outcome}${inShort(reason)}`,
    ),
  ])
  const counts = outcomes.map(
    (outcome) =>
      `${all.filter((result) => result.faults.length === 0 && result.outcome === outcome).length} ${outcome}`,
  )
  const wrong = all.filter(({ faults }) => faults.length > 0).length
  return [...lines, '', `${all.length} schema changes: ${counts.join(', ')}, ${wrong} wrong`].join('\n')
}

/** The first lines of a reason: what happened, and to which statement. */
function inShort(reason: string): string {
  return reason === '' ? '' : ` (${reason.split('\n').slice(0, 3).join(' ')})`
}
