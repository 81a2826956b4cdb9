import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { queryColumn } from './harness/query.ts'
import { createTenantWorkspace, firstRevision, readTenants, secondRevision } from './harness/tenants.ts'

const both = [firstRevision, secondRevision]

test('a tenant is made with its row, its schema and all revisions, and making it again does nothing', async () => {
  await using workspace = await createTenantWorkspace()

  const made = await workspace.migrate('tenant', 'create', 'acme', '--set', 'name=Acme Inc.')
  const again = await workspace.migrate('tenant', 'create', 'acme', '--json')

  expect(made).toMatchObject({ exitCode: 0, stdout: 'tenant: made acme, with 2 revisions in tenant_acme\n' })
  expect(again.json()).toMatchObject({
    command: 'tenant create',
    exitCode: 0,
    tenant: { slug: 'acme', target: 'tenant_acme', row: 'found', revisions: 0 },
  })
  expect(await queryColumn(workspace.url, 'select name from tenants')).toEqual(['Acme Inc.'])
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: both })
  expect(await queryColumn(workspace.url, 'select count(*)::int from tenant_acme.summaries')).toEqual([0])
})

test('a tenant whose revisions fail leaves nothing: no row, no schema, no record', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.addRevision('tenant', { id: 'bbbb00000003', up: 'select 1 / 0;\n' })

  const failed = await workspace.migrate('tenant', 'create', 'acme')

  expectFailure(failed, 1, 'error: tenant: databases/tenant/migrations/', 'division by zero')
  expect(await queryColumn(workspace.url, 'select slug from tenants')).toEqual([])
  expect(await queryColumn(workspace.url, `select nspname from pg_namespace where nspname like 'tenant%'`)).toEqual([])
  expect(await readTenants(workspace.url)).toEqual({})
})

test.each([
  ['a row that was written by the application', `insert into tenants values ('acme', 'x', null)`],
  ['a schema that is empty', 'create schema tenant_acme'],
])('%s is no obstacle: the tenant is finished', async (_, before) => {
  await using workspace = await createTenantWorkspace()
  await queryColumn(workspace.url, before)

  const made = await workspace.migrate('tenant', 'create', 'acme')

  expect(made.exitCode).toBe(0)
  expect(await queryColumn(workspace.url, 'select slug from tenants')).toEqual(['acme'])
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: both })
})

test('a tenant that was cut off before its row was there is listed as belonging to nobody, and finished by the same command', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.migrate('tenant', 'create', 'acme')
  await queryColumn(workspace.url, 'delete from tenants')

  const listed = await workspace.migrate('tenant', 'list')
  const finished = await workspace.migrate('tenant', 'create', 'acme')

  expect(listed).toMatchObject({ exitCode: 0, stdout: 'no tenants\n' })
  expect(listed.stderr).toContain('tenant_acme has revisions, and there is no tenant that it belongs to')
  expect(finished.stdout).toBe('tenant: made acme, with 0 revisions in tenant_acme\n')
  expect((await workspace.migrate('tenant', 'list')).stdout).toMatch(/^acme +tenant_acme +bbbb00000002 +up to date$/m)
})

test('a run on tenants that cannot be recorded holds nobody up', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.migrate('tenant', 'create', 'acme')
  await workspace.addRevision('tenant', { id: 'bbbb00000003', up: 'create table later ();\n' })
  await queryColumn(workspace.url, 'alter table drover.run rename column plan to elsewhere')

  expect((await workspace.migrate('tenant', 'upgrade', '--yes')).exitCode).toBe(1)
  await queryColumn(workspace.url, 'alter table drover.run rename column elsewhere to plan')

  expect(await queryColumn(workspace.url, `select history from drover.lease where expires_at > now()`)).toEqual([])
  expect(await workspace.migrate('tenant', 'upgrade', '--yes')).toMatchObject({ exitCode: 0 })
})

