import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import postgres from 'postgres'
import { beforeEach, describe, expect, inject, test } from 'vitest'

import { createExampleWorkspace, type ExampleWorkspace } from './example-workspace.ts'
import { migratedDatabase, migratedSet } from './migrated-database.ts'

let workspace: ExampleWorkspace
let options: { readonly root: string; readonly server: string }
// Tests run beside others on one server, and look at what is there.
let shop: string

beforeEach(async () => {
  workspace = await createExampleWorkspace()
  options = { root: workspace.root, server: inject('serverUrl') }
  shop = `shop${randomBytes(3).toString('hex')}`
  await workspace.addDatabase(shop)
  await workspace.addRevision(shop, { id: 'aaaaaaaaaaa1', up: 'create table item (id int primary key);\n' })
  await workspace.addRevision(shop, { id: 'aaaaaaaaaaa2', up: 'alter table item add name text;\n' })
  return async () => {
    for (const name of await databasesOf(shop)) await admin(`drop database "${name}" with (force)`)
    await workspace[Symbol.asyncDispose]()
  }
})

describe('a migrated database', () => {
  test('is at the head of its history, is nobody else’s, and goes away', async () => {
    await using one = await migratedDatabase(shop, options)
    {
      await using other = await migratedDatabase(shop, options)
      await query(one.url, `insert into item values (1, 'chair')`)
      expect(await query(other.url, 'select * from item')).toEqual([])
      expect(await databasesOf(shop)).toEqual(expect.arrayContaining([one.name, other.name]))
    }
    expect(await query(one.url, 'select * from item')).toEqual([{ id: 1, name: 'chair' }])
    expect(await appliedIn(one.url)).toEqual(['aaaaaaaaaaa1', 'aaaaaaaaaaa2'])
    await one.drop()
    // Twice is once.
    await one.drop()
    expect((await databasesOf(shop)).filter((name) => name.startsWith('drover_test_'))).toEqual([])
  })

  test('is dropped although somebody is still connected', async () => {
    const database = await migratedDatabase(shop, options)
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    await sql`select 1`

    await database.drop()

    expect(await databasesOf(shop)).not.toContain(database.name)
    await sql.end({ timeout: 1 })
  })

  test('belongs to a user who may do nothing else, where that is asked for', async () => {
    await using owned = await migratedDatabase(shop, { ...options, as: 'owner' })
    await using other = await migratedDatabase(shop, { ...options, as: 'owner', fresh: true })
    await using administered = await migratedDatabase(shop, options)
    const facts = `
select
  rolsuper or rolcreatedb or rolcreaterole as mighty,
  (select array_agg(distinct pg_get_userbyid(relowner) = current_user)::text from pg_class where relname in ('item', 'applied')) as owns
from pg_roles
where rolname = current_user`

    expect(await query(owned.url, facts)).toEqual([{ mighty: false, owns: '{t}' }])
    expect(await query(other.url, facts)).toEqual([{ mighty: false, owns: '{t}' }])
    expect(await query(administered.url, facts)).toEqual([{ mighty: true, owns: '{t}' }])
    expect(await templatesOf(shop)).toHaveLength(2)
  })

  test('of a database of tenants is like one of them, with its tables in the schema public', async () => {
    await workspace.addDatabase('main')
    await workspace.addDatabase(shop, `tenants: { kind: 'schema' }`)

    await using database = await migratedDatabase(shop, options)

    expect(await query(database.url, `select to_regclass('public.item')::text as item`)).toEqual([{ item: 'item' }])
    expect(await appliedIn(database.url)).toEqual(['aaaaaaaaaaa1', 'aaaaaaaaaaa2'])
  })

  test('goes as far as it is told', async () => {
    await using database = await migratedDatabase(shop, { ...options, to: 'aaaaaaaaaaa1' })
    await using head = await migratedDatabase(shop, options)

    expect(await appliedIn(database.url)).toEqual(['aaaaaaaaaaa1'])
    expect(await appliedIn(head.url)).toEqual(['aaaaaaaaaaa1', 'aaaaaaaaaaa2'])
  })

  test('has the extensions that are declared, and what the hooks of the database have done', async () => {
    await workspace.write(`databases/${shop}/after.sql`, 'create table hooked ();\n')
    await workspace.addDatabase(shop, `access: { extensions: ['citext'] }, hooks: { after: './after.sql' }`)
    await workspace.addRevision(shop, { id: 'aaaaaaaaaaa3', up: 'alter table item add mail citext;\n' })

    await using database = await migratedDatabase(shop, options)

    expect(await query(database.url, `select to_regclass('hooked')::text as hooked`)).toEqual([{ hooked: 'hooked' }])
  })

  test('does without the databases that its revisions depend on', async () => {
    const other = `${shop}x`
    await workspace.addDatabase(other)
    await workspace.addRevision(other, { id: 'bbbbbbbbbbb1', up: 'create table other ();\n' })
    const folder = await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa3',
      up: 'create table late ();\n',
      dependsOn: [`${other}/bbbbbbbbbbb1`],
    })
    expect(folder).toContain('aaaaaaaaaaa3')

    await using database = await migratedDatabase(shop, options)

    expect(await appliedIn(database.url)).toContain('aaaaaaaaaaa3')
  })
})

