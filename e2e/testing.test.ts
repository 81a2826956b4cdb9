import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

import { schemaMatchesHistory, withRollback } from '@drover/testing'
import { createThrowawayDatabase, findEmbedded, stopEmbedded } from '@drover/server'
import { sql as raw } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeEach, describe, expect, inject, test } from 'vitest'

import { query, queryColumn } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

let workspace: TestWorkspace
let shop: string
beforeEach(async () => {
  workspace = await createWorkspace()
  // Open to the user who runs the server for root, so that the data stays below the workspace.
  await chmod(dirname(workspace.root), 0o755)
  // Templates are on a server that other tests use as well.
  shop = `shop${crypto.randomUUID().slice(0, 6)}`
  await workspace.addDatabase(shop)
  await workspace.addRevision(shop, { id: 'aaaaaaaaaaa1', up: 'create table item (id int primary key);\n' })
  await install(['vitest', 'postgres'])
  await workspace.write('package.json', '{ "type": "module" }\n')
  return async () => {
    for (const name of await namesOf(shop)) await query(inject('serverUrl'), `drop database "${name}" with (force)`)
    await stopEmbedded(join(workspace.root, '.drover', 'test-server'))
    await workspace[Symbol.asyncDispose]()
  }
})

describe('with vitest', () => {
  beforeEach(async () => {
    await workspace.write(
      'vitest.config.ts',
      `import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { globalSetup: ['@drover/testing/vitest-setup'], pool: 'forks', maxWorkers: 2, testTimeout: 60_000 },
})
`,
    )
    for (const file of ['one', 'two']) {
      await workspace.write(
        `tests/${file}.test.ts`,
        `import { appendFileSync } from 'node:fs'
import { withRollback } from '@drover/testing'
import { databaseTest } from '@drover/testing/vitest'
import postgres from 'postgres'
import { afterAll, describe, expect } from 'vitest'

const test = databaseTest('${shop}')
const shared = databaseTest('${shop}', { scope: 'file' })

async function rows(url) {
  const sql = postgres(url, { max: 1 })
  const ids = await sql\`insert into item select count(*) from item returning id\`
  await sql.end()
  appendFileSync('seen', new URL(url).port + ' ' + new URL(url).pathname + '\\n')
  return ids
}

test('one has a database', async ({ database }) => expect(await rows(database.url)).toEqual([{ id: 0 }]))
test('another has another', async ({ database }) => expect(await rows(database.url)).toEqual([{ id: 0 }]))
test('none is made for those that ask for none', () => {})
describe('of a file', () => {
  shared('first', async ({ database }) => expect(await rows(database.url)).toEqual([{ id: 0 }]))
  shared('second', async ({ database }) => expect(await rows(database.url)).toEqual([{ id: 1 }]))
  shared('rolled back', async ({ database }) => {
    const all = (sql) => sql\`delete from item\`
    expect((await withRollback(database, all)).count).toBe(2)
    expect((await withRollback(database, all)).count).toBe(2)
  })
})
`,
      )
    }
  })

  test('each test, or each file, has a migrated database, and none is left', async () => {
    const ended = await vitest({ DROVER_TEST_SERVER: inject('serverUrl') })

    expect(ended.output).toMatch(/Tests +12 passed/)
    expect(ended.exitCode).toBe(0)
    const seen = await seenPlaces()
    expect(seen).toHaveLength(8)
    expect(new Set(seen).size).toBe(6)
    expect(await namesOf(shop)).toEqual([expect.stringMatching(/^drover_template_/)])
  })

  test('all workers share one server, which stops behind the last test', async () => {
    const ended = await vitest({ DROVER_TEST_SERVER: 'embedded' })

    expect(ended).toMatchObject({ exitCode: 0, output: expect.stringMatching(/Tests +12 passed/) })
    const ports = new Set((await seenPlaces()).map((place) => place.split(' ')[0]))
    expect(ports.size).toBe(1)
    await expect(query(`postgres://postgres@127.0.0.1:${[...ports][0]}/postgres`, 'select 1')).rejects.toThrow(
      'ECONNREFUSED',
    )
    expect(await findEmbedded(join(workspace.root, '.drover', 'test-server'))).toBeUndefined()
  })

  test('a migration that fails makes its tests fail, with all that is known of it', async () => {
    const folder = await workspace.addRevision(shop, { id: 'aaaaaaaaaaa2', up: 'alter table itme add name text;\n' })

    const ended = await vitest({ DROVER_TEST_SERVER: inject('serverUrl') })

    expect(ended.exitCode).toBe(1)
    expect(ended.output).toContain(`${shop}: ${folder}/migration.sql:1`)
    expect(ended.output).toContain('relation "itme" does not exist')
    expect(ended.output).toMatch(/Tests +10 failed \| 2 passed/)
    expect(await namesOf(shop)).toEqual([])
  })
})

