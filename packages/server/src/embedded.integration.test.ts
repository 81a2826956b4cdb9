import { once } from 'node:events'
import { appendFileSync, cpSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { isRunning, makeFolder, makeFolderWithCluster, query } from './embedded-bench.ts'
import { findEmbedded, startEmbedded, stopEmbedded } from './embedded.ts'
import { serverUrl } from './server-url.ts'

test('starts a server, finds it, uses it again, stops it, and starts it again as it was', async () => {
  const folder = makeFolder()

  expect(await findEmbedded(folder)).toBeUndefined()
  expect(await stopEmbedded(folder)).toBe(false)
  const first = await startEmbedded({ folder })
  await query(first, 'create table note as select 7 as id')
  expect(first).toMatchObject({ host: '127.0.0.1', user: 'postgres', folder, reused: false })
  expect(await findEmbedded(folder)).toEqual({ ...first, reused: true })
  expect(await startEmbedded({ folder })).toEqual({ ...first, reused: true })

  expect(await stopEmbedded(folder)).toBe(true)
  expect(await stopEmbedded(folder)).toBe(false)
  expect(await findEmbedded(folder)).toBeUndefined()
  expect(isRunning(first)).toBe(false)

  const second = await startEmbedded({ folder })
  expect(second).toEqual({ ...first, pid: second.pid })
  expect(await query(second, 'select id from note')).toEqual([{ id: 7 }])
})

test('is a server as promised: version, encoding, order of text, time zone, durability, address', async () => {
  const server = await startEmbedded({ folder: await makeFolderWithCluster() })

  const [settings] = await query(
    server,
    `select current_setting('server_version') as version,
            current_setting('server_encoding') as encoding,
            current_setting('fsync') as fsync,
            current_setting('timezone') as timezone,
            current_setting('listen_addresses') as addresses,
            current_setting('password_encryption') as passwords,
            (select datlocprovider::text || ' ' || datlocale from pg_database where datname = 'template0') as locale`,
  )

  expect(settings).toEqual({
    version: server.version,
    encoding: 'UTF8',
    fsync: 'on',
    timezone: 'UTC',
    addresses: '127.0.0.1',
    passwords: 'scram-sha-256',
    locale: 'b C.UTF-8',
  })
  expect(statSync(join(server.folder, 'cluster/password')).mode & 0o777).toBe(0o600)
  await expect(query({ ...server, password: 'guessed' }, 'select 1')).rejects.toMatchObject({ code: '28P01' })
})

test('works in a folder with spaces, quotes and letters of all kinds in its name', async () => {
  const folder = join(makeFolder(), `my "own" it's ünïcode 数据库 $HOME %20`, 'x')

  const server = await startEmbedded({ folder })

  expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(await findEmbedded(folder)).toEqual({ ...server, reused: true })
  expect(await stopEmbedded(folder)).toBe(true)
})

test('knows its folder by a symbolic link as well', async () => {
  const folder = await makeFolderWithCluster()
  const link = `${folder}-link`
  symlinkSync(folder, link)

  const server = await startEmbedded({ folder: link })

  expect(server.folder).toBe(folder)
  expect(await findEmbedded(link)).toEqual({ ...server, reused: true })
  expect(await startEmbedded({ folder })).toEqual({ ...server, reused: true })
})

test('goes with its folder when that is moved', async () => {
  const folder = await makeFolderWithCluster()
  const server = await startEmbedded({ folder })
  const moved = `${folder}-moved`

  renameSync(folder, moved)

  const there = { ...server, folder: moved, reused: true }
  expect(await findEmbedded(folder)).toBeUndefined()
  expect(await startEmbedded({ folder: moved })).toEqual(there)
  expect(await findEmbedded(moved)).toEqual(there)
  expect(await stopEmbedded(moved)).toBe(true)
  expect(isRunning(server)).toBe(false)
})

test('gives a copy of a folder a server of its own', async () => {
  const folder = await makeFolderWithCluster()
  const original = await startEmbedded({ folder })
  const copied = makeFolder()
  cpSync(folder, copied, { recursive: true, filter: (path) => !path.includes('start-lock') })

  expect(await findEmbedded(copied)).toBeUndefined()
  const copy = await startEmbedded({ folder: copied })

  expect(copy.pid).not.toBe(original.pid)
  expect(copy.port).not.toBe(original.port)
  expect(await findEmbedded(folder)).toEqual({ ...original, reused: true })
})

test('takes another port when the one from before is in use', async () => {
  const folder = await makeFolderWithCluster()
  const { port } = await startEmbedded({ folder })
  await stopEmbedded(folder)
  const occupant = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void occupant.close())
  await once(occupant, 'listening')

  const server = await startEmbedded({ folder })

  expect(server.port).not.toBe(port)
  expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('stops while sessions are open', async () => {
  const folder = await makeFolderWithCluster()
  const server = await startEmbedded({ folder })
  const sql = postgres(serverUrl(server), { max: 1, onclose: () => {} })
  await sql`select 1`
  const sleeping = sql`select pg_sleep(600)`.catch((error: unknown) => error)

  expect(await stopEmbedded(folder)).toBe(true)

  expect(await sleeping).toMatchObject({ code: expect.stringMatching(/57P01|CONNECTION_CLOSED/) })
  expect(isRunning(server)).toBe(false)
  await sql.end({ timeout: 0 })
})

test('quotes the log when the server does not start', async () => {
  const folder = await makeFolderWithCluster()
  await startEmbedded({ folder })
  await stopEmbedded(folder)
  appendFileSync(join(folder, 'cluster/data/postgresql.conf'), 'shared_buffers = plenty\n')

  await expect(startEmbedded({ folder })).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringMatching(/shared_buffers[\s\S]*plenty/),
    hint: expect.stringContaining('server.log'),
  })
  expect(await findEmbedded(folder)).toBeUndefined()
})

test('says which version the data is of when the programs are of another one', async () => {
  const folder = await makeFolderWithCluster()
  await startEmbedded({ folder })
  await stopEmbedded(folder)
  writeFileSync(join(folder, 'cluster/data/PG_VERSION'), '12\n')

  await expect(startEmbedded({ folder })).rejects.toMatchObject({
    code: 'VERSION_MISMATCH',
    message: expect.stringContaining('PostgreSQL 12'),
  })
})

test('names the folder when there is a file in its place', async () => {
  const file = join(makeFolder(), 'file')
  writeFileSync(file, '')

  await expect(startEmbedded({ folder: file })).rejects.toMatchObject({
    code: 'FOLDER_UNUSABLE',
    message: expect.stringContaining(file),
  })
})
