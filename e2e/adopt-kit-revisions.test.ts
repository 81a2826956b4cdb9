import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { catalogOf } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const head = `import { integer, pgTable, text } from 'drizzle-orm/pg-core'\n`
const people = `${head}export const people = pgTable('people', { id: integer().primaryKey(), name: text().notNull() })\n`

test('a folder that drizzle-kit has written becomes a whole revision: with its record, and a way back that has been proved', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.write('databases/shop/schema.ts', people.replace('name:', 'nick: text(), name:'))
  await workspace.migrate('revision', 'add nicks')
  const folder = await asDrizzleKitLeavesIt(workspace)
  const migration = await readFile(join(folder, 'migration.sql'), 'utf8')

  const adopted = await workspace.migrate('revision', '--adopt', '--json')

  expect(adopted).toMatchObject({ exitCode: 0 })
  expect(adopted.json()).toMatchObject({
    databases: [{ name: 'shop', revisions: [{ message: 'add nicks', proof: 'proved' }] }],
  })
  expect(await readFile(join(folder, 'migration.sql'), 'utf8')).toBe(migration)
  expect(await readFile(join(folder, 'down.sql'), 'utf8')).toBe('ALTER TABLE "people" DROP COLUMN "nick";\n')
  const empty = await catalogOf(url)
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await catalogOf(url)).toEqual(empty)
  expect(await workspace.migrate('revision', '--adopt')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('nothing to adopt'),
  })
})

test('a way up that does not lead to its snapshot is not taken for right', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  const folder = await asDrizzleKitLeavesIt(workspace)
  await workspace.write(
    join(folder.slice(workspace.root.length + 1), 'migration.sql'),
    'CREATE TABLE "people" ("id" integer PRIMARY KEY, "nam" text NOT NULL);\n',
  )

  const adopted = await workspace.migrate('revision', '--adopt')

  expect(adopted).toMatchObject({ exitCode: 4 })
  expect(adopted.stderr).toContain('could not be proved')
  expect(adopted.stderr).toContain('nam')
  expect(await readFile(join(folder, 'down.sql'), 'utf8')).toMatch(/^-- drover:unfilled/)
})

test('nobody guesses the way back of a migration that changes rows', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: people })
  await workspace.migrate('revision', 'add people')
  await workspace.migrate('revision', 'name people', '--empty')
  const folder = await asDrizzleKitLeavesIt(workspace)
  await workspace.write(
    join(folder.slice(workspace.root.length + 1), 'migration.sql'),
    `UPDATE "people" SET "name" = 'Ada';\n`,
  )

  const adopted = await workspace.migrate('revision', '--adopt')

  expect(adopted).toMatchObject({ exitCode: 4 })
  expect(await readFile(join(folder, 'down.sql'), 'utf8')).toContain('only its author knows')
})

/** The last revision's folder, without what drizzle-kit does not write. */
async function asDrizzleKitLeavesIt(workspace: TestWorkspace): Promise<string> {
  const migrations = join(workspace.root, 'databases', 'shop', 'migrations')
  const last = join(migrations, (await readdir(migrations)).toSorted().at(-1)!)
  await rm(join(last, 'revision.json'))
  await rm(join(last, 'down.sql'))
  return last
}
