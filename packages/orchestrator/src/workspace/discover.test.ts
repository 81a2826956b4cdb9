import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { DroverError } from '@drover/history'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { databaseOfFolder, discoverWorkspace, selectDatabases } from './discover.ts'

let home: string
beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'drover-discover-')))
})
afterAll(() => rm(home, { recursive: true }))

/** A folder with these files. Plain objects will do for configurations: nothing has to be installed. */
async function createFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(home, 'root-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

/** A workspace whose databases export these declarations; texts stand for themselves. */
async function createWorkspace(databases: Readonly<Record<string, object | string>>): Promise<string> {
  return createFolder(
    Object.fromEntries(
      Object.entries(databases).map(([folder, declaration]) => [
        `databases/${folder}/database.ts`,
        typeof declaration === 'string' ? declaration : `export default ${JSON.stringify(declaration)}\n`,
      ]),
    ),
  )
}

async function problemsOf(databases: Readonly<Record<string, object | string>>) {
  const root = await createWorkspace(databases)
  const error: unknown = await discoverWorkspace(root).catch((thrown: unknown) => thrown)
  if (!(error instanceof DroverError)) throw new Error(`it did not refuse: ${String(error)}`)
  return error.problems
}

describe('discoverWorkspace', () => {
  it('finds the databases from the root and from any folder below it', async () => {
    const main = { name: 'main', migrations: './history', objects: './sql' }
    const root = await createWorkspace({ main, extra: { name: 'gdpr' } })
    await mkdir(join(root, 'databases/main/src/deep'), { recursive: true })

    const workspace = await discoverWorkspace(root)

    expect(workspace.root).toBe(root)
    expect(
      workspace.databases.map(({ name, folder, migrations, objects }) => [name, folder, migrations, objects]),
    ).toEqual([
      ['gdpr', 'databases/extra', 'databases/extra/migrations', 'databases/extra/objects'],
      ['main', 'databases/main', 'databases/main/history', 'databases/main/sql'],
    ])
    expect(await discoverWorkspace(join(root, 'databases/main/src/deep'))).toEqual(workspace)
  })

  it('orders them by "after", and by name where that leaves it open', async () => {
    const root = await createWorkspace({
      a: { name: 'a', after: ['c'] },
      b: { name: 'b' },
      c: { name: 'c', after: ['d', 'b'] },
      d: { name: 'd' },
    })

    expect((await discoverWorkspace(root)).databases.map(({ name }) => name)).toEqual(['b', 'd', 'c', 'a'])
  })

  it('leaves folders without a database.ts alone', async () => {
    const root = await createFolder({
      'databases/main/database.ts': `export default { name: 'main' }`,
      'databases/README.md': '',
      'databases/shared/index.ts': `throw new Error('loaded')`,
    })

    expect((await discoverWorkspace(root)).databases.map(({ name }) => name)).toEqual(['main'])
  })

  it('says where it looked when there is none', async () => {
    const root = await createFolder({ 'databases/main/index.ts': '' })

    await expect(discoverWorkspace(root)).rejects.toThrow(`was found in ${root}, nor above it`)
  })

  it('reports what is wrong with every database at once, each with its file and a valid example', async () => {
    const problems = await problemsOf({
      broken: 'export default {\n  name: "broken"\n  after: [],\n}\n',
      empty: 'export const name = "empty"\n',
      fields: { name: 'Fields', afer: [] },
      sound: { name: 'sound' },
    })

    expect(problems.map(({ code, file, line, message }) => [code, file, line, message])).toEqual([
      ['CONFIG_INVALID', 'databases/broken/database.ts', 3, expect.stringContaining('database.ts:3: cannot be loaded')],
      ['CONFIG_INVALID', 'databases/empty/database.ts', undefined, expect.stringContaining('no default export')],
      ['CONFIG_INVALID', 'databases/fields/database.ts', undefined, expect.stringContaining('"name" must be')],
      ['CONFIG_INVALID', 'databases/fields/database.ts', undefined, expect.stringContaining('"afer" is not an option')],
    ])
    for (const { hint } of problems)
      expect(hint).toMatch(/correct databases\/\w+\/database\.ts; a minimal one is: export/)
  })

  it.each<[string, Readonly<Record<string, object>>, string]>([
    [
      'one name',
      { a: { name: 'x' }, b: { name: 'x', url: ['B_URL'] } },
      'the name "x" is used by databases/a and databases/b',
    ],
    [
      'a name that is an alias',
      { a: { name: 'x', aliases: ['y'] }, b: { name: 'y' } },
      'the name "y" is used by databases/a and databases/b',
    ],
    [
      'one variable',
      { a: { name: 'x', url: ['X_URL', 'ALL_URL'] }, b: { name: 'y', url: ['ALL_URL'] } },
      'the variable ALL_URL is used by databases/a and databases/b',
    ],
  ])('refuses two databases with %s', async (_, databases, message) => {
    expect((await problemsOf(databases)).map((problem) => problem.message)).toContain(message)
  })

  it('refuses a neighbour that is not there, and names those that are', async () => {
    expect(await problemsOf({ a: { name: 'a', after: ['c'] }, b: { name: 'b' } })).toMatchObject([
      { message: expect.stringContaining('"after" names "c"'), hint: 'the databases are: a, b' },
    ])
  })

  it.each<[string, Readonly<Record<string, object>>]>([
    ['a after a', { a: { name: 'a', after: ['a'] } }],
    [
      'a after c after b after a',
      { a: { name: 'a', after: ['c'] }, b: { name: 'b', after: ['a'] }, c: { name: 'c', after: ['b'] } },
    ],
  ])('refuses a circle, and names all of it: %s', async (circle, databases) => {
    const [problem] = await problemsOf(databases)

    expect(problem?.message).toBe(`these databases come after each other in a circle: ${circle}`)
  })
})

describe('databaseOfFolder', () => {
  it('finds the database whose folder a path is or lies in, and not one with a longer name', async () => {
    const root = await createWorkspace({ main: { name: 'main' }, main2: { name: 'main2' } })
    const workspace = await discoverWorkspace(root)
    const nameOf = (path: string) => databaseOfFolder(workspace, join(root, path))?.name

    expect(
      ['databases/main', 'databases/main/src/x', 'databases/main2', 'databases', '', 'databases/main3'].map(nameOf),
    ).toEqual(['main', 'main', 'main2', undefined, undefined, undefined])
  })
})

describe('discoverWorkspace, with a database that has the history of another', () => {
  it('gives it the files of that history, and a schema of its own', async () => {
    const root = await createWorkspace({
      main: { name: 'main', migrations: './history', objects: './sql' },
      copy: { kind: 'snapshot', name: 'test', mirrors: ['main'] },
    })

    const { databases } = await discoverWorkspace(root)

    expect(databases.find(({ name }) => name === 'test')).toMatchObject({
      folder: 'databases/copy',
      migrations: 'databases/main/history',
      objects: 'databases/main/sql',
      snapshot: 'databases/copy/schema.sql',
    })
  })

  it.each<[string, Readonly<Record<string, object>>, string, string]>([
    ['nobody', {}, 'gone', 'there is no such database'],
    ['one that migrates itself', { jobs: { kind: 'external', name: 'jobs' } }, 'jobs', 'that one migrates itself'],
    ['itself', {}, 'test', 'that is the database itself'],
    [
      'another of its kind',
      { other: { kind: 'snapshot', name: 'other', mirrors: ['main'] } },
      'other',
      'that one has the history of "main" itself',
    ],
  ])('refuses one that mirrors %s', async (_, others, mirrored, fault) => {
    const problems = await problemsOf({
      main: { name: 'main' },
      test: { kind: 'snapshot', name: 'test', mirrors: [mirrored] },
      ...others,
    })

    expect(problems).toEqual([
      {
        code: 'CONFIG_INVALID',
        file: 'databases/test/database.ts',
        message: `databases/test/database.ts: "mirrors" names "${mirrored}", and ${fault}`,
        hint: 'the databases with revisions of their own are: main',
      },
    ])
  })
})

describe('selectDatabases', () => {
  it('picks by name and by alias, in upgrade order, each once; all without names', async () => {
    const root = await createWorkspace({
      a: { name: 'a', after: ['b'], aliases: ['first'] },
      b: { name: 'b' },
      c: { name: 'c' },
    })
    const workspace = await discoverWorkspace(root)
    const select = (...names: string[]) => selectDatabases(workspace, names).map(({ name }) => name)

    expect(select()).toEqual(['b', 'a', 'c'])
    expect(select('c', 'first', 'a', 'b')).toEqual(['b', 'a', 'c'])
    expect(select('first')).toEqual(['a'])
    expect(() => select('a', 'd', 'e')).toThrow('there is no database "d"\nthere is no database "e"')
  })
})
