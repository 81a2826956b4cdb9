import { hideText } from '../source/statements.ts'

/** As much of a statement of somebody else as is shown, in characters. */
const mostCharacters = 200

/**
 * The beginning of a statement, on one line: enough to recognise it. What stands in strings is left out, as it may be a password
 * or about a person.
 */
export function recognizable(statement: string): string {
  const line = hideText(statement).replaceAll(invisible, ' ').replaceAll(/\s+/g, ' ').trim()
  const characters = Array.from(line)
  return characters.length <= mostCharacters ? line : `${characters.slice(0, mostCharacters - 1).join('')}…`
}

/** What a terminal would obey. */
// oxlint-disable-next-line no-control-regex -- These are what it is about.
const invisible = /[\u0000-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu
