import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { createThrowawayDatabase } from '@drover/server'
import postgres from 'postgres'
import { expect, inject, test } from 'vitest'

import { createGuarded } from './harness/guarded.ts'
import { expectFailure } from './harness/pair.ts'
import { findPgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { query, queryColumn } from './harness/query.ts'
import { playRounds, timeForRounds } from './harness/rounds.ts'
import {
  createTenantWorkspace,
  firstRevision,
  readTenants,
  secondRevision,
  type TenantWorkspace,
} from './harness/tenants.ts'

const third = 'bbbb00000003'
const all = [firstRevision, secondRevision, third]

const slugsOf = (count: number) => Array.from({ length: count }, (_, at) => `t${String(at + 1).padStart(3, '0')}`)

/** Tenants that have had nothing, and a third revision that says in a table of all of them that it ran. */
async function createFleetWorkspace(slugs: readonly string[], options?: string): Promise<TenantWorkspace> {
  const workspace = await createTenantWorkspace(options)
  await query(workspace.url, 'create table ledger (tenant text not null)')
  await workspace.addRevision('tenant', {
    id: third,
    message: 'write into the ledger',
    up: 'create table marks (id integer);\ninsert into public.ledger values (current_schema());\n',
    down: 'drop table marks;\n',
  })
  await workspace.list(...slugs)
  return workspace
}

/** That all tenants are at head, and that the last revision ran once on each. */
async function expectOnce(workspace: TenantWorkspace, slugs: readonly string[]): Promise<void> {
  const targets = slugs.map((slug) => `tenant_${slug}`)
  expect(await readTenants(workspace.url)).toEqual(Object.fromEntries(targets.map((target) => [target, all])))
  expect(await queryColumn(workspace.url, `select tenant from ledger order by tenant collate "C"`)).toEqual(
    targets.toSorted(),
  )
}

async function readFleet(workspace: TenantWorkspace): Promise<any> {
  return (await workspace.migrate('fleet', 'status', '--json')).json().fleet
}

test('two workers take all tenants of a queue to head, each once', async () => {
  const slugs = slugsOf(60)
  await using workspace = await createFleetWorkspace(slugs)

  const enqueued = await workspace.migrate('fleet', 'enqueue', '--canary', '2')
  const workers = [1, 2].map(() => workspace.start(['fleet', 'worker', '--drain', '--json']))
  const ended = await Promise.all(workers.map((worker) => worker.ended))

  expect(enqueued.stdout).toMatch(
    /^tenant: put 60 tenants into the queue\n {2}release \S+, to bbbb00000003\n {2}first t001, t002, /,
  )
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(ended.map((one) => one.json().fleet.done).reduce((sum, done) => sum + done)).toBe(60)
  await expectOnce(workspace, slugs)
  expect(await readFleet(workspace)).toMatchObject({
    servers: [{ done: 60, queued: 0, active: 0, failed: 0 }],
    canaries: [],
  })
})

test('putting tenants into the queue again adds nothing, and those that have come since join them', async () => {
  await using workspace = await createFleetWorkspace(['acme', 'globex'])

  const first = await workspace.migrate('fleet', 'enqueue', '--json')
  await workspace.list('initech')
  const again = await workspace.migrate('fleet', 'enqueue', '--json')
  const elsewhere = await workspace.migrate('fleet', 'enqueue', secondRevision)

  const { release } = first.json().fleet
  expect(first.json().fleet).toMatchObject({ added: 2, present: 0, isJoined: false, canaries: ['acme'] })
  expect(again.json().fleet).toMatchObject({ release, added: 1, present: 2, isJoined: true, canaries: [] })
  expectFailure(elsewhere, 3, `its tenants are on the way to ${third}, in the release ${release}`, 'fleet cancel')
  expect(await workspace.migrate('fleet', 'worker', '--drain')).toMatchObject({ exitCode: 0 })
  await expectOnce(workspace, ['acme', 'globex', 'initech'])
  expect((await workspace.migrate('fleet', 'enqueue')).stdout).toBe('tenant: 3 tenants, up to date, nothing to do\n')
})

test('a tenant that fails keeps no other from getting there, is told, and is put back by retry', async () => {
  const slugs = slugsOf(12)
  await using workspace = await createFleetWorkspace(slugs)
  await query(workspace.url, 'create schema tenant_t007; create table tenant_t007.summaries (id integer)')

  await workspace.migrate('fleet', 'enqueue')
  const worker = await workspace.migrate('fleet', 'worker', '--drain')
  const status = await workspace.migrate('fleet', 'status')

  expectFailure(worker, 1, 'error: tenant: 1 tenant failed; t007: ', 'fleet retry')
  expect(worker.stderr).toMatch(/^tenant {2}failed t007: .*migration\.sql:1: relation "summaries" already exists$/m)
  expect(status).toMatchObject({ exitCode: 0, stderr: '' })
  expect(status.stdout).toMatch(/^ {2}failed t007: .*relation "summaries" already exists$/m)
  expect(await readFleet(workspace)).toMatchObject({
    servers: [{ done: 11, failed: 1 }],
    failed: [{ slug: 't007', tries: 1, problem: { code: 'STATEMENT_FAILED', sqlstate: '42P07' } }],
  })

  await query(workspace.url, 'drop table tenant_t007.summaries')
  expect((await workspace.migrate('fleet', 'retry')).stdout).toBe('tenant: 1 tenant put back into the queue\n')
  expect(await workspace.migrate('fleet', 'worker', '--drain')).toMatchObject({ exitCode: 0 })
  await expectOnce(workspace, slugs)
})

test('the others wait for a tenant that goes first, also when it fails', async () => {
  const slugs = slugsOf(5)
  await using workspace = await createFleetWorkspace(slugs)
  await query(workspace.url, 'create schema tenant_t001; create table tenant_t001.summaries (id integer)')

  await workspace.migrate('fleet', 'enqueue')
  const worker = await workspace.migrate('fleet', 'worker', '--drain')

  expectFailure(worker, 1, '1 tenant failed, and 4 wait for it; t001: ', 'relation "summaries" already exists')
  expect(await readTenants(workspace.url)).toEqual({})
  expect((await workspace.migrate('fleet', 'status')).stdout).toContain('  the others wait for t001\n')
  expect((await workspace.migrate('fleet', 'enqueue')).stdout).toContain(
    'put 0 tenants into the queue; 4 there already, 1 failed before and left to "fleet retry"',
  )

  await query(workspace.url, 'drop table tenant_t001.summaries')
  await workspace.migrate('fleet', 'retry')
  expect(await workspace.migrate('fleet', 'worker', '--drain')).toMatchObject({ exitCode: 0 })
  await expectOnce(workspace, slugs)
})

test('what is cancelled is not begun, and may be put into the queue again', async () => {
  const slugs = slugsOf(4)
  await using workspace = await createFleetWorkspace(slugs)
  await workspace.migrate('fleet', 'enqueue')

  const cancelled = await workspace.migrate('fleet', 'cancel')
  const worker = await workspace.migrate('fleet', 'worker', '--drain')

  expect(cancelled.stdout).toContain('tenant: 4 tenants taken out of the queue\n')
  expect(worker).toMatchObject({ exitCode: 0, stdout: 'tenant: 0 tenants done with 0 revisions\n' })
  expect(await readTenants(workspace.url)).toEqual({})
  expect((await workspace.migrate('fleet', 'enqueue', secondRevision)).stdout).toContain('put 4 tenants into the queue')
  expect(await workspace.migrate('fleet', 'worker', '--drain')).toMatchObject({ exitCode: 0 })
  expect(Object.values(await readTenants(workspace.url))).toEqual(slugs.map(() => [firstRevision, secondRevision]))
})

test('a tenant that cannot have a lock is tried until it can, and that is no failure', async () => {
  await using workspace = await createFleetWorkspace(['acme', 'globex'])
  await workspace.migrate('tenant', 'upgrade', firstRevision)
  const holder = postgres(workspace.url, { max: 1, onnotice: () => {} })
  const held = Promise.withResolvers<void>()
  const letGo = Promise.withResolvers<void>()
  const holding = holder.begin(async (sql) => {
    await sql`lock table tenant_globex.contexts`
    held.resolve()
    await letGo.promise
  })
  await held.promise

  await workspace.migrate('fleet', 'enqueue')
  const worker = workspace.start(['fleet', 'worker', '--drain', '--json'])
  await worker.waitFor('tenant  later globex: ')
  letGo.resolve()
  await holding
  await holder.end()

  expect(await worker.ended).toMatchObject({ exitCode: 0 })
  expect((await worker.ended).json().fleet).toMatchObject({ done: 2, failed: [] })
  expect((await worker.ended).stderr).toMatch(/^tenant  later globex: .* \(attempt 2\)$/m)
  await expectOnce(workspace, ['acme', 'globex'])
})

test('a worker whose files lack the revision stops, and says which it lacks', async () => {
  await using workspace = await createFleetWorkspace(['acme', 'globex'])
  await workspace.migrate('fleet', 'enqueue')
  const folder = join(workspace.root, 'databases/tenant/migrations')
  const last = (await readdir(folder)).toSorted().at(-1)
  await rename(join(folder, last!), join(workspace.root, 'elsewhere'))

  const older = await workspace.migrate('fleet', 'worker', '--drain')

  expectFailure(older, 2, `goes to ${third}, which the files of this worker do not have`, 'fleet retry')
  expect(await readTenants(workspace.url)).toEqual({})
  expect(await readFleet(workspace)).toMatchObject({
    failed: [{ slug: 'acme', problem: { code: 'REVISION_UNKNOWN' } }],
  })

  await rename(join(workspace.root, 'elsewhere'), join(folder, last!))
  await workspace.migrate('fleet', 'retry')
  expect(await workspace.migrate('fleet', 'worker', '--drain')).toMatchObject({ exitCode: 0 })
  await expectOnce(workspace, ['acme', 'globex'])
})

const rounds = { usually: 2, most: 50, atATime: 1 }

test('workers that are killed at any moment lose nothing', { timeout: timeForRounds(rounds) }, async () => {
  await playRounds(rounds, async (random) => {
    const slugs = slugsOf(Number(process.env['DROVER_FAULT_TENANTS'] ?? 40))
    await using workspace = await createFleetWorkspace(slugs)
    await workspace.migrate('fleet', 'enqueue')
    const survivor = workspace.start(['fleet', 'worker', '--drain'])
    for (let killed = 0; killed < Math.max(3, slugs.length / 50); killed += 1) {
      const victim = workspace.start(['fleet', 'worker'])
      await victim.waitFor('takes tenants')
      await sleep(random.between(0, 600))
      victim.kill('SIGKILL')
      await victim.ended
    }

    expect(await survivor.ended).toMatchObject({ exitCode: 0 })
    await expectOnce(workspace, slugs)
    expect(await readFleet(workspace)).toMatchObject({ servers: [{ done: slugs.length, failed: 0 }] })
  })
})

test('workers whose connections are cut off go on with new ones', { timeout: timeForRounds(rounds) }, async () => {
  await playRounds(rounds, async (random) => {
    const slugs = slugsOf(60)
    await using workspace = await createFleetWorkspace(slugs)
    await workspace.migrate('fleet', 'enqueue')
    const workers = [1, 2].map(() => workspace.start(['fleet', 'worker', '--drain']))
    await Promise.all(workers.map((worker) => worker.waitFor('takes tenants')))
    const cutOff = async () => {
      for (let cut = 0; cut < 8; cut += 1) {
        await sleep(random.between(0, 300))
        const own = 'datname = current_database() and pid <> pg_backend_pid()'
        await query(workspace.url, `select pg_terminate_backend(pid) from pg_stat_activity where ${own}`)
      }
    }

    await cutOff()

    const ended = await Promise.all(workers.map((worker) => worker.ended))
    expect(ended.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([
      { exitCode: 0, stderr: expect.not.stringMatching(/^error: /m) },
      { exitCode: 0, stderr: expect.not.stringMatching(/^error: /m) },
    ])
    await expectOnce(workspace, slugs)
  })
})

test('a worker that is told to stop ends what it is at, and waits for no more', async () => {
  await using workspace = await createFleetWorkspace(slugsOf(3))
  await workspace.migrate('fleet', 'enqueue')
  const worker = workspace.start(['fleet', 'worker'])
  await worker.waitFor('3 tenants done')

  worker.kill('SIGTERM')

  expect(await worker.ended).toMatchObject({
    exitCode: 143,
    stdout: 'tenant: 3 tenants done with 9 revisions, told to stop\n',
  })
  await expectOnce(workspace, slugsOf(3))
})

test('tenants are taken to several heads, and only to what is the same for all of them', async () => {
  await using workspace = await createFleetWorkspace(['acme', 'globex'])
  await workspace.addRevision('tenant', { id: 'bbbb00000004', parents: [secondRevision] })
  const heads = [third, 'bbbb00000004']

  const one = await workspace.migrate('fleet', 'enqueue')
  const walk = await workspace.migrate('fleet', 'enqueue', '+1')
  const both = await workspace.migrate('fleet', 'enqueue', 'heads', '--json')
  const worker = await workspace.migrate('fleet', 'worker', '--drain')

  expectFailure(one, 3, 'tenant: the history has 2 heads')
  expectFailure(walk, 2, '"+1" starts from what is applied, which does not count here')
  expect(both.json().fleet).toMatchObject({ added: 2, revisions: heads })
  expect(worker).toMatchObject({ exitCode: 0, stdout: 'tenant: 2 tenants done with 8 revisions\n' })
  const applied = [firstRevision, secondRevision, ...heads]
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: applied, tenant_globex: applied })
})

