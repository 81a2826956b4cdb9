import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { type OwnServer, startOwnServer } from './harness/own-server.ts'
import { expectFailure } from './harness/pair.ts'
import { query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'
import { clearTenants, createTenantPlaces, databasesOf, inDatabase } from './harness/tenant-places.ts'

let server: OwnServer
beforeAll(async () => {
  server = await startOwnServer({ fsync: 'off' })
})
beforeEach(() => clearTenants(server.url))
afterAll(() => server[Symbol.asyncDispose]())

const setUp = () => createTenantPlaces('database', { only: server.url })
const databaseOf = (slug: string) => inDatabase(server.url, `tenant_${slug}`)
const as = (role: string, slug: string, sql: string) =>
  queryColumn(databaseOf(slug).replace(/\/\/[^@]+@/, `//${role}:pw@`), sql)

test('a tenant is made with its row, its database and all revisions, and making it again does nothing', async () => {
  await using places = await setUp()
  const id = await places.addStep()

  const made = await places.migrate('tenant', 'create', 'acme')
  const again = await places.migrate('tenant', 'create', 'acme')

  expect(made).toMatchObject({ exitCode: 0, stdout: 'tenant: made acme, with 2 revisions in tenant_acme\n' })
  expect(again.stdout).toContain('acme is there already and has all revisions, nothing to do')
  expect(await places.ran('only')).toEqual({ acme: '1 2' })
  expect(await readApplied(databaseOf('acme'))).toEqual([expect.any(String), id])
  expect(await readOutcomes(databaseOf('acme'))).toEqual(['succeeded'])
})

test('a tenant is made from the snapshot where there is one, and what came after it is run', async () => {
  await using places = await setUp()
  await places.addStep({
    up: `do $$ begin if current_database() like 'tenant%' then raise 'run by itself'; end if; end $$;\n`,
  })
  expectFailure(await places.migrate('tenant', 'create', 'acme'), 1, 'run by itself')
  expect(await places.migrate('snapshot', '-d', 'tenant')).toMatchObject({ exitCode: 0 })
  await places.addStep()
  await places.list('', ['globex'])

  const upgrade = await places.migrate('tenant', 'upgrade')

  expect(upgrade).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 tenant moved by 3 revisions') })
  expect(await readApplied(databaseOf('globex'))).toHaveLength(3)
  expect((await places.migrate('tenant', 'verify')).stdout).toContain('1 tenant compared: as the history makes them')
})

test('what a tenant has had is kept in its database, and in no other', async () => {
  await using places = await setUp()
  await places.list('', ['acme', 'globex'])

  expect(await places.migrate('tenant', 'upgrade')).toMatchObject({ exitCode: 0 })

  expect(await queryColumn(server.url, 'select count(*)::integer from drover.applied')).toEqual([0])
  for (const slug of ['acme', 'globex']) expect(await readApplied(databaseOf(slug))).toHaveLength(1)
  expect(await queryColumn(server.url, `select outcome from drover.run where history = 'tenant'`)).toEqual([
    'succeeded',
  ])
})

test('tenants go up and down together, and the list tells where each of them is', async () => {
  await using places = await setUp()
  await places.list('', ['acme', 'globex'])
  await places.migrate('tenant', 'upgrade')
  const id = await places.addStep()

  const up = await places.migrate('tenant', 'upgrade', '--tenant', 'acme')
  const listed = await places.migrate('tenant', 'list')
  const current = await places.migrate('tenant', 'current')
  const down = await places.migrate('tenant', 'downgrade', 'base', '--yes')

  expect(up).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 tenant moved by 1 revision') })
  expect(listed.stdout).toMatch(new RegExp(`^acme +tenant_acme +${id} +up to date$`, 'm'))
  expect(listed.stdout).toMatch(/^globex +tenant_globex +\S+ +behind: 1 pending$/m)
  expect(current.stdout).toContain('2 tenants, 1 of them up to date')
  expect(down).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 tenants moved by 3 revisions') })
  expect(await places.ran('only')).toEqual({ acme: '', globex: '' })
})

test('revisions outside a transaction and in batches run in each database, and may look for names where they like', async () => {
  await using places = await setUp()
  await places.list('', ['acme', 'globex'])
  await places.addStep({
    up: 'create schema extra; create table extra.thing (id integer primary key, seen boolean);\n',
  })
  await places.addStep({ up: 'insert into extra.thing select generate_series(1, 10);\n' })
  await places.addRevision('tenant', {
    id: '5e2bffff0001',
    transaction: 'none',
    up: 'create index concurrently thing_seen on extra.thing (seen);\n',
    down: 'drop index concurrently extra.thing_seen;\n',
  })
  await places.addRevision('tenant', {
    id: '5e2bffff0002',
    batch: { key: 'extra.thing.id', size: 3 },
    up: 'update extra.thing set seen = true where id > :from and id <= :to;\n',
  })

  expect(await places.migrate('tenant', 'upgrade')).toMatchObject({ exitCode: 0 })

  for (const slug of ['acme', 'globex']) {
    expect(await queryColumn(databaseOf(slug), 'select count(*)::integer from extra.thing where seen')).toEqual([10])
    expect(await queryColumn(databaseOf(slug), `select to_regclass('extra.thing_seen')::text`)).toEqual([
      'extra.thing_seen',
    ])
  }
  expect((await places.migrate('tenant', 'verify')).stdout).toContain('2 tenants compared: as the history makes them')
})

test('a tenant that fails is told and keeps nobody else waiting, and --retry-failed takes it alone', async () => {
  await using places = await setUp()
  await places.list('', ['acme', 'broken', 'globex'])
  await places.migrate('tenant', 'upgrade')
  await query(databaseOf('broken'), 'alter table log add check (id < 2)')
  await places.addStep()

  const failed = await places.migrate('tenant', 'upgrade')
  await query(databaseOf('broken'), 'alter table log drop constraint log_id_check')
  const again = await places.migrate('tenant', 'upgrade', '--retry-failed')

  expectFailure(failed, 1, 'the tenant broken is not where it should be')
  expect(failed.stdout).toMatch(/^ +0 +2 +1 +0 +0$/m)
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 tenant moved by 1 revision') })
  expect(await places.ran('only')).toEqual({ acme: '1 2', broken: '1 2', globex: '1 2' })
})

test('what was changed by hand in a database is found, and so is a privilege in it', async () => {
  await using places = await setUp()
  await places.list('', ['acme', 'globex', 'initech'])
  await places.migrate('tenant', 'upgrade')
  await query(databaseOf('globex'), 'alter table log add extra integer')
  await query(databaseOf('initech'), 'grant select on log to public')

  const found = await places.migrate('tenant', 'verify', '--json')

  expect(found.exitCode).toBe(4)
  expect(found.json().databases[0].findings).toEqual([
    expect.objectContaining({
      tenant: expect.objectContaining({ slug: 'globex' }),
      differences: [expect.objectContaining({ object: 'table public.log', part: 'column extra', kind: 'unexpected' })],
    }),
    expect.objectContaining({
      tenant: expect.objectContaining({ slug: 'initech' }),
      differences: [expect.objectContaining({ object: 'table public.log', part: 'privileges', kind: 'unexpected' })],
    }),
  ])
})

test('the database of a tenant lets in nobody but its own role and those that are declared, which may change rows only', async () => {
  await query(server.url, `create role every_app login password 'pw'; create role stranger login password 'pw'`)
  await using places = await createTenantPlaces(
    'database',
    { only: server.url },
    `role: 'own_{slug}', app: ['every_app'], readonly: ['every_reader']`,
  )
  await places.migrate('tenant', 'create', 'acme')
  await places.migrate('tenant', 'create', 'globex')
  await places.addStep({ up: 'create table notes (body text);\n' })
  await places.migrate('upgrade')
  await query(server.url, `alter role own_acme login password 'pw'`)

  await as('own_acme', 'acme', `insert into notes values ('mine')`)
  await as('every_app', 'acme', `insert into log (entry) values ('app')`)
  await as('every_app', 'globex', `set role own_globex; insert into notes values ('as the tenant')`)
  for (const [role, slug, sql] of [
    ['own_acme', 'globex', 'select 1'],
    ['stranger', 'acme', 'select 1'],
    ['own_acme', 'acme', 'create table own ()'],
    ['own_acme', 'acme', 'create temporary table own ()'],
    ['every_app', 'acme', 'select from drover.applied'],
  ] as const) {
    await expect(as(role, slug, sql)).rejects.toMatchObject({ code: '42501' })
  }
  expect(await places.migrate('tenant', 'verify')).toMatchObject({
    exitCode: 0,
    stdout: 'tenant: 2 tenants compared: as the history makes them, and each by itself\n',
  })

  await query(server.url, 'grant connect on database tenant_globex to public; grant own_acme to stranger')
  const found = await places.migrate('tenant', 'verify', '--json')
  const text = await places.migrate('tenant', 'verify')

  expect(found.exitCode).toBe(4)
  expect(found.json().databases[0].findings).toMatchObject([
    { tenant: { slug: 'acme' }, privileges: [{ kind: 'member', role: 'own_acme', member: 'stranger' }] },
    {
      tenant: { slug: 'globex' },
      privileges: [{ object: 'database tenant_globex', grantee: 'public', privileges: ['CONNECT'] }],
    },
  ])
  expect(text.stdout).toContain('public may connect database tenant_globex')

  await places.migrate('tenant', 'drop', 'acme', '--yes', '--no-export')
  expect(await queryColumn(server.url, `select rolname from pg_roles where rolname like 'own\\_%'`)).toEqual([
    'own_globex',
  ])
})

test('a dropped tenant is gone with its database, whoever is connected, and its rows go back from the file', async () => {
  await using places = await setUp()
  await places.addStep({
    up: `create table "odd ""name" (id integer primary key);
create schema before; create table before.line (id integer primary key, odd integer references "odd ""name");
insert into "odd ""name" values (1); insert into before.line values (10, 1);
`,
  })
  await places.migrate('tenant', 'create', 'acme')
  await query(databaseOf('acme'), `insert into log (entry) values ('it''s \\"mine"')`)
  const before = (await places.ran('only'))['acme']
  const application = postgres(databaseOf('acme'), { max: 1, prepare: false, onnotice: () => {} })
  await application`select 1`

  const dropped = await places.migrate('tenant', 'drop', 'acme', '--export', 'acme.sql', '--yes')
  await application.end({ timeout: 1 })

  expect(dropped).toMatchObject({ exitCode: 0 })
  expect(dropped.stderr).toContain('acme: will drop the database tenant_acme')
  expect(dropped.stderr).toContain('before.line: 1 row')
  expect(await databasesOf(server.url)).toEqual([])
  expect(await queryColumn(places.registry, 'select slug from tenants')).toEqual([])

  await places.migrate('tenant', 'create', 'acme')
  await query(databaseOf('acme'), 'truncate log, "odd ""name", before.line')
  await query(databaseOf('acme'), await readFile(join(places.root, 'acme.sql'), 'utf8'))
  expect((await places.ran('only'))['acme']).toBe(before)
  expect(await queryColumn(databaseOf('acme'), 'select odd from before.line')).toEqual([1])
})

test('a tenant that somebody works on is not dropped', async () => {
  await using places = await setUp()
  await places.migrate('tenant', 'create', 'acme')
  await query(
    databaseOf('acme'),
    `insert into drover.lease (history, token, run, os_user, host, pid, command, expires_at)
select 'tenant', 1, id, 'ann', 'elsewhere', 1, 'upgrade', now() + interval '1 hour' from drover.run`,
  )

  const refused = await places.migrate('tenant', 'drop', 'acme', '--no-export', '--yes')

  expectFailure(refused, 3, 'somebody is at work in tenant_acme', '"upgrade" of ann on elsewhere')
  expect(await places.ran('only')).toEqual({ acme: '1' })
  expect(await queryColumn(places.registry, 'select slug from tenants')).toEqual(['acme'])
})

test('a database without a row is listed as belonging to nobody, and is finished or dropped by its slug', async () => {
  await using places = await setUp()
  await places.migrate('tenant', 'create', 'acme')
  await places.migrate('tenant', 'create', 'globex')
  await query(server.url, 'create database tenant_of_somebody_else')
  await query(places.registry, 'delete from tenants')

  const listed = await places.migrate('tenant', 'list')

  expect(listed.stderr).toContain('tenant_acme has revisions, and there is no tenant that it belongs to')
  expect(listed.stderr).not.toContain('somebody_else')
  expect((await places.migrate('tenant', 'create', 'acme')).stdout).toContain('made acme, with 0 revisions')
  expect(await places.migrate('tenant', 'drop', 'globex', '--no-export', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await databasesOf(server.url)).toEqual(['tenant_acme', 'tenant_of_somebody_else'])
})

test('a tenant whose drop was cut off in the middle is listed, and dropped by the same command', async () => {
  await using places = await setUp()
  await places.migrate('tenant', 'create', 'acme')
  // What a server leaves behind that dies in DROP DATABASE.
  await query(server.url, `update pg_database set datconnlimit = -2 where datname = 'tenant_acme'`)
  await query(places.registry, 'delete from tenants')

  const listed = await places.migrate('tenant', 'list')
  const dropped = await places.migrate('tenant', 'drop', 'acme', '--yes')

  expect(listed.stderr).toContain('tenant_acme')
  expect(dropped).toMatchObject({ exitCode: 0 })
  expect(await databasesOf(server.url)).toEqual([])
})

test('a database that is there for something else is no tenant, whatever its name: nothing is written to it or dropped', async () => {
  await using places = await setUp()
  await query(server.url, 'create database tenant_registry')
  const other = databaseOf('registry')
  places.env['MAIN_DATABASE_URL'] = other
  await places.addRevision('main', { id: 'aaaa00000001', up: 'create table tenants (slug text primary key);\n' })
  await places.migrate('upgrade', '-d', 'main')
  await query(other, `insert into tenants values ('acme'), ('registry')`)

  const upgrade = await places.migrate('tenant', 'upgrade', '--json')
  const dropped = await places.migrate('tenant', 'drop', 'registry', '--no-export', '--yes')

  expect(upgrade.exitCode).toBe(1)
  expect(upgrade.json().databases[0]).toMatchObject({
    tenants: { servers: [expect.objectContaining({ done: 1, failed: 1 })] },
    targets: [{ problem: { code: 'SAME_DATABASE', message: expect.stringContaining('it has the revisions of main') } }],
  })
  expectFailure(dropped, 2, 'the database tenant_registry is no tenant')
  expect(await queryColumn(other, `select tablename::text from pg_tables where schemaname = 'public'`)).toEqual([
    'tenants',
  ])
  expect(await queryColumn(other, 'select slug from tenants order by slug')).toEqual(['acme', 'registry'])
})

test('the database that the URL of the server names is no tenant either', async () => {
  await using places = await setUp()
  await query(server.url, 'create database tenant_home')
  places.env['TENANT_DATABASE_URL'] = databaseOf('home')
  await places.list('', ['acme', 'home'])

  const upgrade = await places.migrate('tenant', 'upgrade', '--json')
  const dropped = await places.migrate('tenant', 'drop', 'home', '--no-export', '--yes')

  expect(upgrade.json().databases[0]).toMatchObject({
    tenants: { servers: [expect.objectContaining({ done: 1, failed: 1 })] },
    targets: [{ problem: { code: 'TENANT_INVALID' } }],
  })
  expectFailure(dropped, 2, 'the database tenant_home is the one that TENANT_DATABASE_URL names')
  expect(await databasesOf(server.url)).toEqual(['tenant_acme', 'tenant_home'])
})

test('two commands at once apply every revision once', async () => {
  await using places = await setUp()
  const slugs = ['a', 'b', 'c', 'd', 'e', 'f']
  await places.list('', slugs)
  await places.addStep()

  const upgrade = places.start(['tenant', 'upgrade'])
  const all = await Promise.all([
    upgrade.ended,
    ...slugs.slice(3).map((slug) => places.migrate('tenant', 'create', slug)),
  ])

  // Whoever comes to a tenant that the other is at is told so.
  expect(all[0].exitCode).toBe(0)
  for (const one of all.slice(1)) expect([0, 3]).toContain(one.exitCode)
  expect(await places.ran('only')).toEqual(Object.fromEntries(slugs.map((slug) => [slug, '1 2'])))
})
