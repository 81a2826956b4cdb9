import type { HistoryState } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { nothingThere, stateKeyOf } from './tenant-database.ts'

/** A database that has had revisions, each written as its id and its checksum. */
function had(...revisions: readonly string[]): HistoryState {
  const applied = revisions.map((revision) => {
    const [id, checksum = 'sha256:1'] = revision.split(' ')
    return { id: id!, checksum, appliedAt: '2026-11-20T11:00:00.000Z' }
  })
  return { applied }
}

describe('stateKeyOf', () => {
  it('is empty where there is nothing, be the database there or not', () => {
    expect(stateKeyOf(nothingThere, 'a')).toBe('')
    expect(stateKeyOf(had(), 'a')).toBe('')
  })

  it('is the same for the same revisions, in whatever order and database', () => {
    expect(stateKeyOf(had('1', '2'), 'a')).toBe(stateKeyOf(had('2', '1'), 'b'))
  })

  it('differs with every revision and every checksum', () => {
    const states = [had('1'), had('2'), had('1', '2'), had('1 sha256:2'), had('1 sha256:2', '2'), had('12')]

    expect(new Set(states.map((state) => stateKeyOf(state, 'a'))).size).toBe(states.length)
  })

  it('is the same for no two databases with something half done', () => {
    const state: HistoryState = { ...had('1'), halfDone: { id: '2', direction: 'up', done: 1, total: 3 } }

    expect(stateKeyOf(state, 'a')).not.toBe(stateKeyOf(state, 'b'))
    expect(stateKeyOf(state, 'a')).not.toBe(stateKeyOf(had('1'), 'a'))
  })
})
