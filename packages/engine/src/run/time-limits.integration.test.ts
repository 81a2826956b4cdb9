import { expect, inject, it } from 'vitest'

import { exampleRunner } from './example-runner.ts'

const settings = `select string_agg(current_setting(name), ' ' order by name) as limits
from unnest(array['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout']) as name`

it('bounds how long the server waits for us, for a lock and for a statement, to the end of the revision', async () => {
  await using runner = await exampleRunner(inject('serverUrl'))
  const before = await runner.connection.send(settings)

  const outcome = await runner.upgrade([{ up: `create table seen as ${settings}` }], { statementTimeoutMs: 3_600_000 })

  expect(outcome.end).toEqual({ kind: 'succeeded' })
  expect(await runner.connection.send('select limits from public.seen')).toEqual([{ limits: '1min 100ms 1h' }])
  expect(await runner.connection.send(settings)).toEqual(before)
})
