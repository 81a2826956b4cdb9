import { parseSnapshot, type SchemaSnapshot, writeSnapshot } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { exampleMember } from '../release/example-member.ts'
import type { SnapshotState } from '../snapshot/snapshot-state.ts'
import { chooseLoading } from './choose-loading.ts'

const { database, history } = exampleMember('tenant', { aaaaaaaaaaaa: [], bbbbbbbbbbbb: [], cccccccccccc: [] }, [])
const steps = history.revisions.map((revision) => ({ direction: 'up', revision }) as const)

function snapshotOf(held: readonly string[]): SchemaSnapshot {
  const revisions = held.map((id) => ({ id, digest: '0'.repeat(64) }))
  const text = writeSnapshot({ migrations: 'm', heads: [], revisions, body: 'select 1;\n', command: 'c' })
  const reading = parseSnapshot('databases/tenant/schema.sql', text)
  if (reading.kind !== 'read') throw new Error('it cannot be read')
  return reading.snapshot
}

function stateOf(held: readonly string[]): SnapshotState {
  return { kind: 'usable', snapshot: snapshotOf(held), missing: [], checksums: new Map() }
}

function idsOf(chosen: readonly { readonly revision: { readonly id: string } }[]): readonly string[] {
  return chosen.map(({ revision }) => revision.id)
}

describe('chooseLoading', () => {
  it('loads the snapshot of the whole history', () => {
    const chosen = chooseLoading(database, history, steps, stateOf(idsOf(steps)))

    expect(chosen.snapshot?.revisions).toHaveLength(3)
    expect(chosen).toMatchObject({ steps })
    expect(chosen.warning).toBeUndefined()
  })

  it('has what an older one stands for come first, whatever the order of the steps', () => {
    const chosen = chooseLoading(database, history, steps, stateOf(['cccccccccccc', 'aaaaaaaaaaaa']))

    expect(idsOf(chosen.steps)).toEqual(['aaaaaaaaaaaa', 'cccccccccccc', 'bbbbbbbbbbbb'])
    expect(chosen.snapshot?.revisions).toHaveLength(2)
  })

  it.each([
    ['goes further than the target', steps.slice(0, 2), stateOf(idsOf(steps))],
    ['is of an empty history', steps, stateOf([])],
  ])('leaves one alone that %s', (_, wanted, found) => {
    expect(chooseLoading(database, history, wanted, found)).toEqual({ steps: wanted })
  })

  it.each<[SnapshotState, string]>([
    [{ kind: 'missing' }, 'databases/tenant/schema.sql is missing'],
    [{ kind: 'unusable', reason: 'was edited' }, 'databases/tenant/schema.sql was edited'],
  ])('says why the revisions run where there is none to be used', (found, reason) => {
    const { warning, snapshot } = chooseLoading(database, history, steps, found)

    expect(snapshot).toBeUndefined()
    expect(warning).toMatchObject({
      code: 'SNAPSHOT_UNUSED',
      database: 'tenant',
      message: `new tenants are made by their revisions one by one: ${reason}`,
      hint: 'make it anew: pnpm migrate snapshot -d tenant',
    })
  })

  it('says nothing where only a part of the history is asked for', () => {
    expect(chooseLoading(database, history, steps.slice(0, 1), { kind: 'missing' })).toEqual({
      steps: steps.slice(0, 1),
    })
  })
})
