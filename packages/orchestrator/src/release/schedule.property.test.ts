import type { Direction, Step } from '@drover/history'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { exampleDatabase } from '../workspace/example-database.ts'
import { examplePlan, reversePlan } from './example-plan.ts'
import { interleave } from './interleave.ts'
import type { DatabasePlan, ReleasePlan } from './plan-release.ts'
import { findWaits, runSideBySide } from './schedule.ts'

it('keeps every order that there is, whichever databases are quick, with as many at a time as are allowed', async () => {
  await fc.assert(
    fc.asyncProperty(releases(), fc.integer({ min: 1, max: 5 }), fc.scheduler(), async (plan, jobs, scheduler) => {
      const waits = findWaits(plan, databasesOf(plan))
      const begun: number[] = []
      const ended: number[] = []
      const endedBefore = new Map<number, readonly number[]>()
      const all = runSideBySide(waits, jobs, async (place) => {
        begun.push(place)
        expect(begun.length - ended.length).toBeLessThanOrEqual(jobs)
        endedBefore.set(place, [...ended])
        await scheduler.schedule(Promise.resolve(), `segment ${place}`)
        ended.push(place)
      })
      await scheduler.waitFor(all)

      const places = [...plan.segments.keys()]
      expect(ended.toSorted((a, b) => a - b)).toEqual(places)
      if (jobs === 1) expect(begun).toEqual(places)
      for (const later of places) {
        const mustBeDone = places.filter((earlier) => earlier < later && isOrdered(plan, earlier, later))
        expect(endedBefore.get(later)).toEqual(expect.arrayContaining(mustBeDone))
      }
      for (const [needed, dependant] of dependencies(plan)) {
        const [first, second] = plan.direction === 'up' ? [needed, dependant] : [dependant, needed]
        expect(endedBefore.get(second)).toContain(first)
      }
    }),
    { numRuns: 300 },
  )
})

it('has as many run at the same time as are allowed, where nothing is in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 10 }), async (count, jobs) => {
      const gate = Promise.withResolvers<void>()
      let running = 0
      const waits = Array.from({ length: count }, () => new Set<number>())

      const all = runSideBySide(waits, jobs, async () => {
        running += 1
        await gate.promise
        running -= 1
      })

      expect(running).toBe(Math.min(count, jobs))
      gate.resolve()
      await all
      expect(running).toBe(0)
    }),
  )
})

/** Whether two segments are of the same database, or of two of which one comes after the other, also through others. */
function isOrdered(plan: ReleasePlan, earlier: number, later: number): boolean {
  const [one, other] = [plan.segments[earlier]!, plan.segments[later]!].map(({ database }) => database.member.database)
  if (one === other) return true
  const [first, second] = plan.direction === 'up' ? [one!, other!] : [other!, one!]
  const all = databasesOf(plan)
  const leadsTo = (name: string): boolean =>
    name === first.name || all.find((database) => database.name === name)!.config.after.some(leadsTo)
  return leadsTo(second.name)
}

/** The places of the segments of a revision and of one that depends on it. */
function dependencies({ segments }: ReleasePlan): readonly (readonly [needed: number, dependant: number])[] {
  const placeOf = (database: string, id: string) =>
    segments.findIndex(
      ({ database: { member }, steps }) =>
        member.database.name === database && steps.some(({ revision }) => revision.id === id),
    )
  return segments.flatMap(({ steps }, dependant) =>
    steps.flatMap(({ revision }: Step) =>
      (revision.dependsOnElsewhere ?? []).map((one) => [placeOf(one.database, one.revision), dependant] as const),
    ),
  )
}

function databasesOf({ direction, databases }: ReleasePlan): readonly DatabasePlan['member']['database'][] {
  const all = databases.map(({ member }) => member.database)
  return direction === 'up' ? all : all.toReversed()
}

/** Plans over databases of which some come after others, depend on each other's revisions, have nothing to do, or migrate themselves. */
function releases(): fc.Arbitrary<ReleasePlan> {
  const one = fc.record({
    revisions: fc.nat(4),
    isExternal: fc.boolean(),
    after: fc.array(fc.nat(4), { maxLength: 2 }),
  })
  const dependency = fc.record({ from: fc.nat(4), to: fc.nat(4), at: fc.nat(3), on: fc.nat(3) })
  return fc
    .record({
      direction: fc.constantFrom<Direction>('up', 'down'),
      drafts: fc.array(one, { minLength: 1, maxLength: 5 }),
      dependencies: fc.array(dependency, { maxLength: 8 }),
    })
    .map(({ direction, drafts, dependencies: edges }): ReleasePlan => {
      const up = drafts.map(({ revisions, isExternal, after }, index) => {
        const before = [...new Set(after.filter((other) => other < index))].map(nameOf)
        if (isExternal && direction === 'up' && revisions === 0) return externalPlan(nameOf(index), before)
        const elsewhere = Map.groupBy(
          edges.filter(({ from, to, on }) => from === index && to !== index && (drafts[to]?.revisions ?? 0) > on),
          ({ at }) => nameOf(at),
        )
        const texts = [...elsewhere].map(([at, own]) => [at, own.map(({ to, on }) => `${nameOf(to)}/${nameOf(on)}`)])
        const ids = Array.from({ length: revisions }, (_, at) => nameOf(at))
        return examplePlan(nameOf(index), ids, before, Object.fromEntries(texts))
      })
      const databases = direction === 'up' ? up : up.map(reversePlan).toReversed()
      const { segments, problems } = interleave(direction, databases, [])
      return { direction, databases, segments: problems.length === 0 ? segments : [], warnings: [] }
    })
    .filter(({ segments }) => segments.length > 0)
}

function externalPlan(name: string, after: readonly string[]): DatabasePlan {
  const plan = examplePlan(name, [], after)
  const database = exampleDatabase(name, { kind: 'external', after, command: ['migrate'] })
  return { ...plan, member: { ...plan.member, database } }
}

function nameOf(index: number): string {
  return String.fromCodePoint(97 + index)
}
