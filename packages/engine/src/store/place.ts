import { quoteLiteral } from '../sql/quote.ts'

/** Where revisions are recorded: a history, and the target in the database that has had them. */
export interface Place {
  readonly history: string
  /** A schema, where one history is applied to many. Default: the database itself. */
  readonly target?: string | undefined
}

/**
 * What a statement that runs by itself begins with, so that the sessions of two targets that are at the same one can be told apart
 * by their queries: a comment with the target, where there is one.
 */
export function leadOf({ target = '' }: Place): string {
  return target === '' ? '' : `/* ${target.replaceAll(/[*/]/g, '_')} */ `
}

/** A condition that is true of the rows of a place. Wants the search_path pinned. */
export function isOfPlace({ history, target = '' }: Place): string {
  return `history = ${quoteLiteral(history)} and target = ${quoteLiteral(target)}`
}
