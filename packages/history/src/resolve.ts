import { aboveOf, type Branch, branchOf } from './branch.ts'
import { findRevision, listRevisions } from './find-revision.ts'
import { descendantsOf, type History } from './graph.ts'
import { type Problem, type Refusal, refuse } from './problem.ts'
import { nameRevision, type Revision } from './revision.ts'
import { type Anchor, formatTarget, type Target } from './target.ts'
import { type Resolution, walkDown, walkFrom, walkUp } from './walk.ts'

/** A place in a history, whatever is applied: revisions in run order, none for the base. */
export interface Place {
  readonly ok: true
  readonly ids: readonly string[]
  /** The branch to which the target narrows what is done there. */
  readonly branch?: Branch
}

/**
 * Says what must be applied once an upgrade has reached its target, for a database on which `applied` stands: the
 * revisions returned, with everything they come after.
 */
export function resolveUpgrade(history: History, target: Target, applied: ReadonlySet<string>): Resolution {
  if (target.anchor) return resolvePlace(history, target)
  const scope = resolveBranch(history, target)
  return scope.ok ? walkUp(history, target, applied, scope.branch) : scope
}

/**
 * Says what a downgrade to the target reverts, for a database on which `applied` stands, in run order: what descends
 * from the target, and whatever comes after that. Behind a branch, only that branch is reverted, and what cannot stay
 * without it. The target has to be applied.
 */
export function resolveDowngrade(history: History, target: Target, applied: ReadonlySet<string>): Resolution {
  const undone = target.anchor ? abovePlace(history, target, applied) : resolveWalkDown(history, target, applied)
  if (!undone.ok) return undone
  return { ok: true, ids: history.revisions.map(({ id }) => id).filter((id) => undone.ids.has(id) && applied.has(id)) }
}

/**
 * Finds the place that a target names without a look at any database: it has to say where a walk starts. A revision has
 * to be in the target's branch, or below it.
 */
export function resolvePlace(history: History, target: Target): Place | Refusal {
  const { anchor } = target
  if (!anchor) {
    const text = formatTarget(target)
    return refuse(
      'TARGET_INVALID',
      `"${text}" starts from what is applied, which does not count here`,
      `say where to start: <revision>${formatTarget({ steps: target.steps })}`,
    )
  }
  const scope = resolveBranch(history, target)
  if (!scope.ok) return scope
  const { branch } = scope
  const from = resolveAnchor(history, target, anchor, branch)
  if (!from.ok) return from
  const place = target.steps === 0 ? from : walkFrom(history, target, from.ids[0], branch)
  return place.ok && branch ? { ...place, branch } : place
}

/** The branch that a target is narrowed to, if it is. */
export function resolveBranch(
  history: History,
  target: Target,
): { readonly ok: true; readonly branch?: Branch } | Refusal {
  if (target.branch === undefined) return { ok: true }
  const found = findRevision(history, target.branch)
  return found.ok ? { ok: true, branch: branchOf(history, found.revision, target.branch) } : found
}

/** The problem of a history, or of one branch of it, that has more than one head where one is needed. */
export function severalHeads(heads: readonly Revision[], branch?: string): Problem {
  const where = branch === undefined ? 'the history' : `the branch "${branch}"`
  const all = branch === undefined ? 'heads' : `${branch}@heads`
  return {
    code: 'SEVERAL_HEADS',
    message: `${where} has ${heads.length} heads: ${listRevisions(heads)}`,
    hint: `name one of them as the target, or "${all}" for all; join them with: pnpm migrate merge ${heads.map((head) => head.id).join(' ')} -d <database>`,
  }
}

function resolveAnchor(history: History, target: Target, anchor: Anchor, branch: Branch | undefined): Resolution {
  switch (anchor.kind) {
    case 'base':
      return { ok: true, ids: [] }
    case 'heads':
      return { ok: true, ids: headsOf(history, branch).map((head) => head.id) }
    case 'head': {
      const heads = headsOf(history, branch)
      return heads.length > 1
        ? { ok: false, problem: severalHeads(heads, branch?.name) }
        : { ok: true, ids: heads.map((head) => head.id) }
    }
    case 'name': {
      const found = findRevision(history, anchor.name, branch)
      if (!found.ok) return found
      const { revision } = found
      if (!branch || branch.lineage.has(revision.id)) return { ok: true, ids: [revision.id] }
      return refuse(
        'WRONG_BRANCH',
        `"${formatTarget(target)}": ${nameRevision(revision)} is not in the branch "${branch.name}"`,
        `leave the branch out: ${revision.id}`,
      )
    }
  }
}

function headsOf(history: History, branch: Branch | undefined): readonly Revision[] {
  // Everything above a revision of the branch is of the branch, so its heads are heads of the whole history.
  return branch ? history.heads.filter((head) => branch.own.has(head.id)) : history.heads
}

/** What is above the place that a downgrade goes to. */
function abovePlace(
  history: History,
  target: Target,
  applied: ReadonlySet<string>,
): { readonly ok: true; readonly ids: ReadonlySet<string> } | Refusal {
  const place = resolvePlace(history, target)
  if (!place.ok) return place
  const absent = place.ids.find((id) => !applied.has(id))
  if (absent === undefined) return { ok: true, ids: aboveOf(history, place.ids, place.branch) }
  const problem: Problem = {
    code: 'NOT_APPLIED',
    revision: absent,
    message: `cannot downgrade to ${nameRevision(history.byId.get(absent)!)}: it is not applied`,
    hint: 'see what is applied with: pnpm migrate current --verbose',
  }
  return { ok: false, problem }
}

/** What a walk down from what is applied undoes, and what comes after that. */
function resolveWalkDown(
  history: History,
  target: Target,
  applied: ReadonlySet<string>,
): { readonly ok: true; readonly ids: ReadonlySet<string> } | Refusal {
  const scope = resolveBranch(history, target)
  if (!scope.ok) return scope
  const undone = walkDown(history, target, applied, scope.branch)
  return undone.ok ? { ok: true, ids: descendantsOf(history, undone.ids) } : undone
}
