import { createThrowawayDatabase, type ThrowawayDatabase } from '@drover/server'
import postgres from 'postgres'
import { beforeEach, expect, inject, test } from 'vitest'

import { withRollback } from './with-rollback.ts'

declare module 'vitest' {
  interface ProvidedContext {
    serverUrl: string
  }
}

let database: ThrowawayDatabase
beforeEach(async () => {
  database = await createThrowawayDatabase(inject('serverUrl'))
  await run('create table note (id int primary key)')
  return () => database[Symbol.asyncDispose]()
})

test('what is done is seen inside, returned, and gone afterwards', async () => {
  const seen = await withRollback(database, async (sql) => {
    await sql`insert into note values (1)`
    return sql`select id from note`
  })

  expect([...seen]).toEqual([{ id: 1 }])
  expect(await run('select id from note')).toEqual([])
})

test('what is thrown comes out, and nothing is kept', async () => {
  const failing = withRollback(database.url, async (sql) => {
    await sql`insert into note values (1)`
    throw new Error('no good')
  })

  await expect(failing).rejects.toThrow('no good')
  expect(await run('select id from note')).toEqual([])
})

test('a statement that is refused and caught is no failure', async () => {
  const refusal = await withRollback(database, async (sql) => {
    await sql`insert into note values (1)`
    return sql`insert into note values (1)`.then(
      () => 'accepted',
      (error: unknown) => (error as postgres.PostgresError).code,
    )
  })

  expect(refusal).toBe('23505')
  expect(await run('select id from note')).toEqual([])
})

test('code with transactions of its own runs as it is, and what it rolls back is gone inside already', async () => {
  const seen = await withRollback(database, async (sql) => {
    await sql.begin((inner) => inner`insert into note values (1)`)
    await sql.begin('read write', (inner) => inner`insert into note values (2)`)
    await expect(
      sql.begin(async (inner) => {
        await inner`insert into note values (3)`
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    // As an application does when it shuts down.
    await sql.end()
    return sql`select id from note order by id`
  })

  expect([...seen]).toEqual([{ id: 1 }, { id: 2 }])
  expect(await run('select id from note')).toEqual([])
})

test('a commit by hand is an error, because it keeps what was to be gone', async () => {
  const committing = withRollback(database, (sql) => sql.unsafe('insert into note values (1); commit'))

  await expect(committing).rejects.toThrow(/withRollback: the transaction was committed or rolled back/)
  expect(await run('select id from note')).toEqual([{ id: 1 }])
})

async function run(statement: string): Promise<readonly unknown[]> {
  const sql = postgres(database.url, { max: 1 })
  try {
    return [...(await sql.unsafe(statement))]
  } finally {
    await sql.end()
  }
}
