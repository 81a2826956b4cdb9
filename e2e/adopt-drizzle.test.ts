import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import {
  type JournalEntry,
  journalEntries,
  journalIds,
  migrateAsDrizzle045,
  writeJournalFolder,
} from './harness/drizzle-journal.ts'
import { expectFailure } from './harness/pair.ts'
import { catalogOf, hasStore, query, queryColumn, readApplied } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

interface Legacy extends TestWorkspace {
  readonly url: string
}

const migrations = 'databases/main/migrations'
const [users, posts, seed] = journalEntries
const [usersId, postsId, seedId] = journalIds

/** A workspace with an empty database package `main`, and a folder `legacy` of drizzle-kit 0.31. */
async function createLegacy(entries: readonly JournalEntry[] = journalEntries): Promise<Legacy> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await writeJournalFolder(workspace, 'legacy', entries)
  return { ...workspace, url }
}

async function readMigration(legacy: Legacy, folder: string, file: string): Promise<string> {
  return readFile(join(legacy.root, migrations, folder, file), 'utf8')
}

async function expectRefused(legacy: Legacy, words: readonly string[], ...texts: readonly string[]): Promise<void> {
  expectFailure(await legacy.migrate('adopt', ...words), 3, ...texts)
  expect(await readdir(join(legacy.root, migrations))).toEqual([])
}