test('a slug with what a terminal obeys is told without it', async () => {
  await using workspace = await createTenantWorkspace()
  await queryColumn(workspace.url, `insert into tenants values (e'\\x1b[31mred', 'x', null)`)

  for (const words of ['tenant current --check-heads', 'tenant verify', 'upgrade --yes', 'fleet enqueue']) {
    const { stdout, stderr } = await workspace.migrate(...words.split(' '))
    expect(`${stdout}${stderr}`).toContain('u001b[31mred')
    expect(`${stdout}${stderr}`).not.toContain('\u001b')
  }
})

test.each([
  ['a blank', 'a b'],
  ['upper case', 'Acme'],
  ['a quote', `a"; drop schema public cascade; --`],
  ['a path', '../acme'],
  ['nothing', ''],
  ['57 characters', 'x'.repeat(57)],
])('a slug with %s is refused, and nothing is made', async (_, slug) => {
  await using workspace = await createTenantWorkspace()

  const refused = await workspace.migrate('tenant', 'create', '--', slug)

  expectFailure(refused, 2, 'error: ')
  expect(await queryColumn(workspace.url, 'select slug from tenants')).toEqual([])
  expect(await queryColumn(workspace.url, `select nspname from pg_namespace where nspname ~ '^tenant'`)).toEqual([])
})

test('what the row needs and nobody has said is told with the option that says it', async () => {
  await using workspace = await createTenantWorkspace('')

  expectFailure(
    await workspace.migrate('tenant', 'create', 'acme'),
    2,
    'the row of acme cannot be written to tenants: null value in column "name"',
    '--set <column>=<value>',
  )
  expectFailure(await workspace.migrate('tenant', 'create', 'acme', '--set', 'name'), 2, '--set name says no value')
})

test('upgrade does tenants after the database that lists them, and then there is nothing to do', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme', 'globex', 'eu-1')
  await workspace.addRevision('main', {
    id: 'aaaa00000002',
    up: 'create table later ();\n',
    down: 'drop table later;\n',
  })

  const dry = await workspace.migrate('upgrade', '--dry-run')
  const first = await workspace.migrate('upgrade')
  const second = await workspace.migrate('upgrade', '--json')

  expect(dry.stdout).toContain(
    'tenant: 3 tenants, 0 of them up to date\n  3 of them (acme, eu-1, globex): would apply 2 revisions\n    bbbb00000001 create contexts\n',
  )
  expect(first.exitCode).toBe(0)
  expect(first.stdout).toMatch(/^main +1 revision applied\ntenant +3 tenants moved by 6 revisions$/m)
  expect(first.stdout).toMatch(/^ +up to date +done +failed +waiting +not tried\n +0 +3 +0 +0 +0\n7 revisions in /m)
  expect(first.stderr).toMatch(/main +applied +aaaa00000002[^]*tenant +first acme: nothing is wrong/)
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: both, 'tenant_eu-1': both, tenant_globex: both })
  expect(second.json()).toMatchObject({
    exitCode: 0,
    databases: [{ name: 'main' }, { name: 'tenant', tenants: { total: 3, upToDate: 3 }, targets: [] }],
  })
})

test.each([
  ['--tenant', ['tenant', 'upgrade', '--tenant', 'acme,eu-1'], {}, ['tenant_acme', 'tenant_eu-1']],
  ['--match', ['tenant', 'upgrade', '--match', 'eu-*'], {}, ['tenant_eu-1', 'tenant_eu-2']],
  ['TENANT_ID', ['upgrade', '-d', 'tenant'], { TENANT_ID: 'globex' }, ['tenant_globex']],
  ['upgrade --tenant', ['upgrade', '--tenant', 'globex'], {}, ['tenant_globex']],
])('%s chooses who is upgraded', async (_, args, env, expected) => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme', 'globex', 'eu-1', 'eu-2', 'eux')

  const ended = await workspace.start(args, { env }).ended

  expect(ended.exitCode).toBe(0)
  expect(Object.keys(await readTenants(workspace.url))).toEqual(expected)
})

