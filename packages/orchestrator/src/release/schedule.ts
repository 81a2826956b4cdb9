import type { Step } from '@drover/history'

import type { Database } from '../workspace/discover.ts'
import { keyOf } from './dependencies.ts'
import type { ReleasePlan } from './plan-release.ts'

/**
 * For each segment of a plan, by its place, the places of the segments that it waits for: the one before it of its own
 * database, those with revisions that its own depend on (in a downgrade: that depend on its own), and the last ones so far of
 * the databases that it comes `after` (in a downgrade: that come after it), directly or through others. What it waits for
 * always stands before it, so that the plan's own order is one of those allowed, and nothing waits in a circle: where
 * revisions depend on each other against the order of their databases, they decide.
 * @param all databases of the workspace, in upgrade order; those that are no part of the release put others in order too
 */
export function findWaits(plan: ReleasePlan, all: readonly Database[]): readonly ReadonlySet<number>[] {
  const before = findBefore(all)
  const comesAfter = (one: string, other: string) =>
    plan.direction === 'up' ? before.get(one)?.has(other) : before.get(other)?.has(one)
  const elsewhere = findElsewhere(plan)
  // Where each database has come to.
  const last = new Map<string, number>()
  return plan.segments.map((segment, place) => {
    const own = segment.database.member.database.name
    const orders = [...last].filter(([name]) => name === own || comesAfter(own, name)).map(([, earlier]) => earlier)
    last.set(own, place)
    return new Set([...orders, ...elsewhere[place]!])
  })
}

/** The names of all databases that each one comes after. */
function findBefore(all: readonly Database[]): ReadonlyMap<string, ReadonlySet<string>> {
  const before = new Map<string, ReadonlySet<string>>()
  for (const { name, config } of all) {
    before.set(name, new Set(config.after.flatMap((other) => [other, ...(before.get(other) ?? [])])))
  }
  return before
}

/** For each segment the places of those with revisions of other databases that have to be done before. */
function findElsewhere({ direction, segments }: ReleasePlan): readonly (readonly number[])[] {
  const waits: number[][] = segments.map(() => [])
  const placeOf = new Map(
    segments.flatMap(({ database, steps }, place) =>
      steps.map(({ revision }) => [keyOf(database.member.database.name, revision.id), place] as const),
    ),
  )
  for (const [dependant, { steps }] of segments.entries()) {
    for (const dependency of steps.flatMap(dependenciesOf)) {
      const needed = placeOf.get(keyOf(dependency.database, dependency.revision))
      if (needed === undefined) continue
      if (direction === 'up') waits[dependant]!.push(needed)
      else waits[needed]!.push(dependant)
    }
  }
  return waits
}

function dependenciesOf({ revision }: Step): NonNullable<Step['revision']['dependsOnElsewhere']> {
  return revision.dependsOnElsewhere ?? []
}

/**
 * Runs tasks side by side, each once those that it waits for have ended; of those that may begin, the one that stands first
 * goes first. With one at a time that is the order in which they stand.
 * @param waits for each task, by its place, the places of those that it waits for, all of which stand before it
 * @param jobs how many run at the same time, at least 1
 * @throws what a task has thrown, when those that were running have ended; no other is begun then
 */
export async function runSideBySide(
  waits: readonly ReadonlySet<number>[],
  jobs: number,
  run: (place: number) => Promise<void>,
): Promise<void> {
  const waiting = new Set(waits.keys())
  const ended = new Set<number>()
  const running = new Map<number, Promise<void>>()
  const begin = async (place: number) => {
    await run(place)
    ended.add(place)
    running.delete(place)
  }
  try {
    for (;;) {
      for (const place of findReady(waits, waiting, ended).slice(0, jobs - running.size)) {
        waiting.delete(place)
        running.set(place, begin(place))
      }
      if (running.size === 0) return
      await Promise.race(running.values())
    }
  } finally {
    await Promise.allSettled(running.values())
  }
}

/** The places of the tasks that wait for nothing any more, in order. */
function findReady(
  waits: readonly ReadonlySet<number>[],
  waiting: ReadonlySet<number>,
  ended: ReadonlySet<number>,
): readonly number[] {
  return [...waiting].filter((place) => waits[place]!.isSubsetOf(ended))
}