describe('a folder of drizzle-kit 0.31', () => {
  test('becomes a history: order, ids, times and the SQL to the byte', async () => {
    await using legacy = await createLegacy()

    const ended = await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expect(ended).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: `main: took over 3 revisions of drizzle-kit 0.31 from legacy
  ${usersId}  20261120135206_0000_cold_nekra
  ${postsId}  20261120135207_0001_wide_posts
  ${seedId}  20261120135207_0002_seed
  next: say what each database has had of them: pnpm migrate adopt -d main
`,
    })
    expect((await legacy.migrate('history', '--json')).json().databases[0].revisions).toMatchObject([
      { id: usersId, parents: [], message: 'cold nekra', created: '2026-11-20T13:52:06.889Z' },
      { id: postsId, parents: [usersId], message: 'wide posts' },
      { id: seedId, parents: [postsId], message: 'seed', reversible: false, created: '2026-11-20T13:52:07.878Z' },
    ])
    expect(await readMigration(legacy, '20261120135207_0001_wide_posts', 'migration.sql')).toBe(posts.sql)
    expect(JSON.parse(await readMigration(legacy, '20261120135207_0001_wide_posts', 'snapshot.json'))).toMatchObject({
      type: 'diff',
      version: '9',
      id: posts.id,
      prevIds: [users.id],
    })
    // Its own folder stays as it was.
    expect((await readdir(join(legacy.root, 'legacy'))).toSorted()).toEqual([
      '0000_cold_nekra.sql',
      '0001_wide_posts.sql',
      '0002_seed.sql',
      'meta',
    ])
  })

  test('builds the same database from nothing as drizzle-orm does', async () => {
    await using legacy = await createLegacy()
    const other = await legacy.addDatabase('other')
    await migrateAsDrizzle045(other, journalEntries)
    await query(other, 'drop schema drizzle cascade')
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expect(await legacy.migrate('upgrade', '-d', 'main')).toMatchObject({ exitCode: 0 })

    expect(await catalogOf(legacy.url)).toEqual(await catalogOf(other))
    expect(await queryColumn(legacy.url, 'select name from users order by id')).toEqual(['Ada -- the first', 'Grace'])
  })

  test('is shown and not written with --dry-run, and told to programs with --json', async () => {
    await using legacy = await createLegacy()

    const ended = await legacy.migrate('adopt', 'legacy', '-d', 'main', '--dry-run', '--json')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.json()).toMatchObject({
      command: 'adopt',
      databases: [
        {
          name: 'main',
          tool: 'drizzle-kit 0.31',
          revisions: [
            { id: usersId, name: '0000_cold_nekra', folder: `${migrations}/20261120135206_0000_cold_nekra` },
            { id: postsId },
            { id: seedId },
          ],
        },
      ],
    })
    expect(await readdir(join(legacy.root, migrations))).toEqual([])
  })

  describe('is refused as a whole, every irregularity named', () => {
    test('when files and journal do not agree', async () => {
      await using legacy = await createLegacy()
      await legacy.write('legacy/0003_lost.sql', 'select 1;\n')
      await rm(join(legacy.root, 'legacy/0001_wide_posts.sql'))

      await expectRefused(legacy, ['legacy', '-d', 'main'], 'legacy/0003_lost.sql has no entry in meta/_journal.json')
      await rm(join(legacy.root, 'legacy/0003_lost.sql'))
      await expectRefused(legacy, ['legacy', '-d', 'main'], 'legacy/0001_wide_posts.sql is missing')
    })

    test('when two entries have the same place', async () => {
      await using legacy = await createLegacy([users, posts, { ...seed, idx: 1 }])

      await expectRefused(legacy, ['legacy', '-d', 'main'], '0001_wide_posts and 0002_seed have the same idx 1')
    })

    test('when the last snapshot is missing: nobody knows what comes next', async () => {
      await using legacy = await createLegacy()
      await rm(join(legacy.root, 'legacy/meta/0002_snapshot.json'))

      await expectRefused(legacy, ['legacy', '-d', 'main'], 'legacy/meta/0002_snapshot.json is missing')
    })

    test('when only a breakpoint ends a statement', async () => {
      const sql = 'create table a (id integer)\n--> statement-breakpoint\ncreate table b (id integer);\n'
      await using legacy = await createLegacy([{ ...users, sql }, posts, seed])

      await expectRefused(
        legacy,
        ['legacy', '-d', 'main'],
        'legacy/0000_cold_nekra.sql:1: the statement ends without ";"',
      )
    })

    test('when it is for another kind of database, or a file is damaged', async () => {
      await using legacy = await createLegacy()
      await legacy.write('legacy/meta/0001_snapshot.json', '{')
      await expectRefused(legacy, ['legacy', '-d', 'main'], 'legacy/meta/0001_snapshot.json is not a snapshot')
      await legacy.write('legacy/meta/_journal.json', '{ "dialect": "sqlite", "entries": [] }')
      await expectRefused(legacy, ['legacy', '-d', 'main'], 'is of a history for sqlite')
      await legacy.write('legacy/meta/_journal.json', '[')
      await expectRefused(legacy, ['legacy', '-d', 'main'], 'is not a journal of drizzle-kit')
    })
  })

  test('without a snapshot in the middle it is taken over, and what that means is said', async () => {
    await using legacy = await createLegacy()
    await rm(join(legacy.root, 'legacy/meta/0001_snapshot.json'))

    const ended = await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain(
      'warning: main: legacy/meta/0001_snapshot.json is missing: 0001_wide_posts is taken over',
    )
    // The snapshot after it says what it was called.
    expect(ended.stdout).toContain(`  ${postsId}  20261120135207_0001_wide_posts`)
    expect(JSON.parse(await readMigration(legacy, '20261120135207_0002_seed', 'snapshot.json'))).toMatchObject({
      prevIds: [users.id],
    })
    expect(await readdir(join(legacy.root, migrations, '20261120135207_0001_wide_posts'))).toEqual([
      'migration.sql',
      'revision.json',
    ])
  })

  test('with entries that go back in time, or were made side by side, it is taken over with a warning', async () => {
    const early = { ...posts, when: users.when - 60_000 }
    await using legacy = await createLegacy([users, early, { ...seed, prevId: users.id }])

    const ended = await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain('0001_wide_posts is dated before 0000_cold_nekra, which it comes after')
    expect(ended.stderr).toContain('legacy/meta/0002_snapshot.json does not come after the snapshot before it')
    expect((await readdir(join(legacy.root, migrations))).toSorted()).toEqual([
      '20261120135206_0000_cold_nekra',
      '20261120135206_0001_wide_posts',
      '20261120135207_0002_seed',
    ])
  })

  test('is not taken over into a history that has revisions, nor into itself', async () => {
    await using legacy = await createLegacy()
    await writeJournalFolder(legacy, migrations, journalEntries)
    expectFailure(await legacy.migrate('adopt', migrations, '-d', 'main'), 3, 'would be taken over', 'git mv')

    await rm(join(legacy.root, migrations), { recursive: true })
    await mkdir(join(legacy.root, migrations))
    await legacy.migrate('adopt', 'legacy', '-d', 'main')
    expectFailure(await legacy.migrate('adopt', 'legacy', '-d', 'main'), 3, 'main: there are 3 revisions already')
    expectFailure(await legacy.migrate('adopt', 'nowhere', '-d', 'main'), 3)
  })

  test('a folder that no tool has made is refused', async () => {
    await using legacy = await createLegacy()
    await legacy.write('notes/readme.md', 'nothing\n')

    await expectRefused(
      legacy,
      ['notes', '-d', 'main'],
      'notes is no migrations folder of drizzle-kit and none of Alembic',
    )
    await expectRefused(legacy, ['nowhere', '-d', 'main'], 'nowhere does not exist')
    await expectRefused(legacy, ['notes/readme.md', '-d', 'main'], 'notes/readme.md is no folder')
    expectFailure(await legacy.migrate('adopt', 'legacy', '--accept-edited'), 2, 'a folder was named')
  })
})

