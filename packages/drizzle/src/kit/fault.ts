import type { Problem } from '@drover/history'

/** Ends a request in the child process with problems, whose files are absolute paths. */
export class KitFault extends Error {
  readonly problems: readonly [Problem, ...Problem[]]

  constructor(problems: readonly [Problem, ...Problem[]]) {
    super(problems.map(({ message }) => message).join('\n'))
    this.name = 'KitFault'
    this.problems = problems
  }
}
