import { lineAt } from '../source/statements.ts'

/** A place in a text, as editors count it. */
export interface Place {
  /** From 1. */
  readonly line: number
  /** From 1; counts characters, whatever their width and however many bytes they take. */
  readonly column: number
}

/** The part of a text that is to be shown. */
export interface Part {
  /** Offsets of its beginning and its end, in UTF-16 units. */
  readonly start: number
  readonly end: number
  /** Offset of what a caret is put under. Default: no caret. */
  readonly caret?: number | undefined
}

/** Finds the place of an offset, which counts UTF-16 units from 0. */
export function placeAt(text: string, offset: number): Place {
  const begin = beginningOfLine(text, offset)
  return { line: lineAt(text, begin), column: Array.from(text.slice(begin, offset)).length + 1 }
}

/**
 * Shows the lines of a part of a text, each behind its number: all of the line that a caret is in, and a little of what is
 * around it; without a caret the first lines. Tabs become spaces, and what a terminal would obey instead of showing becomes �.
 */
export function excerptOf(text: string, { start, end, caret }: Part): readonly string[] {
  const first = beginningOfLine(text, start)
  const number = lineAt(text, first)
  const lines = splitLines(text.slice(first, endOfLine(text, end)))
  const at = caret === undefined ? undefined : lineAt(text, caret) - number
  const from = at === undefined ? 0 : Math.max(0, at - linesBefore)
  const to = Math.min(lines.length, at === undefined ? mostLines : at + 1 + linesAfter)
  const width = String(number + to - 1).length
  const gutter = (label: number | '') => `${String(label).padStart(width)} | `
  const shown = lines.slice(from, to).flatMap((line, index) => {
    const isAt = caret !== undefined && from + index === at
    const { text: visible, indent } = showLine(line, isAt ? caret - beginningOfLine(text, caret) : undefined)
    return [`${gutter(number + from + index)}${visible}`.trimEnd(), ...(isAt ? [`${gutter('')}${indent}^`] : [])]
  })
  const left = lines.length - to
  return at === undefined && left > 0 ? [...shown, `… ${left} more ${left === 1 ? 'line' : 'lines'}`] : shown
}

const linesBefore = 2
const linesAfter = 1
/** Without a caret. */
const mostLines = 6
/** Of a line, in columns of the terminal. */
const mostColumns = 100
/** More of a line than can be shown, in UTF-16 units: a line may be megabytes long. */
const reach = 1000
const tabStop = 4

/** What a terminal shows as one thing. */
interface Cell {
  readonly text: string
  readonly columns: number
  /** Offset in the line. */
  readonly offset: number
}

/** A line as a terminal can show it, with the blanks that put something under its character at `caret`. */
function showLine(line: string, caret?: number): { readonly text: string; readonly indent: string } {
  const near = around(line, caret ?? 0)
  const cells = cellsOf(line.slice(near.start, near.end), near.start)
  const at = caret === undefined ? 0 : cells.findLastIndex(({ offset }) => offset <= caret)
  // The end of a line is behind its last cell.
  const under = caret !== undefined && caret >= near.end ? cells.length : Math.max(0, at)
  const { from, to } = window(cells, under)
  const ahead = from > 0 || near.start > 0 ? '…' : ''
  const behind = to < cells.length || near.end < line.length ? '…' : ''
  const visible = cells.slice(from, to)
  const indent = columnsOf(cells.slice(from, under)) + ahead.length
  return { text: `${ahead}${visible.map((cell) => cell.text).join('')}${behind}`, indent: ' '.repeat(indent) }
}

/** The cells that fit, with the one at `under` among them, and more of what is before it than of what follows. */
function window(cells: readonly Cell[], under: number): { readonly from: number; readonly to: number } {
  let from = Math.min(under, cells.length)
  let to = from
  let columns = 0
  const fits = (cell: Cell | undefined, most: number): cell is Cell =>
    cell !== undefined && columns + cell.columns <= most
  for (const most of [mostColumns * 0.6, mostColumns]) {
    while (fits(cells[from - 1], most)) columns += cells[--from]!.columns
    while (fits(cells[to], mostColumns)) columns += cells[to++]!.columns
  }
  return { from, to }
}

function cellsOf(text: string, start: number): readonly Cell[] {
  // Made when something has failed, and not at every start.
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
  let columns = 0
  return Array.from(graphemes.segment(text), ({ segment, index }) => {
    const shown = segment === '\t' ? ' '.repeat(tabStop - (columns % tabStop)) : segment.replaceAll(obeyed, '�')
    const cell = { text: shown, columns: widthOf(shown), offset: start + index }
    columns += cell.columns
    return cell
  })
}

/** How many columns a grapheme takes. An approximation of Unicode's East Asian Width: terminals differ as well. */
function widthOf(grapheme: string): number {
  if (/^ *$/.test(grapheme)) return grapheme.length
  if (/^[\p{M}\p{Cf}]+$/u.test(grapheme)) return 0
  return wide.test(grapheme) ? 2 : 1
}

const wide =
  /^(?![\uFF61-\uFFDC])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]|^.\uFE0F/u
/** Control characters, and those that change the direction of what follows. */
// oxlint-disable-next-line no-control-regex -- These are what it is about.
const obeyed = /[\u0000-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

function columnsOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { columns }) => sum + columns, 0)
}

/** The neighbourhood of an offset that is worth looking at, without half a surrogate pair. */
function around(line: string, offset: number): { readonly start: number; readonly end: number } {
  return { start: whole(line, Math.max(0, offset - reach)), end: whole(line, Math.min(line.length, offset + reach)) }
}

function whole(text: string, offset: number): number {
  return isLowSurrogate(text, offset) ? offset + 1 : offset
}

function isLowSurrogate(text: string, offset: number): boolean {
  const unit = text.charCodeAt(offset)
  return offset > 0 && unit >= 0xdc00 && unit <= 0xdfff
}

function splitLines(text: string): readonly string[] {
  return text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
}

function beginningOfLine(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end === -1 ? text.length : end
}
