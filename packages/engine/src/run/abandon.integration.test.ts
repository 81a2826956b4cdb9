import { describe, expect, inject, it } from 'vitest'

import { acquireLease } from '../lease/lease.ts'
import { readProgress } from '../store/progress.ts'
import { readState } from '../store/state.ts'
import { abandonRevision } from './abandon.ts'
import { exampleRun } from './example-plan.ts'
import { exampleRunner } from './example-runner.ts'

const halfDone = { up: 'create table one (); select 1 / 0', transaction: 'none' } as const

describe('abandonRevision', () => {
  it('is refused with nothing changed when its lease is gone', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([halfDone])
    const { connection } = runner
    const begun = (await readProgress(connection, { history: 'main' }))!
    const run = exampleRun('upgrade --abandon')
    await connection.send('update drover.lease set expires_at = clock_timestamp()')
    await using lease = await acquireLease(connection, run)
    await connection.send('update drover.lease set token = token + 1')

    const abandoning = abandonRevision(connection, { run, token: lease.token, begun, revision: undefined })

    await expect(abandoning).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await readProgress(connection, { history: 'main' })).toEqual(begun)
  })

  it('is refused when the revision has gone on since it was looked at', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade([halfDone])
    const { connection } = runner
    const begun = (await readProgress(connection, { history: 'main' }))!
    const run = exampleRun('upgrade --abandon')
    await connection.send('update drover.lease set expires_at = clock_timestamp()')
    await using lease = await acquireLease(connection, run)
    await connection.send(`update drover.applied set progress = progress || '{"done": 2}' where state = 'running'`)

    const abandoning = abandonRevision(connection, { run, token: lease.token, begun, revision: undefined })

    await expect(abandoning).rejects.toMatchObject({ code: 'STATE_MOVED' })
    expect(await readState(connection, 'main')).toHaveProperty('halfDone')
  })
})