test('tenants on several servers are told apart, and those that go first are some of each', async () => {
  await using workspace = await createTenantWorkspace(
    `registry: { server: 'region' }, servers: { eu: 'TENANT_EU_URL', us: 'TENANT_US_URL' }`,
  )
  await using eu = await createThrowawayDatabase(inject('serverUrl'))
  await using us = await createThrowawayDatabase(inject('serverUrl'))
  Object.assign(workspace.env, { TENANT_EU_URL: eu.url, TENANT_US_URL: us.url })
  await query(
    workspace.url,
    `insert into tenants select region || number, 'x', region from unnest(array['eu', 'us']) as region, generate_series(1, 6) as number`,
  )

  const enqueued = await workspace.migrate('fleet', 'enqueue', '--json')
  const worker = await workspace.migrate('fleet', 'worker', '--drain', '--connections', '2')
  const status = await workspace.migrate('fleet', 'status')

  expect(enqueued.json().fleet).toMatchObject({ added: 12, canaries: ['eu1', 'us1'] })
  expect(worker).toMatchObject({ exitCode: 0, stdout: 'tenant: 12 tenants done with 24 revisions\n' })
  expect(status.stdout).toMatch(/^ {2}server .*\n {2}eu +0 +0 +6 +0 +0 +0\n {2}us +0 +0 +6 +0 +0 +0\n/m)
  for (const [region, { url }] of Object.entries({ eu, us })) {
    expect(Object.keys(await readTenants(url))).toEqual([1, 2, 3, 4, 5, 6].map((number) => `tenant_${region}${number}`))
  }
})

