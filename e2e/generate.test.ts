import { readdir, readFile, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, inject, test } from 'vitest'

import { catalogOf, query } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const head = `import { integer, pgEnum, pgTable, text, timestamp, unique, index } from 'drizzle-orm/pg-core'\n`
const people = `${head}
export const people = pgTable('people', { id: integer().primaryKey(), name: text().notNull() })
`

test('a schema becomes a revision with an up and a down that have been tried, and nothing is made when nothing has changed', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: people })

  const made = await workspace.migrate('revision', 'add people')

  expect(made).toMatchObject({ exitCode: 0 })
  expect(made.stdout).toMatch(/^shop: made revision [0-9a-f]{12}, after nothing: it is the first$/m)
  expect(made.stdout).toContain('proved: up, down and up again on a shadow with rows')
  const [folder] = await foldersOf(workspace)
  expect((await readdir(folder!)).toSorted()).toEqual(['down.sql', 'migration.sql', 'revision.json', 'snapshot.json'])
  expect(await readFile(join(folder!, 'migration.sql'), 'utf8')).toBe(
    'CREATE TABLE "people" (\n  "id" integer PRIMARY KEY,\n  "name" text NOT NULL\n);\n',
  )
  expect(await readFile(join(folder!, 'down.sql'), 'utf8')).toBe('DROP TABLE "people";\n')
  const revision = JSON.parse(await readFile(join(folder!, 'revision.json'), 'utf8'))
  const snapshot = JSON.parse(await readFile(join(folder!, 'snapshot.json'), 'utf8'))
  expect(revision.id).toBe(snapshot.id.replaceAll('-', '').slice(0, 12))

  const again = await workspace.migrate('revision', 'add people again')
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing has changed') })
  expect(await foldersOf(workspace)).toHaveLength(1)

  const empty = await catalogOf(url)
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await catalogOf(url)).toEqual(empty)
})

test('every database whose schema has changed gets a revision with the same message, in one command', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.addDatabase('stock', { schema: people.replaceAll('people', 'goods') })
  await workspace.addDatabase('quiet', { schema: head })
  await workspace.addDatabase('raw')

  const made = await workspace.migrate('revision', 'begin', '--json')

  expect(made).toMatchObject({ exitCode: 0 })
  expect(made.json()).toMatchObject({
    ok: true,
    databases: [
      { name: 'quiet', changed: false, revisions: [] },
      { name: 'shop', changed: true, revisions: [{ message: 'begin', parents: [], proof: 'proved', corrected: [] }] },
      { name: 'stock', changed: true, revisions: [{ message: 'begin', parents: [], proof: 'proved' }] },
    ],
  })
})

test('when the revision of one database cannot be written, it is said which ones were, and the same command makes the rest', async () => {
  await using workspace = await createWorkspace()
  for (const name of ['first', 'second', 'third'])
    await workspace.addDatabase(name, { schema: people.replaceAll('people', name) })
  // Reads as an empty folder, and cannot be written into, not even by root.
  const folder = join(workspace.root, 'databases/second/migrations')
  await rm(folder, { recursive: true })
  await symlink(join(workspace.root, 'nowhere', 'at', 'all'), folder)

  const made = await workspace.migrate('revision', 'begin', '--json')

  expect(made).toMatchObject({ exitCode: 1 })
  expect(made.json()).toMatchObject({
    ok: false,
    exitCode: 1,
    databases: [
      { name: 'first', changed: true, revisions: [{ message: 'begin', proof: 'proved' }] },
      { name: 'second', changed: true, revisions: [] },
      { name: 'third', changed: true, revisions: [{ message: 'begin', proof: 'proved' }] },
    ],
    problems: [{ code: 'WRITE_FAILED', database: 'second', file: 'databases/second/migrations' }],
  })
  expect((await workspace.migrate('history', '-d', 'first,third', '--json')).json().databases).toEqual([
    expect.objectContaining({ name: 'first', revisions: [expect.objectContaining({ message: 'begin' })] }),
    expect.objectContaining({ name: 'third', revisions: [expect.objectContaining({ message: 'begin' })] }),
  ])

  const alone = await workspace.migrate('revision', 'begin')
  expect(alone).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('error: second: cannot write into') })
  expect(alone.stdout).toBe(
    [
      'first: the schema is as the history has it',
      'second: the schema has changed, and no revision was made',
      'third: the schema is as the history has it',
      '',
    ].join('\n'),
  )

  await rm(folder)
  const rest = await workspace.migrate('revision', 'begin')
  expect(rest).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^second: made revision/m) })
})

