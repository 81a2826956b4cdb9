import type { Target } from './target.ts'

export const head: Target = { anchor: { kind: 'head' }, steps: 0 }
export const heads: Target = { anchor: { kind: 'heads' }, steps: 0 }
export const base: Target = { anchor: { kind: 'base' }, steps: 0 }

/** The revision of that name, which need not be long enough to be typed. */
export function to(name: string): Target {
  return { anchor: { kind: 'name', name }, steps: 0 }
}

/** A walk from what is applied. */
export function by(steps: number): Target {
  return { steps }
}