test('the queue is nothing that roles of tenants see, nor part of what the history of its database makes', async () => {
  await using workspace = await createFleetWorkspace(
    ['acme'],
    `role: 'fleet_test_{slug}', registry: { defaults: { name: '{slug}' } }`,
  )
  await query(workspace.url, 'drop table ledger; create table ledger (tenant text)')
  await workspace.migrate('fleet', 'enqueue')

  const drift = await workspace.migrate('drift', '-d', 'main')
  await workspace.migrate('fleet', 'worker', '--drain')

  expect(drift.stdout).not.toContain('drover_fleet')
  expect(drift.stdout).toContain('main: 1 difference')
  const rights = await query(
    workspace.url,
    `select has_schema_privilege('fleet_test_acme', 'drover_fleet', 'usage') as enters,
  has_table_privilege('fleet_test_acme', 'drover_fleet.job', 'select') as reads,
  has_schema_privilege('public', 'drover_fleet', 'usage') as everybody`,
  )
  expect(rights).toEqual([{ enters: false, reads: false, everybody: false }])
})

test('init gives no role of an application anything in the queue, and access finds nothing wrong with it', async () => {
  await using workspace = await createGuarded()
  const url = workspace.urlOf('alpha', 'owner')
  await workspace.write(
    'databases/tenant/database.ts',
    `import { defineDatabase, schemaPerTenant } from '@drover/config'

export default defineDatabase({ name: 'tenant', tenants: schemaPerTenant({ registry: { database: 'alpha' } }) })
`,
  )
  await workspace.addRevision('tenant', { id: 'cccc00000001', parents: [], up: 'create table log (entry text);\n' })
  workspace.env['TENANT_DATABASE_URL'] = url
  expect(await workspace.migrate('init', '-d', 'alpha,beta', '--yes')).toMatchObject({ exitCode: 0 })
  await query(url, `create table tenants (slug text); insert into tenants values ('acme')`)
  expect(await workspace.migrate('fleet', 'enqueue')).toMatchObject({ exitCode: 0 })

  const again = await workspace.migrate('init', '-d', 'alpha,beta', '--yes')
  const proved = await workspace.migrate('access', '-d', 'alpha,beta')

  expect(again).toMatchObject({ exitCode: 0 })
  expect(proved).toMatchObject({ exitCode: 0 })
  for (const who of ['app', 'readonly'] as const) {
    const role = workspace.roleOf('alpha', who)
    expect(await queryColumn(url, `select has_schema_privilege('${role}', 'drover_fleet', 'usage')`)).toEqual([false])
    expect(await queryColumn(url, `select has_table_privilege('${role}', 'drover_fleet.job', 'select')`)).toEqual([
      false,
    ])
  }
})

