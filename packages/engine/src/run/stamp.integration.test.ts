import { randomUUID } from 'node:crypto'

import { describe, expect, inject, it } from 'vitest'

import { exampleId } from './example-plan.ts'
import { exampleRunner, type ExampleRunner } from './example-runner.ts'
import { recordStamp, type StampRun } from './stamp.ts'

const [one, two, three] = [exampleId(1), exampleId(2), exampleId(3)]

describe('recordStamp', () => {
  it('records revisions with their checksums and the run, and runs nothing', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const stamp = await stampOf(runner, { record: [rowOf(one), rowOf(two)] })

    await recordStamp(runner.connection, stamp)

    expect(await runner.tables()).toEqual([])
    expect(await readRows(runner)).toEqual([
      { revision: one, checksum: `sha256:${one}`, run: stamp.run.id, duration_ms: 0, state: 'applied' },
      { revision: two, checksum: `sha256:${two}`, run: stamp.run.id, duration_ms: 0, state: 'applied' },
    ])
    const [run] = await runner.connection.send(
      `select command, outcome, plan::text, finished_at >= started_at as finished from drover.run where id = '${stamp.run.id}'`,
    )
    expect(run).toMatchObject({ command: 'stamp', outcome: 'succeeded', finished: true })
    expect(JSON.parse(String(run?.['plan']))).toEqual([
      { direction: 'up', revision: one },
      { direction: 'up', revision: two },
    ])
  })

  it('forgets first, so that what it forgets can be recorded anew', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await recordStamp(runner.connection, await stampOf(runner, { record: [rowOf(one), rowOf(two), rowOf(three)] }))

    const again = { id: one, checksum: 'sha256:new' }
    await recordStamp(
      runner.connection,
      await stampOf(runner, { applied: [three, two, one], forget: [three, two, one], record: [again] }),
    )

    expect(await readRows(runner)).toMatchObject([{ revision: one, checksum: 'sha256:new' }])
  })

  it('leaves other histories, and targets other than the database itself, alone', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.connection.send(`
insert into drover.applied (history, target, revision, checksum, run, duration_ms)
values ('other', '', '${one}', '', '${runner.run.id}', 0), ('main', 'tenant', '${one}', '', '${runner.run.id}', 0)`)
    await recordStamp(runner.connection, await stampOf(runner, { record: [rowOf(one)] }))

    await recordStamp(runner.connection, await stampOf(runner, { applied: [one], forget: [one] }))

    const rows = await runner.connection.send(`select history, target from drover.applied order by history`)
    expect(rows).toEqual([
      { history: 'main', target: 'tenant' },
      { history: 'other', target: '' },
    ])
  })

  it('changes nothing when what is applied is not what it was planned for', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await recordStamp(runner.connection, await stampOf(runner, { record: [rowOf(one)] }))
    const before = await readEverything(runner)

    const late = recordStamp(runner.connection, await stampOf(runner, { applied: [], record: [rowOf(two)] }))

    await expect(late).rejects.toMatchObject({ code: 'STATE_MOVED' })
    expect(await readEverything(runner)).toEqual(before)
  })

  it('changes nothing once the lease was taken over', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const stamp = await stampOf(runner, { record: [rowOf(one)] })
    await runner.connection.send('update drover.lease set token = token + 1')
    const before = await readEverything(runner)

    await expect(recordStamp(runner.connection, stamp)).rejects.toMatchObject({ code: 'LEASE_LOST' })

    expect(await readEverything(runner)).toEqual(before)
  })

  it('changes nothing while a revision is under way, and does not wait for it', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const other = runner.database.connect()
    await other.send(`select pg_advisory_lock(hashtextextended('drover/main/', 0))`)
    const before = await readEverything(runner)

    const stamp = recordStamp(runner.connection, await stampOf(runner, { record: [rowOf(one)] }))

    await expect(stamp).rejects.toMatchObject({ code: 'LOCKED' })
    expect(await readEverything(runner)).toEqual(before)
  })
})

/** A stamp for a database on which nothing is applied, unless the test says otherwise. */
async function stampOf(
  runner: ExampleRunner,
  stamp: Partial<Pick<StampRun, 'applied' | 'forget' | 'record'>>,
): Promise<StampRun> {
  const [lease] = await runner.connection.send('select token::text from drover.lease')
  const run = { ...runner.run, id: randomUUID(), command: 'stamp' }
  return { run, token: String(lease?.['token']), applied: [], forget: [], record: [], ...stamp }
}

function rowOf(id: string): StampRun['record'][number] {
  return { id, checksum: `sha256:${id}` }
}

async function readRows(runner: ExampleRunner): Promise<readonly unknown[]> {
  return runner.connection.send(
    'select revision, checksum, run::text, duration_ms, state from drover.applied order by revision',
  )
}

async function readEverything(runner: ExampleRunner): Promise<readonly unknown[]> {
  return runner.connection.send(`
select xmin::text, applied::text as row from drover.applied
union all
select xmin::text, run::text from drover.run
order by row`)
}
