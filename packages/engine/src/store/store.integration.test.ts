import { describe, expect, inject, it } from 'vitest'

import type { Connection } from '../connect/connection.ts'
import { exampleDatabase } from '../connect/example-database.ts'
import { exampleHistory, exampleId, exampleRun } from '../run/example-plan.ts'
import { recordEnd, recordStart } from './runs.ts'
import { readState } from './state.ts'
import { ensureStore } from './tables.ts'

describe('ensureStore', () => {
  it('lets ten runs create the tables at the same moment', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connections = Array.from({ length: 10 }, () => database.connect())
    await Promise.all(connections.map((connection) => connection.send('select 1')))

    await Promise.all(connections.map((connection) => ensureStore(connection)))

    const tables = await database
      .connect()
      .send(`select tablename from pg_tables where schemaname = 'drover' order by 1`)
    expect(tables.map((row) => row['tablename'])).toEqual(['applied', 'lease', 'run'])
  })

  it('waits outside the database while another run creates them', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const other = database.connect()
    await other.send(`begin; select pg_advisory_xact_lock(hashtextextended('drover/store', 0))`)
    const connection = database.connect()
    const refused: unknown[] = []
    const watched: Connection = {
      ...connection,
      send: async (sql) => {
        try {
          return await connection.send(sql)
        } catch (error) {
          refused.push(error)
          await other.send('commit')
          throw error
        }
      },
    }

    await ensureStore(watched)

    expect(refused).toMatchObject([{ code: 'DRV01' }])
    expect(await readState(connection, 'main')).toMatchObject({ initialised: true })
  })

  it('changes nothing the second time', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await ensureStore(connection)
    await recordStart(connection, exampleRun(), [])

    await ensureStore(connection)

    expect(await connection.send('select count(*)::int as count from drover.run')).toEqual([{ count: 1 }])
  })

  it('keeps others out of what it has created', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await ensureStore(connection)

    const [row] = await connection.send(`
select count(*)::int as count
from aclexplode((select nspacl from pg_namespace where nspname = 'drover'))
where grantee = 0`)
    expect(row).toEqual({ count: 0 })
  })
})

describe('readState', () => {
  it('says that a database has had nothing before Drover has touched it', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))

    expect(await readState(database.connect(), 'main')).toMatchObject({ applied: [], initialised: false })
  })

  it('tells one database from another, and knows the same one again', async () => {
    await using one = await exampleDatabase(inject('serverUrl'))
    await using other = await exampleDatabase(inject('serverUrl'))
    const connection = one.connect()
    const before = await readState(connection, 'main')
    await ensureStore(connection)
    await one
      .connect()
      .send(
        `alter database "${one.url.database}" set datestyle = 'SQL, DMY'; alter database "${one.url.database}" set timezone = 'Asia/Kathmandu'`,
      )

    const again = await readState(one.connect(), 'main')
    const elsewhere = await readState(other.connect(), 'main')

    expect(again).toMatchObject({ identity: before.identity, initialised: true })
    expect(elsewhere.identity).not.toBe(before.identity)
  })

  it('reads what is applied of one history, with times that do not depend on the settings of the database', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const setup = database.connect()
    await ensureStore(setup)
    const run = exampleRun()
    await recordStart(setup, run, [])
    await setup.send(`
alter database "${database.url.database}" set datestyle = 'SQL, DMY';
insert into drover.applied (history, target, revision, checksum, applied_at, run, duration_ms)
values
  ('main', '', '${exampleId(1)}', 'sha256:1', '2026-11-20 14:30:00.25+01', '${run.id}', 1),
  ('main', 'tenant', '${exampleId(2)}', 'sha256:2', now(), '${run.id}', 1),
  ('gdpr', '', '${exampleId(3)}', 'sha256:3', now(), '${run.id}', 1)`)

    const { applied } = await readState(database.connect(), 'main')

    expect(applied).toEqual([{ id: exampleId(1), checksum: 'sha256:1', appliedAt: '2026-11-20T13:30:00.250Z' }])
  })
})

describe('recordStart and recordEnd', () => {
  it('record who ran what and how it ended, and mark what never ended as lost', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await ensureStore(connection)
    const [lost, failed] = [exampleRun('upgrade'), exampleRun(String.raw`upgrade 'x' \ "y"`)]
    const step = { direction: 'up', revision: exampleHistory(1).revisions[0]! } as const
    await recordStart(connection, lost, [])

    await recordStart(connection, failed, [step])
    await recordEnd(connection, failed, 'failed', { code: 'STATEMENT_FAILED', message: String.raw`it's \ broken` })

    const rows = await connection.send(`
select id, outcome, command, plan::text, os_user, host, pid, error::text, finished_at is not null as finished
from drover.run
order by started_at`)
    const { osUser, host, pid } = failed.actor
    expect(rows).toMatchObject([
      { id: lost.id, outcome: 'lost', finished: true, error: null },
      { id: failed.id, outcome: 'failed', command: failed.command, os_user: osUser, host, pid, finished: true },
    ])
    expect(JSON.parse(String(rows[1]?.['plan']))).toEqual([{ direction: 'up', revision: exampleId(1) }])
    expect(JSON.parse(String(rows[1]?.['error']))).toEqual({
      code: 'STATEMENT_FAILED',
      message: String.raw`it's \ broken`,
    })
  })
})