test('the queue may be in another database', async () => {
  await using workspace = await createFleetWorkspace(['acme'])
  await using other = await createThrowawayDatabase(inject('serverUrl'))
  const missing = await workspace.migrate('fleet', 'status', '--queue', 'JOBS_URL')
  workspace.env['JOBS_URL'] = other.url

  const empty = await workspace.migrate('fleet', 'status', '--queue', 'JOBS_URL')
  await workspace.migrate('fleet', 'enqueue', '--queue', 'JOBS_URL')
  const worker = await workspace.migrate('fleet', 'worker', '--drain', '--queue', 'JOBS_URL')

  expectFailure(missing, 2, 'JOBS_URL is not set')
  expect(empty.stdout).toBe('tenant: nothing was ever in the queue\n')
  expect(worker).toMatchObject({ exitCode: 0 })
  await expectOnce(workspace, ['acme'])
  expect(await queryColumn(workspace.url, `select to_regnamespace('drover_fleet')`)).toEqual([null])
})

test('the queue may be behind a pooler, whose sessions keep nothing of it', async ({ skip }) => {
  const program = findPgBouncer()
  skip(program === undefined, 'PgBouncer is not installed (Debian: apt-get install pgbouncer)')
  const slugs = slugsOf(20)
  await using workspace = await createFleetWorkspace(slugs)
  await using bouncer = await startPgBouncer(program!, inject('serverUrl'))
  workspace.env['MAIN_DATABASE_URL'] = bouncer.through(workspace.url)
  workspace.env['TENANT_DATABASE_URL'] = bouncer.through(workspace.url)

  expect(await workspace.migrate('fleet', 'enqueue')).toMatchObject({ exitCode: 0 })
  const workers = [1, 2].map(() => workspace.start(['fleet', 'worker', '--drain']))
  const ended = await Promise.all(workers.map((worker) => worker.ended))

  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  await expectOnce(workspace, slugs)
  expect(await queryColumn(bouncer.through(workspace.url), 'show search_path')).toEqual(['"$user", public'])
})

