import { chmod, cp, mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { readApplied } from './harness/query.ts'

const define = (fields: string) =>
  `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ ${fields} })\n`

describe('a database.ts that is wrong', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await createPair()
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  const file = 'databases/alpha/database.ts'
  test.each<[string, string, ...string[]]>([
    ['has a syntax error', `const database = {\n  name: 'alpha'\n  after: [],\n}\n`, `${file}:3: cannot be loaded`],
    ['throws', `\nthrow new Error('no luck')\n`, `${file}:2: cannot be loaded: no luck`],
    ['imports what is not there', `import './gone.ts'\n`, `${file}: cannot be loaded: Cannot find module`, 'gone.ts'],
    [
      'has no default export',
      `export const database = { name: 'alpha' }\n`,
      `${file}: has no default export`,
      'export default defineDatabase(',
    ],
    ['has a field of a wrong type', define(`name: 'alpha', after: 'beta'`), `${file}: "after" must be a list`],
    ['has a name that cannot be one', define(`name: 'Alpha!'`), '"name" must be', 'and is "Alpha!"'],
    ['has an unknown option', define(`name: 'alpha', afer: []`), `${file}: "afer" is not an option`],
    ['comes after one that is not there', define(`name: 'alpha', after: ['gamma']`), `${file}: "after" names "gamma"`],
    [
      'comes after itself in a circle',
      define(`name: 'alpha', after: ['beta']`),
      'alpha after beta after alpha',
      '"after"',
    ],
    ['has the name of another', define(`name: 'beta'`), '"beta" is used by databases/alpha and databases/beta'],
    [
      'has an alias that is the name of another',
      define(`name: 'alpha', aliases: ['beta']`),
      'the name "beta" is used by',
    ],
  ])('%s', async (_, text, ...texts) => {
    await pair.write(file, text)

    const ended = await pair.migrate('upgrade')
    const { error, exitCode } = (await pair.migrate('current', '--json')).json()

    expectFailure(ended, 2, ...texts)
    expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'CONFIG_INVALID' })
    await pair.expectUnchanged()
  })
})

const record = (fields: object) =>
  JSON.stringify({ id: ids.b2, parents: [ids.b1], message: 'b', created: '2026-11-01T00:00:09Z', ...fields })

