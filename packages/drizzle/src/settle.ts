import { adviceFor } from './advice.ts'
import { type Candidates, correctDown, correctUp } from './correct.ts'
import type { Kit } from './kit/kit.ts'
import { emptyState, type SchemaState } from './kit/state.ts'
import { type Candidate, prove, type Verdict } from './prove.ts'
import type { Shadow } from './shadow.ts'
import { statementsBetween } from './statements-between.ts'
import type { ChangeStep } from './steps.ts'
import { makeWish, type Wish } from './wish.ts'

/** What is known of a drafted revision. */
export type Proof =
  | {
      readonly kind: 'proved'
      /** Which sides are not drizzle-kit's own, because those were wrong. */
      readonly corrected: readonly ('up' | 'down')[]
      readonly notes: readonly string[]
    }
  | {
      readonly kind: 'unproved'
      /** The side that is at fault. */
      readonly side: 'up' | 'down'
      readonly fault: Failure['fault']
      /** What happened, and what to do about it, in lines. */
      readonly reason: string
    }
  /** Nobody asked for it. */
  | { readonly kind: 'none' }

type Failure = Verdict & { readonly ok: false }

/** What came of proving a step. */
export interface Settled {
  readonly candidate: Candidate
  readonly proof: Proof
  /** What the reader of `down.sql` should know. */
  readonly remarks: readonly string[]
}

/**
 * Finds out what a step is to do.
 * @param server URL of a server on which shadows may be created
 * @param empty a shadow with nothing in it, which stays so
 * @throws {DroverError} `SCHEMA_INVALID` when the schema before or after cannot be made from nothing
 */
export async function wishOf(kit: Kit, server: string, empty: Shadow, step: ChangeStep): Promise<Wish> {
  const fromNothing = (state: SchemaState) => statementsBetween(kit, emptyState, state, [])
  return makeWish(
    server,
    empty,
    { statements: await fromNothing(step.before), objects: step.objectsBefore },
    { statements: await fromNothing(step.after), objects: step.objectsAfter },
  )
}

/**
 * Proves a candidate on a shadow of the history, which stays as it is, and corrects the side that is wrong as long as there is
 * another way to write it.
 */
export async function settle(base: Shadow, wish: Wish, step: ChangeStep, first: Candidate): Promise<Settled> {
  const ways: Candidates = { first, base, wish, step, tried: new Set() }
  const corrected = new Set<'up' | 'down'>()
  let candidate = first
  let remarks: readonly string[] = []
  let failure: { readonly verdict: Failure; readonly candidate: Candidate } | undefined
  for (;;) {
    const verdict = await prove(base, wish, candidate, step.renames)
    if (verdict.ok) {
      return { candidate, remarks, proof: { kind: 'proved', corrected: [...corrected], notes: verdict.notes } }
    }
    // Of two failures the first tells more, unless the second has come further.
    if (!failure || progressOf(verdict) > progressOf(failure.verdict)) failure = { verdict, candidate }
    const other =
      verdict.side === 'up' ? await correctUp(ways, candidate, verdict) : await correctDown(ways, candidate, verdict)
    if (!other) return unproved(failure.candidate, failure.verdict)
    corrected.add(verdict.side)
    candidate = other.candidate
    remarks = other.remarks
  }
}

/** How far a candidate has come: it runs at least on empty tables, its way up is right. */
function progressOf({ side, fault }: Failure): number {
  return (side === 'down' ? 2 : 0) + (fault === 'rows' ? 1 : 0)
}

function unproved(candidate: Candidate, verdict: Failure): Settled {
  const { side, fault } = verdict
  const reason = [verdict.reason, ...adviceFor(verdict)].join('\n')
  return { candidate, remarks: [], proof: { kind: 'unproved', side, fault, reason } }
}