test('a sample is as large as it was asked for, and a tenant that nobody knows is refused', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('a', 'b', 'c', 'd', 'e')

  await workspace.migrate('tenant', 'upgrade', '--sample', '3')
  const unknown = await workspace.migrate('tenant', 'upgrade', '--tenant', 'a,nobody')

  expect(Object.keys(await readTenants(workspace.url))).toHaveLength(3)
  expectFailure(unknown, 2, 'error: tenant: there is no tenant "nobody"', 'pnpm migrate tenant list')
})

test('a walk is gone once for each tenant, down and up', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme', 'globex')
  await workspace.migrate('upgrade')

  const down = await workspace.migrate('tenant', 'downgrade', '-1')
  const afterDown = await readTenants(workspace.url)
  const base = await workspace.migrate('tenant', 'downgrade', 'base', '--tenant', 'acme')
  const afterBase = await readTenants(workspace.url)
  const up = await workspace.migrate('tenant', 'upgrade', '+1')

  expect([down.exitCode, base.exitCode, up.exitCode]).toEqual([0, 0, 0])
  expect(down.stderr).toContain(
    'tenant: will revert 1 revision of 2 tenants\n  bbbb00000002 add summaries\n    loses data: drop table summaries',
  )
  expect(afterDown).toEqual({ tenant_acme: [firstRevision], tenant_globex: [firstRevision] })
  expect(afterBase).toEqual({ tenant_globex: [firstRevision] })
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: [firstRevision], tenant_globex: both })
})

test('current tells how many are where and who is behind, and --check-heads fails then', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme', 'globex', 'initech')
  await workspace.migrate('upgrade')
  await workspace.migrate('tenant', 'downgrade', '--tenant', 'globex')

  const current = await workspace.migrate('current')
  const checked = await workspace.migrate('tenant', 'current', '--check-heads', '--json')

  expect(current.stdout).toContain(
    'tenant: 3 tenants, 2 of them up to date\n  2  bbbb00000002 (head)  up to date\n  1  bbbb00000001         behind: 1 revision pending  globex\n',
  )
  expect(checked.json()).toMatchObject({
    exitCode: 4,
    error: { code: 'NOT_UP_TO_DATE', message: '1 tenant not up to date: globex' },
    databases: [
      {
        name: 'tenant',
        tenants: { total: 3, upToDate: 2 },
        targets: expect.arrayContaining([
          {
            target: 'tenant_globex',
            current: [firstRevision],
            heads: [secondRevision],
            pending: [secondRevision],
            state: 'behind',
            steps: [expect.anything()],
          },
        ]),
      },
    ],
  })
})

test('a tenant is dropped with all that it has, its rows in a file that goes back', async () => {
  await using workspace = await createTenantWorkspace(
    `registry: { defaults: { name: '{slug}' } }, role: 'tenant_{slug}'`,
  )
  await workspace.migrate('tenant', 'create', 'acme')
  await workspace.migrate('tenant', 'create', 'globex')
  await queryColumn(
    workspace.url,
    `insert into tenant_acme.contexts (title) values ('it''s \\ ""'), ('two'); insert into tenant_acme.summaries values (1, null), (2, 'b')`,
  )

  const unasked = await workspace.migrate('tenant', 'drop', 'acme')
  const dry = await workspace.migrate('tenant', 'drop', 'acme', '--dry-run')
  const dropped = await workspace.migrate('tenant', 'drop', 'acme', '--yes', '--export', 'acme.sql')
  const again = await workspace.migrate('tenant', 'drop', 'acme', '--yes')

  expectFailure(unasked, 3, 'nobody can be asked here', '--yes')
  expect(dry.stdout).toContain('will drop the schema tenant_acme\n  contexts: 2 rows\n  summaries: 2 rows\n')
  expect(dropped).toMatchObject({ exitCode: 0, stdout: 'tenant: dropped acme\n' })
  expectFailure(again, 2, 'there is no tenant "acme"')
  expect(await queryColumn(workspace.url, 'select slug from tenants')).toEqual(['globex'])
  expect(Object.keys(await readTenants(workspace.url))).toEqual(['tenant_globex'])
  expect(await queryColumn(workspace.url, `select rolname from pg_roles where rolname = 'e2e_drop_acme'`)).toEqual([])

  await workspace.migrate('tenant', 'create', 'acme')
  await queryColumn(workspace.url, await readFile(join(workspace.root, 'acme.sql'), 'utf8'))
  expect(await queryColumn(workspace.url, 'select title from tenant_acme.contexts order by id')).toEqual([
    `it's \\ ""`,
    'two',
  ])
  expect(await queryColumn(workspace.url, 'select context from tenant_acme.summaries order by 1')).toEqual([1, 2])
  await workspace.migrate('tenant', 'drop', 'acme', '--yes', '--no-export')
  await workspace.migrate('tenant', 'drop', 'globex', '--yes', '--no-export')
})

