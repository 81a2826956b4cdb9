import { existsSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { stopEmbedded } from '@drover/server'
import { expect, test } from 'vitest'

import { query, queryColumn, readApplied } from './harness/query.ts'
import { createWorkspace, type Ended, type TestWorkspace } from './harness/workspace.ts'

test('upgrade without any URL starts a server, creates the databases, and says where they are and how to connect', async () => {
  await using development = await createDevelopment()
  const { workspace } = development

  const upgrade = await workspace.migrate('upgrade')

  expect(upgrade).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('starting PostgreSQL on 127.0.0.1:') })
  const urls = { first: await development.urlOf('first'), second: await development.urlOf('second') }
  const { host, password } = new URL(urls.first)
  expect(upgrade.stdout).toContain('on the development server:\n')
  expect(upgrade.stdout).toMatch(new RegExp(`^ {2}first +postgres://\\w+@${host}/first$`, 'm'))
  expect(upgrade.stdout).toMatch(new RegExp(`^ {2}second +postgres://\\w+@${host}/second$`, 'm'))
  expect(upgrade.stdout).toContain('psql "$(pnpm --silent migrate server url first)"')
  expect(password.length).toBeGreaterThan(15)
  expect(`${upgrade.stdout}${upgrade.stderr}`).not.toContain(password)
  expect(await readApplied(urls.first)).toEqual(['aaaa00000001'])
  expect(await readApplied(urls.second)).toEqual(['bbbb00000001'])
  expect(await queryColumn(urls.second, 'select current_database()::text')).toEqual(['second'])
  // On the loopback interface, and on no other.
  expect(await queryColumn(urls.first, 'show listen_addresses')).toEqual(['127.0.0.1'])
})

test('a second run uses the server that is there, and writes nothing', async () => {
  await using development = await createDevelopment()
  const { workspace } = development
  await workspace.migrate('upgrade')
  const before = await development.status()

  const again = await workspace.migrate('upgrade')

  expect(again).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('nothing to do') })
  expect(await development.status()).toEqual(before)
})

test('server stop keeps the data, and the next command that needs the server starts it again', async () => {
  await using development = await createDevelopment()
  const { workspace } = development
  expect(await development.status()).toEqual({ running: false })
  const inWords = await workspace.migrate('server', 'status')
  expect(inWords).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^not running/) })
  expect(await workspace.migrate('server', 'stop')).toMatchObject({ exitCode: 0, stdout: 'it was not running\n' })

  expect(await workspace.migrate('server', 'start')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^started: /),
  })
  expect(await workspace.migrate('server', 'start')).toMatchObject({
    stdout: expect.stringMatching(/^already running: /),
  })
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  const url = await development.urlOf('first')
  await query(url, 'insert into note values (7)')
  const before = await development.status()
  expect(before).toMatchObject({ running: true, host: '127.0.0.1', pid: expect.any(Number) })

  expect(await workspace.migrate('server', 'stop')).toMatchObject({ exitCode: 0, stdout: 'stopped\n' })
  expect(await development.status()).toEqual({ running: false })
  await expect(query(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })

  const current = await workspace.migrate('current', '--json')
  expect(current.json().databases.map(({ targets }: any) => targets[0].state)).toEqual(['up-to-date', 'up-to-date'])
  expect(await development.status()).toMatchObject({ running: true, port: before['port'] })
  expect(await queryColumn(await development.urlOf('first'), 'select id from note')).toEqual([7])
})

test('after kill -9 of the server, upgrade works, with all data', async () => {
  await using development = await createDevelopment()
  const { workspace } = development
  await workspace.migrate('upgrade')
  await query(await development.urlOf('first'), 'insert into note values (7)')
  await workspace.addRevision('first', { id: 'aaaa00000002', up: 'alter table note add column body text;\n' })
  const { pid } = await development.status()

  process.kill(pid, 'SIGKILL')
  const upgrade = await workspace.migrate('upgrade')

  expect(upgrade).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^first +1 revision applied$/m) })
  expect((await development.status())['pid']).not.toBe(pid)
  const url = await development.urlOf('first')
  expect(await query(url, 'select * from note')).toEqual([{ id: 7, body: null }])
  expect(await readApplied(url)).toEqual(['aaaa00000001', 'aaaa00000002'])
})

