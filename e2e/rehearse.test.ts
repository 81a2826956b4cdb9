import { spawnSync } from 'node:child_process'

import { createThrowawayDatabase } from '@drover/server'
import { afterEach, describe, expect, inject, test } from 'vitest'

import { catalogOf, query, queryColumn, readApplied, readStore } from './harness/query.ts'
import { createRepositoryDatabases, databaseNames } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const server = inject('serverUrl')
const users = 'create table users (id integer primary key, name text);\n'
const first = { id: 'a1a1a1a1a1a1', message: 'create users', up: users, down: 'drop table users;\n' }
const second = {
  id: 'a2a2a2a2a2a2',
  message: 'add code',
  up: 'alter table users add column code text;\ncreate table notes (id integer);\n',
  down: 'drop table notes;\nalter table users drop column code;\n',
}

/** A workspace with a database that has the first revision, three rows, and whatever is still to be rehearsed. */
async function createShop(
  ...pending: readonly Parameters<TestWorkspace['addRevision']>[1][]
): Promise<TestWorkspace & { readonly url: string }> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop')
  await workspace.addRevision('shop', first)
  await workspace.migrate('upgrade')
  await query(url, `insert into users values (1, 'a'), (2, 'b'), (3, 'c')`)
  for (const revision of pending) await workspace.addRevision('shop', revision)
  return { ...workspace, url }
}

/** Everything there is to see of a database from outside. */
async function lookAt(url: string): Promise<unknown> {
  const rows = await queryColumn(url, 'select xmin || users::text from users order by 1')
  const [settings] = await query(
    url,
    'select datacl::text, datconnlimit, datallowconn from pg_database where datname = current_database()',
  )
  return { rows, settings, catalog: await catalogOf(url), store: await readStore(url) }
}

/** The throw-away databases of rehearsals on the server whose process has ended: others may rehearse at the same time. */
async function clones(): Promise<readonly string[]> {
  const names = await queryColumn(server, `select datname from pg_database where datname like 'drover\\_rehearsal\\_%'`)
  return names.filter((name) => hasEnded(Number(name.split('_')[4])))
}

/** Whether there was such a process, and is no more. */
function hasEnded(pid: number): boolean {
  const mostPids = 4_194_304
  return pid <= mostPids && spawnSync('kill', ['-0', String(pid)]).status !== 0
}

afterEach(async () => {
  const left = await clones()
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
})

