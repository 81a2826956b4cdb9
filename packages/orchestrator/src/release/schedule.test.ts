import type { Direction } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleDatabase } from '../workspace/example-database.ts'
import { examplePlan, reversePlan } from './example-plan.ts'
import { interleave } from './interleave.ts'
import type { DatabasePlan } from './plan-release.ts'
import { findWaits, runSideBySide } from './schedule.ts'

describe('findWaits', () => {
  it('lets databases that nothing puts in order wait for nobody', () => {
    expect(waitsOf('up', [examplePlan('one', ['a', 'b']), examplePlan('two', ['a'])])).toEqual([[], []])
  })

  it('keeps the order of databases, directly and through one that has nothing to do', () => {
    const first = examplePlan('first', ['a'])
    const second = examplePlan('second', [], ['first'])
    const third = examplePlan('third', ['a'], ['second'])

    expect(waitsOf('up', [first, second, third])).toEqual([[], [0]])
    expect(waitsOf('down', [third, second, first])).toEqual([[], [0]])
  })

  it('keeps the order of databases through one that is no part of the release', () => {
    const [first, third] = [examplePlan('first', ['a']), examplePlan('third', ['a'], ['second'])]
    const second = exampleDatabase('second', { after: ['first'] })

    expect(waitsOf('up', [first, third], [first.member.database, second, third.member.database])).toEqual([[], [0]])
  })

  it('waits for the segment with the revision that is depended on, and not for those behind it', () => {
    const databases = [
      examplePlan('credentials', ['a', 'b', 'c'], [], { b: ['main/a'] }),
      examplePlan('main', ['a']),
      examplePlan('search', ['a'], [], { a: ['credentials/a'] }),
    ]

    const { segments } = interleave('up', databases, [])

    expect(segments.map(({ database: { member } }) => member.database.name)).toEqual([
      'credentials',
      'main',
      'credentials',
      'search',
    ])
    expect(waitsOf('up', databases)).toEqual([[], [], [0, 1], [0]])
  })

  it('lets dependencies between revisions decide where they go against the order of the databases', () => {
    const credentials = examplePlan('credentials', ['a', 'b'], [], { b: ['main/a'] })
    const main = examplePlan('main', ['a', 'b'], ['credentials'], { b: ['credentials/b'] })

    // credentials/a, main/a, credentials/b, main/b
    expect(waitsOf('up', [credentials, main])).toEqual([[], [0], [0, 1], [1, 2]])
  })

  it('has a downgrade wait for what depends on its revisions', () => {
    const credentials = examplePlan('credentials', ['a'])
    const main = examplePlan('main', ['a'], [], { a: ['credentials/a'] })

    expect(waitsOf('down', [credentials, main])).toEqual([[], [0]])
  })
})

describe('runSideBySide', () => {
  it('begins nothing more once a task has thrown, and throws that when the others have ended', async () => {
    const slow = Promise.withResolvers<void>()
    const log: string[] = []

    const all = runSideBySide([new Set(), new Set(), new Set([0])], 2, async (place) => {
      log.push(`begin ${place}`)
      if (place === 0) throw new Error('broken')
      await slow.promise
      log.push(`end ${place}`)
    })
    const settled = all.catch((error: unknown) => log.push(String(error)))
    slow.resolve()
    await settled

    expect(log).toEqual(['begin 0', 'begin 1', 'end 1', 'Error: broken'])
  })
})

/** What each segment waits for. The workspace has these databases, in upgrade order, unless told otherwise. */
function waitsOf(
  direction: Direction,
  plans: readonly DatabasePlan[],
  all = (direction === 'up' ? plans : plans.toReversed()).map(({ member }) => member.database),
): readonly (readonly number[])[] {
  const databases = direction === 'up' ? plans : plans.map(reversePlan)
  const { segments, problems } = interleave(direction, databases, [])
  expect(problems).toEqual([])
  return findWaits({ direction, databases, segments, warnings: [] }, all).map((waits) =>
    [...waits].toSorted((a, b) => a - b),
  )
}
