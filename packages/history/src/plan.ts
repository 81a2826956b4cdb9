import { compareChecksums } from './checksum.ts'
import { ancestorsOf, comesAfter, type History, unknownOf } from './graph.ts'
import type { Problem } from './problem.ts'
import { resolveDowngrade, resolveUpgrade } from './resolve.ts'
import { missingWayBack, nameRevision, type Revision, scriptFile } from './revision.ts'
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
  /** Of the SQL that was run; see `checksumWithStatements`. Rows of earlier versions have that of the text alone. */
  readonly checksum: string
  /** ISO 8601. */
  readonly appliedAt: string
}

/** The ordered steps for one target, or every reason why nothing should be run. Pure data. */
export type Plan =
  | { readonly kind: 'steps'; readonly steps: readonly Step[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** Options of planning an upgrade. */
export interface UpgradeOptions {
  /** Whether a revision may be applied after one that comes after it. Default `false`. */
  readonly allowOutOfOrder?: boolean
}

/**
 * Plans an upgrade: everything up to the target that is not applied, in run order. A target that is already passed
 * gives no steps. Refused: a target that cannot be resolved, applied revisions whose folder is gone, and, unless they
 * are allowed, gaps (a revision that is missing below one that is applied).
 */
export function planUpgrade(
  history: History,
  applied: ReadonlySet<string>,
  target: Target,
  options: UpgradeOptions = {},
): Plan {
  const gaps = options.allowOutOfOrder ? [] : findGaps(history, applied)
  const disagreements = [...findUnknown(history, applied), ...gaps]
  const resolution = resolveFor('up', history, target, applied, disagreements)
  const problems = [...resolution.problems, ...disagreements]
  if (problems.length > 0) return { kind: 'refused', problems }
  const missing = history.revisions.filter((revision) => !applied.has(revision.id))
  if (missing.length === 0) return { kind: 'steps', steps: [] }
  const wanted = ancestorsOf(history, resolution.ids)
  const pending = missing.filter((revision) => wanted.has(revision.id))
  return { kind: 'steps', steps: pending.map((revision) => ({ direction: 'up', revision })) }
}

/**
 * Plans a downgrade: reverts, in reverse run order, every applied revision that descends from the target, and whatever
 * comes after one of those, in other branches too. `base` reverts everything. Refused: a target that cannot be resolved
 * or is not applied, applied revisions whose folder is gone, and steps without a way back.
 */
export function planDowngrade(history: History, applied: ReadonlySet<string>, target: Target): Plan {
  const disagreements = findUnknown(history, applied)
  const resolution = resolveFor('down', history, target, applied, disagreements)
  const problems = [...resolution.problems, ...disagreements]
  if (problems.length > 0) return { kind: 'refused', problems }
  const doomed = resolution.ids.map((id) => history.byId.get(id)!)
  const irreversible = doomed.filter((revision) => !revision.reversible)
  if (irreversible.length > 0) return { kind: 'refused', problems: irreversible.map(describeIrreversible) }
  return { kind: 'steps', steps: doomed.toReversed().map((revision) => ({ direction: 'down', revision })) }
}

/** Applied revisions that no folder stands for, as problems. */
export function findUnknown(history: History, applied: ReadonlySet<string>): readonly Problem[] {
  return unknownOf(history, applied).map((id) => ({
    code: 'APPLIED_UNKNOWN',
    revision: id,
    message: `revision ${id} is applied in the database, and its folder is not among the migrations`,
    hint: 'bring its folder back: it was deleted, or it is on another branch of the repository',
  }))
}

/** Revisions that are not applied although a later one that needs them is, as problems. */
export function findGaps(history: History, applied: ReadonlySet<string>): readonly Problem[] {
  // Above every gap there is an applied revision that comes directly after a missing one; mostly there is none.
  const isTorn = (revision: Revision): boolean =>
    applied.has(revision.id) && comesAfter(revision).some((id) => !applied.has(id))
  if (!history.revisions.some(isTorn)) return []
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
        hint: 'if the two do not touch the same things, apply it now with: pnpm migrate upgrade --allow-out-of-order -d <database>; otherwise make it come after the head instead ("parents" in its revision.json)',
      }
    })
}

/** Applied revisions whose statements have changed since, as problems. `checksums` holds what the files say now. */
export function findEdited(
  history: History,
  applied: readonly AppliedRevision[],
  checksums: ReadonlyMap<string, string>,
): readonly Problem[] {
  return compare(applied, checksums, 'changed').map((row) => {
    const revision = history.byId.get(row.id)!
    return {
      code: 'APPLIED_EDITED',
      revision: row.id,
      file: scriptFile(revision, 'up'),
      message: `${nameRevision(revision)} was edited after it was applied on ${row.appliedAt}`,
      hint: `restore ${scriptFile(revision, 'up')}, and put the change into a new revision`,
    }
  })
}

/**
 * Applied revisions whose file has changed since, though none of its statements: worth a warning and no reason to stop.
 * `checksums` holds what the files say now.
 */
export function findReformatted(
  history: History,
  applied: readonly AppliedRevision[],
  checksums: ReadonlyMap<string, string>,
): readonly Problem[] {
  return compare(applied, checksums, 'reformatted').map((row) => {
    const revision = history.byId.get(row.id)!
    return {
      code: 'APPLIED_REFORMATTED',
      revision: row.id,
      file: scriptFile(revision, 'up'),
      message: `comments or white space of ${nameRevision(revision)} were edited after it was applied on ${row.appliedAt}; its statements are the same`,
      hint: 'have the database remember the file as it is now: pnpm migrate repair',
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

function compare(
  applied: readonly AppliedRevision[],
  checksums: ReadonlyMap<string, string>,
  outcome: ReturnType<typeof compareChecksums>,
): readonly AppliedRevision[] {
  return applied.filter((row) => {
    const now = checksums.get(row.id)
    return now !== undefined && now !== row.checksum && compareChecksums(row.checksum, now) === outcome
  })
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
  const isWalk = target.anchor === undefined
  if (isWalk && target.steps > 0 !== (direction === 'up')) return { ids: [], problems: [describeWrongWay(target)] }
  // A walk starts from what is applied. Where that is in dispute it would only add confusion to the real problem.
  if (isWalk && disagreements.length > 0) return { ids: [], problems: [] }
  const resolve = direction === 'up' ? resolveUpgrade : resolveDowngrade
  const resolution = resolve(history, target, applied)
  return resolution.ok ? { ids: resolution.ids, problems: [] } : { ids: [], problems: [resolution.problem] }
}

function describeWrongWay(target: Target): Problem {
  const [typed, other] = target.steps > 0 ? ['downgrade', 'upgrade'] : ['upgrade', 'downgrade']
  const text = formatTarget(target)
  return {
    code: 'TARGET_INVALID',
    message: `"${text}" walks the other way: ${typed} cannot go there`,
    hint: `pnpm migrate ${other} ${text}`,
  }
}

function describeIrreversible(revision: Revision): Problem {
  const { name, place } = missingWayBack(revision)
  return {
    code: 'IRREVERSIBLE',
    revision: revision.id,
    file: scriptFile(revision, 'down'),
    message: `${nameRevision(revision)} cannot be reverted: it has no ${name}`,
    hint: `write ${place}, or choose a target that keeps this revision`,
  }
}
