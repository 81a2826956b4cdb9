import { describe, expect, inject, it } from 'vitest'

import { openConnection } from '../connect/connection.ts'
import { exampleProxy } from '../connect/example-proxy.ts'
import { exampleId, exampleScripts, type ExampleSql } from './example-plan.ts'
import { type ExampleRunner, exampleRunner, problemOf } from './example-runner.ts'

const table: ExampleSql = { up: 'create table t (id integer)', down: 'drop table t' }
const outside: ExampleSql = {
  up: 'create index concurrently i on t (id);',
  down: 'drop index concurrently i;',
  transaction: 'none',
}
const nothing: ExampleSql = { up: '-- nothing', down: '-- nothing', transaction: 'none' }
const batches: ExampleSql = { up: 'update t set id = 2 where id = 1', batch: { pauseMs: 0 } }
const own: ExampleSql = { up: 'begin; insert into t values (1); commit;', transaction: 'own' }

const kinds = [
  ['outside a transaction', outside, 'up'],
  ['outside a transaction, on its way down,', outside, 'down'],
  ['outside a transaction, with nothing to run,', nothing, 'up'],
  ['in batches', batches, 'up'],
  ['with transactions of its own', own, 'up'],
] as const

describe('the last record of a revision', () => {
  it.each(kinds)('%s is found out when its answer is lost', async (_, source, direction) => {
    await using runner = await prepare(source, direction)
    await using proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)

    proxy.swallowAnswersAfter(lastRecord[direction])
    const running = run(runner, source, direction, { connection })
    await isOver(runner, direction)
    proxy.cut()

    expect((await running).end).toEqual({ kind: 'succeeded' })
  })

  // Each of them asks in vain for ten seconds.
  it.concurrent.each(kinds)(
    '%s is said to be in doubt when the server cannot be asked any more',
    async (_, source, direction) => {
      await using runner = await prepare(source, direction)
      const proxy = await exampleProxy(runner.database.url)
      await using connection = openConnection(proxy.url)
      const fence = async () => {
        await using asking = openConnection(proxy.url)
        await asking.send('select 1')
      }

      proxy.swallowAnswersAfter(lastRecord[direction])
      const running = run(runner, source, direction, { connection, lease: { token: '1', fence } })
      await isOver(runner, direction)
      await proxy[Symbol.asyncDispose]()

      expect(problemOf(await running)).toMatchObject({
        code: 'CONNECTION_LOST',
        message: expect.stringContaining('whether it was carried out could not be found out'),
      })
    },
    30_000,
  )
})

/** What stands in the message that records the end. */
const lastRecord = { up: 'duration_ms = extract', down: 'delete from drover.applied' }

async function prepare(source: ExampleSql, direction: 'up' | 'down'): Promise<ExampleRunner> {
  const runner = await exampleRunner(inject('serverUrl'))
  await runner.upgrade(direction === 'up' ? [table] : [table, source])
  return runner
}

function run(
  runner: ExampleRunner,
  source: ExampleSql,
  direction: 'up' | 'down',
  options: Parameters<ExampleRunner['runScripts']>[2],
) {
  const scripts = exampleScripts([table, source], direction)
  return runner.runScripts(direction === 'up' ? scripts.slice(1) : scripts.slice(0, 1), 2, options)
}

/** Resolves when the server has the record of the second revision. */
async function isOver({ database }: ExampleRunner, direction: 'up' | 'down'): Promise<void> {
  const connection = database.connect()
  const wanted = direction === 'up' ? ['applied'] : []
  for (;;) {
    const rows = await connection.send(`select state from drover.applied where revision = '${exampleId(2)}'`)
    if (rows.map((row) => row['state']).join() === wanted.join()) return
  }
}
