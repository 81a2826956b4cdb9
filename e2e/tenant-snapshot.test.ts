import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { ConnectionUrl, fingerprintSchemas, openConnection, parseSnapshot, writeSnapshot } from '@drover/engine'
import { expect, inject, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { query, queryColumn } from './harness/query.ts'
import {
  createTenantWorkspace,
  firstRevision,
  readTenants,
  secondRevision,
  type TenantWorkspace,
} from './harness/tenants.ts'

const file = 'databases/tenant/schema.sql'
const thirdRevision = 'bbbb00000003'
const all = [firstRevision, secondRevision, thirdRevision]

/**
 * What has the schema's name in it as PostgreSQL writes it, and what is read back from a dump as something else. It writes down that it
 * ran, where there is a table for that.
 */
const manyKinds = `
do $do$
begin
  if not exists (select from pg_namespace where nspname = 'tenant_shared') then
    perform pg_advisory_xact_lock(hashtextextended('tenant_shared', 0));
    create schema if not exists tenant_shared;
    if to_regprocedure('tenant_shared.touch()') is null then
      create function tenant_shared.touch() returns trigger language plpgsql as $$ begin return new; end $$;
      grant usage on schema tenant_shared to public;
    end if;
  end if;
end
$do$;
create type mood as enum ('good', 'bad');
create sequence ticket;
create table item (
  id serial primary key,
  number bigint default nextval('ticket'),
  place regclass default 'contexts'::regclass,
  mood mood default 'good',
  kind varchar(10) check (kind in ('a', 'b')),
  low integer,
  high integer,
  check (low between 0 and 9 and high between 0 and 9)
);
create function total() returns bigint language sql begin atomic select sum(low) from item; end;
create function quiet() returns text language plpgsql as $$ begin return (select max(kind) from item); end $$;
create view bad_items as select * from item where mood = 'bad';
create trigger item_touch before update on item for each row execute function tenant_shared.touch();
create policy nobody on item using (low < total());
comment on view bad_items is 'It''s bad.';
insert into item (kind, low) values ('a', 1), ('b', 2);
do $$ begin
  if to_regclass('public.ran') is not null then insert into public.ran values (current_schema()); end if;
end $$;
`

/** A workspace with a third revision, and with the snapshot of all three if that is wanted. */
async function createWorkspace(options: { readonly isWritten: boolean }): Promise<TenantWorkspace> {
  const workspace = await createTenantWorkspace(
    `registry: { defaults: { name: '{slug}' } }, role: '${roleOf('{slug}')}', shared: ['tenant_shared']`,
  )
  await workspace.addRevision('tenant', { id: thirdRevision, message: 'add items', up: manyKinds })
  if (options.isWritten) await workspace.write(file, (snapshotText ??= await writeSnapshotOf(workspace)))
  return {
    ...workspace,
    [Symbol.asyncDispose]: async () => {
      await workspace[Symbol.asyncDispose]()
      const own = `select rolname from pg_roles where starts_with(rolname, '${roleOf('')}')`
      for (const role of await queryColumn(inject('serverUrl'), own)) {
        await query(inject('serverUrl'), `drop role "${role}"`)
      }
    },
  }
}

/** The same for all of them: writing it takes seconds. */
let snapshotText: string | undefined

async function writeSnapshotOf(workspace: TenantWorkspace): Promise<string> {
  const written = await workspace.migrate('snapshot', '-d', 'tenant')
  expect(written).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`tenant: wrote ${file} (3 revisions`) })
  return readFile(join(workspace.root, file), 'utf8')
}

/** Roles belong to the whole server, which other tests are on as well. */
function roleOf(slug: string): string {
  return `snapshot_${process.pid}_${slug}`
}

async function fingerprintsOf(url: string, ...slugs: readonly string[]): Promise<ReadonlySet<string | undefined>> {
  await using connection = openConnection(ConnectionUrl.parse(url, 'the test'))
  const schemas = slugs.map((slug) => `tenant_${slug}`)
  const ownRoles = new Map(slugs.map((slug) => [`tenant_${slug}`, roleOf(slug)]))
  const found = await fingerprintSchemas(connection, schemas, { ownRoles })
  return new Set(schemas.map((schema) => found.get(schema)))
}

