import { describe, expect, inject, it } from 'vitest'

import { exampleDatabase } from '../connect/example-database.ts'
import { readStatementProgress, type StatementProgress, watchStatement } from './statement-progress.ts'

describe('readStatementProgress', () => {
  it('says which session an index waits for that is made concurrently', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const [old, builder, observer] = [database.connect(), database.connect(), database.connect()]
    const [row] = await old.send('create table t (a int); select pg_backend_pid() as pid')
    await old.send('begin; insert into t values (1)')
    const statement = 'create index concurrently i on t (a)'

    const building = builder.send(statement)
    await expect
      .poll(() => readStatementProgress(observer, statement))
      .toEqual({
        stage: 'waiting for writers before build',
        unit: 'sessions',
        done: 0,
        total: 1,
        waitsFor: row!['pid'],
      })
    await old.send('commit')
    await building

    expect(await readStatementProgress(observer, statement)).toBeUndefined()
  })

  it('counts blocks while a table is scanned, and tells two statements apart', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const [gate, builder, observer] = [database.connect(), database.connect(), database.connect()]
    await gate.send(`create table t (a int);
insert into t select generate_series(1, 3000);
create function slowly(a int) returns int immutable language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(4711);
  return a;
end $$;
select pg_advisory_lock(4711)`)
    const statement = 'create index concurrently i on t (slowly(a))'

    const building = builder.send(statement)
    await expect
      .poll(() => readStatementProgress(observer, statement))
      .toMatchObject({ stage: 'building index: scanning table', unit: 'blocks', total: 14 })
    expect(await readStatementProgress(observer, 'create index concurrently j on t (slowly(a))')).toBeUndefined()
    await gate.send('select pg_advisory_unlock(4711)')
    await building
  })
})

describe('watchStatement', () => {
  it('tells each stage once, with who is waited for, until it is disposed of', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const [old, builder] = [database.connect(), database.connect()]
    await old.send('create table t (a int)')
    await old.send('begin; insert into t values (1)')
    const statement = 'create index concurrently i on t (a)'
    const told: StatementProgress[] = []
    const waiting = Promise.withResolvers<void>()

    const building = builder.send(statement)
    await using watch = watchStatement({
      url: database.url,
      statement,
      onProgress: (progress) => {
        told.push(progress)
        waiting.resolve()
      },
    })
    await waiting.promise
    await old.send('commit')
    await building
    await watch[Symbol.asyncDispose]()

    expect(told[0]).toMatchObject({ stage: 'waiting for writers before build', unit: 'sessions', total: 1 })
    expect(new Set(told.map(({ stage, waitsFor }) => `${stage} ${waitsFor}`)).size).toBe(told.length)
  })
})
