import { expect, inject, test } from 'vitest'

import { readState } from '../store/state.ts'
import { exampleId, exampleScripts } from './example-plan.ts'
import { exampleRunner } from './example-runner.ts'

test.for([
  { name: 'without a lease', lease: undefined },
  { name: 'with a lease that others go without', isShared: true },
])('nothing is applied on top of a revision that a rival takes back at once: $name', async (options) => {
  await using runner = await exampleRunner(inject('serverUrl'))
  // In a shared message, what comes after it drops these before it takes the lock, which leaves a rival the time that it needs.
  const long = `do $$ begin for i in 1..400 loop execute 'create temp table t' || i || ' (a text)'; end loop; end $$;`
  const sources = [{ up: 'create table a ()' }, { up: `create table b (); ${long}` }, { up: 'create table c ()' }]
  const run = { ...runner.run, target: 'acme' }
  const rival = runner.database.connect()
  const takeBack = async () => {
    const isAtWork = `select from drover.applied where revision = '${exampleId(1)}'
      and exists (select from pg_locks where locktype = 'advisory')`
    while ((await rival.send(isAtWork)).length === 0);
    await rival.send(`select pg_advisory_xact_lock(hashtextextended('drover/main/acme', 0));
      delete from drover.applied where revision = '${exampleId(2)}';
      drop table if exists b`)
  }

  await Promise.all([runner.runScripts(exampleScripts(sources), 3, { run, ...options }), takeBack()])

  // Whoever of the two comes first.
  const { applied } = await readState(runner.connection, 'main', { target: 'acme' })
  expect([[1], [1, 2, 3]].map((numbers) => numbers.map(exampleId))).toContainEqual(applied.map(({ id }) => id))
})
