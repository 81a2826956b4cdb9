import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import postgres from 'postgres'
import { describe, expect, test } from 'vitest'

import { createGuarded, type Guarded } from './harness/guarded.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { query, queryColumn } from './harness/query.ts'
import { openShell } from './harness/shell.ts'

const denied = { code: '42501' }

describe('on a fresh server', () => {
  test('init makes databases, roles and grants, access proves them, and a second init has nothing to do', async () => {
    await using guarded = await createGuarded()

    const first = await guarded.migrate('init')

    expect(first).toMatchObject({ exitCode: 0 })
    expect(first.stdout).toMatch(/^alpha: \d+ changes to its roles and grants$/m)
    const made = await readRights(guarded)
    const second = await guarded.migrate('init')
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(second.stdout).not.toContain('changes to')
    expect(second.stdout).toContain('nothing to do')
    expect(await readRights(guarded)).toEqual(made)

    const access = await guarded.migrate('access')
    expect(access).toMatchObject({ exitCode: 0, stderr: '' })
    expect(access.stdout).toMatch(/(\d+) of \1 as expected/)
    const { databases } = (await guarded.migrate('access', '--json')).json()
    expect(databases.map(({ name, roles }: any) => [name, roles.map((role: any) => role.how)])).toEqual([
      ['alpha', Array.from({ length: 6 }, () => 'login')],
      ['beta', Array.from({ length: 6 }, () => 'login')],
    ])
  })

  test('each role can do what it is for, and nothing else', async () => {
    await using guarded = await provisioned()
    const [owner, app, readonly] = (['owner', 'app', 'readonly'] as const).map((who) => guarded.urlOf('alpha', who))

    await query(app!, `insert into note (body) values ('a'); update note set body = 'b'; delete from note where false`)
    expect(await queryColumn(readonly!, 'select body from note')).toEqual(['b'])
    for (const statement of [
      'create table mine (id integer)',
      'create schema mine',
      'create temporary table mine (id integer)',
      'alter table note add column more text',
      'truncate note',
      'select from drover.applied',
      'select from drover.run',
      'select from drover.lease',
    ]) {
      await expect(query(app!, statement)).rejects.toMatchObject(denied)
      await expect(query(readonly!, statement)).rejects.toMatchObject(denied)
    }
    for (const statement of [`insert into note (body) values ('c')`, `update note set body = 'c'`, 'delete from note'])
      await expect(query(readonly!, statement)).rejects.toMatchObject(denied)
    expect(await queryColumn(owner!, 'select count(*)::int from drover.applied')).toEqual([1])
  })

  test('no role of one database can connect to the other', async () => {
    await using guarded = await provisioned()

    for (const [place, of] of [
      ['alpha', 'beta'],
      ['beta', 'alpha'],
    ] as const) {
      for (const who of ['owner', 'app', 'readonly'] as const) {
        expect(await queryColumn(guarded.urlOf(of, who), 'select 1')).toEqual([1])
        await expect(query(guarded.urlOf(place, who, of), 'select 1')).rejects.toMatchObject(denied)
      }
    }
  })

  test('passwords are kept as SCRAM verifiers, and stand in no output', async () => {
    await using guarded = await createGuarded()
    const outputs = [
      await guarded.migrate('init', '--dry-run'),
      await guarded.migrate('init', '--verbose'),
      await guarded.migrate('access', '--json', '--verbose'),
      await guarded.migrate('init', '--sql'),
    ]

    const text = outputs.map(({ stdout, stderr }) => stdout + stderr).join('\n')
    for (const who of ['owner', 'app', 'readonly'] as const) {
      expect(text).not.toContain(guarded.passwordOf('alpha', who))
      expect(text).not.toContain(encodeURIComponent(guarded.passwordOf('alpha', who)))
    }
    expect(text).not.toContain(new URL(guarded.server).password)
    expect(text).not.toContain('SCRAM-SHA-256')
    expect(
      await queryColumn(
        guarded.server,
        `select distinct split_part(rolpassword, '$', 1) from pg_authid where rolname like '${guarded.roleOf('alpha', 'app').replace(/app$/, '%')}'`,
      ),
    ).toEqual(['SCRAM-SHA-256'])
  })

  test('a changed password is noticed, and becomes that of the role', async () => {
    await using guarded = await provisioned()
    const env = { ALPHA_APP_PASSWORD: 'another' }
    expect((await guarded.start(['access'], { env }).ended).exitCode).toBe(4)

    const init = await guarded.start(['init'], { env }).ended

    expect(init.stdout).toContain('alpha: 1 change to its roles and grants')
    expect((await guarded.start(['access'], { env }).ended).exitCode).toBe(0)
  })

  test('a dry run says what would be done, and does none of it', async () => {
    await using guarded = await createGuarded()

    const ended = await guarded.migrate('init', '--dry-run')

    expect(ended.exitCode).toBe(0)
    expect(ended.stdout).toContain(`create role "${guarded.roleOf('alpha', 'app')}" login`)
    expect(await rolesOf(guarded)).toEqual([])
    await expect(query(guarded.urlOf('alpha', 'admin'), 'select 1')).rejects.toMatchObject({ code: '3D000' })
  })

  test('the document says the steps: what a dry run would do is what is done, and nothing the second time', async () => {
    await using guarded = await createGuarded()
    const provisioningOf = async (...words: readonly string[]) =>
      (await guarded.migrate('init', ...words, '--json')).json().provisioning

    const planned = await provisioningOf('--dry-run')

    expect(planned.map(({ name }: any) => name)).toEqual(['alpha', 'beta'])
    expect(planned[0].steps).toEqual(
      expect.arrayContaining([
        `create role "${guarded.roleOf('alpha', 'readonly')}" login`,
        `set the password of ${guarded.roleOf('alpha', 'app')}`,
        'create extension if not exists "citext" schema public',
      ]),
    )
    const done = await provisioningOf()
    for (const [at, { name, steps }] of planned.entries())
      expect(done[at]).toEqual({ name, steps: expect.arrayContaining(steps) })
    expect(await provisioningOf()).toEqual([])
  })
})