test('a rename is asked about, and what is told to be renamed keeps its rows', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  await query(url, `insert into people values (1, 'Ada'), (2, 'Alan')`)
  await workspace.write(
    'databases/shop/schema.ts',
    `${head}
export const users = pgTable('users', { id: integer().primaryKey(), fullName: text('full_name').notNull() })
`,
  )

  const asked = await workspace.migrate('revision', 'call people users')

  expect(asked).toMatchObject({ exitCode: 2, stdout: '' })
  expect(asked.stderr).toContain('--rename people=users')
  expect(asked.stderr).toContain('--no-rename')
  expect(await foldersOf(workspace)).toHaveLength(1)

  const half = await workspace.migrate('revision', 'call people users', '--rename', 'people=users')
  expect(half).toMatchObject({ exitCode: 2 })
  expect(half.stderr).toContain('--rename people.name=users.full_name')

  const made = await workspace.migrate(
    'revision',
    'call people users',
    '--rename',
    'people=users',
    '--rename',
    'people.name=users.full_name',
  )
  expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('proved') })
  expect(made.stdout).not.toContain('loses')

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await query(url, 'select * from users order by id')).toEqual([
    { id: 1, full_name: 'Ada' },
    { id: 2, full_name: 'Alan' },
  ])
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await query(url, 'select * from people order by id')).toEqual([
    { id: 1, name: 'Ada' },
    { id: 2, name: 'Alan' },
  ])
})

test('without renames what is gone is dropped, and that is said', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.write('databases/shop/schema.ts', people.replace('name: text().notNull()', "label: text('label')"))

  const made = await workspace.migrate('revision', 'label people', '--no-rename')

  expect(made).toMatchObject({ exitCode: 0 })
  expect(made.stdout).toContain('loses: column "name" of table "people" is dropped with all that is in it')
  const down = await readFile(join((await foldersOf(workspace))[1]!, 'down.sql'), 'utf8')
  // The column comes back in tables that have rows, which PostgreSQL would refuse without a value for it.
  expect(down).toContain(`ADD COLUMN "name" text NOT NULL DEFAULT ''`)
})

test('a rename that fits nothing is refused, and says what there is', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.write('databases/shop/schema.ts', people.replace('name: text()', "label: text('label')"))

  const refused = await workspace.migrate('revision', 'x', '--rename', 'people.nam=people.label')
  const unreadable = await workspace.migrate('revision', 'x', '--rename', 'people.name')

  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(refused.stderr).toContain('people.name')
  expect(unreadable).toMatchObject({ exitCode: 2, stdout: '' })
  expect(await foldersOf(workspace)).toHaveLength(1)
})

test('a type change with a conversion keeps the values', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: bornAs('integer()') })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  await query(url, 'insert into people values (1, 1815), (2, null)')
  await workspace.write('databases/shop/schema.ts', bornAs('text()'))

  expect(await workspace.migrate('revision', 'write years as text')).toMatchObject({ exitCode: 0 })

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await query(url, 'select * from people order by id')).toEqual([
    { id: 1, born: '1815' },
    { id: 2, born: null },
  ])
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await query(url, 'select born from people order by id')).toEqual([{ born: 1815 }, { born: null }])
})

test.each([
  ['a column that must not be null', people.replace('name:', 'age: integer().notNull(), name:'), 'UPDATE …'],
  ['a unique constraint', people.replace('text().notNull()', 'text().notNull().unique()'), 'same value twice'],
  ['a cast', people.replace('text().notNull()', 'integer().notNull()'), 'USING'],
])('%s that rows may not be fit for is marked, refuses to run, and says why', async (_, schema, advice) => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  await workspace.write('databases/shop/schema.ts', schema)

  const made = await workspace.migrate('revision', 'change people')

  expect(made).toMatchObject({ exitCode: 4 })
  expect(made.stderr).toContain('could not be proved')
  const [, folder] = await foldersOf(workspace)
  const up = await readFile(join(folder!, 'migration.sql'), 'utf8')
  expect(up).toMatch(/^-- drover:unfilled: not proved/)
  expect(up).toContain(advice)

  const before = await catalogOf(url)
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 3 })
  expect(await catalogOf(url)).toEqual(before)
})

test('--no-proof is remembered', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })

  const made = await workspace.migrate('revision', 'add people', '--no-proof')

  expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('not proved, as asked') })
  const [folder] = await foldersOf(workspace)
  expect(JSON.parse(await readFile(join(folder!, 'revision.json'), 'utf8'))).toMatchObject({ proof: 'none' })
})

