import type { Direction } from './plan.ts'
import type { Problem } from './problem.ts'
import { nameRevision, type Revision } from './revision.ts'

/** A revision outside a transaction whose statements were begun and are not all done. */
export interface HalfDone {
  readonly id: string
  readonly direction: Direction
  /** How many statements are done, of how many. */
  readonly done: number
  readonly total: number
  /** The first that is not done, as it stood in the file; missing when only the record is. */
  readonly statement?: string
  /** What the unfinished statement has left, where that can be told. */
  readonly left?: Leftover
  /** Whether some run holds the database, and so may be at it right now. */
  readonly held?: boolean
}

/**
 * What an unfinished statement has left: the server is still at it; an index that is not valid; or everything it was to
 * do, only the record of it is missing.
 */
export type Leftover =
  | { readonly kind: 'working'; readonly pid: number }
  // The name is qualified and quoted as SQL needs it.
  | { readonly kind: 'invalid-index'; readonly name: string }
  | { readonly kind: 'carried-out' }

/** A half-done revision as a problem, with the way on. */
export function describeHalfDone(halfDone: HalfDone, revision: Revision | undefined): Problem {
  const { id, direction, done, total, statement, left } = halfDone
  const name = revision ? nameRevision(revision) : id
  const verb = direction === 'up' ? 'applied' : 'reverted'
  const state = `${done} of ${total} ${total === 1 ? 'statement is' : 'statements are'} done`
  return {
    code: 'HALF_DONE',
    revision: id,
    ...(revision && { file: `${revision.folder}/${direction === 'up' ? 'migration' : 'down'}.sql` }),
    ...(statement !== undefined && { statement }),
    message: `${name} is half ${verb}: ${state}${describeLeftover(left)}`,
    hint: howToGoOn(halfDone),
  }
}

function describeLeftover(left: Leftover | undefined): string {
  switch (left?.kind) {
    case undefined:
      return ''
    case 'working':
      return `, and the server is still working on the next one (process ${left.pid})`
    case 'invalid-index':
      return `, and the next one has left the invalid index ${left.name}`
    case 'carried-out':
      return ', and so is the next one, though it was not recorded'
  }
}

function howToGoOn({ direction, left }: HalfDone): string {
  const command = `pnpm migrate ${direction === 'up' ? 'upgrade' : 'downgrade'} -d <database> --resume`
  if (left?.kind === 'working') {
    return `wait until it has ended, or end it with: select pg_terminate_backend(${left.pid}); then go on with: ${command}`
  }
  const first = left?.kind === 'invalid-index' ? 'drop that index and go on' : 'go on'
  return `${first} with: ${command}`
}