describe('rehearse', () => {
  test('upgrades, downgrades and upgrades a copy with its rows, and only reads the database', async () => {
    await using shop = await createShop(second)
    const before = await lookAt(shop.url)

    const ended = await shop.migrate('rehearse')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(/^shop: rehearsed on a copy of it\n/)
    expect(ended.stdout).toMatch(/^ {2}up {8}a2a2a2a2a2a2 add code {2}\d+ ms$/m)
    expect(ended.stdout).toMatch(/^ {2}down {6}a2a2a2a2a2a2 add code {2}\d+ ms$/m)
    expect(ended.stdout).toMatch(/^ {2}up again {2}a2a2a2a2a2a2 add code {2}\d+ ms$/m)
    expect(ended.stdout).toMatch(/^ {2}down leads back, and up again to the same \(\d objects compared\)$/m)
    expect(ended.stderr.split('\n')).toEqual([
      'shop: copying it',
      'rehearsing: up',
      'rehearsing: down',
      'rehearsing: up again',
      '',
    ])
    expect(await lookAt(shop.url)).toEqual(before)
    expect(await readApplied(shop.url)).toEqual(['a1a1a1a1a1a1'])
  })

  test('names what each statement locks, and marks what an application would have to wait for', async () => {
    await using shop = await createShop(second)

    const { stdout } = await shop.migrate('rehearse')
    const document = (await shop.migrate('rehearse', '--json')).json()

    expect(stdout).toMatch(/^ {4}line 1 {2}\d+ ms {2}alter table users add column code text$/m)
    expect(stdout).toMatch(/^ {6}public.users: AccessExclusiveLock for \d+ ms, blocks reads and writes$/m)
    expect(stdout).not.toContain('create table notes')
    expect((await shop.migrate('rehearse', '--verbose')).stdout).toContain('create table notes')
    expect(document.databases[0]).toMatchObject({ name: 'shop', verdict: 'rehearsed', origin: { kind: 'copy' } })
    expect(document.databases[0].passes.map(({ pass }: any) => pass)).toEqual(['up', 'down', 'again'])
    expect(document.databases[0].passes[0].steps).toMatchObject([
      {
        direction: 'up',
        revision: 'a2a2a2a2a2a2',
        status: 'applied',
        sampled: false,
        locks: [{ relation: 'public.users', kind: 'table', mode: 'AccessExclusiveLock', blocks: 'reads and writes' }],
        statements: [
          { statement: 1, line: 1, locks: [{ relation: 'public.users' }] },
          { statement: 2, line: 2, locks: [] },
        ],
      },
    ])
  })

  test('--markdown prints a comment for a pull request', async () => {
    await using shop = await createShop(second)

    const { exitCode, stdout } = await shop.migrate('rehearse', '--markdown')

    expect(exitCode).toBe(0)
    expect(stdout.replaceAll(/\d+ ms/g, '9 ms')).toBe(`### Rehearsal of the upgrade to \`head\`

#### shop: rehearsed

On a copy of it.

| | revision | | time | blocks |
| --- | --- | --- | ---: | --- |
| up | \`a2a2a2a2a2a2\` | add code | 9 ms | reads and writes of \`public.users\` for 9 ms |
| down | \`a2a2a2a2a2a2\` | add code | 9 ms | reads and writes of \`public.notes\` for 9 ms<br>reads and writes of \`public.users\` for 9 ms |
| up again | \`a2a2a2a2a2a2\` | add code | 9 ms | reads and writes of \`public.users\` for 9 ms |

- up \`a2a2a2a2a2a2\`, line 1: \`alter table users add column code text\`: AccessExclusiveLock on \`public.users\`
- down \`a2a2a2a2a2a2\`, line 1: \`drop table notes\`: AccessExclusiveLock on \`public.notes\`
- down \`a2a2a2a2a2a2\`, line 2: \`alter table users drop column code\`: AccessExclusiveLock on \`public.users\`

- down leads back, and up again to the same (4 objects compared)
`)
  })

  test('fails with what fails on the rows that there are, and says where', async () => {
    await using shop = await createShop({
      id: 'a2a2a2a2a2a2',
      up: 'alter table users add column age integer not null;\n',
    })
    const before = await lookAt(shop.url)

    const ended = await shop.migrate('rehearse')

    expect(ended.exitCode).toBe(1)
    expect(ended.stdout).toMatch(/^shop: failed on a copy of it\n {2}up {8}a2a2a2a2a2a2 .* {2}failed$/m)
    expect(ended.stderr).toContain('contains null values (in the rehearsal, up) [23502]')
    expect(ended.stderr).toMatch(/a2a2a2a2a2a2\/migration\.sql/)
    expect(await lookAt(shop.url)).toEqual(before)
  })

  test('exits with 4 when the way back does not lead back, and says what is different', async () => {
    await using shop = await createShop({ ...second, down: 'drop table notes;\n' })

    const ended = await shop.migrate('rehearse', '--json')

    expect(ended.exitCode).toBe(4)
    expect(ended.json()).toMatchObject({
      error: { code: 'REHEARSAL_DIFFERS', database: 'shop' },
      databases: [
        {
          verdict: 'different',
          differences: [{ after: 'down', object: 'table public.users', part: 'column code', kind: 'unexpected' }],
        },
      ],
    })
    expect((await shop.migrate('rehearse')).stdout).toContain(
      '  after down, otherwise than before:\n    table public.users: column code should not be there: text\n',
    )
  })

  test('loses no rows in silence: undeclared it is wrong, declared it is said', async () => {
    const up = 'create table kept as select 1 as one;\n'
    const inFunction = `do $$ begin execute 'dele' || 'te from users'; end $$;\ndrop table kept;\n`
    await using silent = await createShop({ id: 'a2a2a2a2a2a2', up, down: inFunction })
    await using open = await createShop({
      id: 'a2a2a2a2a2a2',
      up,
      down: 'delete from users where id > 1;\ndrop table kept;\n',
    })

    const [undeclared, declared] = [await silent.migrate('rehearse'), await open.migrate('rehearse')]

    expect(undeclared.exitCode).toBe(4)
    expect(undeclared.stdout).toContain('rows of public.users: 3 before, 0 after down, and no statement says so')
    expect(undeclared.stderr).toContain('rows of public.users are lost, and no statement says so')
    expect(declared.exitCode).toBe(0)
    expect(declared.stdout).toContain(
      'rows of public.users: 3 before, 1 after down, as it says: delete from users where id > 1',
    )
  })

  test('goes back as far as the last revision that cannot be reverted, and says so', async () => {
    await using shop = await createShop(
      { id: 'a2a2a2a2a2a2', message: 'one way', up: 'create table two ();\n', down: null },
      { id: 'a3a3a3a3a3a3', up: 'create table three ();\n', down: 'drop table three;\n' },
    )

    const ended = await shop.migrate('rehearse')
    const [database] = (await shop.migrate('rehearse', '--json')).json().databases

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(/1 revision was not reverted: a2a2a2a2a2a2 \(.*one way.*\) cannot be/)
    expect(database).toMatchObject({ stayed: ['a2a2a2a2a2a2'], irreversible: 'a2a2a2a2a2a2' })
    expect(database.passes.map(({ steps }: any) => steps.map(({ revision }: any) => revision))).toEqual([
      ['a2a2a2a2a2a2', 'a3a3a3a3a3a3'],
      ['a3a3a3a3a3a3'],
      ['a3a3a3a3a3a3'],
    ])
  })

  test('goes as far as it is told, and has nothing to do where that is applied', async () => {
    await using shop = await createShop(second, { id: 'a3a3a3a3a3a3', up: 'select 1 / 0;\n' })

    expect(await shop.migrate('rehearse', '+1')).toMatchObject({ exitCode: 0 })
    const idle = await shop.migrate('rehearse', 'a1a1')
    expect(idle).toMatchObject({ exitCode: 0, stdout: 'shop: nothing to rehearse\n', stderr: '' })
  })

  test('runs no hooks, whose doings nobody could drop afterwards', async () => {
    await using shop = await createShop(second)
    await shop.write('databases/shop/hook.sql', 'select 1 / 0;\n')
    await shop.write('databases/shop/database.ts', `export default { name: 'shop', hooks: { before: './hook.sql' } }\n`)

    expect(await shop.migrate('rehearse')).toMatchObject({ exitCode: 0 })
  })

  test('several databases at once, in the order of an upgrade, each revision behind what it depends on', async () => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('alpha')
    await workspace.addDatabase('beta')
    await workspace.addRevision('alpha', {
      id: 'a1a1a1a1a1a1',
      dependsOn: ['beta/b1b1b1b1b1b1'],
      up: 'create table a ();\n',
      down: 'drop table a;\n',
    })
    await workspace.addRevision('beta', { id: 'b1b1b1b1b1b1', up: 'create table b ();\n', down: 'drop table b;\n' })

    const ended = await workspace.migrate('rehearse', '--log', 'json')

    expect(ended).toMatchObject({ exitCode: 0 })
    const entries = ended.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const order = entries
      .filter(({ event }) => event === 'step-finished')
      .map(({ revision, direction }) => `${direction} ${revision[0]}`)
    expect(order).toEqual(['up b', 'up a', 'down a', 'down b', 'up b', 'up a'])
  })

  test('what needs a database that does not get to the end does not get there either, and the others do', async () => {
    await using workspace = await createWorkspace()
    for (const name of ['alpha', 'beta', 'gamma']) await workspace.addDatabase(name)
    await workspace.addRevision('alpha', {
      id: 'a1a1a1a1a1a1',
      dependsOn: ['beta/b1b1b1b1b1b1'],
      up: 'create table a ();\n',
      down: 'drop table a;\n',
    })
    await workspace.addRevision('beta', { id: 'b1b1b1b1b1b1', up: 'create table b ();\n', down: 'select 1;\n' })
    await workspace.addRevision('gamma', { id: 'c1c1c1c1c1c1', up: 'create table c ();\n', down: 'drop table c;\n' })

    const ended = await workspace.migrate('rehearse', '--json')

    expect(ended.exitCode).toBe(4)
    expect(
      ended
        .json()
        .databases.map(({ name, verdict }: any) => `${name} ${verdict}`)
        .toSorted(),
    ).toEqual(['alpha not-tried', 'beta different', 'gamma rehearsed'])
  })

  test('outside a transaction and in TypeScript, locks are seen from outside', async () => {
    await using shop = await createShop(
      {
        id: 'a2a2a2a2a2a2',
        transaction: 'none',
        up: 'create index concurrently by_name on users (name);\n',
        down: 'drop index concurrently by_name;\n',
      },
      {
        id: 'a3a3a3a3a3a3',
        code: `import { defineMigration } from '@drover/config'
export default defineMigration({
  async up({ sql }) { await sql\`lock table users in share mode\`; await sql\`select pg_sleep(0.4)\` },
  async down() {},
})\n`,
      },
    )

    const ended = await shop.migrate('rehearse', '--json')

    expect(ended).toMatchObject({ exitCode: 0 })
    const [index, code] = ended.json().databases[0].passes[0].steps
    expect(index).toMatchObject({ sampled: true, statements: [{ sampled: true, line: 1 }] })
    expect(code).toMatchObject({
      sampled: true,
      statements: [],
      locks: [{ relation: 'public.users', mode: 'ShareLock', blocks: 'writes' }],
    })
  })
})

