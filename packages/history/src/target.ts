import type { Problem } from './problem.ts'
import { idLength } from './revision.ts'

/**
 * Where in a history a command should go, as typed.
 *
 *     target   = [ database "/" ] point
 *     point    = [ branch "@" ] ( anchor [ walk ] | walk )
 *     anchor   = "head" | "heads" | "base" | name
 *     walk     = ( "+" | "-" ) digits
 *     range    = [ point ] ":" [ point ], optionally behind a database
 *
 * A name is a label, an id or a unique prefix of one, and so is a branch.
 */
export interface Target {
  readonly database?: string
  /** Narrows everything to the branch of this revision. */
  readonly branch?: string
  /** Missing when the walk starts from what is applied. */
  readonly anchor?: Anchor
  /** Revisions to go from there: up when positive, down when negative. */
  readonly steps: number
}

export type Anchor =
  | { readonly kind: 'head' }
  | { readonly kind: 'heads' }
  | { readonly kind: 'base' }
  | { readonly kind: 'name'; readonly name: string }

/** All heads, as `heads` is parsed. */
export const allHeads: Target = { anchor: { kind: 'heads' }, steps: 0 }

/** A stretch of a history; an end that is missing is the base or the heads. */
export interface Range {
  readonly database?: string
  readonly from?: Target
  readonly to?: Target
}

/** A parsed target, or what is wrong with the text. */
export type TargetResult =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly problem: Problem }

/** A parsed range, or what is wrong with the text. */
export type RangeResult =
  | { readonly ok: true; readonly range: Range }
  | { readonly ok: false; readonly problem: Problem }

/** How many characters an abbreviated id must have at least. */
export const shortestPrefix = 4

/** Parses a target. Never throws; the problem says at which character the text stops making sense, and why. */
export function parseTarget(text: string): TargetResult {
  const result = read(text, (reader): Target => {
    const database = reader.database()
    return { ...reader.point(), ...(database !== undefined && { database }) }
  })
  return result instanceof Fault
    ? { ok: false, problem: describe('target', text, result) }
    : { ok: true, target: result }
}

/** Parses a range: `a:b`, `a:`, `:b` or `:`. Never throws; see `parseTarget`. */
export function parseRange(text: string): RangeResult {
  const result = read(text, (reader): Range => {
    const database = reader.database()
    const from = reader.isAt(':') ? undefined : reader.point()
    reader.colon()
    const to = reader.isAtEnd() ? undefined : reader.point()
    return { ...(database !== undefined && { database }), ...(from && { from }), ...(to && { to }) }
  })
  return result instanceof Fault ? { ok: false, problem: describe('range', text, result) } : { ok: true, range: result }
}

/** A target as one would type it. */
export function formatTarget({ database, branch, anchor, steps }: Target): string {
  const place = anchor === undefined ? '' : anchor.kind === 'name' ? anchor.name : anchor.kind
  const walk = steps === 0 ? '' : `${steps > 0 ? '+' : ''}${steps}`
  return `${database === undefined ? '' : `${database}/`}${branch === undefined ? '' : `${branch}@`}${place}${walk}`
}

/** A range as one would type it. */
export function formatRange({ database, from, to }: Range): string {
  return `${database === undefined ? '' : `${database}/`}${from ? formatTarget(from) : ''}:${to ? formatTarget(to) : ''}`
}

/** What is wrong with a label, as the rest of a sentence about it; `undefined` when it can be used in a target. */
export function faultOfLabel(label: string): string | undefined {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/.test(label)) {
    return 'is not 1 to 63 letters, digits and underscores, with a letter or an underscore in front'
  }
  if (keywords.has(label.toLowerCase())) return 'is a word of its own in targets'
  if (/^[0-9a-f]+$/i.test(label)) return 'could be taken for an id: it has nothing but 0-9 and a-f in it'
  return undefined
}

/** What a text does wrong, and at which character, from 0. */
class Fault extends Error {
  readonly at: number

  constructor(at: number, reason: string) {
    super(reason)
    this.at = at
  }
}