describe('the template', () => {
  test('is made once by processes that start together', async () => {
    // Roles are of the whole server: there is one for each time that the history was run.
    const runs = `select rolname from pg_roles where rolname like '${shop}\\_%'`
    await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa3',
      up: `do $$ begin execute format('create role %I', '${shop}_' || md5(random()::text)); perform pg_sleep(0.5); end $$;\n`,
    })

    const processes = await Promise.all([1, 2, 3].map(() => run(shop)))

    const roles = await admin(runs)
    for (const { rolname } of roles) await admin(`drop role "${rolname}"`)
    expect(roles).toHaveLength(1)
    expect(new Set(processes.map(({ name }) => name)).size).toBe(3)
    expect(await templatesOf(shop)).toHaveLength(1)
  })

  test('is another one when a revision is edited, and the same when only the time has passed', async () => {
    const folder = await workspace.addRevision(shop, { id: 'aaaaaaaaaaa3', up: 'alter table item add price int;\n' })
    await using before = await migratedDatabase(shop, options)
    await workspace.write(`${folder}/migration.sql`, 'alter table item add price numeric;\n')
    await using after = await migratedDatabase(shop, options)
    await using again = await migratedDatabase(shop, options)

    const type = `select format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'item'::regclass and attname = 'price'`
    expect(await query(before.url, type)).toEqual([{ type: 'integer' }])
    expect(await query(after.url, type)).toEqual([{ type: 'numeric' }])
    const runs = `select id from drover.run`
    expect(await query(again.url, runs)).toEqual(await query(after.url, runs))
    expect(await templatesOf(shop)).toHaveLength(2)
  })

  test('is another one when a module is edited that its code imports', async () => {
    await workspace.write(`databases/${shop}/names.ts`, `export const table = 'first'\n`)
    const code = `import { table } from '../../names.ts'\nexport default { up: (c: any) => c.sql.unsafe('create table ' + table + ' ()') }\n`
    const folder = await workspace.addRevision(shop, { id: 'aaaaaaaaaaa3', up: '', down: null })
    await workspace.remove(`${folder}/migration.sql`)
    await workspace.write(`${folder}/migration.ts`, code)
    await using before = await migratedDatabase(shop, options)
    await workspace.write(`databases/${shop}/names.ts`, `export const table = 'second'\n`)
    await using after = await migratedDatabase(shop, options)

    const tables = `select to_regclass('first')::text as first, to_regclass('second')::text as second`
    expect(await query(before.url, tables)).toEqual([{ first: 'first', second: null }])
    expect(await query(after.url, tables)).toEqual([{ first: null, second: 'second' }])
  })

  test('is not made use of by a fresh database', async () => {
    await using copied = await migratedDatabase(shop, options)
    await using fresh = await migratedDatabase(shop, { ...options, fresh: true })

    const runs = `select id from drover.run`
    expect(await query(fresh.url, runs)).not.toEqual(await query(copied.url, runs))
    expect(await appliedIn(fresh.url)).toEqual(await appliedIn(copied.url))
  })

  test('that a killed process was making is made by the next one, and its remains are dropped', async () => {
    const wait = `select pg_sleep(coalesce(nullif(current_setting('app.wait', true), ''), '0')::float8);\n`
    await workspace.addRevision(shop, { id: 'aaaaaaaaaaa3', up: wait })
    const slow = `${inject('serverUrl')}?options=${encodeURIComponent('-c app.wait=600')}`
    const child = start(shop, 'stay', slow)
    while ((await sleepersOf(shop)) === 0) await sleep(20)
    const [halfMade] = await databasesOf(shop)
    child.kill('SIGKILL')
    await once(child, 'close')

    await using database = await migratedDatabase(shop, options)

    expect(await appliedIn(database.url)).toHaveLength(3)
    expect(halfMade).toMatch(/^drover_test_/)
    expect(await databasesOf(shop)).not.toContain(halfMade)
    expect(await templatesOf(shop)).toHaveLength(1)
  })

  test('of a history as it was is dropped when nobody has used it for an hour, but for the last three', async () => {
    await workspace.addRevision(shop, { id: 'aaaaaaaaaaa3', up: 'select 0;\n' })
    const made: string[] = []
    for (let count = 1; count <= 5; count += 1) {
      await workspace.addRevision(shop, { id: `bbbbbbbbbbb${count}`, up: 'select 1;\n' })
      await (await migratedDatabase(shop, options)).drop()
      const fresh = (await templatesOf(shop)).find((name) => !made.includes(name))
      made.push(fresh!)
      await admin(`comment on database "${fresh}" is 'template, used 2026-01-0${count} 12:00:00+00'`)
    }
    // All of them were a minute old at most when the next one was made, but for what the comments say.
    expect(await templatesOf(shop)).toEqual(made.slice(-3).toSorted())
  })
})

