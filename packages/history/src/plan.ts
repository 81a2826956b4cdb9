import { ancestorsOf, comesAfter, descendantsOf, type History } from './graph.ts'
import type { Problem } from './problem.ts'
import { resolveTarget } from './resolve.ts'
import { nameRevision, type Revision } from './revision.ts'
import { formatTarget, type Target } from './target.ts'

/** One revision to apply (`up`) or to revert (`down`). */
export interface Step {
  readonly direction: Direction
  readonly revision: Revision
}

export type Direction = 'up' | 'down'

/** What a database says it has had of a history. */
export interface AppliedRevision {
  readonly id: string
  /** Checksum of the SQL that was run; see `checksum`. */
  readonly checksum: string
  /** ISO 8601. */
  readonly appliedAt: string
}

/** The ordered steps for one target, or every reason why nothing should be run. Pure data. */
export type Plan =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/**
 * Plans an upgrade: everything up to the target that is not applied, in run order. A target that is already passed
 * gives no steps. Refused: a target that cannot be resolved, applied revisions whose folder is gone, and gaps (a
 * revision that is missing below one that is applied).
 */
export function planUpgrade(history: History, applied: ReadonlySet<string>, target: Target): Plan {
  const disagreements = [...findUnknown(history, applied), ...findGaps(history, applied)]
  const resolution = resolveFor('up', history, target, applied, disagreements)
  const problems = [...resolution.problems, ...disagreements]
  if (problems.length > 0) return { kind: 'refused', problems }
  const wanted = ancestorsOf(history, resolution.ids)
  const pending = history.revisions.filter((revision) => wanted.has(revision.id) && !applied.has(revision.id))
  return { kind: 'steps', steps: pending.map((revision) => ({ direction: 'up', revision })) }
}

/**
 * Plans a downgrade: reverts, in reverse run order, every applied revision that comes after the target, dependants in
 * other branches included. `base` reverts everything. Refused: a target that cannot be resolved or is not applied,
 * applied revisions whose folder is gone, and steps without a `down.sql`.
 */
export function planDowngrade(history: History, applied: ReadonlySet<string>, target: Target): Plan {
  const disagreements = findUnknown(history, applied)
  const resolution = resolveFor('down', history, target, applied, disagreements)
  const problems = [...resolution.problems, ...disagreements]
  if (problems.length > 0) return { kind: 'refused', problems }

  const notApplied = target.kind === 'revision' ? resolution.ids.filter((id) => !applied.has(id)) : []
  if (notApplied.length > 0) {
    return { kind: 'refused', problems: notApplied.map((id) => describeNotApplied(history.byId.get(id)!)) }
  }
  const doomed = revertedBy(history, target, resolution.ids).filter((revision) => applied.has(revision.id))
  const irreversible = doomed.filter((revision) => !revision.reversible)
  if (irreversible.length > 0) return { kind: 'refused', problems: irreversible.map(describeIrreversible) }
  return { kind: 'steps', steps: doomed.toReversed().map((revision) => ({ direction: 'down', revision })) }
}

/** Applied revisions that no folder stands for, as problems. */
export function findUnknown(history: History, applied: ReadonlySet<string>): readonly Problem[] {
  return [...applied]
    .filter((id) => !history.byId.has(id))
    .toSorted()
    .map((id) => ({
      code: 'APPLIED_UNKNOWN',
      revision: id,
      message: `revision ${id} is applied in the database, and its folder is not among the migrations`,
      hint: 'bring its folder back: it was deleted, or it is on another branch of the repository',
    }))
}

/** Revisions that are not applied although a later one that needs them is, as problems. */
export function findGaps(history: History, applied: ReadonlySet<string>): readonly Problem[] {
  const laterOf = new Map<string, Revision>()
  for (const revision of history.revisions.toReversed()) {
    const later = applied.has(revision.id) ? revision : laterOf.get(revision.id)
    if (later) for (const id of comesAfter(revision)) laterOf.set(id, later)
  }
  return history.revisions
    .filter((revision) => laterOf.has(revision.id) && !applied.has(revision.id))
    .map((revision) => {
      const later = laterOf.get(revision.id)!
      return {
        code: 'APPLIED_GAP',
        revision: revision.id,
        file: `${revision.folder}/revision.json`,
        message: `${nameRevision(revision)} is not applied, although ${nameRevision(later)}, which comes after it, is`,
        hint: 'a revision was put below one that is applied: make it come after the head instead ("parents" in its revision.json)',
      }
    })
}