test('a schema that somebody else has made is not believed', async () => {
  await using workspace = await createFleetWorkspace(['acme'])
  const role = `fleet_${new URL(workspace.url).pathname.slice(-8)}`
  await query(workspace.url, `create role ${role}; create schema drover_fleet authorization ${role}`)

  const ended = await workspace.migrate('fleet', 'enqueue')

  await query(workspace.url, `drop schema drover_fleet; drop role ${role}`)
  expectFailure(ended, 2, 'the schema drover_fleet in ', `belongs to ${role}, and would be believed whatever it holds`)
})

test('without pg-boss, commands of fleets say what to install', async () => {
  await using workspace = await createFleetWorkspace(['acme'])
  const hooks = `import { registerHooks } from 'node:module'
registerHooks({
  resolve: (specifier, context, next) => next(specifier === 'pg-boss' ? 'pg-boss-is-not-there' : specifier, context),
})`
  workspace.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(hooks)}`

  for (const command of [['enqueue'], ['worker', '--drain'], ['status'], ['cancel'], ['retry']]) {
    expectFailure(await workspace.migrate('fleet', ...command), 2, 'is not installed', 'pnpm add pg-boss@12.35.0')
  }
  expect(await queryColumn(workspace.url, `select to_regnamespace('drover_fleet')`)).toEqual([null])
})
