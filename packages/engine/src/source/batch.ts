import { type Batch, nameRevision, type Problem } from '@drover/history'

import { quoteIdentifier } from '../sql/quote.ts'
import type { Script } from './script.ts'
import { lineAt, readTokens, type Token } from './statements.ts'

/** How the statement of a script is repeated, if it is: the way back is a script like any other. */
export function batchOf({ direction, revision }: Pick<Script, 'direction' | 'revision'>): Batch | undefined {
  return direction === 'up' ? revision.batch : undefined
}

/** A column and its table, as SQL. */
export interface KeyName {
  readonly table: string
  readonly column: string
}

/** Takes a key apart: `<table>.<column>`, with or without a schema in front; `undefined` when it is something else. */
export function parseKey(key: string): KeyName | undefined {
  const parts: string[] = []
  identifier.lastIndex = 0
  for (let match = identifier.exec(key); match; match = identifier.exec(key)) {
    const { quoted, plain = '', dot } = match.groups!
    parts.push(quoteIdentifier(quoted?.replaceAll('""', '"') ?? plain.toLowerCase()))
    if (dot === '.') continue
    const isWhole = identifier.lastIndex === key.length && (parts.length === 2 || parts.length === 3)
    return isWhole ? { table: parts.slice(0, -1).join('.'), column: parts.at(-1)! } : undefined
  }
  return undefined
}

const identifier = /(?:"(?<quoted>(?:[^"]|"")+)"|(?<plain>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))(?<dot>\.|$)/y

/** What keeps the up side of a revision from being repeated, before anything is sent. */
export function findBatchProblems({ revision, file, sql, statements }: Script, batch: Batch): readonly Problem[] {
  const problem = (what: string, hint: string, at: number, statement?: string): Problem => {
    const line = lineAt(sql, at)
    return {
      code: 'REVISION_INVALID',
      revision: revision.id,
      file,
      line,
      ...(statement !== undefined && { statement }),
      message: `${file}:${line}: ${nameRevision(revision)} runs in batches, and ${what}`,
      hint,
    }
  }
  const [first, second] = statements
  if (!first || second) {
    const hint = 'put the others into revisions of their own, before or after this one'
    return [problem(`has ${statements.length} statements instead of one`, hint, second?.start ?? 0)]
  }
  const { text, start } = first
  if (!changesRows(text)) {
    const hint =
      'write an update, a delete, an "insert … select" or a merge; without "batch" in its revision.json, a revision may be anything'
    return [problem('its statement is none that changes rows', hint, start, text)]
  }
  const places = findPlaces(text)
  const wrong = places.find(({ name, operator }) => operator !== operators[name])
  if (!batch.range) {
    const [place] = places
    const hint = 'declare the key with "key" instead of "until", or write the statement without it'
    return place ? [problem(`:${place.name} is for batches by a key`, hint, start + place.start, text)] : []
  }
  const column = parseKey(batch.range.key)?.column ?? batch.range.key
  const hint = `write both sides of its range: where ${column} > :from and ${column} <= :to`
  if (wrong) {
    return [problem(`:${wrong.name} does not stand behind "${operators[wrong.name]}"`, hint, start + wrong.start, text)]
  }
  const missing = (['from', 'to'] as const).find((name) => !places.some((place) => place.name === name))
  return missing ? [problem(`:${missing} is missing in its statement`, hint, start, text)] : []
}

/** A statement with a range filled in. */
export interface FilledStatement {
  readonly sql: string
  /** The place in the statement as it stands in the file, for one in `sql`. */
  readonly originOf: (at: number) => number
}

/** A range of keys, as SQL: those that are greater than `from`, as far as `to`. */
export interface KeyRange {
  /** Missing in the first range, which has no lower side: not every type has a value that is smaller than all of its keys. */
  readonly from?: string
  readonly to: string
}

/** Puts a range into a statement that has places for it. */
export function fillRange(text: string, { from, to }: KeyRange): FilledStatement {
  const pieces: { readonly start: number; readonly origin: number; readonly isValue: boolean }[] = []
  let sql = ''
  const add = (piece: string, origin: number, isValue: boolean) => {
    pieces.push({ start: sql.length, origin, isValue })
    sql += piece
  }
  let last = 0
  for (const place of findPlaces(text)) {
    // Without a lower side, it says the same as the other one.
    const isOpen = place.name === 'from' && from === undefined
    const start = isOpen ? place.operatorStart : place.start
    add(text.slice(last, start), last, false)
    add(isOpen ? `<= ${to}` : place.name === 'from' ? from! : to, place.start, true)
    last = place.end
  }
  add(text.slice(last), last, false)
  return {
    sql,
    originOf: (at) => {
      const piece = pieces.findLast(({ start }) => start <= at)!
      return piece.isValue ? piece.origin : piece.origin + at - piece.start
    },
  }
}

/** Whether a statement is one that changes rows, as far as its text tells; what it inserts may not be written out in it. */
function changesRows(text: string): boolean {
  const outer: string[] = []
  let depth = 0
  let selects = false
  for (const token of readTokens(text)) {
    if (token.text === '(') depth += 1
    else if (token.text === ')') depth -= 1
    if (!token.isWord) continue
    const word = token.text.toLowerCase()
    selects ||= word === 'select'
    if (depth === 0) outer.push(word)
  }
  const [first = ''] = outer
  const verb = first === 'with' ? outer.find((word) => word === 'select' || changing.has(word)) : first
  return verb === 'insert' ? selects : verb !== undefined && changing.has(verb)
}

const changing: ReadonlySet<string> = new Set(['update', 'delete', 'insert', 'merge'])

/** A place for one side of a range. */
interface Place {
  readonly name: keyof typeof operators
  readonly start: number
  readonly end: number
  /** What stands before it. */
  readonly operator: string
  readonly operatorStart: number
}

const operators = { from: '>', to: '<=' } as const

/**
 * `:from` and `:to`. Neither is anything else in SQL, where both words are reserved: no slice, no type behind `::`, no value of a
 * JSON object can be called so without quotes (PostgreSQL, "SQL Key Words").
 */
function findPlaces(text: string): readonly Place[] {
  const tokens = [...readTokens(text)]
  return tokens.flatMap((colon, index) => {
    const word = tokens[index + 1]
    const before = tokens[index - 1]
    const isCast = before !== undefined && before.text === ':' && endOf(before) === colon.start
    if (colon.text !== ':' || isCast || !word || endOf(colon) !== word.start) return []
    if (word.text !== 'from' && word.text !== 'to') return []
    const operatorStart = startOfOperator(tokens, index - 1)
    const operator = before && operatorStart !== undefined ? text.slice(operatorStart, endOf(before)) : ''
    return [
      { name: word.text, start: colon.start, end: endOf(word), operator, operatorStart: operatorStart ?? colon.start },
    ]
  })
}

/** Where the operator begins that ends with a token, if that is what it is: its characters stand together. */
function startOfOperator(tokens: readonly Token[], last: number): number | undefined {
  let start: number | undefined
  for (let index = last; index >= 0; index -= 1) {
    const token = tokens[index]!
    if (!'+-*/<>=~!@#%^&|`?'.includes(token.text) || (start !== undefined && endOf(token) !== start)) break
    start = token.start
  }
  return start
}

function endOf({ text, start }: Token): number {
  return start + text.length
}
