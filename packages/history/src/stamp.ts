import { aboveOf } from './branch.ts'
import { ancestorsOf, type History } from './graph.ts'
import { findUnknown } from './plan.ts'
import type { Problem } from './problem.ts'
import { type Place, resolvePlace } from './resolve.ts'
import { nameRevision } from './revision.ts'
import { formatTarget, type Target } from './target.ts'

/** What to change in the record of what is applied, without running anything: first forget, then record. */
export interface Stamp {
  /** Ids to forget, later ones first, ids that the history does not know before all. */
  readonly forget: readonly string[]
  /** Ids to record, in run order. After a purge these may be ids that were forgotten. */
  readonly record: readonly string[]
}

/** A stamp, or every reason why there is none. */
export type StampPlan =
  | ({ readonly kind: 'stamp' } & Stamp)
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/**
 * Plans a stamp: afterwards the database says of itself that it stands at the targets. What they come after is recorded
 * as applied, what descends from them is forgotten, with whatever comes after that; other branches stay as they are.
 * `purge` forgets everything first. Refused: targets that cannot be resolved or start from what is applied, two targets
 * of which one would forget what the other needs, and, unless they are purged, applied revisions whose folder is gone.
 */
export function planStamp(
  history: History,
  applied: ReadonlySet<string>,
  targets: readonly Target[],
  { purge = false }: { readonly purge?: boolean } = {},
): StampPlan {
  const unknown = purge ? [] : findUnknown(history, applied).map(orPurge)
  const resolved = targets.map((target) => ({ target, place: resolvePlace(history, target) }))
  const unresolved = resolved.flatMap(({ place }) => (place.ok ? [] : [place.problem]))
  const stands = resolved.flatMap(({ target, place }) => (place.ok ? [standAt(history, target, place)] : []))
  const problems = [...unresolved, ...findContradictions(history, stands), ...unknown]
  if (problems.length > 0) return { kind: 'refused', problems }

  const needed = new Set(stands.flatMap(({ needs }) => [...needs]))
  const above = new Set(stands.flatMap((stand) => [...stand.above]))
  const known = history.revisions.map((revision) => revision.id)
  const forgotten = known.filter((id) => applied.has(id) && (purge || above.has(id))).toReversed()
  const strangers = [...applied].filter((id) => !history.byId.has(id)).toSorted()
  return {
    kind: 'stamp',
    forget: [...strangers, ...forgotten],
    record: known.filter((id) => needed.has(id) && (purge || !applied.has(id))),
  }
}

/** What standing at a target means. */
interface Stand {
  readonly target: Target
  readonly needs: ReadonlySet<string>
  readonly above: ReadonlySet<string>
}

function standAt(history: History, target: Target, { ids, branch }: Place): Stand {
  return { target, needs: ancestorsOf(history, ids), above: aboveOf(history, ids, branch) }
}

function findContradictions(history: History, stands: readonly Stand[]): readonly Problem[] {
  return stands.flatMap((stand) =>
    stands.flatMap((other): readonly Problem[] => {
      const both = history.revisions.find(({ id }) => stand.above.has(id) && other.needs.has(id))
      if (!both) return []
      const [lower, upper] = [formatTarget(stand.target), formatTarget(other.target)]
      return [
        {
          code: 'REVISIONS_RELATED',
          revision: both.id,
          message: `a database cannot stand at "${lower}" and at "${upper}": ${nameRevision(both)} is above the one, and the other needs it`,
          hint:
            stand.target.anchor?.kind === 'base'
              ? `leave out "${lower}"; --purge forgets everything else`
              : `leave out "${lower}": "${upper}" includes what is below it`,
        },
      ]
    }),
  )
}

function orPurge(problem: Problem): Problem {
  return { ...problem, hint: `${problem.hint}; or forget every row first: pnpm migrate stamp --purge` }
}
