import { aboveOf } from './branch.ts'
import { ancestorsOf, descendantsOf, type History } from './graph.ts'
import { type Refusal, refuse } from './problem.ts'
import { type Place, resolveBranch, resolvePlace, severalHeads } from './resolve.ts'
import { nameRevision, type Revision } from './revision.ts'
import { formatRange, type Range, type Target } from './target.ts'
import { walkFrom } from './walk.ts'

/**
 * What the revisions of a range are for. `show`: what lies between its ends, both included. `up`: what a database that
 * stands at the first end needs to reach the second. `down`: what one that stands at the first reverts to reach the
 * second. Both ends of `up` and `down` are states: the lower one itself is not run.
 */
export type RangeUse = 'show' | 'up' | 'down'

/** Revisions in the order in which they are shown or run, or why there are none. */
export type RangeResolution = { readonly ok: true; readonly revisions: readonly Revision[] } | Refusal

/**
 * Finds the revisions of a range. A missing end is the base or the heads; a walk without a start, as in `-2:` or
 * `3f9c:+1`, starts from the other end. Refused: ends that cannot be resolved, and ends of which the lower is not below
 * the upper.
 */
export function resolveRange(history: History, range: Range, use: RangeUse): RangeResolution {
  const [lower, upper] = use === 'down' ? [range.to, range.from] : [range.from, range.to]
  const ends = resolveEnds(history, lower ?? base, upper ?? highest(lower), range)
  if (!ends.ok) return ends
  const unrelated = findUnrelated(history, range, use, ends)
  if (unrelated) return unrelated

  const below = ancestorsOf(history, ends.upper.ids)
  const isAbove = aboveLower(history, ends.lower, use)
  const revisions = history.revisions.filter(({ id }) => below.has(id) && isAbove(id))
  return { ok: true, revisions: use === 'down' ? revisions.toReversed() : revisions }
}

interface Ends {
  readonly ok: true
  readonly lower: Place
  readonly upper: Place
}

const base: Target = { anchor: { kind: 'base' }, steps: 0 }

/** The upper end where none is given: the heads, of the branch that the lower end walks down if it does. */
function highest(lower: Target | undefined): Target {
  const branch = lower?.anchor ? undefined : lower?.branch
  return { anchor: { kind: 'heads' }, steps: 0, ...(branch !== undefined && { branch }) }
}

function resolveEnds(history: History, lower: Target, upper: Target, range: Range): Ends | Refusal {
  if (!lower.anchor && !upper.anchor) {
    return refuse(
      'TARGET_INVALID',
      `"${formatRange(range)}" has no end to start from`,
      'name a revision, head or base at one of the ends',
    )
  }
  const [fixed, relative] = lower.anchor ? [lower, upper] : [upper, lower]
  const start = resolvePlace(history, fixed)
  if (!start.ok) return start
  const end = relative.anchor ? resolvePlace(history, relative) : walkFromPlace(history, relative, start)
  if (!end.ok) return end
  return lower.anchor ? { ok: true, lower: start, upper: end } : { ok: true, lower: end, upper: start }
}

function walkFromPlace(history: History, target: Target, start: Place): Place | Refusal {
  const scope = resolveBranch(history, target)
  if (!scope.ok) return scope
  if (start.ids.length > 1) {
    const heads = start.ids.map((id) => history.byId.get(id)!)
    return { ok: false, problem: severalHeads(heads, start.branch?.name) }
  }
  const place = walkFrom(history, target, start.ids[0], scope.branch)
  return place.ok && scope.branch ? { ...place, branch: scope.branch } : place
}

function findUnrelated(history: History, range: Range, use: RangeUse, { lower, upper }: Ends): Refusal | undefined {
  const below = ancestorsOf(history, upper.ids)
  // The base of a branch is below nothing but that branch; the base of the history is below everything.
  const isBranchBase = lower.ids.length === 0 && lower.branch && upper.ids.length > 0
  const lowest = isBranchBase ? [lower.branch.start.id] : lower.ids
  const stray = lowest.find((id) => !below.has(id))
  if (stray === undefined) return undefined
  const text = formatRange(range)
  const { from, to, ...rest } = range
  const turned = formatRange({ ...rest, ...(to && { from: to }), ...(from && { to: from }) })
  const belowLower = ancestorsOf(history, lowest)
  if (upper.ids.every((id) => belowLower.has(id))) {
    const wanted = use === 'down' ? 'start at the upper end to go down' : 'start at the lower end'
    return refuse('RANGE_UNRELATED', `"${text}" is the wrong way round: ${wanted}`, `turn it round: ${turned}`)
  }
  const names = upper.ids.map((id) => nameRevision(history.byId.get(id)!)).join(', ')
  return refuse(
    'RANGE_UNRELATED',
    `"${text}": ${nameRevision(history.byId.get(stray)!)} is not below ${names}`,
    'choose two ends of which one comes after the other; see them with: pnpm migrate history',
  )
}

/** Which revisions are above the lower end, for what the range is for. */
function aboveLower(history: History, lower: Place, use: RangeUse): (id: string) => boolean {
  const { ids, branch } = lower
  const isBase = ids.length === 0
  switch (use) {
    case 'show': {
      const shown = isBase ? branch?.own : descendantsOf(history, ids)
      return (id) => shown?.has(id) ?? true
    }
    case 'up': {
      // At the base of a branch, a database has what the branch grew from.
      const standing = ancestorsOf(history, isBase && branch ? branch.start.parents : ids)
      return (id) => !standing.has(id)
    }
    case 'down': {
      const undone = aboveOf(history, ids, branch)
      return (id) => undone.has(id)
    }
  }
}
