import { parseSnapshot, type SchemaSnapshot, writeSnapshot } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { exampleMember } from '../release/example-member.ts'
import { examplePlan } from '../release/example-plan.ts'
import { type DatabasePlan, planRelease } from '../release/plan-release.ts'
import { exampleDatabase } from '../workspace/example-database.ts'
import { chooseSnapshot, type SnapshotChoice } from './choose-snapshot.ts'
import type { SnapshotState } from './snapshot-state.ts'

const ids = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'] as const

function snapshotOf(held: readonly string[]): SchemaSnapshot {
  const revisions = held.map((id) => ({ id, digest: '0'.repeat(64) }))
  const text = writeSnapshot({ migrations: 'm', heads: [], revisions, body: 'select 1;\n', command: 'c' })
  const reading = parseSnapshot('databases/test/schema.sql', text)
  if (reading.kind !== 'read') throw new Error('it cannot be read')
  return reading.snapshot
}

function stateOf(held: readonly string[]): SnapshotState {
  return { kind: 'usable', snapshot: snapshotOf(held), missing: [], checksums: new Map() }
}

/** A plan of a database that has the history of another one, of the first steps. */
function planOf(count: number = ids.length): DatabasePlan {
  const plan = examplePlan('test', ids)
  const database = exampleDatabase('test', { kind: 'snapshot', mirrors: ['main'] })
  return { ...plan, member: { ...plan.member, database }, steps: plan.steps.slice(0, count) }
}

function choose(plan: DatabasePlan, state: SnapshotState, more: Partial<SnapshotChoice> = {}) {
  const segments = [{ database: plan, steps: plan.steps }]
  return chooseSnapshot(plan, segments, { snapshots: new Map([['test', state]]), ...more })
}

const usable = stateOf(ids)

describe('chooseSnapshot', () => {
  it('takes the snapshot for an empty database that goes to the head', () => {
    expect(choose(planOf(), usable).snapshot?.revisions.map(({ id }) => id)).toEqual(ids)
  })

  it('takes an older one, too', () => {
    expect(choose(planOf(), stateOf(ids.slice(0, 2))).snapshot?.revisions).toHaveLength(2)
  })

  it('leaves alone what nobody offers a snapshot for, and what has nothing to do', () => {
    expect(chooseSnapshot(planOf(), [], { snapshots: new Map() })).toEqual({})
    expect(choose(planOf(0), usable)).toEqual({})
  })

  it.each([
    ['a target below it', planOf(1), usable, 'goes further than the target'],
    ['an empty history', planOf(), stateOf([]), 'is of an empty history'],
  ])('says nothing of %s unless it was asked for', (_, plan, state, reason) => {
    expect(choose(plan, state)).toEqual({})
    expect(choose(plan, state, { isAsked: true }).warning?.message).toContain(reason)
  })

  it('says nothing of a database that has had revisions unless it was asked for', () => {
    const plan = planOf()
    const { state } = exampleMember('test', { [ids[0]]: [] }, [ids[0]])
    const begun = { ...plan, member: { ...plan.member, state }, steps: plan.steps.slice(1) }

    expect(choose(begun, usable)).toEqual({})
    expect(choose(begun, usable, { isAsked: true }).warning).toMatchObject({
      code: 'SNAPSHOT_UNUSED',
      database: 'test',
      message: 'the revisions run one by one: the database has had some already',
    })
  })

  it.each<[string, SnapshotState, string]>([
    ['missing', { kind: 'missing' }, 'databases/test/schema.sql is missing'],
    ['unusable', { kind: 'unusable', reason: 'was edited' }, 'databases/test/schema.sql was edited'],
  ])('warns where it is %s', (_, state, reason) => {
    const { warning, snapshot } = choose(planOf(), state)

    expect(snapshot).toBeUndefined()
    expect(warning).toMatchObject({ code: 'SNAPSHOT_UNUSED', hint: 'make it anew: pnpm migrate snapshot -d test' })
    expect(warning?.message).toContain(reason)
    expect(choose(planOf(1), state)).toEqual({})
  })

  it('does not take it where revisions of other databases come in between', () => {
    const plan = planOf()
    const segments = [plan.steps.slice(0, 1), plan.steps.slice(1)].map((steps) => ({ database: plan, steps }))

    const { warning, snapshot } = chooseSnapshot(plan, segments, { snapshots: new Map([['test', usable]]) })

    expect(snapshot).toBeUndefined()
    expect(warning?.message).toContain('revisions of other databases come in between')
  })

  it('does not take an older one where all is to be one transaction', () => {
    const older = choose(planOf(), stateOf(ids.slice(0, 2)), { transaction: 'all' })

    expect(older.warning?.message).toContain('all is to be one transaction')
    expect(choose(planOf(), usable, { transaction: 'all' }).snapshot).toBeDefined()
  })
})

describe('planRelease', () => {
  const { member } = planOf()
  const head = { anchor: { kind: 'head' }, steps: 0 } as const
  const fromSnapshot = { snapshots: new Map([['test', usable]]) }

  it('has the snapshot in the plan and in its segments, which are of the same database', () => {
    const planned = planRelease([member], 'up', head, new Map(), [], { fromSnapshot })

    if (!planned.ok) throw new Error('it is refused')
    expect(planned.plan.databases[0]?.snapshot).toBe(snapshotIn(usable))
    expect(planned.plan.segments[0]?.database).toBe(planned.plan.databases[0])
  })

  it('has none on the way down', () => {
    const applied = exampleMember('test', { [ids[0]]: [], [ids[1]]: [ids[0]], [ids[2]]: [ids[1]] }, ids)
    const base = { anchor: { kind: 'base' }, steps: 0 } as const
    const planned = planRelease([applied], 'down', base, new Map(), [], { fromSnapshot })

    if (!planned.ok) throw new Error('it is refused')
    expect(planned.plan.databases[0]?.snapshot).toBeUndefined()
  })
})

function snapshotIn(state: SnapshotState): SchemaSnapshot | undefined {
  return state.kind === 'usable' ? state.snapshot : undefined
}
