import { samplePattern } from './pattern.ts'

/** Constants that an expression names. */
export interface Literals {
  readonly strings: readonly string[]
  readonly numbers: readonly string[]
}

export const noLiterals: Literals = { strings: [], numbers: [] }

/** Finds the constants of expressions, as the server writes them; a quoted number is both. Each once, in order. */
export function findLiterals(expressions: readonly string[]): Literals {
  const strings = new Set<string>()
  const numbers = new Set<string>()
  for (const expression of expressions) {
    for (const [, quoted, number] of expression.matchAll(token)) {
      if (quoted !== undefined) strings.add(quoted.replaceAll("''", "'").replaceAll('\\\\', '\\'))
      if (number !== undefined) numbers.add(number)
      if (quoted !== undefined && /^-?\d+(?:\.\d+)?$/.test(quoted)) numbers.add(quoted)
    }
  }
  return { strings: [...strings], numbers: [...numbers] }
}

/**
 * Texts that a check with these constants may be looking for: the constants, texts that fit them as patterns of LIKE and as
 * regular expressions, and texts of the lengths that it names. Guesses: the server says which fit.
 */
export function guessTexts(literals: Literals): readonly string[] {
  const patterns = literals.strings.flatMap((text) => [...fitLike(text), ...samplePattern(text)])
  const lengths = literals.numbers
    .map(Number)
    .filter((length) => Number.isInteger(length) && length >= 0 && length <= 4000)
  return [
    ...literals.strings,
    ...patterns,
    ...lengths.flatMap((length) => [length, length + 1, length - 1]).flatMap((length) => textsOfLength(length)),
  ]
}

/** A quoted name is passed over, a string taken without its quotes, a number taken when it is no part of a name. */
const token = /"(?:[^"]|"")*"|'((?:[^']|'')*)'|(?<![\w$.])(\d+(?:\.\d+)?)(?![\w$])/g

function fitLike(text: string): readonly string[] {
  if (!/[%_]/.test(text)) return []
  return ['', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map((filling) =>
    text.replaceAll(/\\(.)|[%_]/g, (part, escaped?: string) => escaped ?? (part === '_' ? filling || 'x' : filling)),
  )
}

function textsOfLength(length: number): readonly string[] {
  return length < 0 ? [] : Array.from('abcdefgh', (letter) => letter.padEnd(length, 'text').slice(0, length))
}