describe('a database that was never dropped', () => {
  test('does not keep its process from ending, and is dropped by the next process', async () => {
    const left = await run(shop)
    expect(await databasesOf(shop)).toContain(left.name)

    const next = await run(shop)

    expect(await databasesOf(shop)).not.toContain(left.name)
    expect(await databasesOf(shop)).toContain(next.name)
  })

  test('is left alone while its process lives', async () => {
    const child = start(shop, 'stay')
    const living = await firstAnswer(child)
    await run(shop)

    expect(await databasesOf(shop)).toContain(living.name)

    child.kill('SIGKILL')
    await once(child, 'close')
    await run(shop)
    expect(await databasesOf(shop)).not.toContain(living.name)
  })
})

describe('what goes wrong is said in full', () => {
  test('when a revision fails: file, line, statement and reason, and nothing is left behind', async () => {
    const folder = await workspace.addRevision(shop, {
      id: 'aaaaaaaaaaa3',
      up: 'select 1;\nalter table itme add price int;\n',
    })

    const failure = await failureOf(migratedDatabase(shop, options))

    expect(failure.message).toContain(`${shop}: ${folder}/migration.sql:2`)
    expect(failure.message).toContain('relation "itme" does not exist [42P01]')
    expect(failure.message).toContain('alter table itme add price int')
    expect(failure.message).toContain('next: ')
    expect(failure).toMatchObject({ name: 'DroverError', code: 'STATEMENT_FAILED' })
    expect(await databasesOf(shop)).toEqual([])
  })

  test('when there is no such database, target or workspace', async () => {
    const unknown = await failureOf(migratedDatabase('shoop', options))
    expect(unknown.message).toContain(`there is no database "shoop"`)
    expect(unknown.message).toContain(shop)
    expect((await failureOf(migratedDatabase(shop, { ...options, to: 'nowhere' }))).message).toContain('nowhere')
    expect((await failureOf(migratedDatabase(shop, { ...options, root: '/' }))).message).toContain('database.ts')
    expect(await databasesOf(shop)).toEqual([])
  })

  test('when a database migrates itself', async () => {
    await workspace.addDatabase('idp', `kind: 'external', managedBy: 'Keycloak'`)

    expect((await failureOf(migratedDatabase('idp', options))).message).toMatch(/idp: it migrates itself.*\n.*Keycloak/)
  })

  test('when the server lets nobody in, without the password', async () => {
    const server = 'postgres://nobody:hunter2@127.0.0.1:1/postgres'

    const failure = await failureOf(migratedDatabase(shop, { ...options, server }))

    expect(failure.message).toContain('127.0.0.1:1')
    expect(`${failure.message}${failure.stack}`).not.toContain('hunter2')
  })

  test('when the user may not create databases', async () => {
    const role = `${shop}_weak`
    await admin(`create role ${role} login password 'weak'`)
    const server = new URL(inject('serverUrl'))
    server.username = role
    server.password = 'weak'

    const failure = await failureOf(migratedDatabase(shop, { ...options, server: server.href }))

    expect(failure.message).toMatch(/may not create databases.*\n.*createdb/)
    await admin(`drop role ${role}`)
  })
})

