import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'

import { DroverError } from '@drover/history'
import { describe, expect, inject, it } from 'vitest'

import { openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'
import { exampleDatabase } from './example-database.ts'

describe('send', () => {
  it('returns the rows of the last statement that has any to return', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()

    expect(await connection.send('select 1 as a union all select 2 order by 1')).toEqual([{ a: 1 }, { a: 2 }])
    expect(await connection.send('select 1 as a; select 2 as b, 3 as c')).toEqual([{ b: 2, c: 3 }])
    expect(await connection.send('select 1 as a; select 2 as b where false')).toEqual([])
    expect(await connection.send('select 1 as a where false')).toEqual([])
    expect(await connection.send('create table t (); select 1 as a; drop table t')).toEqual([{ a: 1 }])
    expect(await connection.send('')).toEqual([])
  })

  it('hands over the rows of every statement as they come, up to an error', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const rows: unknown[] = []

    const sent = database.connect().send('select 1 as a; select 2 as b; select 1 / 0', (row) => rows.push(row))

    await expect(sent).rejects.toMatchObject({ code: '22012' })
    expect(rows).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('finds names in the schemas that the URL was given, whatever they are called', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    await database
      .connect()
      .send(String.raw`create schema "it's ""1"", \2"; create table "it's ""1"", \2".t as select 1 as a`)

    await using connection = openConnection(database.url.withSearchPath([String.raw`it's "1", \2`, 'public']))

    expect(await connection.send('select a from t')).toEqual([{ a: 1 }])
  })

  it('undoes the whole message when one statement of it fails, and can be used again', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()

    await expect(connection.send('create table t (); select 1 / 0')).rejects.toMatchObject({ code: '22012' })

    expect(await connection.send(`select to_regclass('t') as t`)).toEqual([{ t: null }])
  })

  it('passes on what the server says of a statement, even what would be about the connection if it were fatal', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()

    const missing = await rejectionOf(connection.send('grant connect on database "never made" to public'))
    const refused = await rejectionOf(
      connection.send(`do $$ begin raise exception 'x' using errcode = '28000'; end $$`),
    )

    expect(missing).toMatchObject({ code: '3D000', message: 'database "never made" does not exist' })
    expect(refused).toMatchObject({ code: '28000', message: 'x' })
  })

  it.each(['copy t from stdin', 'copy t from stdin; select 1', 'copy t to stdout; select 1'])(
    'does not take %j for done',
    async (sql) => {
      await using database = await exampleDatabase(inject('serverUrl'))
      const connection = database.connect()
      await connection.send('create table t (a int); insert into t values (1)')

      await expect(connection.send(`create table u (); ${sql}`)).rejects.toMatchObject({ code: 'STATEMENT_FAILED' })
      await expect(connection.send(`create table v (); ${sql}`, () => {})).rejects.toMatchObject({
        code: 'STATEMENT_FAILED',
      })

      expect(await connection.send('select a from t')).toEqual([{ a: 1 }])
    },
  )

  it('passes on notices', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const notices: string[] = []
    const connection = database.connect({ onNotice: (message) => notices.push(message) })

    await connection.send(`do $$ begin raise notice 'hello'; raise warning 'careful'; end $$`)

    expect(notices).toEqual(['NOTICE: hello', 'WARNING: careful'])
  })

  it('says that the connection was lost when the server ends it, and makes a new one for the next message', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()

    const lost = await rejectionOf(connection.send('select pg_terminate_backend(pg_backend_pid())'))

    expect(lost).toMatchObject({ code: 'CONNECTION_LOST' })
    expect(await connection.send('select 1 as a')).toEqual([{ a: 1 }])
  })
})

describe('a connection that cannot be made', () => {
  const url = ConnectionUrl.parse(inject('serverUrl'), 'SERVER_URL')
  const server = { host: url.host, port: url.port, database: url.database, user: url.user, source: url.source }

  it('is UNREACHABLE where no server listens', async () => {
    const port = await unusedPort()

    await expect(attempt({ ...server, host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: `no server answers at 127.0.0.1:${port}`,
    })
  })

  it('is UNREACHABLE at once however often it was before', async () => {
    const port = await unusedPort()
    await using connection = openConnection(ConnectionUrl.of({ ...server, host: '127.0.0.1', port, password: '' }))

    // The driver would wait before each attempt, longer and longer, and twenty seconds in the end.
    for (let tries = 1; tries <= 30; tries += 1) {
      await expect(connection.send('select 1')).rejects.toMatchObject({ code: 'UNREACHABLE' })
    }
  })

  it('is UNREACHABLE where the host has several addresses and no server listens on any', async () => {
    await expect(attempt({ ...server, host: 'localhost', port: await unusedPort() })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    })
  })

  it('is UNREACHABLE where there is no such host', async () => {
    await expect(attempt({ ...server, host: 'nowhere.invalid' })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'the host nowhere.invalid cannot be found',
    })
  })

  it('is UNREACHABLE where something listens and never answers', async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }

    await using connection = openConnection(ConnectionUrl.of({ ...server, host: '127.0.0.1', port, password: '' }), {
      connectTimeout: 1,
    })
    await expect(connection.send('select 1')).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: `the server at 127.0.0.1:${port} did not answer in time`,
    })
    silent.close()
  })

  it('is DATABASE_MISSING where the server has no such database', async () => {
    await expect(attempt({ ...server, database: 'never made' }, url.revealPassword())).rejects.toMatchObject({
      code: 'DATABASE_MISSING',
      message: `the server at ${server.host}:${server.port} has no database "never made"`,
      problems: [{ sqlstate: '3D000', hint: 'create it with: pnpm migrate init (or correct the name in SERVER_URL)' }],
    })
  })

  it('is AUTHENTICATION_FAILED for an unknown user', async () => {
    await expect(attempt({ ...server, user: 'never made' })).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      message: `the server at ${server.host}:${server.port} refused the login of user "never made"`,
    })
  })

  it('is AUTHENTICATION_FAILED for a wrong password, which is nowhere to be seen', async ({ skip }) => {
    const error = await attempt(server, 'Sesame-7').then(
      () => undefined,
      (reason: unknown) => reason,
    )
    skip(error === undefined, 'this server trusts everybody')

    expect(error).toBeInstanceOf(DroverError)
    expect(error).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      problems: [{ hint: 'correct user and password in SERVER_URL' }],
    })
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain('Sesame-7')
  })

  it('is UNREACHABLE for a server without the TLS that is asked for', async ({ skip }) => {
    const error = await attempt({ ...server, sslMode: 'require' }, url.revealPassword()).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    skip(error === undefined, 'this server has TLS')

    expect(error).toMatchObject({
      code: 'UNREACHABLE',
      message: `the server at ${server.host}:${server.port} does not offer the TLS that SERVER_URL asks for`,
    })
  })
})

async function attempt(
  parts: Omit<Parameters<typeof ConnectionUrl.of>[0], 'password'>,
  password = '',
): Promise<unknown> {
  await using connection = openConnection(ConnectionUrl.of({ ...parts, password }))
  return await connection.send('select 1')
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
}