test('tenants that are made from the snapshot are the same as one that is made by the history', async () => {
  await using workspace = await createWorkspace({ isWritten: false })
  const { url } = workspace
  await query(url, 'create table public.ran (schema text)')
  const byHistory = await workspace.migrate('tenant', 'create', 'by-history')
  await workspace.migrate('snapshot', '-d', 'tenant')

  const created = await workspace.migrate('tenant', 'create', 'from-file')
  await workspace.list('one', 'two', '3_tres')
  const upgraded = await workspace.migrate('tenant', 'upgrade')

  expect(byHistory.stderr).toContain(
    `warning: tenant: new tenants are made by their revisions one by one: ${file} is missing`,
  )
  expect(created).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('made from-file') })
  expect(upgraded).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('warning') })
  const slugs = ['by-history', 'from-file', 'one', 'two', '3_tres']
  expect(await readTenants(url)).toEqual(Object.fromEntries(slugs.map((slug) => [`tenant_${slug}`, all])))
  expect((await fingerprintsOf(url, ...slugs)).size).toBe(1)
  expect((await fingerprintsOf(url, ...slugs)).has(undefined)).toBe(false)
  expect(await workspace.migrate('tenant', 'verify')).toMatchObject({ exitCode: 0 })
  for (const slug of slugs) {
    const schema = `"tenant_${slug}"`
    const insert = `insert into ${schema}.item (kind, low) values ('a', 3) returning id, number, mood, place = '${schema}.contexts'::regclass as own`
    expect(await query(url, insert)).toEqual([{ id: 3, number: '3', mood: 'good', own: true }])
    expect(await queryColumn(url, `select ${schema}.total()`)).toEqual(['6'])
  }
  expect(await queryColumn(url, 'select schema from public.ran')).toEqual(['tenant_by-history'])
  expect(await queryColumn(url, `select count(*)::int from pg_namespace where nspname = 'drover_tenant'`)).toEqual([0])
})

test('tenants that come at the same time make what they share once', async () => {
  await using workspace = await createWorkspace({ isWritten: true })

  const made = await Promise.all(['a', 'b', 'c'].map((slug) => workspace.migrate('tenant', 'create', slug)))

  expect(made.filter(({ exitCode }) => exitCode !== 0)).toEqual([])
  expect((await fingerprintsOf(workspace.url, 'a', 'b', 'c')).size).toBe(1)
  expect(
    await queryColumn(workspace.url, `select pronamespace::regnamespace::text from pg_proc where proname = 'touch'`),
  ).toEqual(['tenant_shared'])
})

test('what came after an older snapshot runs as revisions, and the way back is that of the revisions', async () => {
  await using workspace = await createWorkspace({ isWritten: true })
  await workspace.addRevision('tenant', {
    id: 'bbbb00000004',
    up: `alter table item add note text;\nselect touch from (select 'tenant_shared.touch'::regproc) as t (touch);\n`,
    down: 'alter table item drop note;\n',
  })
  await workspace.list('one', 'two')

  const upgraded = await workspace.migrate('tenant', 'upgrade')

  expect(upgraded).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('warning') })
  expect(await readTenants(workspace.url)).toEqual({
    tenant_one: [...all, 'bbbb00000004'],
    tenant_two: [...all, 'bbbb00000004'],
  })
  expect(await workspace.migrate('tenant', 'downgrade', '-1', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('tenant', 'verify')).toMatchObject({ exitCode: 0 })
})

test('a target below the snapshot is reached by the revisions, and nothing is said', async () => {
  await using workspace = await createWorkspace({ isWritten: true })
  await workspace.list('one')

  const upgraded = await workspace.migrate('tenant', 'upgrade', secondRevision)

  expect(upgraded).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('warning') })
  expect(await readTenants(workspace.url)).toEqual({ tenant_one: [firstRevision, secondRevision] })
})

test('a snapshot that is stale is told once for all tenants, which are made by the history', async () => {
  await using workspace = await createWorkspace({ isWritten: true })
  const text = await readFile(join(workspace.root, file), 'utf8')
  await workspace.write(file, text.replaceAll('bad_items', 'good_items'))
  await workspace.list('one', 'two', 'three')

  const check = await workspace.migrate('check', '-d', 'tenant', '--offline')
  const upgraded = await workspace.migrate('upgrade')

  expectFailure(check, 4, `${file} was edited by hand, or merged`, 'pnpm migrate snapshot -d tenant')
  expect(upgraded.exitCode).toBe(0)
  expect(upgraded.stderr.match(/^warning: .*$/gm)).toEqual([
    `warning: tenant: new tenants are made by their revisions one by one: ${file} was edited by hand, or merged`,
  ])
  expect(await queryColumn(workspace.url, `select to_regclass('tenant_two.bad_items') is not null`)).toEqual([true])
})