test('the role of a tenant sees its own schema alone, and so do the tables to come', async () => {
  await using workspace = await createTenantWorkspace(
    `registry: { defaults: { name: '{slug}' } }, role: 'e2e_tenant_{slug}'`,
  )
  await workspace.migrate('tenant', 'create', 'acme')
  await workspace.migrate('tenant', 'create', 'globex')
  await workspace.addRevision('tenant', {
    id: 'bbbb00000003',
    up: 'create table notes (body text);\n',
    down: 'drop table notes;\n',
  })
  await workspace.migrate('upgrade')
  const as = (role: string, sql: string) =>
    queryColumn(workspace.url, `begin; set local role ${role}; ${sql}; rollback`)

  await as('e2e_tenant_acme', `insert into tenant_acme.notes values ('mine')`)

  await expect(as('e2e_tenant_acme', 'select count(*) from tenant_globex.notes')).rejects.toMatchObject({
    code: '42501',
  })
  await expect(as('e2e_tenant_acme', 'create table tenant_acme.own ()')).rejects.toMatchObject({ code: '42501' })
  await expect(as('e2e_tenant_acme', 'select count(*) from drover.applied')).rejects.toMatchObject({ code: '42501' })
  expect(await workspace.migrate('tenant', 'verify')).toMatchObject({
    exitCode: 0,
    stdout: 'tenant: 2 tenants compared: as the history makes them, and each by itself\n',
  })
  await workspace.migrate('tenant', 'drop', 'acme', '--yes', '--no-export')
  await workspace.migrate('tenant', 'drop', 'globex', '--yes', '--no-export')
})

test('verify finds what was changed by hand, what reaches into another tenant, and who may do what is not theirs', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme', 'globex', 'initech')
  await workspace.migrate('upgrade')
  await queryColumn(
    workspace.url,
    `alter table tenant_acme.contexts add column extra integer;
create view tenant_globex.theirs as select title from tenant_initech.contexts;
grant select on tenant_initech.contexts to public`,
  )

  const found = await workspace.migrate('tenant', 'verify', '--json')
  const text = await workspace.migrate('tenant', 'verify')
  const one = await workspace.migrate('tenant', 'verify', '--tenant', 'initech')

  expect(found.exitCode).toBe(4)
  const [{ looked, findings }] = found.json().databases
  expect(looked).toBe(3)
  expect(findings).toMatchObject([
    {
      tenant: { slug: 'acme' },
      differences: [{ object: 'table public.contexts', part: 'column extra', kind: 'unexpected' }],
    },
    { tenant: { slug: 'globex' }, references: [{ toSchema: 'tenant_initech' }] },
    { tenant: { slug: 'initech' }, privileges: [{ grantee: 'public', privileges: ['SELECT'] }] },
  ])
  expect(text.stdout).toContain('public may select table tenant_initech.contexts')
  expectFailure(one, 4, '1 tenant not as the history makes it, or not by itself: initech')
})

