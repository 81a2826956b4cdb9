import { spawn } from 'node:child_process'
import { cp, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createThrowawayDatabase } from '@drover/server'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'

import { catalogOf, query } from './harness/query.ts'
import {
  createOne,
  createRepositoryDatabases,
  type HistoryName,
  makeTenant,
  modelledNames,
  repository,
} from './harness/repository-databases.ts'
import { openShell } from './harness/shell.ts'

/** The variable that says where each database is. */
const variables: Readonly<Record<HistoryName, string>> = {
  credentials: 'CREDENTIALS_DATABASE_URL',
  main: 'DATABASE_URL',
  gdpr: 'GDPR_DATABASE_URL',
  tenant: 'TENANT_DATABASE_URL',
  test: 'TEST_DATABASE_URL',
}

describe.each(modelledNames)('in the folder of %s', (name) => {
  test('drizzle-kit check is content with the history', async () => {
    const { exitCode, output } = await runKit(join(repository, 'databases', name), ['check'])

    expect(output).toContain(`Everything's fine`)
    expect(exitCode).toBe(0)
  })

  test('drizzle-kit generate finds nothing to do', async () => {
    const folder = await copyDatabase(name)
    const before = await readdir(join(folder, 'migrations'))

    const { exitCode, output } = await runKit(folder, ['generate'])

    expect(output).toContain('No schema changes')
    expect(exitCode).toBe(0)
    expect(await readdir(join(folder, 'migrations'))).toEqual(before)
  })

  test('drizzle-kit studio opens the database', async () => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    await query(database.url, `create table known (word text); insert into known values ('swordfish')`)
    const studio = await openStudio(name, database.url)

    expect(await studio.ask({ type: 'init' })).toMatchObject({ dialect: 'postgresql' })
    const data = { sql: 'select word from known', params: [], mode: 'array', method: 'all' }
    expect(await studio.ask({ type: 'proxy', data })).toEqual([['swordfish']])
  })
})

describe(`drizzle-orm's own migrator`, () => {
  let urls: Readonly<Record<HistoryName, string>>
  beforeAll(async () => {
    const databases = await createRepositoryDatabases()
    const upgrade = await databases.migrate('upgrade')
    if (upgrade.exitCode !== 0) throw new Error(upgrade.stderr)
    const tenant = await createOne(inject('serverUrl'))
    await makeTenant(tenant.url)
    urls = { ...databases.urls, tenant: tenant.url }
    return () => Promise.all([databases[Symbol.asyncDispose](), tenant[Symbol.asyncDispose]()])
  })

  test.each(modelledNames)('makes of an empty database what upgrade makes of %s', async (name) => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    try {
      await migrate(drizzle({ client: sql }), { migrationsFolder: join(repository, 'databases', name, 'migrations') })
    } finally {
      await sql.end({ timeout: 5 })
    }
    await query(database.url, 'drop schema drizzle cascade')

    const made = await catalogOf(database.url)

    expect(made.length).toBeGreaterThan(80)
    expect(made).toEqual(await catalogOf(urls[name]))
  })
})

test('without a variable, drizzle.config.ts means the database on the development server', async () => {
  await using shell = await openShell()
  await symlink(join(repository, 'scripts'), join(shell.root, 'scripts'))

  const { output: url } = await shell.run('pnpm --silent migrate server url gdpr --quiet')
  const script = `process.stdout.write((await import('./drizzle.config.ts')).default.dbCredentials.url)`
  const { output } = await shell.run(`cd databases/gdpr && "$DROVER_TEST_NODE" --input-type=module -e "${script}"`)

  expect(url).toMatch(/^postgres:\/\/.*\/gdpr\n$/)
  expect(output).toBe(url.trim())
})

/** A copy of a database's folder, in which files may be written. */
async function copyDatabase(name: HistoryName): Promise<string> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'drover-kit-')))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  const [from, to] = [join(repository, 'databases', name), join(parent, 'databases', name)]
  await cp(from, to, { recursive: true, filter: (path) => !/\/(?:node_modules|\.turbo)$/.test(path) })
  await symlink(join(from, 'node_modules'), join(to, 'node_modules'))
  // Its tsconfig.json, which drizzle-kit reads, refers to this one.
  await cp(join(repository, 'tsconfig.base.json'), join(parent, 'tsconfig.base.json'))
  return to
}

/** drizzle-kit as it is installed for a database, in an environment that says nothing about any. */
function startKit(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(join(folder, 'node_modules', '.bin', 'drizzle-kit'), args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function runKit(
  folder: string,
  args: readonly string[],
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const child = startKit(folder, args)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { exitCode, output }
}

/** Starts Drizzle Studio, whose page is on the network, and talks to the part of it that is here, as its page does. */
async function openStudio(name: HistoryName, url: string): Promise<{ ask(question: unknown): Promise<unknown> }> {
  const port = await findFreePort()
  const child = startKit(join(repository, 'databases', name), ['studio', '--port', String(port)], {
    [variables[name]]: url,
  })
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  onTestFinished(() => {
    child.kill()
    return closed
  })
  await new Promise<void>((resolve, reject) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes('Studio is up and running')) resolve()
      })
    }
    void closed.then(() => reject(new Error(`it did not start: ${output}`)))
  })
  return {
    ask: async (question) => {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`http://127.0.0.1:${port}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(question),
      })
      return response.json()
    },
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