describe('a revision.json that is wrong', () => {
  let pair: Pair
  let file: string
  beforeAll(async () => {
    pair = await createPair()
    file = `${pair.folders.beta[1]}/revision.json`
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  test.each<[string, string, ...string[]]>([
    ['is not JSON', '{ "id": ', 'is not JSON'],
    ['is empty', '', 'is not JSON'],
    ['is no object', '7', 'is not a revision'],
    ['misses fields', `{ "id": "${ids.b2}" }`, '"parents" is missing', '"message" is missing', '"created" is missing'],
    ['has an unknown field', record({ parent: ids.b1 }), '"parent" is not a field'],
    ['has a bad id', record({ id: 'b2' }), '"id" must be 12 hex digits'],
    ['has a bad parent', record({ parents: ['first'] }), '"parents.0" must be 12 hex digits'],
    ['has a bad time', record({ created: 'yesterday' }), '"created" must be a time like 2026-11-20T14:30:00Z'],
  ])('%s', async (_, text, ...texts) => {
    await pair.write(file, text)

    const ended = await pair.migrate('upgrade')

    expectFailure(ended, 2, `beta: ${file} `, ...texts)
    await pair.expectUnchanged()
  })

  test.each([
    'history',
    'heads',
    'current',
    'check',
    'upgrade',
    'downgrade',
    'init',
    'show a1a1',
    'revision x --empty -d beta',
  ])('every command says so: %s', async (words) => {
    await pair.write(file, '{')

    const ended = await pair.migrate(...words.split(' '))

    expectFailure(ended, words === 'check' ? 4 : 2, `${file} is not JSON`)
    await pair.expectUnchanged()
  })
})

describe('a folder of a revision that is wrong', () => {
  test('strays among the revisions', async () => {
    await using pair = await createPair()
    await mkdir(join(pair.root, 'databases/beta/migrations/drafts'))
    expectFailure(await pair.migrate('upgrade'), 2, 'beta: databases/beta/migrations/drafts/migration.sql', 'delete')
    await pair.write('databases/beta/migrations/drafts/migration.sql', 'select 1;')
    expectFailure(await pair.migrate('upgrade'), 2, 'beta: databases/beta/migrations/drafts has neither revision.json')
    await pair.expectUnchanged()

    // What is no folder, or hidden, is nobody's revision.
    await rm(join(pair.root, 'databases/beta/migrations/drafts'), { recursive: true })
    await pair.write('databases/beta/migrations/README.md', 'hello')
    await pair.write('databases/beta/migrations/.cache/x', 'hello')
    expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  })

  test('has the id of another', async () => {
    await using pair = await createPair()
    const copy = `${pair.folders.beta[1]}_copy`
    await cp(join(pair.root, pair.folders.beta[1]!), join(pair.root, copy), { recursive: true })

    const ended = await pair.migrate('upgrade')

    expectFailure(
      ended,
      2,
      `beta: the id ${ids.b2} is used by 2 revisions`,
      pair.folders.beta[1]!,
      copy,
      'revision.json',
    )
    await pair.expectUnchanged()
  })

  test('comes after a revision that is not there', async () => {
    await using pair = await createPair()
    const folder = await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', parents: ['c0ffeec0ffee'] })

    const ended = await pair.migrate('upgrade')

    expectFailure(
      ended,
      2,
      `beta: ${folder} (b3b3b3b3b3b3) comes after c0ffeec0ffee`,
      'no revision has that id',
      '"parents"',
    )
    await pair.expectUnchanged()
  })

  test('comes after itself in a circle', async () => {
    await using pair = await createPair()
    await pair.write(`${pair.folders.beta[0]}/revision.json`, record({ id: ids.b1, parents: [ids.b2] }))

    const ended = await pair.migrate('upgrade')

    expectFailure(ended, 2, 'beta: these revisions come after each other in a circle', ids.b1, ids.b2)
    for (const folder of pair.folders.beta) expect(ended.stderr).toContain(`${folder}/revision.json`)
    await pair.expectUnchanged()
  })

  test('gives the history two heads: an upgrade asks which, check finds it, a new revision waits', async () => {
    await using pair = await createPair()
    await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', parents: [ids.b1], message: 'other arm' })

    const heads = ['beta: the history has 2 heads', ids.b2, 'b3b3b3b3b3b3 "other arm"']
    expectFailure(await pair.migrate('upgrade'), 3, ...heads)
    expectFailure(await pair.migrate('check'), 4, ...heads)
    expectFailure(await pair.migrate('revision', 'third', '-d', 'beta', '--empty'), 3, ...heads)
    await pair.expectUnchanged()

    expect(await pair.migrate('upgrade', 'heads')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(pair.urls.beta)).toHaveLength(3)
  })
})

describe('a file that this user may not', () => {
  /** Who runs the commands: never root, whom no permission stops. */
  const uid = process.getuid?.() === 0 ? 65_534 : undefined
  let pair: Pair
  const locked: string[] = []
  beforeAll(async () => {
    pair = await createPair()
    await chmod(dirname(pair.root), 0o755)
  })
  afterAll(async () => {
    for (const path of locked) await chmod(path, 0o755)
    await pair[Symbol.asyncDispose]()
  })

  /** Runs as a user whom the mode of a file or folder stops. */
  const migrateLocked = async (context: TestContext, path: string, mode: number, ...words: string[]) => {
    const probe = await pair.start(['--version'], uid === undefined ? {} : { uid }).ended
    context.skip(probe.exitCode !== 0, 'the user "nobody" cannot reach this repository')
    locked.push(join(pair.root, path))
    await chmod(join(pair.root, path), mode)
    return pair.start(words, uid === undefined ? {} : { uid }).ended
  }

  test('write: revision names the folder and leaves nothing behind', async (context) => {
    const folder = 'databases/beta/migrations'
    const before = await readdir(join(pair.root, folder))

    const ended = await migrateLocked(context, folder, 0o555, 'revision', 'third', '-d', 'beta', '--empty')

    expectFailure(ended, 2, `cannot write into ${folder} (EACCES)`, 'write permission')
    expect(await readdir(join(pair.root, folder))).toEqual(before)
  })

  test('read: an upgrade names migration.sql and runs nothing', async (context) => {
    const file = `${pair.folders.beta[1]}/migration.sql`

    const ended = await migrateLocked(context, file, 0o000, 'upgrade')

    expectFailure(ended, 2, `beta: ${file} cannot be read`, 'permission')
    await pair.expectUnchanged()
  })

  test('enter: an upgrade names the folder and runs nothing', async (context) => {
    const folder = pair.folders.alpha[0]!

    const ended = await migrateLocked(context, folder, 0o000, 'upgrade')

    expectFailure(ended, 2, `alpha: ${folder} cannot be read`, 'permission')
    await pair.expectUnchanged()
  })
})

test('a migration.sql that is missing or not UTF-8 is named, and runs nothing', async () => {
  await using pair = await createPair()
  const file = `${pair.folders.beta[1]}/migration.sql`
  await rm(join(pair.root, file))
  expectFailure(await pair.migrate('upgrade'), 2, `beta: ${file} is missing`)

  await pair.write(file, Buffer.from('create table b2 ();', 'utf16le').toString('latin1'))
  expectFailure(await pair.migrate('upgrade'), 2, `beta: ${file} is not valid UTF-8`)
  await pair.expectUnchanged()
})

test('a path with spaces, quotes and Unicode works like any other', async () => {
  await using pair = await createPair(`a wörkspace's "Ordner" %20 統`)

  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0 })
  expect(await pair.migrate('revision', 'Größe ändern: ½ — 統', '-d', 'beta', '--empty')).toMatchObject({ exitCode: 0 })
  expect(await pair.migrate('history')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Größe ändern: ½ — 統'),
  })
  expect(await pair.migrate('downgrade', 'base', '-d', 'alpha')).toMatchObject({ exitCode: 0 })
  expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[], [ids.b1, ids.b2]])
})