test('verify tells the first hundred that differ in full, and of the others that they differ', async () => {
  await using workspace = await createTenantWorkspace()
  const slugs = Array.from({ length: 102 }, (_, at) => `t${String(at).padStart(3, '0')}`)
  await workspace.list(...slugs)
  await workspace.migrate('upgrade')
  await queryColumn(
    workspace.url,
    slugs.map((slug) => `alter table tenant_${slug}.contexts add column extra integer`).join(';\n'),
  )

  const found = await workspace.migrate('tenant', 'verify', '--json')

  const findings: readonly { tenant: { slug: string }; differences?: unknown }[] = found.json().databases[0].findings
  expect(findings.map(({ tenant }) => tenant.slug)).toEqual(slugs)
  const told = findings.filter(({ differences }) => differences !== undefined)
  expect(told.map(({ tenant }) => tenant.slug)).toEqual(slugs.slice(0, 100))
})

test('commands that are for a whole database leave tenants alone, and say what is for tenants', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme')
  await workspace.migrate('upgrade')

  for (const command of [
    'drift',
    'reset',
    'rehearse',
    'repair',
    'stamp head',
    'plan --out plan.json',
    'upgrade --sql',
  ]) {
    expectFailure(
      await workspace.migrate(...command.split(' '), '-d', 'tenant'),
      2,
      'its history is applied to its tenants',
      'tenant --help',
    )
  }
  const none = await workspace.migrate('tenant', 'list', '-d', 'main')

  expectFailure(none, 2, 'none of these databases has tenants', 'the databases with tenants are: tenant')
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: both })
})

test('a registry that is not as database.ts says is told with the file, and nothing is touched', async () => {
  await using workspace = await createTenantWorkspace(`registry: { slug: 'handle' }`)
  await workspace.list('acme')

  const ended = await workspace.migrate('upgrade')

  expectFailure(
    ended,
    2,
    'the table of tenants, tenants, is not as "tenants.registry" says',
    'column "handle" does not exist',
  )
  expect(await readTenants(workspace.url)).toEqual({})
})

test('plan shows tenants with the same steps together, and --check and check tell of those that are behind or in disorder', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme', 'globex')
  await workspace.migrate('upgrade')
  await workspace.migrate('tenant', 'downgrade', '--tenant', 'globex')
  await workspace.list('initech', 'Not A Slug')

  const plan = await workspace.migrate('plan', '--check')
  const markdown = await workspace.migrate('plan', '--markdown')
  const checked = await workspace.migrate('check')

  expect(plan.exitCode).toBe(4)
  expect(plan.stdout).toContain('tenant: 4 tenants, 1 of them up to date\n')
  expect(plan.stdout).toContain('  1 of them (globex): would apply 1 revision\n    bbbb00000002 add summaries\n')
  expect(plan.stdout).toContain('  1 of them (initech): would apply 2 revisions\n')
  expect(plan.stdout).toContain('  Not A Slug: the slug "Not A Slug" cannot be part of a name\n')
  expect(plan.stderr).toContain('revisions of 2 tenants pending\n  next: pnpm migrate tenant upgrade -d tenant')
  expect(markdown.stdout).toContain('| 1 | `bbbb00000002` add summaries |')
  expect(checked.exitCode).toBe(4)
  expect(checked.stderr).toContain('tenant: Not A Slug: the slug "Not A Slug" cannot be part of a name')
})

test('a revision of tenants waits for the revision of another database that it depends on', async () => {
  await using workspace = await createTenantWorkspace()
  await workspace.list('acme')
  await workspace.addRevision('main', { id: 'aaaa00000002' })
  await workspace.addRevision('tenant', { id: 'bbbb00000003', dependsOn: ['main/aaaa00000002'] })

  const alone = await workspace.migrate('upgrade', '-d', 'tenant')
  const together = await workspace.migrate('upgrade')

  expectFailure(alone, 3, 'depends on main/aaaa00000002, which is not applied and not part of this upgrade')
  expect(together.exitCode).toBe(0)
  expect(await readTenants(workspace.url)).toEqual({ tenant_acme: [...both, 'bbbb00000003'] })
})