describe('a set', () => {
  test('has a database for each name, and drops all of them', async () => {
    const till = `${shop}t`
    await workspace.addDatabase(till)
    await workspace.addRevision(till, { id: 'ccccccccccc1', up: 'create table receipt ();\n' })
    const seen: string[] = []
    {
      await using set = await migratedSet([shop, till], options)
      seen.push(set[shop]!.name, set[till]!.name)
      expect(await appliedIn(set[shop]!.url)).toHaveLength(2)
      expect(await appliedIn(set[till]!.url)).toEqual(['ccccccccccc1'])
    }
    const rest = await databasesOf(shop)
    expect(seen.filter((name) => rest.includes(name))).toEqual([])
  })

  test('is all or nothing', async () => {
    const till = `${shop}t`
    await workspace.addDatabase(till)
    await workspace.addRevision(till, { id: 'ccccccccccc1', up: 'creat table receipt ();\n' })

    expect((await failureOf(migratedSet([shop, till], options))).message).toContain('creat table')
    expect((await databasesOf(shop)).filter((name) => name.startsWith('drover_test_'))).toEqual([])
  })
})

/** Starts a process that makes a database. */
function start(database: string, stay = '', server = inject('serverUrl')) {
  const file = fileURLToPath(new URL('./example-process.ts', import.meta.url))
  return spawn(process.execPath, [file, workspace.root, server, database, stay], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function run(database: string): Promise<Answer> {
  const child = start(database)
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return answerIn(output)
}

async function firstAnswer(child: ReturnType<typeof start>): Promise<Answer> {
  let output = ''
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += String(chunk)
    if (output.includes('}')) break
  }
  return answerIn(output)
}

interface Answer {
  readonly name: string
  readonly url: string
}

function answerIn(output: string): Answer {
  return JSON.parse(output.split('\n')[1] ?? '')
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => new Error('nothing went wrong'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error)) throw new Error('what is thrown is no error')
  return error
}

async function appliedIn(url: string): Promise<readonly string[]> {
  return (await query(url, 'select revision from drover.applied order by applied_at')).map((row) => row['revision'])
}

/** All databases that tests have made of one, templates included. */
async function databasesOf(database: string): Promise<readonly string[]> {
  const pattern = `^drover_(test|template)_${database}`
  return (await admin(`select datname from pg_database where datname ~ '${pattern}' order by 1`)).map(
    (row) => row['datname'],
  )
}

async function templatesOf(database: string): Promise<readonly string[]> {
  return (await databasesOf(database)).filter((name) => name.startsWith('drover_template_'))
}

async function sleepersOf(database: string): Promise<number> {
  const rows = await admin(
    `select from pg_stat_activity where datname ~ '^drover_test_${database}' and wait_event = 'PgSleep'`,
  )
  return rows.length
}

function admin(statement: string) {
  return query(inject('serverUrl'), statement)
}

async function query(url: string, statement: string): Promise<readonly Record<string, any>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe(statement))]
  } finally {
    await sql.end()
  }
}
