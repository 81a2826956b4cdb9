import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { query, queryColumn, readApplied } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import { createWorkspace, type Ended, startMigrate, type TestWorkspace } from './harness/workspace.ts'

/** Where the packages are installed as they are published: each with nothing but what it declares. */
let installed: string

beforeAll(async () => {
  installed = await realpath(await mkdtemp(join(tmpdir(), 'drover-published-')))
  await promisify(execFile)(process.execPath, [join(repository, 'scripts', 'install-published.ts'), installed])
}, 300_000)

afterAll(() => rm(installed, { recursive: true, force: true }))

test('the published program applies and reverts revisions in SQL and in TypeScript', async () => {
  await using workspace = await publishedWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: 'aaaa00000001',
    up: 'create table log (entry text)',
    down: 'drop table log',
  })
  await workspace.addRevision('main', {
    id: 'aaaa00000002',
    code: `import { defineMigration } from '@drover/config'

export default defineMigration({
  up: async ({ sql }) => void (await sql\`insert into log values ('up')\`),
  down: async ({ sql }) => void (await sql\`insert into log values ('down')\`),
})
`,
  })

  expect(await migrate(workspace, 'upgrade')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('2 revisions applied'),
  })
  expect(await queryColumn(url, 'select entry from log')).toEqual(['up'])
  expect(await migrate(workspace, 'downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(url, 'select entry from log')).toEqual(['up', 'down'])
  expect(await readApplied(url)).toEqual(['aaaa00000001'])
  const current = await migrate(workspace, 'current', '--json')
  expect(JSON.parse(current.stdout)).toMatchObject({ ok: true, databases: [{ name: 'main' }] })
})

test('the published program finds the linter', async () => {
  await using workspace = await publishedWorkspace()
  await workspace.addDatabase('main', { create: false })
  await workspace.addRevision('main', { id: 'aaaa00000001', up: 'drop table log;\n' })

  expect(await migrate(workspace, 'lint')).toMatchObject({
    exitCode: 4,
    stdout: expect.stringContaining('ban-drop-table'),
  })
})

test('the published program parses SQL, makes revisions of Drizzle schemas, and sees drift', async () => {
  await using workspace = await publishedWorkspace()
  const url = await workspace.addDatabase('main', {
    schema: `import { integer, pgTable } from 'drizzle-orm/pg-core'\n\nexport const people = pgTable('people', { id: integer().primaryKey() })\n`,
  })

  expect(await migrate(workspace, 'revision', 'add people')).toMatchObject({ exitCode: 0 })
  const [folder] = await readdir(join(workspace.root, 'databases/main/migrations'))
  expect(await readFile(join(workspace.root, 'databases/main/migrations', folder!, 'down.sql'), 'utf8')).toMatch(
    /drop table/i,
  )
  expect(await migrate(workspace, 'upgrade')).toMatchObject({ exitCode: 0 })
  expect(await migrate(workspace, 'check')).toMatchObject({ exitCode: 0 })
  await queryColumn(url, 'alter table people add column name text')
  expect(await migrate(workspace, 'drift')).toMatchObject({ exitCode: 4, stdout: expect.stringContaining('name') })
})

test('the published program works on a queue of tenants', async () => {
  await using workspace = await publishedWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.write(
    'databases/tenant/database.ts',
    `import { defineDatabase, schemaPerTenant } from '@drover/config'

export default defineDatabase({ name: 'tenant', tenants: schemaPerTenant() })
`,
  )
  await workspace.addRevision('tenant', { id: 'bbbb00000001', up: 'create table log (entry text);\n' })
  await query(url, `create table tenants (slug text); insert into tenants values ('acme'), ('globex')`)

  expect(await migrate(workspace, 'fleet', 'enqueue')).toMatchObject({ exitCode: 0 })
  expect(await migrate(workspace, 'fleet', 'worker', '--drain')).toMatchObject({
    exitCode: 0,
    stdout: 'tenant: 2 tenants done with 2 revisions\n',
  })
})

test('the published program says what is wrong and what to do, and not where in its own code', async () => {
  await using workspace = await publishedWorkspace()
  await workspace.addDatabase('main')

  expect(await migrate(workspace, 'upgrade', 'nowhere')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^error: .*nowhere.*\n +next: /),
  })
})

test('the published program tells its version without what a command needs', async () => {
  await using workspace = await publishedWorkspace()
  const file = join(workspace.root, 'modules')
  Object.assign(workspace.env, {
    NODE_OPTIONS: `--import=${new URL('harness/record-modules.ts', import.meta.url).href}`,
    DROVER_MODULES_FILE: file,
  })

  expect(await migrate(workspace, '--version')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d/) })
  expect(await readFile(file, 'utf8')).not.toContain('/core-')
  await migrate(workspace, 'heads')
  expect(await readFile(file, 'utf8')).toContain('/core-')
})

test('the published program keeps its compiled code where Node keeps it, and runs without it as well', async () => {
  await using workspace = await publishedWorkspace()
  await workspace.addDatabase('main')
  const cache = join(workspace.root, 'cache')
  Object.assign(workspace.env, { NODE_COMPILE_CACHE: cache })

  expect(await migrate(workspace, 'upgrade')).toMatchObject({ exitCode: 0, stderr: '' })
  const [version] = await readdir(cache)
  const kept = (await readdir(join(cache, version!))).filter((name) => name.startsWith('core-'))
  expect(kept).toEqual([expect.stringMatching(/\.script\.js$/)])
  expect(await migrate(workspace, 'current')).toMatchObject({ exitCode: 0, stderr: '' })
  await writeFile(join(cache, version!, kept[0]!), 'not what it was')
  expect(await migrate(workspace, 'current')).toMatchObject({ exitCode: 0, stderr: '' })
  Object.assign(workspace.env, { NODE_DISABLE_COMPILE_CACHE: '1' })
  expect(await migrate(workspace, 'current')).toMatchObject({ exitCode: 0, stderr: '' })
})

/** A workspace that finds the installed packages, and not those of this repository. */
async function publishedWorkspace(): Promise<TestWorkspace> {
  const workspace = await createWorkspace()
  await rm(join(workspace.root, 'node_modules'), { recursive: true })
  await symlink(join(installed, 'node_modules'), join(workspace.root, 'node_modules'))
  return workspace
}

function migrate({ root, env }: TestWorkspace, ...args: readonly string[]): Promise<Ended> {
  const program = join(installed, 'node_modules/@drover/cli/dist/main.js')
  return startMigrate(args, { cwd: root, env, program }).ended
}
