import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { createFaultHistory, type FaultHistory, findDifferences, followHints } from '../harness/fault-history.ts'
import { createLog, logEntry, readLog } from '../harness/log.ts'
import { mountSmallDisk, type OwnServer, startOwnServer } from '../harness/own-server.ts'
import { expectFailure } from '../harness/pair.ts'
import { hasStore, query, queryColumn, readApplied } from '../harness/query.ts'
import { expectHonest } from '../harness/reported.ts'
import { playRounds, timeForRounds } from '../harness/rounds.ts'
import { createTenantHistory, slugsOf } from '../harness/tenant-history.ts'
import { createWorkspace, type TestWorkspace } from '../harness/workspace.ts'

const ids = Array.from({ length: 8 }, (_, at) => `aaaa0000000${at + 1}`)

let history: FaultHistory
let server: OwnServer

beforeAll(async () => {
  history = await createFaultHistory()
  await history.undisturbed()
  server = await startOwnServer()
  await query(server.url, `create role runner login password 'runner'`)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await history[Symbol.asyncDispose]()
})

test('a server without a connection left for us is told, nothing is begun, and a rerun converges', async () => {
  await using workspace = await createWorkspace()
  const url = await createRunnersDatabase(workspace, 'crowded')
  await addRevisions(workspace, ['', ''])
  await query(server.url, 'alter database crowded connection limit 1')
  await using _ = await occupy(url)

  expectFailure(
    await workspace.migrate('upgrade'),
    2,
    'has no connection left for us',
    'run again when it is less busy',
  )
  expect(await hasStore(asOwner('crowded'))).toBe(false)
  await query(server.url, 'alter database crowded connection limit -1')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(ids.slice(0, 2))
})

test('a server without a connection left for code fails its revision only, and a rerun goes on with it', async () => {
  await using workspace = await createWorkspace()
  const url = await createRunnersDatabase(workspace, 'narrow')
  await addRevisions(workspace, [''])
  await workspace.addRevision('main', {
    id: ids[1]!,
    code: `import { defineMigration } from '@drover/config'

export default defineMigration({ up: async ({ sql }) => void (await sql\`insert into log (entry) values ('${ids[1]}')\`) })
`,
  })
  await query(server.url, 'alter database narrow connection limit 1')

  const failed = await workspace.migrate('upgrade')

  expectFailure(failed, 1, 'has no connection left for us')
  expect(failed.stdout).toMatch(/^main +failed at .*: 1 revision applied/m)
  expect(await readApplied(asOwner('narrow'))).toEqual(ids.slice(0, 1))
  await query(server.url, 'alter database narrow connection limit -1')
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(ids.slice(0, 2))
})

test('a database that takes no changes is told, nothing is begun, and a rerun converges', async () => {
  await using workspace = await createWorkspace()
  const url = await createRunnersDatabase(workspace, 'still')
  await addRevisions(workspace, ['', ''])
  await query(server.url, 'alter database still set default_transaction_read_only = on')

  const refused = await workspace.migrate('upgrade')
  expectFailure(refused, refused.exitCode, 'read-only')
  expect([1, 2, 3]).toContain(refused.exitCode)
  expect(await hasStore(url)).toBe(false)

  await query(server.url, 'alter database still reset default_transaction_read_only')
  expect(await workspace.migrate('upgrade', '+1')).toMatchObject({ exitCode: 0 })
  await query(server.url, 'alter database still set default_transaction_read_only = on')
  const later = await workspace.migrate('upgrade')
  expectFailure(later, later.exitCode, 'read-only')
  expect(await readApplied(url)).toEqual(ids.slice(0, 1))
  await query(server.url, 'alter database still reset default_transaction_read_only')
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(ids.slice(0, 2))
})