test('a snapshot from before there were tenants is not loaded for any of them', async () => {
  await using workspace = await createWorkspace({ isWritten: true })
  const declared = await readFile(join(workspace.root, 'databases/tenant/database.ts'), 'utf8')
  await workspace.write('databases/tenant/database.ts', declared.replace(/, tenants: .*\) \}\)/, ' })'))
  const written = await workspace.migrate('snapshot', '-d', 'tenant')
  await workspace.write('databases/tenant/database.ts', declared)

  const created = await workspace.migrate('tenant', 'create', 'acme')

  expect(written.stdout).toContain(`wrote ${file}`)
  expect(created).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining(`${file} was made before each tenant had a schema of its own`),
  })
  expect(await queryColumn(workspace.url, `select to_regclass('public.item') is null`)).toEqual([true])
})

test('writing it anew writes the same, and check proves it for one tenant after the other', async () => {
  await using workspace = await createWorkspace({ isWritten: true })

  const again = await workspace.migrate('snapshot')
  const good = await workspace.migrate('check', '-d', 'tenant')
  await workspace.addRevision('tenant', { id: 'bbbb00000004', up: 'create table later ();\n' })
  const forgotten = await workspace.migrate('check', '-d', 'tenant')

  expect(again.stdout).toContain(`tenant: ${file} is as its history builds it`)
  expect(good.stdout).toMatch(new RegExp(`^  ${file} builds what the history builds \\(\\d+ objects compared\\)$`, 'm'))
  expect(good.exitCode).toBe(0)
  expectFailure(forgotten, 4, `${file} lacks 1 revision: bbbb00000004`, 'pnpm migrate snapshot -d tenant')
})

test('check finds a snapshot that builds something else, and one that would make no second tenant', async () => {
  await using workspace = await createWorkspace({ isWritten: true })
  const reading = parseSnapshot(file, await readFile(join(workspace.root, file), 'utf8'))
  if (reading.kind !== 'read') throw new Error('it cannot be read')
  const { revisions, body } = reading.snapshot
  // What somebody does who knows about the checksum.
  const forge = (statements: string) =>
    workspace.write(
      file,
      writeSnapshot({ migrations: 'm', heads: [], revisions, body: statements, command: 'c', isOfTenant: true }),
    )

  await forge(body.replace(/^CREATE TRIGGER [^;]*;$/m, ''))
  const differs = await workspace.migrate('check', '-d', 'tenant')
  await forge(
    body.replace(/^do [^]*?^\$do\$;$/m, (block) =>
      block.replace(/ if not exists .*? then/, ' if true then').replace('schema if not exists', 'schema'),
    ),
  )
  const single = await workspace.migrate('check', '-d', 'tenant')

  expectFailure(differs, 4, `${file} and the history build different schemas`, 'trigger item_touch')
  expectFailure(single, 4, `${file} makes a first tenant, and no second`, 'only where it is missing')
})

test('a history that uses the name which stands for the schema has no snapshot', async () => {
  await using workspace = await createWorkspace({ isWritten: false })
  await workspace.addRevision('tenant', { id: 'bbbb00000004', up: `comment on table item is 'of drover_tenant';\n` })

  const written = await workspace.migrate('snapshot', '-d', 'tenant')

  expectFailure(written, 3, 'speaks of drover_tenant', 'give what it is about another name')
})

test('what is in the schema of a tenant already is told, and nothing of the snapshot is kept', async () => {
  await using workspace = await createWorkspace({ isWritten: true })
  await query(workspace.url, 'create schema tenant_acme; create table tenant_acme.item ()')

  const created = await workspace.migrate('tenant', 'create', 'acme')
  await rm(join(workspace.root, file))

  expectFailure(created, 1, 'relation "item" already exists', 'the schema tenant_acme is not empty')
  expect(await readTenants(workspace.url)).toEqual({})
  expect(await queryColumn(workspace.url, 'select slug from tenants')).toEqual([])
})
