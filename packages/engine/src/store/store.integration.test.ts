import { randomBytes } from 'node:crypto'

import { checksum, fingerprintOf } from '@drover/history'
import { describe, expect, inject, it } from 'vitest'

import { type Connection, openConnection } from '../connect/connection.ts'
import { ConnectionUrl } from '../connect/connection-url.ts'
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

  it('comes to the same fingerprint as the files, with statements or without, and whatever is still running', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await ensureStore(connection)
    const run = exampleRun()
    await recordStart(connection, run, [])
    const texts = new Map([
      ['fe0000000000', checksum('select 1;')],
      ['0123456789ab', checksum('select 2;')],
      ['a00000000000', checksum('select 3;')],
    ])
    const values = [...texts].map(([id, sum], at) => {
      const recorded = at === 1 ? sum : `${sum}/${'0'.repeat(64)}`
      return `('main', '${id}', '${recorded}', 'applied', '${run.id}', 1, null)`
    })
    const begun = { revision: 'b00000000000', direction: 'up', done: 0, total: 1, run: run.id, checksum: '' }
    const running = `('main', '${begun.revision}', '', 'running', '${run.id}', 1, '${JSON.stringify(begun)}')`
    await connection.send(
      `insert into drover.applied (history, revision, checksum, state, run, duration_ms, progress) values ${[...values, running].join(', ')}`,
    )

    const fingerprint = fingerprintOf(texts)
    expect(await readState(connection, 'main', { withFingerprint: true })).toMatchObject({ fingerprint })
    expect(await readState(connection, 'main')).not.toHaveProperty('fingerprint')
    const [first] = texts.keys()
    await connection.send(`update drover.applied set checksum = 'sha256:0' where revision = '${first}'`)
    expect((await readState(connection, 'main', { withFingerprint: true })).fingerprint).not.toBe(fingerprint)
    await connection.send('delete from drover.applied')
    expect(await readState(connection, 'main', { withFingerprint: true })).not.toHaveProperty('fingerprint')
  })
})

const reading = (connection: Connection) => readState(connection, 'main')

describe('a schema drover that somebody else has made', () => {
  const ways = [
    ['read by the owner of the database', 'owner', reading],
    ['read by a superuser', 'admin', reading],
    ['completed by the owner of the database', 'owner', ensureStore],
    ['completed by a superuser', 'admin', ensureStore],
  ] as const

  it.each(ways)('is not %s, and nothing in it is called', async (_, who, act) => {
    await using shared = await sharedDatabase()
    await shared.as('stranger').send(lyingStore)

    await expect(act(shared.as(who))).rejects.toMatchObject({
      code: 'PRIVILEGE_MISSING',
      message: `the schema drover belongs to ${shared.stranger}, who is not to be believed about what is applied`,
      problems: [
        {
          // Drover makes no views, so what has one is not offered to be taken over.
          hint: 'find out who has made it; to be rid of it: drop schema drover cascade',
        },
      ],
    })
    expect(await shared.as('admin').send('select is_called from drover.called')).toEqual([{ is_called: false }])
  })

  it.each(ways)('is not %s while it is empty', async (_, who, act) => {
    await using shared = await sharedDatabase()
    await shared.as('stranger').send('create schema drover')

    await expect(act(shared.as(who))).rejects.toMatchObject({
      code: 'PRIVILEGE_MISSING',
      problems: [
        {
          hint: `find out who has made it; to be rid of it: drop schema drover cascade; if it is Drover's own, of another user: alter schema drover owner to ${shared.owner}`,
        },
      ],
    })

    expect(await shared.as('admin').send(`select from pg_class where relnamespace = 'drover'::regnamespace`)).toEqual(
      [],
    )
  })

  it.each(ways)('is not %s either where only a table in it is not ours', async (_, who, act) => {
    await using shared = await sharedDatabase()
    await ensureStore(shared.as('owner'))
    await shared.as('admin').send(`alter table drover.lease owner to ${shared.stranger}`)

    await expect(act(shared.as(who))).rejects.toMatchObject({
      code: 'PRIVILEGE_MISSING',
      message: `the table drover.lease belongs to ${shared.stranger}, who is not to be believed about what is applied`,
      problems: [
        {
          hint: `find out who has made it; to be rid of it: drop table drover.lease cascade; if it is Drover's own, of another user: alter table drover.lease owner to ${shared.owner}`,
        },
      ],
    })
  })

  it.each(['owner', 'admin'] as const)('is taken for what it is as %s once it is gone or handed over', async (who) => {
    await using shared = await sharedDatabase()
    const [stranger, reader] = [shared.as('stranger'), shared.as(who)]
    await stranger.send('create schema drover')
    await shared.as('admin').send(`alter schema drover owner to ${shared.owner}`)

    await ensureStore(reader)
    expect(await readState(reader, 'main')).toMatchObject({ initialised: true })
    await shared.as('admin').send('drop schema drover cascade')
    expect(await readState(reader, 'main')).toMatchObject({ initialised: false })
  })
})

