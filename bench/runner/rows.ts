/** One table of the benchmark. */
export interface Row {
  readonly name: string
  readonly title: string
  readonly kind: 'from-empty' | 'nothing-to-do' | 'reverted' | 'start-up'
  readonly databases: readonly string[]
  readonly revisions: number
  /** How often a tool runs for one measurement: more than once where a run is short for a clock that counts in 10 ms. */
  readonly times: number
  /** Drover is meant to be ahead of tools that are no Node programs here too: work decides, and not start-up. */
  readonly workDecides: boolean
  /** How many times the CPU time of the bare script Drover is meant to stay within. */
  readonly withinBare?: number
}

/** All rows, in the order in which they are printed. */
export const rows: readonly Row[] = [
  { ...fromEmpty('from-empty-30', '30 revisions from empty', { revisions: 30, workDecides: false }), times: 3 },
  fromEmpty('from-empty-1000', '1,000 revisions from empty', { revisions: 1000, workDecides: true, withinBare: 1.3 }),
  nothingToDo('nothing-to-do-1000', '1,000 applied, nothing to do', 1000),
  nothingToDo('nothing-to-do-10000', '10,000 applied, nothing to do', 10_000),
  {
    ...fromEmpty('four-databases', 'Four databases from empty, 50 revisions each', {
      revisions: 50,
      workDecides: true,
    }),
    databases: ['one', 'two', 'three', 'four'],
  },
  {
    ...fromEmpty('reverted-1000', '1,000 reverted', { revisions: 1000, workDecides: true }),
    kind: 'reverted',
  },
  {
    ...fromEmpty('start-up', 'Start-up', { revisions: 0, workDecides: false }),
    kind: 'start-up',
    times: 3,
  },
]

function fromEmpty(name: string, title: string, rest: Pick<Row, 'revisions' | 'workDecides' | 'withinBare'>): Row {
  return { name, title, kind: 'from-empty', databases: ['one'], times: 1, ...rest }
}

function nothingToDo(name: string, title: string, revisions: number): Row {
  return { ...fromEmpty(name, title, { revisions, workDecides: false }), kind: 'nothing-to-do', times: 3 }
}
