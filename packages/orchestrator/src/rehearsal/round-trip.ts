import type { Revision, Step } from '@drover/history'

/** The steps of one database, in the order in which they run. */
export interface PlannedSteps {
  readonly name: string
  readonly steps: readonly Step[]
}

/** How far back a rehearsal goes on one database. */
export interface RoundTrip {
  readonly name: string
  /** Applied, and not reverted again. */
  readonly oneWay: readonly Step[]
  /** Applied, reverted and applied again. */
  readonly back: readonly Step[]
  /** The last revision that cannot be reverted, if there is one among them. */
  readonly irreversible?: Revision
}

/**
 * Divides the steps of an upgrade into what is reverted in the rehearsal, and what is not: revisions without a way back, whatever comes
 * before them, and what those of other databases that stay depend on.
 */
export function planRoundTrip(databases: readonly PlannedSteps[]): readonly RoundTrip[] {
  const staying = new Map(
    databases.map(({ name, steps }) => [name, steps.findLastIndex(({ revision }) => !revision.reversible) + 1]),
  )
  // What stays needs what it depends on to stay; that may go on from database to database.
  for (let isSettled = false; !isSettled;) {
    isSettled = true
    for (const { name, steps } of databases) {
      for (const { revision } of steps.slice(0, staying.get(name))) {
        for (const dependency of revision.dependsOnElsewhere ?? []) {
          const needed = databases.find((other) => other.name === dependency.database)
          const place = needed?.steps.findIndex((step) => step.revision.id === dependency.revision) ?? -1
          if (place < (staying.get(dependency.database) ?? 0)) continue
          staying.set(dependency.database, place + 1)
          isSettled = false
        }
      }
    }
  }
  return databases.map(({ name, steps }) => {
    const kept = staying.get(name)!
    const irreversible = steps.findLast(({ revision }) => !revision.reversible)?.revision
    return { name, oneWay: steps.slice(0, kept), back: steps.slice(kept), ...(irreversible && { irreversible }) }
  })
}
