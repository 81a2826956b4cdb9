import postgres from 'postgres'
import { expect, inject, test } from 'vitest'
import { createThrowawayDatabase } from './throwaway-database.ts'

const server = inject('serverUrl')

test('creates an empty database of its own each time, and drops it in the end', async () => {
  const names: string[] = []
  {
    await using first = await createThrowawayDatabase(server)
    await using second = await createThrowawayDatabase(server, { prefix: 'Own "prefix" ü' })
    names.push(first.name, second.name)

    expect(await query(first.url, 'select current_database() as name')).toEqual([{ name: first.name }])
    expect(await query(second.url, 'select current_database() as name')).toEqual([{ name: second.name }])
    expect(second.name).toMatch(/^Own "prefix" ü_[0-9a-f]{12}$/)
  }

  const left = await query(server, 'select datname from pg_database')
  for (const name of names) expect(left).not.toContainEqual({ datname: name })
})

test('copies a template, also for several at once', async () => {
  await using template = await createThrowawayDatabase(server, { prefix: 'drover_template' })
  await query(template.url, 'create table note as select 7 as id')

  const copies = await Promise.all(
    Array.from({ length: 3 }, () => createThrowawayDatabase(server, { template: template.name })),
  )

  for (const copy of copies) {
    await using database = copy
    expect(await query(database.url, 'select id from note')).toEqual([{ id: 7 }])
  }
})

test('drops a database to which somebody is still connected', async () => {
  const database = await createThrowawayDatabase(server)
  const sql = postgres(database.url, { max: 1, onnotice: () => {} })
  await sql`select 1`

  await database[Symbol.asyncDispose]()

  expect(await query(server, 'select datname from pg_database')).not.toContainEqual({ datname: database.name })
  await sql.end({ timeout: 0 })
})

test('refuses a prefix that would not leave room for the random part', async () => {
  await expect(createThrowawayDatabase(server, { prefix: 'x'.repeat(51) })).rejects.toThrow(RangeError)
})

test('does not repeat a malformed URL', async () => {
  await expect(createThrowawayDatabase('postgres://u:hunter2@[bad/x')).rejects.toMatchObject({
    code: 'INVALID_URL',
    message: expect.not.stringContaining('hunter2'),
  })
})

async function query(url: string, text: string): Promise<readonly object[]> {
  const database = decodeURIComponent(new URL(url).pathname.slice(1))
  const sql = postgres(url, { database, max: 1 })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end()
  }
}
