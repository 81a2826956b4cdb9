import { describe, expect, it } from 'vitest'

import { exampleRevision } from './example-history.ts'
import { describeHalfDone, describeUnfinishedBackfill, goesOn, type HalfDone } from './half-done.ts'

const halfDone: HalfDone = { id: 'b', direction: 'up', done: 1, total: 2 }
const backfill = exampleRevision('b', ['a'], { phase: 'backfill' })

it('is gone on with in its own phase, so that nothing later runs with it', () => {
  expect(describeHalfDone(halfDone, backfill).hint).toBe(
    'go on with: pnpm migrate upgrade -d <database> --resume --phase backfill; or forget that it was begun with: pnpm migrate upgrade -d <database> --abandon',
  )
})

it('is gone on with by the bare command where it has no phase, or is on its way down', () => {
  expect(describeHalfDone(halfDone, exampleRevision('b')).hint).toBe(
    'go on with: pnpm migrate upgrade -d <database> --resume; or forget that it was begun with: pnpm migrate upgrade -d <database> --abandon',
  )
  expect(describeHalfDone({ ...halfDone, direction: 'down' }, backfill).hint).toBe(
    'go on with: pnpm migrate downgrade -d <database> --resume; or forget that it was begun with: pnpm migrate downgrade -d <database> --abandon',
  )
})

it('keeps a contract from running while it is a backfill that this comes after, and says which', () => {
  expect(describeUnfinishedBackfill(exampleRevision('c', ['b'], { phase: 'contract' }), backfill)).toEqual({
    code: 'BACKFILL_UNFINISHED',
    revision: 'c',
    file: 'databases/main/migrations/c/revision.json',
    message: 'c "make c" (contract) must not run yet: the backfill b "make b", which it comes after, is not finished',
    hint: 'finish that first: pnpm migrate upgrade -d <database> --resume --phase backfill',
  })
})

describe('in batches', () => {
  const batches: HalfDone = { ...halfDone, done: 3, total: 0, batch: { rows: 300, elapsedMs: 9, key: 't.id' } }
  const batch = { range: { key: 't.id', size: 100 }, pauseMs: 0 }

  it('is gone on with by the same command', () => {
    expect(describeHalfDone(batches, exampleRevision('b', ['a'], { phase: 'backfill', batch }))).toMatchObject({
      message: 'b "make b" is half applied: 3 batches with 300 rows are done',
      hint: 'go on with: pnpm migrate upgrade -d <database> --phase backfill; or forget that it was begun with: pnpm migrate upgrade -d <database> --abandon',
    })
  })

  it.each([
    [{ ...batch, pauseMs: 9, range: { key: 't.id', size: 1 } }, true],
    [{ ...batch, range: { key: 't.other', size: 100 } }, false],
    [{ pauseMs: 0 }, false],
    [undefined, false],
  ])('goes on with %j by itself: %s', (declared, expected) => {
    const revision = exampleRevision('b', ['a'], declared && { batch: declared })
    expect(goesOn(batches, revision)).toBe(expected)
    const { hint } = describeHalfDone(batches, revision)
    if (!expected)
      expect(hint).toMatch(/^write "key": "t\.id" into the "batch" of databases\/main\/migrations\/b\/revision\.json/)
  })

  it('does not go on with a revision whose folder is gone, or that was not in batches', () => {
    expect(goesOn(batches, undefined)).toBe(false)
    expect(goesOn(halfDone, exampleRevision('b', ['a'], { batch }))).toBe(false)
  })
})
