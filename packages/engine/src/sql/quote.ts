import { DroverError } from '@drover/history'

/**
 * A string as an SQL literal. Backslashes are escaped whatever `standard_conforming_strings` says.
 * @throws {DroverError} `NAME_UNUSABLE` for what no text of PostgreSQL can hold: a NUL character, half of a surrogate pair
 */
export function quoteLiteral(text: string): string {
  refuseUnsendable(text)
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * Texts as one SQL literal of an array. The server takes longer over a constructor of ten thousand elements than over what is done with them.
 * @throws {DroverError} `NAME_UNUSABLE`, as `quoteLiteral`
 */
export function quoteArray(texts: readonly string[], type: 'text' | 'name'): string {
  // Without quotes, NULL would be no text, and blanks at its ends would be lost.
  const elements = texts.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
  return `${quoteLiteral(`{${elements.join(',')}}`)}::${type}[]`
}

/**
 * A name as a quoted SQL identifier.
 * @throws {DroverError} `NAME_UNUSABLE` for a name that is empty, for what no text of PostgreSQL can hold, and for more than 63 bytes, which the server would
 * cut off without an error: two names could mean the same object then
 */
export function quoteIdentifier(name: string): string {
  refuseUnsendable(name)
  if (name === '') {
    throw new DroverError({ code: 'NAME_UNUSABLE', message: 'a name is empty', hint: 'choose one' })
  }
  if (Buffer.byteLength(name) > mostBytes) {
    throw new DroverError({
      code: 'NAME_UNUSABLE',
      message: `the name ${JSON.stringify(name)} has ${Buffer.byteLength(name)} bytes, and PostgreSQL keeps ${mostBytes} of a name`,
      hint: 'choose a shorter one',
    })
  }
  return `"${name.replaceAll('"', '""')}"`
}

/** NAMEDATALEN - 1, which nobody changes. */
const mostBytes = 63

function refuseUnsendable(text: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return
  // The text itself may be a secret.
  throw new DroverError({
    code: 'NAME_UNUSABLE',
    message: `a text has ${text.includes('\0') ? 'a NUL character' : 'half of a surrogate pair'} in it, which PostgreSQL cannot keep`,
    hint: 'remove it',
  })
}