test('a server without memory left for locks undoes the revision that wants them, and a rerun converges', async () => {
  await using workspace = await createWorkspace()
  const url = await createRunnersDatabase(workspace, 'locks')
  await addRevisions(workspace, [
    '',
    `do $$ begin for n in 1..12000 loop perform pg_advisory_xact_lock(n); end loop; end $$;\n`,
    '',
  ])
  await server.configure({ max_locks_per_transaction: '10' })

  expectFailure(await workspace.migrate('upgrade'), 1, 'out of shared memory', 'max_locks_per_transaction')
  expect(await readApplied(url)).toEqual(ids.slice(0, 1))
  expect(await readLog(url)).toEqual(ids.slice(0, 1))

  await server.configure({ max_locks_per_transaction: '1000' })
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(ids.slice(0, 3))
})

test('a server without memory for the locks that comparing many tenants takes has them compared a few at a time', async () => {
  const views = Array.from('abcdefghijkl', (name) => `create table ${name} (); create view v_${name} as table ${name};`)
  await using tenantHistory = await createTenantHistory([{ up: views.join('\n') }])
  await using tenants = await tenantHistory.makeTenants(slugsOf(100), server.url)
  // Locks of tables have a room of their own besides, which is as large as this.
  await server.configure({ max_locks_per_transaction: '64' })
  await using _ = await leaveLocks(1000)

  expect(await tenants.start(['upgrade']).ended).toMatchObject({ exitCode: 0 })
  await query(tenants.url, 'alter table tenant_t00099.a add by_hand text')
  expectFailure(await tenants.start(['verify']).ended, 4, 't00099')

  // What one query for all of them comes to.
  const read = `select pg_get_viewdef(oid) from pg_class where relkind = 'v' and relnamespace::regnamespace::text like 'tenant%'`
  await expect(query(tenants.url, read)).rejects.toThrow('out of shared memory')
})

test('a statement that takes longer than it may undoes its revision, and a rerun converges', async () => {
  await using workspace = await createWorkspace()
  const url = await createRunnersDatabase(workspace, 'slow')
  await addRevisions(workspace, ['', 'select pg_sleep(pause) from pace;\n', ''])
  await query(url, 'create table pace as select 60 as pause')

  expectFailure(
    await workspace.migrate('upgrade', '--statement-timeout', '200ms'),
    1,
    'statement timeout',
    '--statement-timeout',
  )
  expect(await readApplied(url)).toEqual(ids.slice(0, 1))

  await query(url, 'update pace set pause = 0')
  expect(await workspace.migrate('upgrade', '--wait-lock', '0', '--statement-timeout', '60s')).toMatchObject({
    exitCode: 0,
  })
  expect(await readLog(url)).toEqual(ids.slice(0, 3))
})

const cancelled = { usually: 6 }

test.each(['cancel', 'terminate'])(
  'an administrator who comes with pg_%s_backend at any moment leaves nothing half done untold, and a rerun converges',
  { timeout: timeForRounds(cancelled) },
  async (verb) => {
    await playRounds(cancelled, async (random) => {
      await using databases = await history.makeDatabases()
      const running = databases.start(['upgrade', '--json', '--jobs', random.pick(['1', '4'])])
      const name = random.pick(Object.keys(databases.urls))
      const administrator = postgres(databases.urls[name]!, { max: 1, prepare: false, fetch_types: false })
      const isOver = running.ended.then(() => true)
      const [at, times] = [random.between(0, 12), random.between(1, 3)]
      // From the moment on at which the runner has come, at one that nobody knows.
      const come = () =>
        administrator`select from pg_stat_activity where datname = current_database() and application_name = 'drover'`
      while ((await come()).length === 0) if (await Promise.race([isOver, sleep(1)])) break
      await sleep(at * 15)
      for (let strike = 0; strike < times; strike += 1) {
        await administrator.unsafe(
          `select pg_${verb}_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'drover'`,
        )
      }
      await administrator.end({ timeout: 5 })
      const ended = await running.ended

      await expectHonest(ended, databases, [0, 1, 2, 3])
      expect(ended.stderr).not.toContain('fault of Drover')

      await databases.expireLeases()
      await followHints(databases, ['upgrade'])
      expect(findDifferences(await history.undisturbed(), await databases.snapshot())).toEqual([])
    })
  },
)

const disks = { usually: 3, atATime: 1 }

