import type { Problem } from '@drover/history'

/** What one look has found. */
export interface Finding {
  /** What was looked at, in one or two words: `node`, `version`, `lease`. */
  readonly check: string
  readonly level: 'ok' | 'warning' | 'wrong'
  /** What there is, in one sentence. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
  /** What it was made from, where another part of Drover has found it. */
  readonly problem?: Problem
}

/** Something that is as it should be. */
export function fine(check: string, message: string): Finding {
  return { check, level: 'ok', message }
}

/** Something that should be known, and keeps nothing from working. */
export function warn(check: string, message: string, hint: string): Finding {
  return { check, level: 'warning', message, hint }
}

/** Something that has to be put right. */
export function wrong(check: string, message: string, hint: string): Finding {
  return { check, level: 'wrong', message, hint }
}

/** A problem of another part of Drover. */
export function wrongAs(check: string, problem: Problem): Finding {
  const { message, hint } = problem
  return { check, level: 'wrong', message, problem, ...(hint !== undefined && { hint }) }
}
