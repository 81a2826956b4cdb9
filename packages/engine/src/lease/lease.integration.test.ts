import { describe, expect, inject, it } from 'vitest'

import { type ExampleDatabase, exampleDatabase } from '../connect/example-database.ts'
import { exampleRun } from '../run/example-plan.ts'
import { ensureStore } from '../store/tables.ts'
import { acquireLease, describeHolder, type LeaseHolder } from './lease.ts'

describe('acquireLease', () => {
  it('lets the second runner wait until the first gives the lease back', async () => {
    await using database = await databaseWithStore()
    const first = await acquireLease(database.connect(), exampleRun('downgrade'))
    const waiting = Promise.withResolvers<LeaseHolder>()

    const second = acquireLease(database.connect(), exampleRun(), { onWaiting: waiting.resolve })
    const holder = await waiting.promise
    await first[Symbol.asyncDispose]()
    await using lease = await second

    expect(holder).toMatchObject({ command: 'downgrade', osUser: "o'neill", host: 'box\\1', pid: 4711 })
    expect(Math.abs(Date.now() - Date.parse(holder.since))).toBeLessThan(60_000)
    expect(describeHolder(holder)).toBe(`"downgrade" of o'neill on box\\1, process 4711, since ${holder.since}`)
    expect(Number(lease.token)).toBeGreaterThan(Number(first.token))
  })

  it('gives it to one of ten, and to each of them in the end', async () => {
    await using database = await databaseWithStore()
    let holders = 0

    const tokens = await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using lease = await acquireLease(database.connect(), exampleRun())
        holders += 1
        expect(holders).toBe(1)
        await database.connect().send('select 1')
        holders -= 1
        return lease.token
      }),
    )

    expect(tokens.map(Number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('keeps histories in one database apart', async () => {
    await using database = await databaseWithStore()

    await using main = await acquireLease(database.connect(), exampleRun(), { waitMs: 0 })
    await using gdpr = await acquireLease(database.connect(), { ...exampleRun(), history: 'gdpr' }, { waitMs: 0 })

    expect([main.token, gdpr.token]).toEqual(['1', '1'])
  })

  it('takes over from a holder that has died, with a token that grows', async () => {
    await using database = await databaseWithStore()
    const dead = await acquireLease(database.connect(), exampleRun())
    const connection = database.connect()
    await connection.send(`update drover.lease set expires_at = clock_timestamp()`)

    await using lease = await acquireLease(connection, exampleRun(), { waitMs: 0 })

    expect(BigInt(lease.token)).toBe(BigInt(dead.token) + 1n)
    await dead[Symbol.asyncDispose]()
    const rows = await connection.send(`select token::int, expires_at > clock_timestamp() as alive from drover.lease`)
    expect(rows).toEqual([{ token: Number(lease.token), alive: true }])
  })

  it('is LOCKED at once when told not to wait, and says who holds it', async () => {
    await using database = await databaseWithStore()
    await using _held = await acquireLease(database.connect(), exampleRun('upgrade head'))

    await expect(acquireLease(database.connect(), exampleRun(), { waitMs: 0 })).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(
        /^another run holds the database: "upgrade head" of o'neill on box\\1, process 4711, since \d{4}-/,
      ),
    })
  })

  it('stops waiting when it is told to', async () => {
    await using database = await databaseWithStore()
    await using _held = await acquireLease(database.connect(), exampleRun())
    const abort = new AbortController()

    const waiting = acquireLease(database.connect(), exampleRun(), {
      signal: abort.signal,
      onWaiting: () => abort.abort(),
    })

    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  it('names its holder whatever the date style of the database', async () => {
    await using database = await databaseWithStore()
    await using _held = await acquireLease(database.connect(), exampleRun())
    await database.connect().send(`alter database "${database.url.database}" set datestyle = 'SQL, DMY'`)

    await expect(acquireLease(database.connect(), exampleRun(), { waitMs: 0 })).rejects.toMatchObject({
      code: 'LOCKED',
    })
  })
})

async function databaseWithStore(): Promise<ExampleDatabase> {
  const database = await exampleDatabase(inject('serverUrl'))
  await ensureStore(database.connect())
  return database
}