test('several inits at once get along', async () => {
  await using guarded = await createGuarded()

  const ended = await Promise.all([1, 2, 3].map(() => guarded.migrate('init')))

  expect(ended.map(({ exitCode, stderr }) => [exitCode, /error/.exec(stderr)])).toEqual(ended.map(() => [0, null]))
  expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
})

test('roles without a password are told of, and which variable is for it', async () => {
  await using guarded = await createGuarded()

  const init = await guarded.start(['init', '-d', 'alpha'], { env: { ALPHA_APP_PASSWORD: '' } }).ended

  expect(init.exitCode).toBe(0)
  expect(init.stderr).toContain(`${guarded.roleOf('alpha', 'app')} has no password yet: set ALPHA_APP_PASSWORD`)
  await expect(query(guarded.urlOf('alpha', 'app'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
})

test.skipIf(!hasPsql)('a database that migrates itself gets roles and grants too', async () => {
  await using guarded = await createGuarded()
  const roles = (['owner', 'app', 'readonly'] as const).map((who) => `${who}: '${guarded.roleOf('alpha', who)}'`)
  await guarded.write('jobs.sql', 'create schema jobs; create table jobs.job (id integer);\n')
  await guarded.write(
    'databases/alpha/database.ts',
    `import { defineDatabase } from '@drover/config'

export default defineDatabase({
  kind: 'external',
  name: 'alpha',
  command: ['sh', '-c', 'psql -X -v ON_ERROR_STOP=1 -f ../../jobs.sql "$DATABASE_URL"'],
  access: { ${roles.join(', ')} },
})
`,
  )

  expect(await guarded.migrate('init')).toMatchObject({ exitCode: 0 })

  await query(guarded.urlOf('alpha', 'app'), 'insert into jobs.job values (1)')
  expect(await queryColumn(guarded.urlOf('alpha', 'readonly'), 'select id from jobs.job')).toEqual([1])
  expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
})

describe('later on', () => {
  test('tables of new revisions are covered without another init', async () => {
    await using guarded = await provisioned()
    await guarded.addRevision('alpha', {
      id: 'a200000000aa',
      parents: ['a100000000aa'],
      // A trigger that refuses on its own account is no lack of a privilege.
      up: `
create table later (id serial primary key);
create function refuse() returns trigger language plpgsql as $$ begin raise insufficient_privilege; end $$;
create trigger refuse before delete on later execute function refuse();
`,
    })

    expect(await guarded.migrate('upgrade')).toMatchObject({ exitCode: 0 })

    await query(guarded.urlOf('alpha', 'app'), 'insert into later default values')
    expect(await queryColumn(guarded.urlOf('alpha', 'readonly'), 'select id from later')).toEqual([1])
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
    expect(await guarded.migrate('drift')).toMatchObject({ exitCode: 0 })
  })

  test('a schema that a revision makes is covered by the init that applies it, also without an administrator', async () => {
    await using guarded = await provisioned()
    await guarded.addRevision('alpha', {
      id: 'a200000000aa',
      parents: ['a100000000aa'],
      up: 'create schema app; create table app.later (id integer);\n',
    })

    expect(await guarded.start(['init'], { env: { DROVER_ADMIN_URL: '' } }).ended).toMatchObject({ exitCode: 0 })

    expect(await queryColumn(guarded.urlOf('alpha', 'readonly'), 'select count(*)::int from app.later')).toEqual([0])
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
  })

  test('what a revision takes from a role on a table stays taken, and is no difference', async () => {
    await using guarded = await provisioned()
    await guarded.addRevision('alpha', {
      id: 'a200000000aa',
      parents: ['a100000000aa'],
      up: `revoke update, delete on note from ${guarded.roleOf('alpha', 'app')};\n`,
    })

    const init = await guarded.migrate('init')

    expect(init.stdout).not.toContain('changes to')
    await expect(query(guarded.urlOf('alpha', 'app'), 'delete from note')).rejects.toMatchObject(denied)
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
  })

  test('what is granted by hand is found, each for what it opens', async () => {
    await using guarded = await provisioned()
    const [owner, app, readonly] = (['owner', 'app', 'readonly'] as const).map((who) => guarded.roleOf('alpha', who))
    const stranger = guarded.roleOf('beta', 'readonly')
    const database = new URL(guarded.urlOf('alpha', 'admin')).pathname.slice(1)
    const findings = async (...statements: readonly string[]) => {
      await query(guarded.urlOf('alpha', 'admin'), statements.join('; '))
      const access = await guarded.migrate('access', '-d', 'alpha', '--json')
      expect(access.exitCode).toBe(4)
      return access.json().problems.map(({ code, message }: any) => `${code} ${message}`)
    }

    expect(
      await findings(
        `grant usage on schema drover to ${app}`,
        `grant select on drover.applied to ${app}`,
        `grant delete on note to ${readonly}`,
        `grant create on schema public to ${readonly}`,
        `grant connect on database ${database} to ${stranger}`,
      ),
    ).toEqual([
      `ACCESS_DIFFERS ${app} (app of alpha) can use Drover's tables: drover.applied`,
      `ACCESS_DIFFERS ${readonly} (readonly of alpha) can delete from tables: public.note`,
      `ACCESS_DIFFERS ${readonly} (readonly of alpha) can use DDL: create table in public`,
      `ACCESS_DIFFERS ${stranger} (readonly of beta) can connect`,
    ])
    expect(await findings(`grant ${owner} to ${app}`)).toContainEqual(
      expect.stringMatching(`^ACCESS_DIFFERS ${app} \\(app of alpha\\) can use DDL: create schema, `),
    )
  })

  test.each<[string, (guarded: Guarded) => string, string]>([
    [
      'TRUNCATE on a table',
      (guarded) => `grant truncate on note to ${guarded.roleOf('alpha', 'app')}`,
      'app of alpha) can truncate tables: public.note',
    ],
    [
      "one privilege on one of Drover's tables",
      (guarded) =>
        ['usage on schema drover', 'truncate on drover.run']
          .map((what) => `grant ${what} to ${guarded.roleOf('alpha', 'app')}`)
          .join('; '),
      "app of alpha) can use Drover's tables: drover.run",
    ],
    [
      'temporary tables',
      (guarded) =>
        `do $$ begin execute format('grant temporary on database %I to ${guarded.roleOf('alpha', 'readonly')}', current_database()); end $$`,
      'readonly of alpha) can use DDL: create temporary table',
    ],
    [
      'foreign keys to one column',
      (guarded) => `grant references (id) on note to ${guarded.roleOf('alpha', 'readonly')}`,
      'readonly of alpha) can use DDL: foreign keys or triggers on public.note',
    ],
    [
      'triggers on a table',
      (guarded) => `grant trigger on note to ${guarded.roleOf('alpha', 'app')}`,
      'app of alpha) can use DDL: foreign keys or triggers on public.note',
    ],
    [
      'writing through a view',
      (guarded) =>
        `create view notes as select * from note; alter view notes owner to ${guarded.roleOf('alpha', 'owner')};
        grant select on notes to ${guarded.roleOf('alpha', 'app')}; grant select, update on notes to ${guarded.roleOf('alpha', 'readonly')}`,
      'readonly of alpha) can update tables: public.notes',
    ],
    [
      'a view on which one role has nothing',
      (guarded) =>
        `create materialized view notes as select count(*) from note; alter materialized view notes owner to ${guarded.roleOf('alpha', 'owner')};
        grant select on notes to ${guarded.roleOf('alpha', 'app')}`,
      'readonly of alpha) cannot read tables: public.notes',
    ],
  ])('by hand: %s', async (_, statements, finding) => {
    await using guarded = await provisioned()
    await query(guarded.urlOf('alpha', 'admin'), statements(guarded))

    const access = await guarded.migrate('access', '-d', 'alpha', '--json')

    expect(access.exitCode).toBe(4)
    expect(access.json().problems.map(({ message }: any) => message)).toEqual([expect.stringContaining(finding)])
  })

  test('views are open as tables are, and what a revision takes from the tables of one is no difference', async () => {
    await using guarded = await provisioned()
    await guarded.addRevision('alpha', {
      id: 'a200000000aa',
      parents: ['a100000000aa'],
      up: `
create view notes as select * from note;
create view numbered as select row_number() over (order by id), body from note;
create view mine with (security_invoker = on) as select * from note;
create materialized view counted as select count(*) from note with no data;
revoke update, delete on note from ${guarded.roleOf('alpha', 'app')};
`,
    })

    expect(await guarded.migrate('upgrade')).toMatchObject({ exitCode: 0 })

    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0, stderr: '' })
    await query(guarded.urlOf('alpha', 'app'), 'update notes set body = default where false')
    await expect(query(guarded.urlOf('alpha', 'app'), 'update mine set body = default')).rejects.toMatchObject(denied)
  })

  test('access waits for nobody who reads, and shuts nobody out', async () => {
    await using guarded = await provisioned()
    const reader = postgres(guarded.urlOf('alpha', 'app'), { max: 1 })
    try {
      await reader.begin(async (sql) => {
        await sql`select from note`
        expect(await guarded.migrate('access', '-d', 'alpha')).toMatchObject({ exitCode: 0 })
      })
    } finally {
      await reader.end()
    }
  })

  test('a stranger who was let in is found, and init turns it out again', async () => {
    await using guarded = await provisioned()
    const stranger = guarded.roleOf('beta', 'app')
    const database = new URL(guarded.urlOf('alpha', 'admin')).pathname.slice(1)
    await query(guarded.server, `grant connect on database ${database} to ${stranger}`)

    const access = await guarded.migrate('access', '-d', 'alpha')

    expect(access.exitCode).toBe(4)
    expect(access.stdout).toMatch(new RegExp(`^ +${stranger} +no!=yes `, 'm'))
    expect(access.stderr).toContain(`${stranger} (app of beta) can connect`)
    expect((await guarded.migrate('init')).stdout).toContain('alpha: 1 change to its roles and grants')
    await expect(query(guarded.urlOf('alpha', 'app', 'beta'), 'select 1')).rejects.toMatchObject(denied)
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
  })

  test('a table on which a role has nothing is found, and init grants what it is to have', async () => {
    await using guarded = await provisioned()
    await query(guarded.urlOf('alpha', 'admin'), 'create table handmade (id integer)')

    const access = await guarded.migrate('access')

    expect(access.exitCode).toBe(4)
    expect(access.stderr).toContain(
      `${guarded.roleOf('alpha', 'app')} (app of alpha) cannot read tables: public.handmade`,
    )
    expect(await guarded.migrate('init')).toMatchObject({ exitCode: 0 })
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
  })

  test('without a password an administrator takes on the role; without either it is not proved', async () => {
    await using guarded = await provisioned()
    const env = { ALPHA_APP_PASSWORD: '' }

    const taken = await guarded.start(['access', '--json'], { env }).ended
    const neither = await guarded.start(['access', '--json'], { env: { ...env, DROVER_ADMIN_URL: '' } }).ended
    const shown = await guarded.start(['access', '-d', 'alpha'], { env }).ended

    expect(taken.exitCode).toBe(0)
    expect(shown.stdout).toMatch(new RegExp(`^ +${guarded.roleOf('alpha', 'app')}\\* +yes=yes `, 'm'))
    const roles = taken.json().databases.flatMap((database: any) => database.roles)
    expect(roles.filter((role: any) => role.how === 'set role').map((role: any) => role.role)).toEqual([
      guarded.roleOf('alpha', 'app'),
      guarded.roleOf('alpha', 'app'),
    ])
    expect(neither.exitCode).toBe(4)
    expect(neither.json().problems.map((problem: any) => problem.code)).toEqual(['ACCESS_UNPROVED', 'ACCESS_UNPROVED'])
  })
})

describe('an administrator', () => {
  test('may be no superuser, as long as it may create roles and databases', async () => {
    await using guarded = await createPlainlyGuarded()

    const first = await guarded.migrate('init')
    const second = await guarded.migrate('init')
    const access = await guarded.migrate('access')

    expect(first).toMatchObject({ exitCode: 0 })
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(second.stdout).not.toContain('changes to')
    expect(access).toMatchObject({ exitCode: 0 })
  })

  test('who is no superuser notices a new password, a new schema and a role that may do too much', async () => {
    await using guarded = await createPlainlyGuarded()
    expect(await guarded.migrate('init')).toMatchObject({ exitCode: 0 })
    await query(guarded.server, `alter role ${guarded.roleOf('alpha', 'app')} createdb createrole`)
    await guarded.addRevision('alpha', {
      id: 'a200000000aa',
      parents: ['a100000000aa'],
      up: 'create schema app; create table app.later (id integer);\n',
    })
    guarded.env['BETA_APP_PASSWORD'] = 'another'

    const init = await guarded.migrate('init', '--json')

    expect(init.exitCode).toBe(0)
    expect(init.json().provisioning).toEqual([
      {
        name: 'alpha',
        steps: expect.arrayContaining([
          `alter role "${guarded.roleOf('alpha', 'app')}" nocreaterole nocreatedb`,
          `grant select on table "app"."later" to "${guarded.roleOf('alpha', 'readonly')}"`,
        ]),
      },
      { name: 'beta', steps: [`set the password of ${guarded.roleOf('beta', 'app')}`] },
    ])
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
  })

  test('who is refused something has done what came before it, and the document says that and no more', async () => {
    await using guarded = await createPlainlyGuarded()
    const config = 'databases/alpha/database.ts'
    const text = await readFile(join(guarded.root, config), 'utf8')
    await guarded.write(config, text.replace(`['citext']`, `['citext', 'dblink']`))

    const ended = await guarded.migrate('init', '-d', 'alpha', '--json')

    const { error, provisioning } = ended.json()
    expect(ended.exitCode).toBe(2)
    expect(error).toMatchObject({
      code: 'PRIVILEGE_MISSING',
      sqlstate: '42501',
      hint: expect.stringContaining('--sql'),
    })
    expect(provisioning).toEqual([
      { name: 'alpha', steps: expect.arrayContaining([expect.stringMatching(/^create database /)]) },
    ])
    // They went with the transaction in which the extension was refused.
    expect(provisioning[0].steps).not.toContainEqual(expect.stringMatching(/ on schema "public" | extension /))
    expect(await queryColumn(guarded.urlOf('alpha', 'admin'), 'select count(*)::int from pg_default_acl')).toEqual([0])
  })

  test('who is no superuser cannot take on a role that it has made, so that its password is needed', async () => {
    await using guarded = await createPlainlyGuarded()
    expect(await guarded.migrate('init')).toMatchObject({ exitCode: 0 })

    const ended = await guarded.start(['access', '-d', 'alpha', '--json'], { env: { ALPHA_APP_PASSWORD: '' } }).ended

    expect(ended.exitCode).toBe(4)
    expect(ended.json().problems).toEqual([
      expect.objectContaining({
        code: 'ACCESS_UNPROVED',
        message: expect.stringContaining('may not take on the role'),
      }),
    ])
  })

  test('is asked for where one is needed, and nothing is begun without', async () => {
    await using guarded = await createGuarded()

    const ended = await guarded.start(['init', '--json'], { env: { DROVER_ADMIN_URL: '' } }).ended

    expect(ended.exitCode).toBe(2)
    expect(ended.json().problems).toEqual(
      ['alpha', 'beta'].map((database) =>
        expect.objectContaining({ code: 'URL_MISSING', database, hint: expect.stringContaining('DROVER_ADMIN_URL') }),
      ),
    )
    expect(await rolesOf(guarded)).toEqual([])
  })

  test('is none of another server', async () => {
    await using guarded = await createGuarded()
    const elsewhere = new URL(guarded.server)
    elsewhere.port = '1'

    const ended = await guarded.start(['init', '-d', 'alpha'], { env: { DROVER_ADMIN_URL: elsewhere.href } }).ended

    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain('ALPHA_ADMIN_URL')
  })

  test('is not what the URL of a database is for', async () => {
    await using guarded = await createGuarded()
    const env = { ALPHA_DATABASE_URL: guarded.urlOf('alpha', 'admin') }

    const ended = await guarded.start(['init', '-d', 'alpha'], { env }).ended

    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain(`declares "${guarded.roleOf('alpha', 'owner')}" as the owner`)
    expect(await rolesOf(guarded)).toEqual([])
  })

  test.skipIf(!hasPsql)('can run the script of init --sql with psql instead, twice, with the same result', async () => {
    await using guarded = await createGuarded()
    guarded.env['DROVER_ADMIN_URL'] = ''
    const { exitCode, stdout } = await guarded.migrate('init', '--sql')
    expect(exitCode).toBe(0)
    const variables = ['alpha', 'beta'].flatMap((name) =>
      (['owner', 'app', 'readonly'] as const).map(
        (who) =>
          `\\set ${guarded.roleOf(name as 'alpha', who)}_password '${guarded
            .passwordOf(name as 'alpha', who)
            .replaceAll('\\', '\\\\')
            .replaceAll("'", "''")}'`,
      ),
    )
    const file = join(guarded.root, 'roles.sql')
    await writeFile(file, `${variables.join('\n')}\n${stdout}`)

    expect(await runPsql(guarded.server, file)).toMatchObject({ exitCode: 0, stderr: '' })
    const init = await guarded.migrate('init')
    expect(init).toMatchObject({ exitCode: 0 })
    expect(init.stdout).not.toContain('changes to')
    const made = await readRights(guarded)
    expect(await runPsql(guarded.server, file)).toMatchObject({ exitCode: 0, stderr: '' })

    expect(await readRights(guarded)).toEqual(made)
    guarded.env['DROVER_ADMIN_URL'] = guarded.server
    expect((await guarded.migrate('init')).stdout).not.toContain('changes to')
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
  })
})

test('a workspace without declared roles has nothing to prove, and says how to declare them', async () => {
  await using guarded = await createGuarded()
  for (const name of ['alpha', 'beta'])
    await guarded.write(
      `databases/${name}/database.ts`,
      `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: '${name}' })\n`,
    )

  const ended = await guarded.migrate('access')

  expect(ended.exitCode).toBe(2)
  expect(ended.stderr).toContain('access: {}')
})

test('on the development server, the four databases get roles of their own, whatever came before', async () => {
  await using shell = await openShell()
  expect(await shell.run('pnpm migrate upgrade')).toMatchObject({ exitCode: 0 })

  const init = await shell.run('pnpm migrate init')

  expect(init).toMatchObject({ exitCode: 0 })
  expect(await shell.run('pnpm migrate access')).toMatchObject({ exitCode: 0 })
  expect((await shell.run('pnpm migrate init')).output).not.toContain('changes to')
  expect(await shell.run('pnpm migrate downgrade -1')).toMatchObject({ exitCode: 0 })
  expect(await shell.run('pnpm migrate upgrade')).toMatchObject({ exitCode: 0 })
  expect(await shell.run('pnpm migrate access')).toMatchObject({ exitCode: 0 })
  expect(await shell.run('pnpm migrate drift')).toMatchObject({ exitCode: 0 })

  const secrets = join(shell.root, '.drover', 'secrets.json')
  expect((await stat(secrets)).mode & 0o777).toBe(0o600)
  const { passwords } = JSON.parse(await readFile(secrets, 'utf8'))
  for (const password of Object.values(passwords)) expect(init.output).not.toContain(password)
  const { output } = await shell.run('pnpm --silent migrate server url credentials')
  const login = (database: string, role: string) => {
    const url = new URL(output.trim())
    url.pathname = `/${database}`
    url.username = role
    url.password = passwords[role]
    return url.href
  }
  expect(await queryColumn(login('main', 'main_app'), 'select count(*)::int from users')).toEqual([0])
  await expect(query(login('credentials', 'main_app'), 'select 1')).rejects.toMatchObject(denied)
  await expect(query(login('main', 'credentials_app'), 'select 1')).rejects.toMatchObject(denied)
  await expect(query(login('main', 'main_app'), 'select from drover.applied')).rejects.toMatchObject(denied)
})

/** The administrator is no superuser. */
async function createPlainlyGuarded(): Promise<Guarded> {
  const guarded = await createGuarded()
  const name = `t${randomBytes(5).toString('hex')}_admin`
  await query(guarded.server, `create role ${name} login createrole createdb password 'x'`)
  const url = new URL(guarded.server)
  url.username = name
  url.password = 'x'
  guarded.env['DROVER_ADMIN_URL'] = url.href
  return {
    ...guarded,
    [Symbol.asyncDispose]: async () => {
      await guarded[Symbol.asyncDispose]()
      await query(guarded.server, `drop role ${name}`)
    },
  }
}

async function provisioned(): Promise<Guarded> {
  const guarded = await createGuarded()
  const { exitCode, stderr } = await guarded.migrate('init')
  if (exitCode === 0) return guarded
  await guarded[Symbol.asyncDispose]()
  throw new Error(stderr)
}

async function rolesOf(guarded: Guarded): Promise<readonly string[]> {
  const prefix = guarded.roleOf('alpha', 'app').split('_')[0]
  return queryColumn(
    guarded.server,
    `select rolname::text from pg_roles where starts_with(rolname, '${prefix}_') order by 1`,
  )
}

/** Everything about roles and privileges that init may touch, each row with the transaction that wrote it. */
async function readRights(guarded: Guarded): Promise<readonly string[]> {
  const prefix = guarded.roleOf('alpha', 'app').split('_')[0]
  const shared = await queryColumn(
    guarded.server,
    `select concat_ws(' ', rolname, rolcanlogin, rolsuper) from pg_roles where starts_with(rolname, '${prefix}_') order by 1`,
  )
  const own = await Promise.all(
    (['alpha', 'beta'] as const).map((name) =>
      queryColumn(
        guarded.urlOf(name, 'admin'),
        `
select concat_ws(' ', 'database', datname, datacl, pg_get_userbyid(datdba)) from pg_database where datname = current_database()
union all
select concat_ws(' ', 'schema', nspname, nspacl, pg_get_userbyid(nspowner)) from pg_namespace where nspname in ('public', 'drover')
union all
select concat_ws(' ', 'default', defaclobjtype, defaclacl) from pg_default_acl
union all
select concat_ws(' ', 'relation', relname, relacl, pg_get_userbyid(relowner)) from pg_class
where relnamespace in ('public'::regnamespace, to_regnamespace('drover'))
union all
select concat_ws(' ', 'extension', extname) from pg_extension
order by 1`,
      ),
    ),
  )
  return [...shared, ...own.flat()]
}