/** Applied revisions whose SQL has changed since, as problems. `checksums` holds what the files say now. */
export function findEdited(
  history: History,
  applied: readonly AppliedRevision[],
  checksums: ReadonlyMap<string, string>,
): readonly Problem[] {
  return applied
    .filter((row) => checksums.has(row.id) && checksums.get(row.id) !== row.checksum)
    .map((row) => {
      const revision = history.byId.get(row.id)!
      return {
        code: 'APPLIED_EDITED',
        revision: row.id,
        file: `${revision.folder}/migration.sql`,
        message: `${nameRevision(revision)} was edited after it was applied on ${row.appliedAt}`,
        hint: `restore ${revision.folder}/migration.sql, and put the change into a new revision`,
      }
    })
}

/**
 * What is left of a plan once somebody else may have been at work: the steps whose effect is not there yet. `moved`
 * when the rest cannot be run from where the database now stands.
 */
export function remainingSteps(
  history: History,
  steps: readonly Step[],
  applied: ReadonlySet<string>,
): { readonly kind: 'steps'; readonly steps: readonly Step[] } | { readonly kind: 'moved'; readonly step: Step } {
  const state = new Set(applied)
  const remaining = steps.filter(({ direction, revision }) => applied.has(revision.id) === (direction === 'down'))
  for (const step of remaining) {
    const { direction, revision } = step
    const blocked =
      direction === 'up'
        ? !comesAfter(revision).every((id) => state.has(id))
        : history.followers.get(revision.id)!.some((id) => state.has(id))
    if (blocked) return { kind: 'moved', step }
    if (direction === 'up') state.add(revision.id)
    else state.delete(revision.id)
  }
  return { kind: 'steps', steps: remaining }
}

interface Destination {
  readonly ids: readonly string[]
  readonly problems: readonly Problem[]
}

function resolveFor(
  direction: Direction,
  history: History,
  target: Target,
  applied: ReadonlySet<string>,
  disagreements: readonly Problem[],
): Destination {
  if (target.kind === 'steps' && target.steps > 0 !== (direction === 'up')) {
    return { ids: [], problems: [describeWrongWay(target)] }
  }
  // A walk starts from what is applied. Where that is in dispute it would only add confusion to the real problem.
  if (target.kind === 'steps' && disagreements.length > 0) return { ids: [], problems: [] }
  const resolution = resolveTarget(history, target, applied)
  return resolution.ok ? { ids: resolution.ids, problems: [] } : { ids: [], problems: [resolution.problem] }
}

function describeWrongWay(target: Target): Problem {
  const [typed, other] =
    target.kind === 'steps' && target.steps > 0 ? ['downgrade', 'upgrade'] : ['upgrade', 'downgrade']
  const text = formatTarget(target)
  return {
    code: 'TARGET_INVALID',
    message: `"${text}" walks the other way: ${typed} cannot go there`,
    hint: `pnpm migrate ${other} ${text}`,
  }
}

function revertedBy(history: History, target: Target, ids: readonly string[]): readonly Revision[] {
  // A named revision undoes what comes after it; the base and a walk say exactly what stays.
  if (target.kind !== 'revision') {
    const kept = ancestorsOf(history, ids)
    return history.revisions.filter((revision) => !kept.has(revision.id))
  }
  const later = descendantsOf(history, ids)
  return history.revisions.filter((revision) => later.has(revision.id) && !ids.includes(revision.id))
}

function describeNotApplied(revision: Revision): Problem {
  return {
    code: 'NOT_APPLIED',
    revision: revision.id,
    message: `cannot downgrade to ${nameRevision(revision)}: it is not applied`,
    hint: 'see what is applied with: pnpm migrate current --verbose',
  }
}

function describeIrreversible(revision: Revision): Problem {
  return {
    code: 'IRREVERSIBLE',
    revision: revision.id,
    file: `${revision.folder}/down.sql`,
    message: `${nameRevision(revision)} cannot be reverted: it has no down.sql`,
    hint: `write ${revision.folder}/down.sql, or choose a target that keeps this revision`,
  }
}