describe('the tables of drover', () => {
  it.each([
    ['owner', 'admin'],
    ['admin', 'owner'],
    ['stranger', 'stranger'],
  ] as const)('that the %s has made are read by the %s', async (maker, reader) => {
    await using shared = await sharedDatabase()
    await ensureStore(shared.as(maker))
    await shared.as(maker).send(`
grant usage on schema drover to ${shared.owner}; grant select on all tables in schema drover to ${shared.owner}`)

    expect(await readState(shared.as(reader), 'main')).toMatchObject({ initialised: true })
  })

  it('that belong to a role are read and completed by those who have its privileges', async () => {
    await using shared = await sharedDatabase()
    await ensureStore(shared.as('stranger'))
    await shared.as('admin').send(`grant ${shared.stranger} to ${shared.owner}`)

    await ensureStore(shared.as('owner'))
    expect(await readState(shared.as('owner'), 'main')).toMatchObject({ initialised: true })
    await expect(readState(shared.as('admin'), 'main')).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' })
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

/** Tables that lie, and say so when they are asked. */
const lyingStore = `
create schema drover;
create sequence drover.called;
create function drover.lie() returns boolean language plpgsql as $$ begin return nextval('drover.called') > 0; end $$;
create table drover.run (id uuid);
create table drover.lease (history text, expires_at timestamptz);
create view drover.applied as
select 'main' as history, '' as target, '${exampleId(1)}' as revision, 'sha256:1' as checksum, 'applied' as state, now() as applied_at
where drover.lie();
grant usage on schema drover to public;
grant select on all tables in schema drover to public`

/** A database in which others than its owner may create schemas. */
interface SharedDatabase extends AsyncDisposable {
  readonly owner: string
  readonly stranger: string
  /** A connection as a superuser, as the owner of the database, or as somebody who may create schemas in it. */
  as(who: 'admin' | 'owner' | 'stranger'): Connection
}

async function sharedDatabase(): Promise<SharedDatabase> {
  await using opened = new AsyncDisposableStack()
  const server = opened.use(openConnection(ConnectionUrl.parse(inject('serverUrl'), 'the server of the tests')))
  const suffix = randomBytes(6).toString('hex')
  const [owner, stranger] = [`drover_owner_${suffix}`, `drover_stranger_${suffix}`]
  await server.send(`create role ${owner} login password 'x'; create role ${stranger} login password 'x'`)
  opened.defer(async () => void (await server.send(`drop role ${owner}, ${stranger}`)))
  // What the roles own goes with the database, which therefore has to go first.
  const database = opened.use(await exampleDatabase(inject('serverUrl')))
  const { url } = database
  await server.send(`
alter database "${url.database}" owner to ${owner};
grant create on database "${url.database}" to ${stranger}`)
  const connections = {
    admin: database.connect(),
    owner: opened.use(openConnection(url.withLogin(owner, 'x'))),
    stranger: opened.use(openConnection(url.withLogin(stranger, 'x'))),
  }
  const owned = opened.move()
  return {
    owner,
    stranger,
    as: (who) => connections[who],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
