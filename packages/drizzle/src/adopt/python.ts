/** A value that a Python file gives to a name, as far as it stands there in so many words. */
export type PythonValue = string | null | readonly (string | null)[]

/** What a Python file says of itself at its outermost level. */
export interface PythonModule {
  /** Its first statement, when that is a string. */
  readonly docstring: string | undefined
  /** What is assigned to the names that were asked for. `undefined`: something that only Python could work out. */
  readonly values: ReadonlyMap<string, PythonValue | undefined>
}

/**
 * Reads assignments of strings, `None`, and tuples, lists and sets of these, at the outermost level of a Python file, with or
 * without types (`revision: str = '3f9c…'`). Nothing is run: everything else is passed over.
 * @param names whose values are wanted
 */
export function readPythonModule(source: string, names: readonly string[]): PythonModule {
  const text = source.replace(/^\uFEFF/, '')
  const wanted = new Set(names)
  const values = new Map<string, PythonValue | undefined>()
  let docstring: string | undefined
  let isFirst = true
  for (let at = 0; at < text.length; at = endOfStatement(text, at)) {
    // What is indented belongs to a function; it is passed over as a whole too, because a string in it may have lines that are not.
    if (/[\s#]/.test(text[at]!)) continue
    const first = isFirst ? readString(text, at) : undefined
    if (first) docstring = first.value
    isFirst = false
    const assignment = assignmentAt(text, at)
    if (assignment && wanted.has(assignment.name)) values.set(assignment.name, readValue(text, assignment.valueAt))
  }
  return { docstring, values }
}

/** A logical line: up to a line break outside strings and brackets. */
function endOfStatement(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length;) {
    const string = readString(text, at)
    if (string) {
      at = string.end
      continue
    }
    const character = text[at]!
    if (character === '#') at = endOfLine(text, at)
    else if (character === '\\') at += 2
    else if (character === '\n' && depth === 0) return at + 1
    else {
      if ('([{'.includes(character)) depth += 1
      if (')]}'.includes(character)) depth = Math.max(0, depth - 1)
      at += 1
    }
  }
  return text.length
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

function assignmentAt(text: string, at: number): { readonly name: string; readonly valueAt: number } | undefined {
  const pattern = /([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)/y
  pattern.lastIndex = at
  const match = pattern.exec(text)
  return match ? { name: match[1]!, valueAt: pattern.lastIndex } : undefined
}

type Token =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'sign'; readonly sign: string }
  | { readonly kind: 'other' }

function readValue(text: string, from: number): PythonValue | undefined {
  const tokens = tokenize(text.slice(0, endOfStatement(text, from)), from)
  // Brackets around one value change nothing, unless a comma makes a tuple of it.
  const [first] = tokens
  const last = tokens.at(-1)
  const isList = isSign(first, '[', '{')
  const isBracketed = (isList || isSign(first, '(')) && isSign(last, ']', ')', '}')
  const inner = isBracketed ? tokens.slice(1, -1) : tokens
  const items: (string | null)[] = []
  let commas = 0
  let expectsItem = true
  for (const token of inner) {
    if (isSign(token, ',')) {
      if (expectsItem) return undefined
      commas += 1
      expectsItem = true
    } else if (token.kind === 'string' && !expectsItem) {
      // Strings that stand beside each other are one.
      const before = items.pop()
      if (typeof before !== 'string') return undefined
      items.push(before + token.value)
    } else if (expectsItem && (token.kind === 'string' || token.kind === 'none')) {
      items.push(token.kind === 'string' ? token.value : null)
      expectsItem = false
    } else return undefined
  }
  if (isList || commas > 0 || (isBracketed && inner.length === 0)) return items
  return items[0]
}

function tokenize(text: string, from: number): readonly Token[] {
  const tokens: Token[] = []
  for (let at = from; at < text.length;) {
    const string = readString(text, at)
    if (string) {
      tokens.push({ kind: 'string', value: string.value })
      at = string.end
      continue
    }
    const blank = /(?:\s|\\\r?\n|#[^\n]*)+/y
    blank.lastIndex = at
    const skipped = blank.exec(text)
    if (skipped) {
      at += skipped[0].length
      continue
    }
    const word = /\w+/y
    word.lastIndex = at
    const [name] = word.exec(text) ?? []
    if (name !== undefined) tokens.push(name === 'None' ? { kind: 'none' } : { kind: 'other' })
    else tokens.push('()[]{},'.includes(text[at]!) ? { kind: 'sign', sign: text[at]! } : { kind: 'other' })
    at += name?.length ?? 1
  }
  return tokens
}

function isSign(token: Token | undefined, ...signs: readonly string[]): boolean {
  return token?.kind === 'sign' && signs.includes(token.sign)
}

/** A string that begins here, whatever its quotes. An f-string is none: only Python could say what it is. */
function readString(text: string, at: number): { readonly value: string; readonly end: number } | undefined {
  const pattern = /([rRuU]?)("""|'''|"|')/y
  pattern.lastIndex = at
  const match = pattern.exec(text)
  if (!match) return undefined
  const [, prefix, quote] = match
  const start = pattern.lastIndex
  for (let end = start; end < text.length; end += 1) {
    if (text[end] === '\\') end += 1
    else if (text.startsWith(quote!, end)) {
      const raw = text.slice(start, end)
      return { value: prefix === 'r' || prefix === 'R' ? raw : unescape(raw), end: end + quote!.length }
    } else if (text[end] === '\n' && quote!.length === 1) return undefined
  }
  return undefined
}

function unescape(raw: string): string {
  return raw.replaceAll(/\\(\r?\n|.)/g, (whole, character: string) => {
    if (character.endsWith('\n')) return ''
    if (character === 'n') return '\n'
    return '\\\'"'.includes(character) ? character : whole
  })
}