test('an enum value that is used at once gets a revision of its own before', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: moods(`'sad', 'ok'`, 'ok') })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  await query(url, `insert into people values (1, 'sad')`)
  await workspace.write('databases/shop/schema.ts', moods(`'sad', 'ok', 'happy'`, 'happy'))

  const made = await workspace.migrate('revision', 'be happy', '--json')

  expect(made.json()).toMatchObject({
    databases: [{ revisions: [{ message: 'be happy: add enum values', proof: 'proved' }, { proof: 'proved' }] }],
  })
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  await query(url, 'insert into people (id) values (2)')
  expect(await query(url, 'select mood from people order by id')).toEqual([{ mood: 'sad' }, { mood: 'happy' }])
  expect(await workspace.migrate('revision', 'nothing')).toMatchObject({
    stdout: expect.stringContaining('nothing has changed'),
  })
})

test('a value of an enum is renamed and not lost', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: moods(`'sad', 'ok'`, 'sad') })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  await query(url, 'insert into people (id) values (1)')
  await workspace.write('databases/shop/schema.ts', moods(`'blue', 'ok'`, 'blue'))

  const asked = await workspace.migrate('revision', 'rename a mood')
  expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--rename mood.sad=mood.blue') })
  const made = await workspace.migrate('revision', 'rename a mood', '--rename', 'mood.sad=mood.blue')

  expect(made).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await query(url, 'select mood from people')).toEqual([{ mood: 'blue' }])
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await query(url, 'select mood from people')).toEqual([{ mood: 'sad' }])
})

test('an index on a table that exists is made without blocking writers, when that is asked for', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  await workspace.write(
    'databases/shop/schema.ts',
    `${head}
export const people = pgTable('people', { id: integer().primaryKey(), name: text().notNull(), nick: text() }, (table) => [
  index('people_by_name').on(table.name),
])
`,
  )

  const made = await workspace.migrate('revision', 'find people', '--concurrently', '--json')

  expect(made.json()).toMatchObject({
    databases: [
      {
        revisions: [
          { message: 'find people', transaction: 'per-revision', proof: 'proved' },
          { message: 'find people: indexes', transaction: 'none', proof: 'proved' },
        ],
      },
    ],
  })
  const [, , folder] = await foldersOf(workspace)
  expect(await readFile(join(folder!, 'migration.sql'), 'utf8')).toContain('CREATE INDEX CONCURRENTLY "people_by_name"')
  expect(await readFile(join(folder!, 'down.sql'), 'utf8')).toContain('DROP INDEX CONCURRENTLY "people_by_name"')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect((await catalogOf(url)).join('\n')).toContain('people_by_name')
  expect(await workspace.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
})

test('declared functions and triggers become part of a revision, with their way back', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('upgrade')
  const before = await catalogOf(url)
  await workspace.write('databases/shop/objects/touch.sql', touch(`new.name := trim(new.name);`))
  await workspace.write(
    'databases/shop/objects/people-touch.sql',
    'create trigger touch before insert on people for each row execute function touch();\n',
  )
  await workspace.write('databases/shop/schema.ts', people.replace('name:', 'nick: text(), name:'))

  expect(await workspace.migrate('revision', 'trim names')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('proved'),
  })
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  await query(url, `insert into people (id, name) values (1, ' Ada ')`)
  expect(await query(url, 'select name from people')).toEqual([{ name: 'Ada' }])

  const trimmed = await catalogOf(url)
  await workspace.write('databases/shop/objects/touch.sql', touch(`new.name := upper(new.name);`))
  expect(await workspace.migrate('check', '--offline')).toMatchObject({ exitCode: 4 })
  expect(await workspace.migrate('revision', 'shout names')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  await query(url, `insert into people (id, name) values (2, 'Alan')`)
  expect(await query(url, 'select name from people where id = 2')).toEqual([{ name: 'ALAN' }])
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await catalogOf(url)).toEqual(trimmed)
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await catalogOf(url)).toEqual(before)
})

test('an object that is not one statement is refused, and its file and line are named', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.write('databases/shop/objects/broken.sql', '-- a function\ncreate functio x();\n')

  const refused = await workspace.migrate('revision', 'add people')

  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(refused.stderr).toContain('databases/shop/objects/broken.sql:2')
  expect(await foldersOf(workspace)).toEqual([])
})

test.each([
  ['two tables of one name', `${people}export const again = pgTable('people', { id: integer() })\n`, 'people'],
  ['an import that leads nowhere', `import './nothing.ts'\n${people}`, 'nothing.ts'],
  ['a name that PostgreSQL would cut', people.replaceAll("'people'", `'${'p'.repeat(64)}'`), '64 bytes'],
  [
    'a role',
    `${people}import { pgRole } from 'drizzle-orm/pg-core'\nexport const app = pgRole('app')\n`,
    "pgRole('app').existing()",
  ],
])('a schema with %s is refused: its file is named and nothing is written', async (_, schema, named) => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema })

  const refused = await workspace.migrate('revision', 'add people')

  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(refused.stderr).toContain('databases/shop/schema.ts')
  expect(refused.stderr).toContain(named)
  expect(await foldersOf(workspace)).toEqual([])
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s while it is tried ends it, with nothing written and no shadow left',
  async (signal) => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('shop', { schema: people })
    await using owner = await createShadowOwner()
    workspace.env['DROVER_SHADOW_URL'] = owner.url
    const running = workspace.start(['revision', 'add people'])
    await running.waitFor('proving')

    running.kill(signal)

    expect(await running.ended).toMatchObject({ exitCode: signal === 'SIGINT' ? 130 : 143, stdout: '' })
    expect(await foldersOf(workspace)).toEqual([])
    expect(await owner.databases()).toEqual([])
  },
)

