import { comesAfter, currentOf, type History } from './graph.ts'
import type { Problem } from './problem.ts'
import { nameRevision, type Revision } from './revision.ts'
import { formatTarget, type Target } from './target.ts'

/** The revisions that a target stands for: everything up to and including them. `[]` is the base. */
export type Resolution =
  | { readonly ok: true; readonly ids: readonly string[] }
  | { readonly ok: false; readonly problem: Problem }

/**
 * Finds the revision that an id or an abbreviated id names. Unknown and ambiguous are different problems, the latter
 * with its candidates.
 */
export function findRevision(
  history: History,
  prefix: string,
): { readonly ok: true; readonly revision: Revision } | { readonly ok: false; readonly problem: Problem } {
  const exact = history.byId.get(prefix)
  if (exact) return { ok: true, revision: exact }
  const candidates = history.revisions.filter((revision) => revision.id.startsWith(prefix))
  const [only] = candidates
  if (only && candidates.length === 1) return { ok: true, revision: only }
  if (only) {
    return reject(
      'REVISION_AMBIGUOUS',
      `"${prefix}" could be any of ${list(candidates)}`,
      'give more characters of the id',
    )
  }
  return reject(
    'REVISION_UNKNOWN',
    `no revision has an id that starts with "${prefix}"`,
    'see the ids with: pnpm migrate history',
  )
}

/**
 * Says which revisions a target means, for a database on which `applied` stands. Steps walk from there, one revision
 * at a time; a walk that could go more than one way, or further than the history, is refused with its reason. A walk
 * that starts at the end stays there, however long: there is nothing left to do.
 */
export function resolveTarget(history: History, target: Target, applied: ReadonlySet<string>): Resolution {
  switch (target.kind) {
    case 'base':
      return { ok: true, ids: [] }
    case 'heads':
      return { ok: true, ids: history.heads.map((revision) => revision.id) }
    case 'head':
      return history.heads.length > 1
        ? { ok: false, problem: severalHeads(history) }
        : resolveTarget(history, { kind: 'heads' }, applied)
    case 'revision': {
      const found = findRevision(history, target.prefix)
      return found.ok ? { ok: true, ids: [found.revision.id] } : found
    }
    case 'steps':
      return target.steps > 0 ? walkUp(history, target, applied) : walkDown(history, target, applied)
  }
}

/** The problem of a history that has more than one head where one is needed. */
export function severalHeads(history: History): Problem {
  return {
    code: 'SEVERAL_HEADS',
    message: `the history has ${history.heads.length} heads: ${list(history.heads)}`,
    hint: 'name one of them as the target, or "heads" for all; then let one revision follow both',
  }
}

function walkUp(
  history: History,
  target: Target & { readonly kind: 'steps' },
  applied: ReadonlySet<string>,
): Resolution {
  const reached = new Set(applied)
  for (let step = 0; step < target.steps; step += 1) {
    const next = history.revisions.filter(
      (revision) => !reached.has(revision.id) && comesAfter(revision).every((id) => reached.has(id)),
    )
    const [only] = next
    if (next.length > 1) return ambiguousWalk(target, next)
    if (!only) {
      if (step === 0) break
      return tooFar(target, `${count(step)} to apply`, `+${step}`)
    }
    reached.add(only.id)
  }
  return { ok: true, ids: currentOf(history, reached) }
}

function walkDown(
  history: History,
  target: Target & { readonly kind: 'steps' },
  applied: ReadonlySet<string>,
): Resolution {
  const remaining = new Set(applied)
  for (let step = 0; step < -target.steps; step += 1) {
    const current = currentOf(history, remaining)
    const [only] = current
    if (current.length > 1) {
      return ambiguousWalk(
        target,
        current.flatMap((id) => history.byId.get(id) ?? []),
      )
    }
    if (only === undefined) {
      if (step === 0) break
      return tooFar(target, `${count(step)} to revert`, `-${step}`)
    }
    remaining.delete(only)
  }
  return { ok: true, ids: currentOf(history, remaining) }
}

function ambiguousWalk(target: Target, choices: readonly Revision[]): Resolution {
  return reject(
    'WALK_AMBIGUOUS',
    `"${formatTarget(target)}" could go more than one way: ${list(choices)}`,
    'name the revision to go to instead of a number of steps',
  )
}

function tooFar(target: Target, reason: string, instead: string): Resolution {
  return reject('WALK_TOO_FAR', `"${formatTarget(target)}" walks too far: there ${reason}`, `walk ${instead}`)
}

function count(revisions: number): string {
  return revisions === 1 ? 'is only 1 revision' : `are only ${revisions} revisions`
}

function list(revisions: readonly Revision[]): string {
  return revisions.map((revision) => nameRevision(revision)).join(', ')
}

function reject(
  code: Problem['code'],
  message: string,
  hint: string,
): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { code, message, hint } }
}