describe('what it is rehearsed on', () => {
  test('while sessions are connected: a replay of what is applied, without rows, and whose sessions they are', async () => {
    await using shop = await createShop(second)
    const { default: postgres } = await import('postgres')
    const application = postgres(shop.url, { max: 1, connection: { application_name: 'the shop' } })
    await application`select 1`

    const ended = await shop.migrate('rehearse')

    await application.end()
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toContain(
      'shop: rehearsed on a replay of what is applied in it, without rows (no copy: sessions are connected to it: 1 of "the shop")',
    )
  })

  test('by a user who may not create databases: a replay, and it says what is missing', async () => {
    await using shop = await createShop(second)
    await using role = await createRole(shop.url)
    shop.env['SHOP_DATABASE_URL'] = role.url

    const ended = await shop.migrate('rehearse')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toContain(`without rows (no copy: user "${role.name}" may not create databases there`)
  })

  test('with an administrator: a copy that belongs to the user who runs the revisions', async () => {
    await using shop = await createShop({
      ...second,
      up: `${second.up}do $$ begin assert current_user <> 'postgres'; assert (select rolname = current_user from pg_roles join pg_database on datdba = pg_roles.oid where datname = current_database()); end $$;\n`,
    })
    await using role = await createRole(shop.url)
    shop.env['SHOP_DATABASE_URL'] = role.url
    shop.env['DROVER_ADMIN_URL'] = server

    const ended = await shop.migrate('rehearse')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toContain('shop: rehearsed on a copy of it')
  })

  test('--template copies another database of the server, with what is applied there', async () => {
    await using shop = await createShop(second)
    await using template = await createThrowawayDatabase(server, { template: new URL(shop.url).pathname.slice(1) })
    await shop.migrate('upgrade')

    const ended = await shop.migrate('rehearse', '--template', template.name)

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(/^shop: rehearsed on a copy of the template\n {2}up {8}a2a2/)
  })

  test('--on rehearses on a branch, which stays upgraded; the database itself need not be there', async () => {
    await using shop = await createShop(second)
    await using branch = await createThrowawayDatabase(server, { template: new URL(shop.url).pathname.slice(1) })
    shop.env['SHOP_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'
    shop.env['BRANCH_URL'] = branch.url

    const ended = await shop.migrate('rehearse', '--on', 'BRANCH_URL')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toMatch(/^shop: rehearsed on the branch\n/)
    expect(await readApplied(branch.url)).toEqual(['a1a1a1a1a1a1', 'a2a2a2a2a2a2'])
  })

  test('--from copies by a dump, where the programs on this machine can read the server, and says so where not', async () => {
    await using shop = await createShop(second)
    const [version] = await queryColumn(server, 'show server_version_num')
    const { stdout } = spawnSync('pg_dump', ['--version'], { encoding: 'utf8' })
    const major = Number(/ (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
    shop.env['BACKUP_URL'] = shop.url

    const ended = await shop.migrate('rehearse', '--from', 'BACKUP_URL')

    if (major >= Math.trunc(Number(version) / 10_000)) {
      expect(ended).toMatchObject({ exitCode: 0 })
      expect(ended.stdout).toMatch(/^shop: rehearsed on a copy from the dump\n {2}up {8}a2a2/)
    } else {
      expect(ended.exitCode).toBe(3)
      expect(ended.stderr).toContain(
        major === 0 ? 'pg_dump is not on this machine' : `pg_dump on this machine is of PostgreSQL ${major}`,
      )
    }
  })

  test('--from says that pg_dump is missing', async () => {
    await using shop = await createShop(second)
    shop.env['PATH'] = '/nowhere'

    const ended = await shop.migrate('rehearse', '--from', shop.url)

    expect(ended.exitCode).toBe(3)
    expect(ended.stderr).toContain('pg_dump is not on this machine')
  })

  test.each<
    [what: string, args: (shop: { readonly url: string }) => readonly string[], exitCode: number, message: string]
  >([
    ['the database itself, as a branch', ({ url }) => ['--on', url], 2, '--on leads to shop itself'],
    [
      'the database itself under another address',
      ({ url }) => ['--on', url.replace('127.0.0.1', 'localhost')],
      2,
      '--on leads to shop itself',
    ],
    [
      'a template that is not there',
      () => ['--template', 'nowhere'],
      3,
      '"nowhere" cannot be copied: template database "nowhere" does not exist',
    ],
    [
      'a variable that is not set',
      () => ['--from', 'NOWHERE'],
      2,
      '--from names the variable NOWHERE, which is not set',
    ],
    ['what is no URL', () => ['--from', 'mysql://x:s3cret@y/z'], 2, '--from does not start with postgres://'],
    [
      'two things at once',
      () => ['--from', 'A', '--on', 'B'],
      2,
      "option '--from <url>' cannot be used with option '--on <url>'",
    ],
    ['a target that is not there', () => ['9999'], 2, '9999'],
  ])('refuses %s, and changes nothing', async (_, args, exitCode, message) => {
    await using shop = await createShop(second)
    const before = await lookAt(shop.url)

    const ended = await shop.migrate('rehearse', ...args(shop))

    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).not.toContain('s3cret')
    expect(await lookAt(shop.url)).toEqual(before)
  })

  test('says which database a template is for, when there are several', async () => {
    await using shop = await createShop(second)
    await shop.addDatabase('other')

    const ended = await shop.migrate('rehearse', '--template', 'any')

    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain('pnpm migrate rehearse -d other --template …')
  })
})

describe('its copies are dropped', () => {
  test('when it is interrupted, which cancels what is running', async () => {
    await using shop = await createShop({ ...second, up: 'select pg_sleep(600);\n' })
    const running = shop.start(['rehearse'])
    await running.waitFor('rehearsing: up')

    running.kill('SIGINT')
    const ended = await running.ended

    expect(ended.exitCode).toBe(130)
    expect(ended.stderr).toContain('SIGINT: stopping, and dropping what was made for the rehearsal')
    expect(await readApplied(shop.url)).toEqual(['a1a1a1a1a1a1'])
  })

  test('by the next rehearsal, when it was killed', async () => {
    await using shop = await createShop({ ...second, up: 'select pg_sleep(600);\n' })
    const running = shop.start(['rehearse'])
    await running.waitFor('rehearsing: up')
    running.kill('SIGKILL')
    await running.ended
    const left = await clones()
    expect(left).toHaveLength(1)
    // The server notices only when the statement ends that nobody listens to any more.
    await query(server, `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '${left[0]}'`)

    await shop.addRevision('shop', { id: 'a3a3a3a3a3a3', parents: ['a1a1a1a1a1a1'] })
    const ended = await shop.migrate('rehearse', 'a3a3')

    expect(ended).toMatchObject({ exitCode: 0 })
  })
})

/** A user who owns a database, and may create none. Disposing of it gives the database back. */
async function createRole(url: string): Promise<AsyncDisposable & { readonly name: string; readonly url: string }> {
  const name = `shop_owner_${crypto.randomUUID().slice(0, 8)}`
  const database = new URL(url).pathname.slice(1)
  await query(server, `create role "${name}" login password 'x'; alter database "${database}" owner to "${name}"`)
  await query(
    url,
    `alter schema drover owner to "${name}"; alter table drover.run owner to "${name}"; alter table drover.applied owner to "${name}"; alter table drover.lease owner to "${name}"; alter table users owner to "${name}"; grant create on schema public to "${name}"`,
  )
  const own = new URL(url)
  own.username = name
  own.password = 'x'
  return {
    name,
    url: own.href,
    [Symbol.asyncDispose]: async () => {
      await query(url, `reassign owned by "${name}" to current_user; drop owned by "${name}"`)
      await query(server, `drop role "${name}"`)
    },
  }
}

test("the whole history of this repository's databases can be rehearsed, there and back", async () => {
  await using databases = await createRepositoryDatabases()

  const ended = await databases.migrate('rehearse', '--json')

  const { databases: found } = ended.json()
  expect(found.map(({ name, verdict, differences }: any) => ({ name, verdict, differences }))).toEqual(
    found.map(({ name }: any) => ({ name, verdict: 'rehearsed', differences: [] })),
  )
  expect(found.map(({ name }: any) => name).toSorted()).toEqual([...databaseNames].toSorted())
  expect(ended.exitCode).toBe(0)
})