test('check finds a schema that no revision makes', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.addDatabase('stock', { schema: people })
  await workspace.migrate('revision', 'add people', '-d', 'stock')

  const found = await workspace.migrate('check', '--offline', '--json')

  expect(found).toMatchObject({ exitCode: 4 })
  expect(found.json().problems).toMatchObject([{ code: 'SCHEMA_CHANGED', database: 'shop' }])
})

test('branches that change different things are merged with what both have made, and the next revision holds only what is missing', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  const first = (await idsOf(workspace))[0]!
  const withNick = people.replace('name:', 'nick: text(), name:')
  const withPets = `${people}export const pets = pgTable('pets', { id: integer().primaryKey() })\n`
  await workspace.write('databases/shop/schema.ts', withNick)
  await workspace.migrate('revision', 'add nicks')
  await workspace.write('databases/shop/schema.ts', withPets)
  expect(await workspace.migrate('revision', 'add pets', '--head', first, '--splice')).toMatchObject({ exitCode: 0 })

  expect(await workspace.migrate('merge')).toMatchObject({ exitCode: 0 })

  const both = `${withNick}export const pets = pgTable('pets', { id: integer().primaryKey() })\n`
  await workspace.write('databases/shop/schema.ts', both)
  expect(await workspace.migrate('revision', 'nothing')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing has changed'),
  })
  await workspace.write('databases/shop/schema.ts', both.replace("'pets', {", "'pets', { age: integer(),"))
  expect(await workspace.migrate('revision', 'age pets')).toMatchObject({ exitCode: 0 })
  const last = (await foldersOf(workspace)).at(-1)!
  expect(await readFile(join(last, 'migration.sql'), 'utf8')).toBe('ALTER TABLE "pets" ADD COLUMN "age" integer;\n')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0 })
})

test('branches that change the same thing are not merged', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  const first = (await idsOf(workspace))[0]!
  await workspace.write('databases/shop/schema.ts', people.replace('text().notNull()', "text().notNull().default('a')"))
  await workspace.migrate('revision', 'one default')
  await workspace.write('databases/shop/schema.ts', people.replace('text().notNull()', "text().notNull().default('b')"))
  await workspace.migrate('revision', 'another default', '--head', first, '--splice')

  const refused = await workspace.migrate('merge')

  expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
  expect(refused.stderr).toContain('people')
  expect(await foldersOf(workspace)).toHaveLength(3)
})

/** A user who may create databases, and whose databases are those of one test. */
async function createShadowOwner(): Promise<
  AsyncDisposable & { readonly url: string; databases(): Promise<readonly unknown[]> }
> {
  const name = `shadows_${crypto.randomUUID().slice(0, 8)}`
  const server = inject('serverUrl')
  await query(server, `create role ${name} login createdb password 'secret'`)
  const url = new URL(server)
  url.username = name
  url.password = 'secret'
  return {
    url: url.href,
    databases: () => query(server, `select datname from pg_database where datdba = '${name}'::regrole`),
    [Symbol.asyncDispose]: async () => void (await query(server, `drop role ${name}`)),
  }
}

function bornAs(type: string): string {
  return `${head}
export const people = pgTable('people', { id: integer().primaryKey(), born: ${type} })
`
}

function moods(values: string, value: string): string {
  return `${head}
export const mood = pgEnum('mood', [${values}])
export const people = pgTable('people', { id: integer().primaryKey(), mood: mood().notNull().default('${value}') })
`
}

function touch(body: string): string {
  return `create function touch() returns trigger language plpgsql as $$\nbegin\n  ${body}\n  return new;\nend\n$$;\n`
}

async function foldersOf(workspace: TestWorkspace): Promise<readonly string[]> {
  const migrations = join(workspace.root, 'databases', 'shop', 'migrations')
  return (await readdir(migrations)).toSorted().map((name) => join(migrations, name))
}

async function idsOf(workspace: TestWorkspace): Promise<readonly string[]> {
  const folders = await foldersOf(workspace)
  return Promise.all(
    folders.map(async (folder) => JSON.parse(await readFile(join(folder, 'revision.json'), 'utf8')).id as string),
  )
}
