import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { journalEntries, migrateAsDrizzle045, writeJournalFolder } from './harness/drizzle-journal.ts'
import { expectFailure } from './harness/pair.ts'
import { catalogOf, hasStore, query, queryColumn, readApplied } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

interface Legacy extends TestWorkspace {
  readonly url: string
  /** The names of the folders that drizzle-kit has made, in order. */
  readonly names: readonly string[]
}

const migrations = 'databases/main/migrations'
const columns = [`name: text()`, `name: text(), email: text()`, `name: text(), email: text().unique()`]

let made: Promise<string>

beforeAll(() => {
  made = makeFolder()
})

afterAll(async () => rm(await made, { recursive: true }))

/** A workspace with an empty database package `main`, and a folder `legacy` of three migrations that drizzle-kit 1.0 made. */
async function createLegacy(): Promise<Legacy> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await cp(await made, join(workspace.root, 'legacy'), { recursive: true })
  return { ...workspace, url, names: (await readdir(await made)).toSorted() }
}

async function makeFolder(): Promise<string> {
  await using workspace = await createWorkspace()
  for (const [index, text] of columns.entries()) {
    await workspace.write(
      'schema.ts',
      `import { pgTable, text } from 'drizzle-orm/pg-core'\nexport const users = pgTable('users', { ${text} })\n`,
    )
    await generate(workspace, `step-${index}`)
    await placeInTime(workspace, index)
  }
  const folder = await mkdtemp(join(tmpdir(), 'drover-e2e-'))
  await cp(join(workspace.root, 'legacy'), folder, { recursive: true })
  return folder
}

async function generate({ root }: TestWorkspace, name: string): Promise<void> {
  const program = join(repository, 'databases', 'main', 'node_modules', '.bin', 'drizzle-kit')
  const words = ['generate', '--dialect', 'postgresql', '--schema', 'schema.ts', '--out', 'legacy', '--name', name]
  await promisify(execFile)(program, words, { cwd: root })
}

/** Three migrations of one second would have to be told apart by their names; people take longer. */
async function placeInTime({ root }: TestWorkspace, index: number): Promise<void> {
  const folder = join(root, 'legacy')
  const newest = (await readdir(folder)).find((name) => name.endsWith(`step-${index}`))!
  await rename(join(folder, newest), join(folder, `2026110${index + 1}120000_step-${index}`))
}

/** Runs the migrator of drizzle-orm 1.0. */
async function migrateWithDrizzle(url: string, folder: string): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await migrate(drizzle({ client }), { migrationsFolder: folder })
  } finally {
    await client.end({ timeout: 5 })
  }
}

/** The folder as it was before its last migrations were made. */
async function migrateUpTo(legacy: Legacy, count: number): Promise<void> {
  const part = join(legacy.root, 'part')
  for (const name of legacy.names.slice(0, count)) {
    await cp(join(legacy.root, 'legacy', name), join(part, name), { recursive: true })
  }
  await migrateWithDrizzle(legacy.url, part)
}

test('a folder of drizzle-kit 1.0 keeps its names, its SQL and its snapshots, and drizzle-orm goes on from them', async () => {
  await using legacy = await createLegacy()

  const ended = await legacy.migrate('adopt', 'legacy', '-d', 'main')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toContain('main: took over 3 revisions of drizzle-kit 1.0 from legacy\n')
  expect((await readdir(join(legacy.root, migrations))).toSorted()).toEqual(legacy.names)
  for (const file of ['migration.sql', 'snapshot.json']) {
    const [before, after] = await Promise.all(
      ['legacy', migrations].map((folder) => readFile(join(legacy.root, folder, legacy.names[1]!, file), 'utf8')),
    )
    expect(after).toBe(before)
  }
  expect((await legacy.migrate('history', '--json')).json().databases[0].revisions).toMatchObject([
    { message: 'step 0', created: '2026-11-01T12:00:00Z', isBase: true },
    { message: 'step 1', created: '2026-11-02T12:00:00Z' },
    { message: 'step 2', created: '2026-11-03T12:00:00Z', isHead: true },
  ])

  const other = await legacy.addDatabase('other')
  await migrateWithDrizzle(other, join(legacy.root, migrations))
  expect(await legacy.migrate('upgrade', '-d', 'main')).toMatchObject({ exitCode: 0 })
  await query(other, 'drop schema drizzle cascade')
  expect(await catalogOf(other)).toEqual(await catalogOf(legacy.url))
})

describe('a database that drizzle-orm 1.0 has migrated', () => {
  test('is recognised by the names of the folders, and continued', async () => {
    await using legacy = await createLegacy()
    await migrateUpTo(legacy, 2)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('main  2 revisions recorded') })
    expect(ended.stderr).toContain('main: as these revisions build it')
    expect(await legacy.migrate('upgrade')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('1 revision applied'),
    })
    expect(await readApplied(legacy.url)).toHaveLength(3)
  })

  test('an edited file, a missing file and a gap are named', async () => {
    await using legacy = await createLegacy()
    await migrateUpTo(legacy, 3)
    await query(legacy.url, 'delete from drizzle.__drizzle_migrations where id = 2')
    await legacy.write(`legacy/${legacy.names[0]}/migration.sql`, 'create table users (name text, age integer);\n')
    await query(
      legacy.url,
      `insert into drizzle.__drizzle_migrations (hash, created_at, name) values ('abc', 1, '19700101000000_old')`,
    )
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expectFailure(
      ended,
      3,
      `${legacy.names[0]}/migration.sql was edited since drizzle-orm ran it`,
      'row 4 of drizzle.__drizzle_migrations (19700101000000_old, hash abc…',
      `warning: main: ${migrations}/${legacy.names[1]} is not applied: it has no row, while later ones have theirs`,
    )
    expect(await hasStore(legacy.url)).toBe(false)
  })
})

test('a database of drizzle-orm 0.45 that its successor has taken over is recognised from the old folder', async () => {
  await using legacy = await createLegacy()
  await writeJournalFolder(legacy, 'older', journalEntries)
  await migrateAsDrizzle045(legacy.url, journalEntries)
  // As drizzle-orm 1.0 does before its first migration.
  await query(
    legacy.url,
    `alter table drizzle.__drizzle_migrations add column name text, add column applied_at timestamptz default now();
update drizzle.__drizzle_migrations set name = '20261120135206_cold_nekra', applied_at = null where id = 1`,
  )
  await legacy.migrate('adopt', 'older', '-d', 'main')

  expect(await legacy.migrate('adopt', '-d', 'main')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('3 revisions recorded'),
  })
  expect(await queryColumn(legacy.url, 'select count(*)::int from users')).toEqual([2])
})

test('drizzle-orm 1.0 recognises a database of its predecessor by a folder that was taken over, and runs nothing again', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  const [first, second, third] = journalEntries
  const early = { ...second, when: first.when - 60_000 }
  await writeJournalFolder(workspace, 'older', [first, early, third])
  await migrateAsDrizzle045(url, [first, early, third])

  expect(await workspace.migrate('adopt', 'older', '-d', 'main')).toMatchObject({ exitCode: 0 })
  await migrateWithDrizzle(url, join(workspace.root, migrations))

  expect(await queryColumn(url, 'select name from drizzle.__drizzle_migrations order by id')).toEqual([
    '20261120135206_0000_cold_nekra',
    '20261120135206_0001_wide_posts',
    '20261120135207_0002_seed',
  ])
  expect(await queryColumn(url, 'select count(*)::int from users')).toEqual([2])
})