test(
  'a disk that is full undoes what did not fit, and a rerun converges when there is room',
  { timeout: timeForRounds(disks) },
  async ({ skip }) => {
    const { uid, gid } = statSync(await dataFolder())
    await using disk = await mountSmallDisk(60, { uid, gid })
    if (!disk) return skip('a file system of its own can be mounted by root only')
    await query(server.url, `create tablespace small location '${disk.folder}'`)
    await using cleanUp = new AsyncDisposableStack()
    cleanUp.defer(async () => void (await query(server.url, 'drop tablespace small')))
    await playRounds(disks, async (random) => {
      await using workspace = await createWorkspace()
      disk.resize(60)
      const name = `full_${random.between(1, 1e9)}`
      const url = await createRunnersDatabase(workspace, name, 'tablespace small')
      await using cleanUpRound = new AsyncDisposableStack()
      cleanUpRound.defer(async () => void (await query(server.url, `drop database ${name} with (force)`)))
      await query(url, 'create table load (id integer, filling text)')
      const fill = `insert into load select number, md5(number::text) || repeat('x', 200) from generate_series(1, 10000) as number;\n`
      await addRevisions(workspace, [fill, fill, 'outside', fill, 'outside', fill, fill, ''])
      disk.resize(disk.used() + random.between(0, 14))

      const failed = await workspace.migrate('upgrade', '--json')

      // Without room, even a session of our own may not be able to begin.
      disk.resize(200)
      expectFailure(failed, 1, 'No space left on device')
      await expectHonest(failed, { applied: async () => ({ main: await queryColumn(url, doneIds) }) }, [1])
      await followHints(workspace, ['upgrade'])
      expect(await queryColumn(url, 'select distinct entry from log order by entry')).toEqual(ids)
      expect(await readLog(url)).toHaveLength(ids.length)
      expect(await queryColumn(url, 'select count(*)::int from load')).toEqual([50_000])
      expect(await queryColumn(url, `select indisvalid from pg_index where indrelid = 'load'::regclass`)).toEqual([
        true,
        true,
      ])
    })
  },
)

const doneIds = `select revision from drover.applied where state = 'applied'`

/** A database of the role "runner", whom limits apply to, on the server that is ours alone. */
async function createRunnersDatabase(workspace: TestWorkspace, name: string, options = ''): Promise<string> {
  await query(server.url, `create database ${name} template template0 owner runner ${options}`)
  await workspace.addDatabase('main', { create: false })
  const url = new URL(server.url)
  Object.assign(url, { username: 'runner', password: 'runner', pathname: `/${name}` })
  workspace.env['MAIN_DATABASE_URL'] = url.href
  await createLog(url.href)
  return url.href
}

/** The same database, for somebody whom limits do not apply to. */
function asOwner(name: string): string {
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}

/** Revisions with these statements, which write down that they ran. `outside` is an index that is made concurrently. */
async function addRevisions(workspace: TestWorkspace, statements: readonly string[]): Promise<void> {
  for (const [at, sql] of statements.entries()) {
    const id = ids[at]!
    const isOutside = sql === 'outside'
    await workspace.addRevision('main', {
      id,
      ...(isOutside && { transaction: 'none' }),
      up: `${isOutside ? `create index concurrently load_${at} on load (filling, id);\n` : sql}${logEntry(id)}`,
    })
  }
}

async function occupy(url: string): Promise<AsyncDisposable> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false })
  await sql`select 1`
  return { [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) }
}

/** Takes all locks that the server has memory for, but for so many. Disposing of it gives them back. */
async function leaveLocks(count: number): Promise<AsyncDisposable> {
  const sql = postgres(server.url, { max: 1, prepare: false, fetch_types: false })
  // The error undoes nothing: these locks belong to the session.
  await expect(
    sql.unsafe('do $$ begin for n in 1..1000000 loop perform pg_advisory_lock(n); end loop; end; $$'),
  ).rejects.toThrow('out of shared memory')
  await sql`select pg_advisory_unlock(n) from generate_series(1, ${count}) as n`
  return { [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) }
}

async function dataFolder(): Promise<string> {
  const [folder] = await queryColumn(server.url, 'show data_directory')
  return folder
}
