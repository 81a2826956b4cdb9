import { readTokens, type Token } from '@drover/engine'

/**
 * Writes expressions of a dump so that they are read back as what they were. PostgreSQL writes two of them in words that mean something
 * else to it, and a schema that is made from its dump would differ from the one that was dumped:
 * - `a BETWEEN 1 AND 2 AND …` as `((a >= 1) AND (a <= 2)) AND …`, whose three conditions are read as one list, and `NOT BETWEEN` likewise;
 * - `a IN ('x', 'y')` of a varchar as `(a)::text = ANY ((ARRAY['x'::character varying, …])::text[])`, whose cast is read as one of each element.
 */
export function keepExpressions(statement: string): string {
  // Their text is the history's own.
  if (/^(?:CREATE (?:FUNCTION|PROCEDURE)|COMMENT) /.test(statement)) return statement
  return keepLists(keepRanges(statement))
}

/** A pair of parentheses, by the places of its tokens. */
interface Group {
  readonly open: number
  readonly close: number
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

function keepRanges(statement: string): string {
  if (!/\)\) (?:AND|OR) /.test(statement)) return statement
  const sql = new Tokens(statement)
  const edits: Edit[] = []
  for (const outer of sql.groups) {
    const first = sql.groupAt(outer.open + 1)
    const word = first && sql.text(first.close + 1)
    if (!first || (word !== 'AND' && word !== 'OR')) continue
    const range = sql.rangeIn(first, word)
    if (range !== undefined) edits.push({ ...sql.span(first.open, first.close), text: `(${range})` })
  }
  return apply(statement, edits)
}

/** The comparisons that a range is made of, by what they are joined with. */
const rangeParts = {
  AND: { first: ['>', '='], second: ['<', '='], between: 'BETWEEN' },
  OR: { first: ['<'], second: ['>'], between: 'NOT BETWEEN' },
} as const

/** A statement with its tokens and its parentheses. */
class Tokens {
  readonly #sql: string
  readonly #tokens: readonly Token[]
  readonly groups: readonly Group[]

  constructor(sql: string) {
    this.#sql = sql
    this.#tokens = [...readTokens(sql)]
    const groups: Group[] = []
    const open: number[] = []
    for (const [at, { text }] of this.#tokens.entries()) {
      if (text === '(') open.push(at)
      const start = text === ')' ? open.pop() : undefined
      if (start !== undefined) groups.push({ open: start, close: at })
    }
    this.groups = groups.toSorted((one, other) => one.open - other.open)
  }

  text(at: number): string | undefined {
    return this.#tokens[at]?.text
  }

  groupAt(at: number): Group | undefined {
    return this.text(at) === '(' ? this.groups.find(({ open }) => open === at) : undefined
  }

  /** Where the text of tokens is; both are part of it. */
  span(first: number, last: number): { readonly start: number; readonly end: number } {
    const { start, text } = this.#tokens[last]!
    return { start: this.#tokens[first]!.start, end: start + text.length }
  }

  /** What is in parentheses, as a range: `((a >= 1) AND (a <= 2))` → `a BETWEEN 1 AND 2`. */
  rangeIn({ open, close }: Group, word: keyof typeof rangeParts): string | undefined {
    const one = this.groupAt(open + 1)
    const other = one && this.text(one.close + 1) === word ? this.groupAt(one.close + 2) : undefined
    if (!one || other?.close !== close - 1) return undefined
    const { first, second, between } = rangeParts[word]
    const [lower, upper] = [this.#compared(one, first), this.#compared(other, second)]
    if (!lower || lower.what !== upper?.what) return undefined
    return `${lower.what} ${between} ${lower.bound} AND ${upper.bound}`
  }

  #compared({ open, close }: Group, operator: readonly string[]) {
    for (let at = open + 1; at < close; at += 1) {
      const inner = this.groupAt(at)
      if (inner) at = inner.close
      else if (isOperator(this.text(at))) {
        const end = at + operator.length
        const isIt = operator.every((text, index) => this.text(at + index) === text) && !isOperator(this.text(end))
        if (!isIt || /^(?:ANY|ALL)$/.test(this.text(end)!)) return undefined
        return { what: this.#between(open + 1, at - 1), bound: this.#between(end, close - 1) }
      }
    }
    return undefined
  }

  #between(first: number, last: number): string {
    const { start, end } = this.span(first, last)
    return this.#sql.slice(start, end)
  }
}

function isOperator(text = ''): boolean {
  return /^[-+*/<>=~!@#%^&|`?]$/.test(text)
}

function apply(sql: string, edits: readonly Edit[]): string {
  let text = ''
  let last = 0
  for (const edit of edits) {
    // A range in a range is read back with it.
    if (edit.start < last) continue
    text += sql.slice(last, edit.start) + edit.text
    last = edit.end
  }
  return text + sql.slice(last)
}

const string = `'(?:[^']|'')*'::character varying`
const list = new RegExp(
  String.raw`\(((?:"(?:[^"]|"")+"|[a-z_][\w$]*))\)::text (= ANY|<> ALL) \(\((ARRAY\[${string}(?:, ${string})*\])\)::text\[\]\)`,
  'g',
)

function keepLists(statement: string): string {
  return statement.replaceAll(list, '$1 $2 ($3)')
}