describe('with node --test', () => {
  beforeEach(async () => {
    for (const file of ['one', 'two']) {
      await workspace.write(
        `tests/${file}.test.ts`,
        `import { appendFileSync } from 'node:fs'
import { test } from 'node:test'
import { deepEqual } from 'node:assert/strict'
import { migratedDatabase, withRollback } from '@drover/testing'

test('a database of its own', async () => {
  await using database = await migratedDatabase('${shop}')
  appendFileSync('seen', new URL(database.url).port + ' ' + database.name + '\\n')
  deepEqual([...(await withRollback(database, (sql) => sql\`select id from item\`))], [])
})
`,
      )
    }
  })

  test('without any set-up, all files share a server that stays with the workspace until "server stop"', async () => {
    const first = await nodeTest()
    const again = await nodeTest()

    expect(first).toMatchObject({ exitCode: 0, output: expect.stringContaining('pass 2') })
    expect(again).toMatchObject({ exitCode: 0, output: expect.stringContaining('pass 2') })
    const seen = await seenPlaces()
    expect(new Set(seen).size).toBe(4)
    const server = await findEmbedded(join(workspace.root, '.drover', 'test-server'))
    expect(new Set(seen.map((place) => place.split(' ')[0]))).toEqual(new Set([String(server?.port)]))

    const stop = await workspace.migrate('server', 'stop')

    expect(stop).toMatchObject({ exitCode: 0, stdout: 'stopped the server for tests\n' })
    expect(await findEmbedded(join(workspace.root, '.drover', 'test-server'))).toBeUndefined()
  })

  test('with the set-up, they share one that stops behind the last', async () => {
    const ended = await nodeTest('--test-global-setup=node_modules/@drover/testing/src/node-setup.ts')

    expect(ended).toMatchObject({ exitCode: 0, output: expect.stringContaining('pass 2') })
    expect(new Set((await seenPlaces()).map((place) => place.split(' ')[0])).size).toBe(1)
    expect(await findEmbedded(join(workspace.root, '.drover', 'test-server'))).toBeUndefined()
  })
})

describe('a Drizzle schema', () => {
  test('that its history does not make is an error with the statements that are missing', async () => {
    const name = `${shop}d`
    await workspace.addDatabase(name, { schema: schemaOf('id: integer()') })
    expect(await workspace.migrate('revision', 'add items', '-d', name, '--no-proof')).toMatchObject({ exitCode: 0 })
    await expect(schemaMatchesHistory(name, workspace)).resolves.toBeUndefined()

    await workspace.write(`databases/${name}/schema.ts`, schemaOf('id: integer(), name: text()'))

    await expect(schemaMatchesHistory(name, workspace)).rejects.toMatchObject({
      code: 'SCHEMA_CHANGED',
      message: expect.stringMatching(
        /schema\.ts[^]*ALTER TABLE "item" ADD COLUMN "name" text[^]*next: make the revision/,
      ),
    })
  })

  test('that is not declared cannot be compared', async () => {
    await expect(schemaMatchesHistory(shop, workspace)).rejects.toThrow('names no Drizzle schema')
  })
})

test('Drizzle runs in what is rolled back, its own transactions included', async () => {
  await using database = await createThrowawayDatabase(inject('serverUrl'))
  await query(database.url, 'create table note (id int)')

  const seen = await withRollback(database, async (sql) => {
    const db = drizzle({ client: sql })
    await db.transaction(async (outer) => {
      await outer.execute(raw`insert into note values (7)`)
      await outer.transaction((inner) => inner.execute(raw`insert into note values (8)`))
    })
    return db.execute(raw`select id from note order by id`)
  })

  expect([...seen]).toEqual([{ id: 7 }, { id: 8 }])
  expect(await query(database.url, 'select id from note')).toEqual([])
})

/** A Drizzle schema of one table. */
function schemaOf(columns: string): string {
  return `import { integer, pgTable, text } from 'drizzle-orm/pg-core'\n\nexport const item = pgTable('item', { ${columns} })\n`
}

/** Makes packages of this repository known to the workspace, as an installation would. */
async function install(packages: readonly string[]): Promise<void> {
  const modules = join(workspace.root, 'node_modules')
  await mkdir(join(modules, '@drover'), { recursive: true })
  await symlink(join(repository, 'packages', 'testing'), join(modules, '@drover', 'testing'))
  for (const name of packages) {
    await symlink(join(repository, 'packages', 'testing', 'node_modules', name), join(modules, name))
  }
}

function vitest(env: Readonly<Record<string, string>>) {
  return run([join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--no-color'], env)
}

function nodeTest(...options: readonly string[]) {
  return run(['--test', ...options, 'tests/*.test.ts'], { DROVER_TEST_SERVER: 'embedded' })
}

async function run(
  args: readonly string[],
  more: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NO_COLOR: '1', ...more }
  const child = spawn(process.execPath, args, { cwd: workspace.root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { exitCode: child.exitCode, output: `${out}${err}` }
}

/** Where the tests were: a port and a database a line. */
async function seenPlaces(): Promise<readonly string[]> {
  return (await readFile(join(workspace.root, 'seen'), 'utf8')).trim().split('\n')
}

/** What is left of a database on the server of these tests, templates included. */
async function namesOf(database: string): Promise<readonly string[]> {
  const pattern = `^drover_(test|template)_${database}`
  return queryColumn(inject('serverUrl'), `select datname from pg_database where datname ~ '${pattern}' order by 1`)
}