function read<Result>(text: string, parse: (reader: Reader) => Result): Result | Fault {
  const reader = new Reader(text)
  try {
    const result = parse(reader)
    reader.end()
    return result
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

/** Reads a text from left to right. Throws a `Fault` where it cannot go on. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAt(character: string): boolean {
    return this.#text[this.#at] === character
  }

  isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  database(): string | undefined {
    const slash = this.#text.indexOf('/')
    if (slash === -1) return undefined
    const name = this.#text.slice(0, slash)
    if (!/^[a-z][a-z0-9_-]*$/.test(name)) throw new Fault(0, `"${name}" is not the name of a database`)
    this.#at = slash + 1
    return name
  }

  point(): Target {
    const start = this.#at
    const first = this.#word()
    if (!this.isAt('@')) return this.#walked(start, first)
    if (first === undefined) throw new Fault(start, 'a branch is missing before the "@"')
    if (keywords.has(first)) throw new Fault(start, `"${first}" is not a branch: give a label or an id before the "@"`)
    this.#checkName(start, first)
    this.#at += 1
    const anchor = this.#at
    return { branch: first, ...this.#walked(anchor, this.#word()) }
  }

  colon(): void {
    if (!this.isAt(':')) this.#fail('a ":" is missing between its two ends')
    this.#at += 1
  }

  end(): void {
    if (!this.isAtEnd()) this.#fail('')
  }

  #walked(start: number, word: string | undefined): Target {
    const at = this.#at
    const steps = this.#steps()
    if (word === undefined) {
      return steps === undefined ? this.#fail('a revision, a label, head, heads, base or a walk is missing') : { steps }
    }
    const anchor = this.#anchor(start, word)
    if (steps === undefined) return { anchor, steps: 0 }
    if (anchor.kind === 'heads') throw new Fault(at, 'no walk can start from several heads')
    if (anchor.kind === 'head' && steps > 0) throw new Fault(at, 'nothing is above a head')
    if (anchor.kind === 'base' && steps < 0) throw new Fault(at, 'nothing is below the base')
    return { anchor, steps }
  }

  #anchor(at: number, word: string): Anchor {
    if (word === 'head' || word === 'heads' || word === 'base') return { kind: word }
    this.#checkName(at, word)
    return { kind: 'name', name: word }
  }

  #word(): string | undefined {
    return this.#match(/[a-zA-Z0-9_]+/y)
  }

  #steps(): number | undefined {
    const at = this.#at
    const text = this.#match(/[+-]\d+/y)
    if (text === undefined) {
      if (this.isAt('+') || this.isAt('-')) throw new Fault(at, 'a number of steps is missing after the sign')
      return undefined
    }
    const steps = Number(text)
    if (steps === 0) throw new Fault(at, 'a walk of 0 steps goes nowhere')
    if (!Number.isSafeInteger(steps)) throw new Fault(at, `"${text}" is more steps than any history has`)
    return steps
  }

  #checkName(at: number, name: string): void {
    const word = name.toLowerCase()
    if (keywords.has(word)) throw new Fault(at, `"${name}" is written "${word}"`)
    const isId = /^[0-9a-f]+$/.test(word)
    if (!isId && /^\d/.test(name)) throw new Fault(at, `"${name}" is neither an id (0-9, a-f) nor a label`)
    if (!isId) return
    if (name.length < shortestPrefix) {
      throw new Fault(at, `"${name}" is too short: give at least ${shortestPrefix} characters of an id`)
    }
    if (name.length > idLength) throw new Fault(at, `"${name}" is longer than the ${idLength} characters of an id`)
  }

  #fail(missing: string): never {
    const rest = this.#text.slice(this.#at)
    throw new Fault(this.#at, rest === '' ? missing : `"${rest}" was not expected`)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }
}

const keywords: ReadonlySet<string> = new Set(['head', 'heads', 'base'])

function describe(what: 'target' | 'range', text: string, { at, message }: Fault): Problem {
  const where = at < text.length ? `, character ${at + 1}:` : ' ends too early:'
  const target =
    'head, heads, base, +N, -N, an id (or 4 characters of it), a label, any of them behind <branch>@ or <database>/'
  return {
    code: 'TARGET_INVALID',
    message: text === '' ? `the ${what} is empty` : `${what} "${text}"${where} ${message}`,
    hint: what === 'target' ? `a target is ${target}` : `a range is <from>:<to>; each end is ${target}, or left out`,
  }
}
