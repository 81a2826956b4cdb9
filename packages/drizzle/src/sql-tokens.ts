/** A piece of an SQL statement that is neither white space nor comment. */
export interface SqlToken {
  readonly kind: 'name' | 'text' | 'sign'
  /**
   * A name without its quotes, in lower case where it has none; what a literal says; a sign as it is. Escapes by backslash
   * are left as they are.
   */
  readonly value: string
  /** Whether it is a name in double quotes, which is never a keyword. */
  readonly quoted: boolean
  /** Where it begins in the statement, in UTF-16 units from 0. */
  readonly start: number
  /** Where it ends. */
  readonly end: number
}

/** Takes a statement apart. For statements that a generator has written: what is never closed is left out. */
export function readTokens(statement: string): readonly SqlToken[] {
  const tokens: SqlToken[] = []
  for (const match of statement.matchAll(pattern)) {
    const { name, word, escaped, text, body, sign } = match.groups ?? {}
    const place = { start: match.index, end: match.index + match[0].length }
    if (name !== undefined) tokens.push({ kind: 'name', value: name.replaceAll('""', '"'), quoted: true, ...place })
    else if (word !== undefined) tokens.push({ kind: 'name', value: word.toLowerCase(), quoted: false, ...place })
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign, quoted: false, ...place })
    else {
      const value = (escaped ?? text)?.replaceAll("''", "'") ?? body
      if (value !== undefined) tokens.push({ kind: 'text', value, quoted: false, ...place })
    }
  }
  return tokens
}

/** The words that a statement begins with, as long as they are not quoted, in lower case. */
export function leadingWords(tokens: readonly SqlToken[]): string {
  const end = tokens.findIndex((token) => token.kind !== 'name' || token.quoted)
  return tokens
    .slice(0, end === -1 ? tokens.length : end)
    .map(({ value }) => value)
    .join(' ')
}

/** A name that may have a schema in front, and the index of the token behind it. */
export interface QualifiedName {
  readonly schema?: string
  readonly name: string
  readonly next: number
}

/** Reads the name that begins at a token. */
export function readName(tokens: readonly SqlToken[], at: number): QualifiedName | undefined {
  const first = tokens[at]
  if (first?.kind !== 'name') return undefined
  const second = tokens[at + 2]
  if (tokens[at + 1]?.value !== '.' || second?.kind !== 'name') return { name: first.value, next: at + 1 }
  return { schema: first.value, name: second.value, next: at + 3 }
}

// Comments first, so that what is in them is nothing else; of literals the ones with a prefix before words.
const pattern = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`/\*[^]*?\*/`,
    String.raw`"(?<name>(?:[^"]|"")*)"`,
    String.raw`[eE]'(?<escaped>(?:[^'\\]|''|\\[^])*)'`,
    String.raw`(?:[uU]&|[bBxXnN])?'(?<text>(?:[^']|'')*)'`,
    String.raw`(?<tag>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)(?<body>[^]*?)\k<tag>`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(?<sign>\S)`,
  ].join('|'),
  'g',
)