test('with URLs in the environment it is never started, nor with only some of them', async () => {
  await using development = await createDevelopment()
  const { workspace } = development
  const url = 'postgres://nobody@127.0.0.1:1/nowhere'

  const both = await workspace.start(['upgrade'], { env: { FIRST_DATABASE_URL: url, SECOND_DATABASE_URL: url } }).ended
  const some = await workspace.start(['upgrade'], { env: { SECOND_DATABASE_URL: url } }).ended
  const theOther = await workspace.start(['current', '-d', 'first'], { env: { SECOND_DATABASE_URL: url } }).ended

  expect([both, some, theOther].map(({ exitCode }) => exitCode)).toEqual([2, 2, 2])
  expect(both.stderr).toContain('127.0.0.1:1')
  expect(some.stderr).toContain('FIRST_DATABASE_URL')
  expect(theOther.stderr).toContain('FIRST_DATABASE_URL')
  expect(existsSync(development.folder)).toBe(false)

  const named = await workspace.addDatabase('first')
  expect(await workspace.migrate('upgrade', '-d', 'first')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(named)).toEqual(['aaaa00000001'])
  expect(existsSync(development.folder)).toBe(false)
})

test('two upgrades that both find no server start one, and apply every revision once', async () => {
  await using development = await createDevelopment()

  const ended = await Promise.all([development.workspace.migrate('upgrade'), development.workspace.migrate('upgrade')])

  expect(ended.map(outcome)).toEqual(ended.map(() => ({ exitCode: 0, errors: [] })))
  expect(ended.filter(({ stderr }) => stderr.includes('server: starting PostgreSQL'))).toHaveLength(1)
  expect(await readApplied(await development.urlOf('first'))).toEqual(['aaaa00000001'])
  expect(await readApplied(await development.urlOf('second'))).toEqual(['bbbb00000001'])
})

interface Development extends AsyncDisposable {
  readonly workspace: TestWorkspace
  /** Where the server keeps its data. */
  readonly folder: string
  /** The URL with its password, as `server url` prints it. */
  urlOf(database: string): Promise<string>
  status(): Promise<Record<string, any>>
}

/** A workspace of two databases whose places nobody has named. Its server is stopped and removed in the end. */
async function createDevelopment(): Promise<Development> {
  const workspace = await createWorkspace()
  // Open to the user who runs the server for root, so that the data stays below the workspace.
  await chmod(dirname(workspace.root), 0o755)
  const folder = join(workspace.root, '.drover', 'server')
  for (const [name, after, id] of [
    ['first', [], 'aaaa00000001'],
    ['second', ['first'], 'bbbb00000001'],
  ] as const) {
    const declaration = `defineDatabase({ name: '${name}', after: ${JSON.stringify(after)} })`
    await workspace.write(
      `databases/${name}/database.ts`,
      `import { defineDatabase } from '@drover/config'\n\nexport default ${declaration}\n`,
    )
    await workspace.addRevision(name, {
      id,
      up: 'create table note (id integer primary key);\n',
      down: 'drop table note;\n',
    })
  }
  return {
    workspace,
    folder,
    urlOf: async (database) => (await workspace.migrate('server', 'url', database)).stdout.trim(),
    status: async () => (await workspace.migrate('server', 'status', '--json')).json().server,
    [Symbol.asyncDispose]: async () => {
      await stopEmbedded(folder)
      await rm(folder, { recursive: true, force: true })
      await workspace[Symbol.asyncDispose]()
    },
  }
}

function outcome({ exitCode, stderr }: Ended): { readonly exitCode: number; readonly errors: readonly string[] } {
  return { exitCode, errors: stderr.split('\n').filter((line) => line.startsWith('error')) }
}
