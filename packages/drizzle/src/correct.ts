import { ownSchemas } from '@drover/engine'

import { setDefaultsApart } from './default-apart.ts'
import { continueNumbering } from './next-values.ts'
import { type Candidate, runCandidate, type Verdict } from './prove.ts'
import { reverseRenames } from './rename.ts'
import { refillColumns } from './refill.ts'
import type { Shadow } from './shadow.ts'
import type { ChangeStep } from './steps.ts'
import { tryStatements } from './try-statements.ts'
import type { Wish } from './wish.ts'

/** What there is to write a side of a candidate in another way, and which ways have been tried. */
export interface Candidates {
  /** Drizzle-kit's own. */
  readonly first: Candidate
  readonly base: Shadow
  readonly wish: Wish
  readonly step: ChangeStep
  readonly tried: Set<'defaults up' | 'defaults down' | 'refill' | 'delta up' | 'delta down'>
}

/** A candidate with another side, and what the reader of `down.sql` should know. */
export interface Correction {
  readonly candidate: Candidate
  readonly remarks: readonly string[]
}

/**
 * Another way up: with defaults out of the way of a type that changes; else from the catalogues of the schema before to those
 * after. `undefined` when there is none left.
 */
export async function correctUp(
  { first, wish, step, tried }: Candidates,
  candidate: Candidate,
  { sqlstate }: Failure,
): Promise<Correction | undefined> {
  if (step.concurrent || step.isWritten) return undefined
  if (sqlstate === datatypeMismatch && !tried.has('defaults up')) {
    tried.add('defaults up')
    return { candidate: { ...candidate, up: setDefaultsApart(candidate.up, step.after) }, remarks: [] }
  }
  if (tried.has('delta up')) return undefined
  tried.add('delta up')
  await using before = await wish.make('before')
  await using after = await wish.make('after')
  const up = await planFrom(before, first.up.filter(isRename), after)
  if (!up) return undefined
  return { candidate: { ...candidate, up: continueNumbering(up, step.before, step.after, step.renames) }, remarks: [] }
}

/**
 * Another way down: with defaults out of the way of a type that changes, or with values for columns that come back and must not
 * be null, if that was the fault; else from the catalogues that the way up leads to, back to those of the history. `undefined`
 * when there is none left.
 */
export async function correctDown(
  { first, base, step, tried }: Candidates,
  candidate: Candidate,
  { fault, sqlstate }: Failure,
): Promise<Correction | undefined> {
  if (step.concurrent) return undefined
  if (sqlstate === datatypeMismatch && !tried.has('defaults down')) {
    tried.add('defaults down')
    return { candidate: { ...candidate, down: setDefaultsApart(candidate.down, step.before) }, remarks: [] }
  }
  if (fault === 'rows' && !tried.has('refill')) {
    tried.add('refill')
    const { statements, remarks } = refillColumns(candidate.down, step.before)
    if (remarks.length > 0) return { candidate: { ...candidate, down: statements }, remarks }
  }
  if (tried.has('delta down')) return undefined
  tried.add('delta down')
  await using changed = await base.copy()
  await runCandidate(changed, candidate, 'up')
  const down = await planFrom(changed, first.down.filter(isRename), base)
  if (!down) return undefined
  const renames = reverseRenames(step.renames)
  return { candidate: { ...candidate, down: continueNumbering(down, step.after, step.before, renames) }, remarks: [] }
}

type Failure = Verdict & { readonly ok: false }

/** datatype_mismatch: what PostgreSQL says of a default that cannot become one of the new type. */
const datatypeMismatch = '42804'

/**
 * Renames keep their rows, which catalogues alone do not tell from a drop and a create: they go first. `undefined` when they
 * do not run by themselves, or when no way is found.
 * @param from may be changed
 */
async function planFrom(from: Shadow, renaming: readonly string[], to: Shadow): Promise<readonly string[] | undefined> {
  if (await tryStatements(from.connection, renaming, 'per-revision')) return undefined
  // Loaded when it is needed, which most changes never do.
  const { planDelta } = await import('@drover/delta')
  const { statements } = await planDelta({
    from: from.url.revealUrl(),
    to: to.url.revealUrl(),
    ignoredSchemas: ownSchemas,
  })
  return statements.length === 0 ? undefined : [...renaming, ...statements]
}

function isRename(statement: string): boolean {
  return /^ALTER\s[^;']*?\s(?:RENAME\s|SET SCHEMA\s)/.test(statement)
}
