import { describe, expect, inject, it } from 'vitest'

import { exampleId, exampleScripts } from './example-plan.ts'
import { type ExampleRunner, exampleRunner } from './example-runner.ts'
import { recordRepair, type RepairRun } from './repair.ts'

const sources = [{ up: 'create table one ()' }, { up: 'create table two ()' }]
const [first, second] = exampleScripts(sources)

describe('recordRepair', () => {
  it('replaces the checksums, keeps everything else of the rows, and records the run', async () => {
    await using runner = await createAppliedRunner()
    const before = await readRows(runner)

    const run = { ...runner.run, id: '00000000-0000-4000-8000-000000000001', command: 'repair' }
    await recordRepair(runner.connection, { run, token: await tokenOf(runner), repairs: [repairOf('sha256:new')] })

    expect(await readRows(runner)).toEqual([{ ...before[0], checksum: 'sha256:new' }, before[1]])
    const [recorded] = await runner.connection.send(`select outcome, command from drover.run where id = '${run.id}'`)
    expect(recorded).toEqual({ outcome: 'succeeded', command: 'repair' })
  })

  it('changes nothing when one of the rows is no longer as it was', async () => {
    await using runner = await createAppliedRunner()
    const before = await readRows(runner)
    const moved = { id: exampleId(2), from: `${second!.checksum} of another`, to: 'sha256:new' }

    await expect(repair(runner, { repairs: [repairOf('sha256:new'), moved] })).rejects.toMatchObject({
      code: 'STATE_MOVED',
    })
    expect(await readRows(runner)).toEqual(before)
  })

  it('changes nothing when the lease was taken over', async () => {
    await using runner = await createAppliedRunner()
    const before = await readRows(runner)
    const token = await tokenOf(runner)
    await runner.connection.send('update drover.lease set token = token + 1')

    await expect(repair(runner, { token })).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await readRows(runner)).toEqual(before)
  })
})

async function createAppliedRunner(): Promise<ExampleRunner> {
  const runner = await exampleRunner(inject('serverUrl'))
  await runner.upgrade(sources)
  return runner
}

async function repair(runner: ExampleRunner, options: Partial<RepairRun>): Promise<void> {
  const run = { ...runner.run, id: '00000000-0000-4000-8000-000000000002', command: 'repair' }
  const token = options.token ?? (await tokenOf(runner))
  await recordRepair(runner.connection, { repairs: [repairOf('sha256:new')], ...options, run, token })
}

function repairOf(to: string): RepairRun['repairs'][number] {
  return { id: exampleId(1), from: first!.checksum, to }
}

async function tokenOf(runner: ExampleRunner): Promise<string> {
  const [row] = await runner.connection.send('select token::text from drover.lease')
  return String(row?.['token'])
}

async function readRows(runner: ExampleRunner): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return runner.connection.send(
    'select revision, checksum, applied_at::text, run, duration_ms from drover.applied order by revision',
  )
}
