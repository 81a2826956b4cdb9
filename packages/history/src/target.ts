import type { Problem } from './problem.ts'

/**
 * Where in a history a command should go, as typed. `database` is set when the text began with `<database>/`.
 * `steps` walk from what is applied: `+2` up, `-1` down.
 */
export type Target = TargetPoint & { readonly database?: string }

type TargetPoint =
  | { readonly kind: 'head' }
  | { readonly kind: 'heads' }
  | { readonly kind: 'base' }
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'revision'; readonly prefix: string }

/** A parsed target, or what is wrong with the text. */
export type TargetResult =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly problem: Problem }

/** How many characters an abbreviated id must have at least. */
const shortestPrefix = 4

/**
 * Parses a target: `head`, `heads`, `base`, `+N`, `-N`, an id or a prefix of one, each optionally behind
 * `<database>/`. Never throws; the problem names the position of what it could not read.
 */
export function parseTarget(text: string): TargetResult {
  const slash = text.indexOf('/')
  const database = slash === -1 ? undefined : text.slice(0, slash)
  const start = slash + 1
  const rest = text.slice(start)
  if (database !== undefined && !/^[a-z][a-z0-9_-]*$/.test(database)) {
    return reject(text, 1, `"${database}" is not the name of a database`)
  }
  const point = parsePoint(rest)
  if (typeof point === 'string') return reject(text, start + 1, point)
  return { ok: true, target: database === undefined ? point : { ...point, database } }
}

/** A target as one would type it. */
export function formatTarget(target: Target): string {
  const database = target.database === undefined ? '' : `${target.database}/`
  switch (target.kind) {
    case 'head':
    case 'heads':
    case 'base':
      return database + target.kind
    case 'steps':
      return `${database}${target.steps > 0 ? '+' : ''}${target.steps}`
    case 'revision':
      return database + target.prefix
  }
}

function parsePoint(text: string): TargetPoint | string {
  if (text === 'head' || text === 'heads' || text === 'base') return { kind: text }
  if (/^[+-]\d+$/.test(text)) {
    const steps = Number(text)
    if (!Number.isSafeInteger(steps)) return `"${text}" is more steps than any history has`
    return steps === 0 ? 'a walk of 0 steps goes nowhere' : { kind: 'steps', steps }
  }
  if (/^[0-9a-f]+$/i.test(text)) {
    if (text.length < shortestPrefix)
      return `"${text}" is too short: give at least ${shortestPrefix} characters of an id`
    if (text.length > 12) return `"${text}" is longer than the 12 characters of an id`
    return { kind: 'revision', prefix: text.toLowerCase() }
  }
  return text === '' ? 'the target is empty' : `"${text}" is not a target`
}

function reject(text: string, position: number, reason: string): TargetResult {
  return {
    ok: false,
    problem: {
      code: 'TARGET_INVALID',
      message: `target "${text}", character ${position}: ${reason}`,
      hint: 'a target is head, heads, base, +N, -N, or a revision id (a unique prefix of 4 characters will do)',
    },
  }
}
