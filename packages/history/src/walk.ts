import { type Branch, childrenOf } from './branch.ts'
import { listRevisions } from './find-revision.ts'
import { comesAfter, currentOf, type History } from './graph.ts'
import { type Refusal, refuse } from './problem.ts'
import { nameRevision, type Revision } from './revision.ts'
import { formatTarget, type Target } from './target.ts'

/** Revisions that a target stands for, in run order, or why it stands for none. */
export type Resolution = { readonly ok: true; readonly ids: readonly string[] } | Refusal

/**
 * Walks as many steps as the target says from a revision (`undefined`: from the base) along parents, and along those of
 * the branch if one is given. The revision it comes to, or none when that is the base.
 */
export function walkFrom(history: History, target: Target, from: string | undefined, branch?: Branch): Resolution {
  const up = target.steps > 0
  let at = from
  for (let step = 0; step < Math.abs(target.steps); step += 1) {
    const ways = up ? above(history, at, branch) : below(history, at, branch)
    if (ways.length > 1) return ambiguous(history, target, ways)
    if (up ? ways.length === 0 : at === undefined) return endOfGraph(history, target, from, step)
    at = ways[0]
  }
  return { ok: true, ids: at === undefined ? [] : [at] }
}

/**
 * Walks up from what is applied, a revision at a time, and gives the place where that ends. A revision that continues
 * where the database stands goes before one that starts another arm; where that leaves a choice, the walk is refused.
 * At the end it stays there, however long it is. In a branch, only revisions of its lineage count as steps.
 */
export function walkUp(history: History, target: Target, applied: ReadonlySet<string>, branch?: Branch): Resolution {
  const isInside = (id: string): boolean => branch?.lineage.has(id) ?? true
  const reached = new Set(branch ? [...applied].filter(isInside) : applied)
  // Outside the branch, whatever is needed comes along by itself.
  const isReady = (revision: Revision): boolean =>
    isInside(revision.id) &&
    !reached.has(revision.id) &&
    comesAfter(revision).every((id) => reached.has(id) || !isInside(id))
  const ends = new Set(currentOf(history, reached))
  const continues = (revision: Revision): boolean => revision.parents.some((id) => ends.has(id))

  const ready = new Set(history.revisions.filter(isReady))
  let next = [...ready].filter(continues)
  for (let step = 0; step < target.steps; step += 1) {
    const ways = next.length > 0 ? next : [...ready]
    const [only, ...others] = ways
    if (others.length > 0) return ambiguous(history, target, idsOf(ways))
    if (!only) {
      if (step === 0) break
      return endOfApplied(target, step, 'to apply')
    }
    reached.add(only.id)
    ready.delete(only)
    for (const id of comesAfter(only)) ends.delete(id)
    ends.add(only.id)
    // Nothing else can have become ready, or continue what has just been reached.
    const opened = history.followers
      .get(only.id)!
      .map((id) => history.byId.get(id)!)
      .filter(isReady)
    for (const revision of opened) ready.add(revision)
    next = opened.filter(continues)
  }
  return { ok: true, ids: currentOf(history, reached) }
}

/**
 * Walks down from what is applied, a revision at a time, and gives the revisions that it undoes. Where several could be
 * undone next, the walk is refused. With nothing applied it stays there, however long it is. In a branch, only
 * revisions of its own count.
 */
export function walkDown(history: History, target: Target, applied: ReadonlySet<string>, branch?: Branch): Resolution {
  const remaining = new Set(branch ? [...applied].filter((id) => branch.own.has(id)) : applied)
  // For each revision, how many of its followers remain or are below one that does: a gap may lie between.
  const covers = new Map<string, number>()
  const isCovered = (id: string): boolean => covers.get(id)! > 0
  for (const { id } of history.revisions.toReversed()) {
    const followers = history.followers.get(id)!
    covers.set(id, followers.filter((follower) => remaining.has(follower) || isCovered(follower)).length)
  }

  const undone: string[] = []
  let last = history.revisions.map(({ id }) => id).filter((id) => remaining.has(id) && !isCovered(id))
  for (let step = 0; step < -target.steps; step += 1) {
    const [only, ...others] = last
    if (others.length > 0) return ambiguous(history, target, last)
    if (only === undefined) {
      if (step === 0) break
      return endOfApplied(target, step, 'to revert')
    }
    remaining.delete(only)
    undone.push(only)
    last = uncover(history, only, covers, remaining)
  }
  return { ok: true, ids: undone }
}

/** Takes a revision off those below it, and gives what is last of the remaining ones because of that. */
function uncover(history: History, id: string, covers: Map<string, number>, remaining: ReadonlySet<string>): string[] {
  const last: string[] = []
  const open = [id]
  for (let gone = open.pop(); gone !== undefined; gone = open.pop()) {
    for (const before of comesAfter(history.byId.get(gone)!)) {
      const left = covers.get(before)! - 1
      covers.set(before, left)
      if (left === 0) (remaining.has(before) ? last : open).push(before)
    }
  }
  return last
}

function above(history: History, id: string | undefined, branch: Branch | undefined): readonly string[] {
  if (id === undefined) return branch ? [branch.start.id] : idsOf(history.bases)
  return childrenOf(history, id).filter((child) => branch?.lineage.has(child) ?? true)
}

function below(history: History, id: string | undefined, branch: Branch | undefined): readonly string[] {
  if (id === undefined) return []
  return [...new Set(history.byId.get(id)!.parents)].filter((parent) => branch?.lineage.has(parent) ?? true)
}

function ambiguous(history: History, target: Target, ids: readonly string[]): Refusal {
  const chosen = new Set(ids)
  const ways = history.revisions.filter((revision) => chosen.has(revision.id))
  const orBranch = `, or a branch: <label or id>@${formatTarget({ steps: target.steps })}`
  return refuse(
    'WALK_AMBIGUOUS',
    `"${formatTarget(target)}" could go more than one way: ${listRevisions(ways)}`,
    `name the revision to go to instead of a number of steps${target.anchor || target.branch ? '' : orBranch}`,
  )
}

function endOfGraph(history: History, target: Target, from: string | undefined, steps: number): Refusal {
  const up = target.steps > 0
  const start = from === undefined ? 'the base' : nameRevision(history.byId.get(from)!)
  const only = steps === 1 ? 'only 1 revision comes' : `only ${steps} revisions come`
  const reason = up
    ? `${steps === 0 ? 'nothing comes' : only} after ${start}`
    : `the base is ${steps === 1 ? '1 step' : `${steps} steps`} below ${start}`
  return tooFar(target, reason, steps)
}

function endOfApplied(target: Target, steps: number, whatFor: string): Refusal {
  const where = target.branch === undefined ? '' : ` in the branch "${target.branch}"`
  const only = steps === 1 ? 'is only 1 revision' : `are only ${steps} revisions`
  return tooFar(target, `there ${only} ${whatFor}${where}`, steps)
}

function tooFar(target: Target, reason: string, steps: number): Refusal {
  const furthest = formatTarget({ ...target, steps: target.steps > 0 ? steps : -steps })
  return refuse('WALK_TOO_FAR', `"${formatTarget(target)}" walks too far: ${reason}`, `the furthest is: ${furthest}`)
}

function idsOf(revisions: readonly Revision[]): readonly string[] {
  return revisions.map((revision) => revision.id)
}
