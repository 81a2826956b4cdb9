import { describe, expect, inject, it } from 'vitest'

import { exampleId, exampleScripts } from './example-plan.ts'
import { exampleRunner, problemOf } from './example-runner.ts'

describe('the guard of a revision', () => {
  // The first revision does what another run would do between the two.
  it('lets nothing be applied once the lease was taken over', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const steal = 'create table one (); update drover.lease set token = token + 1'

    const outcome = await runner.upgrade([
      { up: steal },
      { up: 'create table two ()' },
      { up: 'create table three ()' },
    ])

    expect(problemOf(outcome)).toMatchObject({ code: 'LEASE_LOST', revision: exampleId(2) })
    expect(outcome.notTried).toHaveLength(1)
    expect(await runner.applied()).toEqual([exampleId(1)])
    expect(await runner.tables()).toEqual(['one'])
  })

  it('lets nothing be applied once what is applied has changed', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const move = `create table one ();
insert into drover.applied (history, revision, checksum, run, duration_ms) values ('main', '${exampleId(2)}', '', '${runner.run.id}', 0)`

    const outcome = await runner.upgrade([{ up: move }, { up: 'create table two ()' }])

    expect(problemOf(outcome)).toMatchObject({ code: 'STATE_MOVED', revision: exampleId(2) })
    expect(await runner.tables()).toEqual(['one'])
  })

  it('refuses a revision whose parent is not applied, and to revert one that others need', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = [{ up: 'create table one ()', down: 'drop table one' }, { up: 'create table two ()' }]

    const early = await runner.runScripts(exampleScripts(sources).slice(1), 2)
    await runner.upgrade(sources)
    const needed = await runner.runScripts(exampleScripts(sources, 'down').slice(1), 2)

    expect(problemOf(early)).toMatchObject({ code: 'STATE_MOVED', revision: exampleId(2) })
    expect(problemOf(needed)).toMatchObject({ code: 'STATE_MOVED', revision: exampleId(1) })
    expect(await runner.tables()).toEqual(['one', 'two'])
  })

  it('applies a revision once when two runs have the same plan and the same lease', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const sources = [{ up: 'create table one ()' }]

    const outcomes = await Promise.all([
      runner.upgrade(sources),
      runner.upgrade(sources, { connection: runner.database.connect() }),
    ])

    expect(outcomes.map((outcome) => outcome.end.kind).toSorted()).toEqual(['failed', 'succeeded'])
    expect(outcomes.flatMap(({ end }) => (end.kind === 'failed' ? end.problem.code : []))).toEqual(['STATE_MOVED'])
    expect(await runner.applied()).toEqual([exampleId(1)])
  })
})

describe('the guard of all revisions of a target in one transaction', () => {
  const target = 'public'
  const sources = [
    { up: 'create table one ()', down: 'drop table one' },
    { up: 'create table two ()', down: 'drop table two' },
    { up: 'create table three ()', down: 'drop table three' },
  ]

  it.each([1, 2, 3])('lets nothing be applied where revision %i of them is applied', async (there) => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const run = { ...runner.run, target }
    await runner.connection.send(
      `insert into drover.applied (history, target, revision, checksum, run, duration_ms) values ('main', '${target}', '${exampleId(there)}', '', '${run.id}', 0)`,
    )

    const outcome = await runner.upgrade(sources, { run, transaction: 'all' })

    expect(problemOf(outcome)).toMatchObject({ code: 'STATE_MOVED' })
    expect(await runner.tables()).toEqual([])
  })

  it('refuses revisions whose parent is not applied, and to revert some that others need', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const options = { run: { ...runner.run, target }, transaction: 'all' as const }

    const early = await runner.runScripts(exampleScripts(sources).slice(1), 3, options)
    expect(await runner.upgrade(sources, options)).toMatchObject({ end: { kind: 'succeeded' } })
    const needed = await runner.runScripts(exampleScripts(sources, 'down').slice(1), 3, options)

    expect(problemOf(early)).toMatchObject({ code: 'STATE_MOVED' })
    expect(problemOf(needed)).toMatchObject({ code: 'STATE_MOVED' })
    expect(await runner.tables()).toEqual(['one', 'three', 'two'])
    expect(await runner.downgrade(sources, options)).toMatchObject({ end: { kind: 'succeeded' } })
    expect(await runner.tables()).toEqual([])
  })

  it('applies them once when two runs have the same plan', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const options = { run: { ...runner.run, target }, transaction: 'all' as const, lease: undefined }

    const outcomes = await Promise.all([
      runner.upgrade(sources, options),
      runner.upgrade(sources, { ...options, connection: runner.database.connect() }),
    ])

    expect(outcomes.map((outcome) => outcome.end.kind).toSorted()).toEqual(['failed', 'succeeded'])
    expect(outcomes.flatMap(({ end }) => (end.kind === 'failed' ? end.problem.code : []))).toEqual(['STATE_MOVED'])
    expect(await runner.tables()).toEqual(['one', 'three', 'two'])
  })
})
