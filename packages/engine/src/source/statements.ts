/** One statement of an SQL file. */
export interface Statement {
  /** The statement without leading comments and without its semicolon. */
  readonly text: string
  /** Where `text` begins in the file, in UTF-16 units from 0. */
  readonly start: number
  /** Where the statement ends in the file: its semicolon, or the end of the file. */
  readonly end: number
  /** What is opened in it and never closed. Such a statement is the last one and takes the rest of the file. */
  readonly unclosed?: { readonly what: Quote; readonly start: number }
}

/**
 * Splits SQL where psql would: at semicolons outside strings, quoted names, dollar quotes, nested comments,
 * parentheses, and the `begin atomic … end` bodies of functions. The last of these follows psql's rule (psqlscan.l): in a
 * statement that starts with `create [or replace] function | procedure`, `begin` opens a body, `case` inside it opens another
 * and `end` closes one. Strings are read as with `standard_conforming_strings = on`, the default.
 */
export function splitStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = []
  let start: number | undefined
  let last = 0
  let parentheses = 0
  let words: string[] = []
  let bodies = 0
  let unclosed: Statement['unclosed']

  const finish = (end: number) => {
    if (start !== undefined)
      statements.push({ text: sql.slice(start, last), start, end, ...(unclosed && { unclosed }) })
    start = undefined
    parentheses = 0
    words = []
    bodies = 0
  }

  token.lastIndex = 0
  for (let match = token.exec(sql); match; match = token.exec(sql)) {
    const text = match[0]
    const at = match.index
    if (text.startsWith('--') || isBlank(text)) continue
    const what = quoteOf(text, match.groups?.['tag'])
    if (what) {
      const closed = endOf(what, sql, at, text)
      token.lastIndex = closed ?? sql.length
      if (closed === undefined) unclosed = { what, start: at }
      // A comment belongs to no statement, unless it would take the rest of the file with it unseen.
      if (what === 'comment' && closed !== undefined) continue
    }
    if (text === ';' && parentheses === 0 && bodies === 0) {
      finish(at)
      continue
    }
    start ??= at
    if (text === '(') {
      parentheses += 1
    } else if (text === ')') {
      parentheses = Math.max(0, parentheses - 1)
    } else if (match.groups?.['word'] !== undefined) {
      const word = text.toLowerCase()
      if (words.length < 4) words.push(word)
      if (parentheses === 0 && createsRoutine(words)) {
        if (word === 'begin' || (word === 'case' && bodies > 0)) bodies += 1
        else if (word === 'end') bodies = Math.max(0, bodies - 1)
      }
    }
    last = token.lastIndex
  }
  finish(sql.length)
  return statements
}

/**
 * A statement without its comments, and with white space only where it keeps two tokens apart: the same for two ways of
 * writing it. What stands in strings, quoted names and dollar quotes is left as it is. When in doubt whether white space
 * matters, it is kept.
 */
export function normalizeStatement(statement: string): string {
  let normal = ''
  let gap = ''
  token.lastIndex = 0
  for (let match = token.exec(statement); match; match = token.exec(statement)) {
    const [text] = match
    // A line comment may end with a quote, and opens nothing.
    const what = text.startsWith('--') ? undefined : quoteOf(text, match.groups?.['tag'])
    if (what) token.lastIndex = endOf(what, statement, match.index, text) ?? statement.length
    const whole = statement.slice(match.index, token.lastIndex)
    if (what === 'comment' || text.startsWith('--') || isBlank(text)) {
      gap += whole
      continue
    }
    if (gap !== '') normal += separator(normal.at(-1), gap, whole[0]!)
    gap = ''
    normal += whole
  }
  return normal
}

/** A statement without its comments, and with `'…'` for what stands in strings and dollar quotes: they may hold what is nobody's business. */
export function hideText(statement: string): string {
  let bare = ''
  token.lastIndex = 0
  for (let match = token.exec(statement); match; match = token.exec(statement)) {
    const [text] = match
    const what = text.startsWith('--') ? undefined : quoteOf(text, match.groups?.['tag'])
    if (what) token.lastIndex = endOf(what, statement, match.index, text) ?? statement.length
    if (what === 'string' || what === 'dollar quote') bare += `'…'`
    else bare += what === 'comment' || text.startsWith('--') ? ' ' : statement.slice(match.index, token.lastIndex)
  }
  return bare
}

/**
 * Where a backslash stands outside strings, quoted names and comments, if anywhere. The server has no use for one there;
 * psql takes it for a command of its own, which may be a command of the operating system.
 */
export function findMetaCommand(sql: string): number | undefined {
  for (const { text, start } of readTokens(sql)) if (text === '\\') return start
  return undefined
}

/** A word, a quoted text with its quotes, or one character of anything else. */
export interface Token {
  readonly text: string
  readonly start: number
  readonly isWord: boolean
}