describe('a database that drizzle-orm has migrated', () => {
  test('is recognised and continued: nothing is run again', async () => {
    await using legacy = await createLegacy()
    await migrateAsDrizzle045(legacy.url, [users, posts])
    await legacy.migrate('adopt', 'legacy', '-d', 'main')
    const before = await query(legacy.url, 'select * from drizzle.__drizzle_migrations')

    const planned = await legacy.migrate('adopt', '-d', 'main', '--dry-run')
    expect(planned).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('main: would record 2 revisions') })
    expect(await hasStore(legacy.url)).toBe(false)
    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({
      exitCode: 0,
      stdout: `main  2 revisions recorded, now at ${postsId}
  drizzle.__drizzle_migrations is left as it is; when drizzle-orm is no longer used here: drop table drizzle.__drizzle_migrations;
  until then, so that drift does not report it: foreign: ['schema drizzle'] in databases/main/database.ts
`,
      // What is merely newer than the database is nothing to speak of, even when it was made in the same second.
      stderr: expect.stringMatching(/^main: as these revisions build it \(\d+ objects compared\)$/m),
    })
    expect(await readApplied(legacy.url)).toEqual([usersId, postsId])
    expect(await query(legacy.url, 'select * from drizzle.__drizzle_migrations')).toEqual(before)
    expect(await legacy.migrate('adopt', '-d', 'main')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing to change'),
    })
    expect(await legacy.migrate('upgrade')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('1 revision applied'),
    })
    expect(await readApplied(legacy.url)).toEqual([usersId, postsId, seedId])
    expect(await queryColumn(legacy.url, 'select name from users order by id')).toEqual(['Ada -- the first', 'Grace'])
    expect(await legacy.migrate('check')).toMatchObject({ exitCode: 0 })
  })

  test('what drizzle-orm skipped in silence is named, stays pending, and can be run', async () => {
    const late = { ...posts, when: users.when - 60_000 }
    await using legacy = await createLegacy([users, late, seed])
    // The entry came with a merge, when the database had had the first one.
    await migrateAsDrizzle045(legacy.url, [users])
    await migrateAsDrizzle045(legacy.url, [users, late, seed])
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain('_0001_wide_posts is not applied: drizzle-orm has skipped it in silence')
    expect(await readApplied(legacy.url)).toEqual([usersId, seedId])
    expectFailure(await legacy.migrate('upgrade'), 3)
    expect(await legacy.migrate('upgrade', '-d', 'main', '--allow-out-of-order')).toMatchObject({ exitCode: 0 })
    expect(await queryColumn(legacy.url, 'select count(*)::int from posts')).toEqual([0])
    expect(await queryColumn(legacy.url, 'select count(*)::int from users')).toEqual([2])
  })

  test('what it skipped at the end of the history is named too', async () => {
    const late = { ...seed, when: users.when }
    await using legacy = await createLegacy([users, posts, late])
    await migrateAsDrizzle045(legacy.url, [users, posts])
    await migrateAsDrizzle045(legacy.url, [users, posts, late])
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('2 revisions recorded') })
    expect(ended.stderr).toContain('_0002_seed is not applied: drizzle-orm has skipped it in silence')
    expect(await legacy.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  })

  test('a file that was edited since is named, and nothing is recorded until that is accepted', async () => {
    await using legacy = await createLegacy()
    await migrateAsDrizzle045(legacy.url, journalEntries)
    await appendFile(join(legacy.root, 'legacy/0000_cold_nekra.sql'), 'CREATE INDEX ON "users" ("name");\n')
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expectFailure(
      await legacy.migrate('adopt', '-d', 'main'),
      3,
      'main: databases/main/migrations/20261120135206_0000_cold_nekra/migration.sql was edited since drizzle-orm ran it',
      'row 1 of drizzle.__drizzle_migrations',
      '--accept-edited',
    )
    expect(await hasStore(legacy.url)).toBe(false)

    const ended = await legacy.migrate('adopt', '-d', 'main', '--accept-edited')
    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('3 revisions recorded') })
    // What the edit would have done is not there, and that is said.
    expect(ended.stderr).toContain('main: it is not as these revisions build it: 1 difference')
    expect(ended.stderr).toContain('users_name_idx')
  })

  test('a row that no file knows is named, and nothing is recorded', async () => {
    await using legacy = await createLegacy([users, posts])
    await migrateAsDrizzle045(legacy.url, journalEntries)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main', '--json')

    expectFailure(ended, 3, 'row 3 of drizzle.__drizzle_migrations', 'belongs to no revision')
    expect(ended.json()).toMatchObject({ error: { code: 'ADOPTION_REFUSED', database: 'main' } })
    expect(await hasStore(legacy.url)).toBe(false)
  })

  test('a migration that two runs have run at once is named', async () => {
    await using legacy = await createLegacy()
    await migrateAsDrizzle045(legacy.url, journalEntries)
    await query(
      legacy.url,
      'insert into drizzle.__drizzle_migrations (hash, created_at) select hash, created_at from drizzle.__drizzle_migrations where id = 3',
    )
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain('_0002_seed has 2 rows in drizzle.__drizzle_migrations')
  })

  test('a change that was made by hand is told, and undoes nothing', async () => {
    await using legacy = await createLegacy()
    await migrateAsDrizzle045(legacy.url, journalEntries)
    await query(legacy.url, 'alter table users add column nickname text')
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('3 revisions recorded') })
    expect(ended.stderr).toContain('it is not as these revisions build it: 1 difference')
    expect(ended.stderr).toContain('nickname')
  })

  test('is refused without revisions, without a table, and with two tables until one is named', async () => {
    await using legacy = await createLegacy()
    expectFailure(await legacy.migrate('adopt', '-d', 'main'), 3, 'main: it has no table of drizzle-orm')
    await migrateAsDrizzle045(legacy.url, journalEntries)
    expectFailure(await legacy.migrate('adopt', '-d', 'main'), 3, 'has no revisions to compare it with')
    await legacy.migrate('adopt', 'legacy', '-d', 'main')
    await query(legacy.url, 'create table alembic_version (version_num varchar(32) primary key)')

    expectFailure(await legacy.migrate('adopt', '-d', 'main'), 3, 'there are several tables of other tools')
    expectFailure(await legacy.migrate('adopt', '-d', 'main', '--table', 'other'), 3, 'there is no table other')
    expect(await legacy.migrate('adopt', '-d', 'main', '--table', 'drizzle.__drizzle_migrations')).toMatchObject({
      exitCode: 0,
    })
  })

  test('a protected database wants --yes', async () => {
    await using legacy = await createLegacy()
    await migrateAsDrizzle045(legacy.url, journalEntries)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')
    await legacy.write('databases/main/database.ts', `export default { name: 'main', protected: true }\n`)

    expectFailure(await legacy.migrate('adopt', '-d', 'main'), 3, 'confirm the adoption with --yes')
    expect(await hasStore(legacy.url)).toBe(false)
    expect(await legacy.migrate('adopt', '-d', 'main', '--yes')).toMatchObject({ exitCode: 0 })
  })
})
