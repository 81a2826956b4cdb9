import type { Step } from '@drover/history'
import { beforeEach, expect, it } from 'vitest'

import { createTimeline, type RevisionTimes, type Timeline } from './timeline.ts'

let time: number
let told: RevisionTimes[]
let timeline: Timeline

beforeEach(() => {
  time = 100
  told = []
  timeline = createTimeline(
    (times) => told.push(times),
    () => time,
  )
})

it('takes one that runs alone from its beginning to its end, with all its tries', () => {
  timeline.started(stepOf('a'))
  time = 150
  timeline.retried('lock-timeout')
  time = 200
  timeline.finished({ ...stepOf('a'), durationMs: 20 })
  time = 210
  timeline.started(stepOf('b'))
  time = 240
  timeline.finished({ ...stepOf('b'), durationMs: 25 })
  timeline.ended()

  expect(told.map(({ step, start, end }) => [step.revision.id, start, end])).toEqual([
    ['a', 100, 200],
    ['b', 210, 240],
  ])
  expect(told[0]).toMatchObject({ retries: [{ at: 150, reason: 'lock-timeout' }], statements: [] })
  expect(told[1]).toMatchObject({ retries: [] })
})

it('puts those that share a message behind each other, by the time that the server took for each', () => {
  timeline.started(stepOf('a'))
  time = 130
  timeline.finished({ ...stepOf('a'), durationMs: 5 })
  timeline.started(stepOf('b'))
  timeline.finished({ ...stepOf('b'), durationMs: 10 })
  timeline.started(stepOf('c'))
  timeline.finished({ ...stepOf('c'), durationMs: 8 })
  timeline.ended()

  expect(told.map(({ start, end }) => [start, end])).toEqual([
    [100, 105],
    [105, 115],
    [115, 130],
  ])
})

it('begins one that fails in company behind the last one that did not', () => {
  const problem = { code: 'STATEMENT_FAILED', message: 'no' } as const
  timeline.started(stepOf('a'))
  time = 130
  timeline.finished({ ...stepOf('a'), durationMs: 5 })
  timeline.ended({ step: stepOf('b'), problem })

  expect(told).toMatchObject([
    { start: 100, end: 105 },
    { step: stepOf('b'), start: 105, end: 130, problem },
  ])
})

it('keeps the beginning of one that is told of again because it is run alone after all', () => {
  const problem = { code: 'STATEMENT_FAILED', message: 'no' } as const
  timeline.started(stepOf('a'))
  time = 120
  timeline.started(stepOf('a'))
  time = 140
  timeline.ended({ step: stepOf('a'), problem })

  expect(told).toMatchObject([{ start: 100, end: 140 }])
})

it('has the statements of the revision that they belong to', () => {
  timeline.started(stepOf('a'))
  time = 110
  timeline.statementFinished({ statement: 1, line: 3, durationMs: 6 })
  time = 120
  timeline.finished({ ...stepOf('a'), durationMs: 20 })
  timeline.started(stepOf('b'))
  time = 125
  timeline.finished({ ...stepOf('b'), durationMs: 4 })
  timeline.ended()

  expect(told.map(({ statements }) => statements)).toEqual([[{ number: 1, line: 3, start: 104, end: 110 }], []])
})

it('places the statements of those that share a message by what the server took for them', () => {
  timeline.started(stepOf('a'))
  time = 130
  timeline.statementFinished({ statement: 1, line: 1, offsetMs: 0, durationMs: 2 })
  timeline.statementFinished({ statement: 2, line: 2, offsetMs: 2, durationMs: 3 })
  timeline.finished({ ...stepOf('a'), durationMs: 5 })
  timeline.started(stepOf('b'))
  timeline.statementFinished({ statement: 1, line: 1, offsetMs: 1, durationMs: 40 })
  timeline.finished({ ...stepOf('b'), durationMs: 10 })
  timeline.ended()

  expect(told.map(({ start, end, statements }) => [start, end, statements.map((one) => [one.start, one.end])])).toEqual(
    [
      [
        100,
        105,
        [
          [100, 102],
          [102, 105],
        ],
      ],
      // Never beyond their revision, whatever the clocks say.
      [105, 130, [[121, 130]]],
    ],
  )
})

it('places those of one that was tried several times behind the tries', () => {
  timeline.started(stepOf('a'))
  time = 180
  timeline.retried('lock-timeout')
  time = 200
  timeline.statementFinished({ statement: 1, line: 1, offsetMs: 4, durationMs: 6 })
  timeline.finished({ ...stepOf('a'), durationMs: 10 })
  timeline.ended()

  expect(told[0]).toMatchObject({ start: 100, end: 200, statements: [{ start: 194, end: 200 }] })
})

it('tells nothing where nothing ran', () => {
  timeline.ended()
  timeline.ended()

  expect(told).toEqual([])
})

function stepOf(id: string): Step {
  const revision = {
    id,
    parents: [],
    message: id,
    folder: id,
    reversible: true,
    created: '',
    labels: [],
    dependsOn: [],
  }
  return { direction: 'up', revision }
}