/** Takes SQL apart, without blanks and comments. */
export function* readTokens(sql: string): Generator<Token> {
  for (let at = 0; at < sql.length;) {
    // Whoever reads them may look for others meanwhile.
    token.lastIndex = at
    const match = token.exec(sql)!
    const [text] = match
    const what = text.startsWith('--') ? undefined : quoteOf(text, match.groups?.['tag'])
    const end = what ? (endOf(what, sql, at, text) ?? sql.length) : token.lastIndex
    if (what !== 'comment' && !text.startsWith('--') && !isBlank(text)) {
      yield { text: sql.slice(at, end), start: at, isWord: match.groups?.['word'] !== undefined }
    }
    at = end
  }
}

/** The line of a position in a text, from 1. */
export function lineAt(text: string, position: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

// In order: blanks, a line comment, and the openings of: a comment, a string with escapes, a string, a quoted name, a dollar
// quote; then words, and anything else. What is opened is closed by hand: a string may be megabytes long, too long for a
// pattern. A dollar quote cannot follow a word directly; words swallow the dollars inside them. Blanks are PostgreSQL's six,
// and everything outside ASCII belongs in words (scan.l).
const token =
  /[ \t\n\r\f\v]+|--[^\n\r]*|\/\*|[eE]'|'|"|(?<tag>\$(?:[a-zA-Z_\u{80}-\u{10FFFF}][\w\u{80}-\u{10FFFF}]*)?\$)|(?<word>[a-zA-Z_\u{80}-\u{10FFFF}][\w$\u{80}-\u{10FFFF}]*)|[^]/gu

/** What opens, and has to be closed again. */
type Quote = 'comment' | 'string' | 'quoted name' | 'dollar quote'

function isBlank(text: string): boolean {
  return ' \t\n\r\f\v'.includes(text[0]!)
}

function quoteOf(text: string, tag: string | undefined): Quote | undefined {
  if (text === '/*') return 'comment'
  if (text === '"') return 'quoted name'
  if (text.endsWith("'")) return 'string'
  return tag === undefined ? undefined : 'dollar quote'
}

/** Where a quote or comment that begins at `start` with `opening` is over; `undefined` when it is never closed. */
function endOf(what: Quote, sql: string, start: number, opening: string): number | undefined {
  switch (what) {
    case 'comment':
      return endOfComment(sql, start)
    case 'dollar quote':
      return endOfDollarQuote(sql, start, opening)
    case 'string':
    case 'quoted name':
      return endOfQuote(sql, start + opening.length, opening)
  }
}

/** What has to stay of a gap between two characters. */
function separator(before: string | undefined, gap: string, after: string): string {
  if (before === undefined) return ''
  // Two strings are one when a line break is between them.
  if (before === "'" && after === "'") return /[\n\r]/.test(gap) ? '\n' : ' '
  const [one, other] = [kindOf(before), kindOf(after)]
  if (one === 'punctuation' || other === 'punctuation') return ''
  const sticks = one === other || one === 'other' || other === 'other' || (one !== 'operator' && other !== 'operator')
  return sticks ? ' ' : ''
}

function kindOf(character: string): 'punctuation' | 'operator' | 'quote' | 'word' | 'other' {
  if ('()[],;'.includes(character)) return 'punctuation'
  if (`'"`.includes(character)) return 'quote'
  // Without "&": U&'…' is a string, and U & '…' is not.
  if ('+-*/<>=~!@#%^|`?:'.includes(character)) return 'operator'
  return /[\w$.\u{80}-\u{10FFFF}]/u.test(character) ? 'word' : 'other'
}

function createsRoutine(words: readonly string[]): boolean {
  const [first, second, third, fourth] = words
  if (first !== 'create') return false
  const object = second === 'or' && third === 'replace' ? fourth : second
  return object === 'function' || object === 'procedure'
}

function endOfComment(sql: string, start: number): number | undefined {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  let depth = 0
  for (let match = edge.exec(sql); match; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return undefined
}

function endOfQuote(sql: string, start: number, opening: string): number | undefined {
  const quote = opening.at(-1)!
  const backslashEscapes = opening.length === 2
  for (let at = start; at < sql.length;) {
    const end = sql.indexOf(quote, at)
    if (end === -1) return undefined
    if (backslashEscapes) {
      const backslash = sql.indexOf('\\', at)
      if (backslash !== -1 && backslash < end) {
        at = backslash + 2
        continue
      }
    }
    if (sql[end + 1] === quote) {
      at = end + 2
    } else {
      // A string goes on after a line break, with the same rules for backslashes.
      continuation.lastIndex = end + 1
      if (!backslashEscapes || !continuation.test(sql)) return end + 1
      at = continuation.lastIndex
    }
  }
  return undefined
}

const continuation = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y

function endOfDollarQuote(sql: string, start: number, tag: string): number | undefined {
  const end = sql.indexOf(tag, start + tag.length)
  return end === -1 ? undefined : end + tag.length
}
