import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { startMigrate, createWorkspace, type Ended, type TestWorkspace } from './harness/workspace.ts'
import { repository } from './harness/repository-databases.ts'

let workspace: TestWorkspace
/** Folders of the revisions of main, by what they do. */
let folders: Readonly<Record<'made' | 'indexed' | 'dropped', string>>

const made = 'aaaa00000001'
const indexed = 'aaaa00000002'
const dropped = 'aaaa00000003'

beforeEach(async () => {
  workspace = await createWorkspace()
  // Nothing is asked of them unless a test makes one.
  await workspace.addDatabase('main', { create: false })
  folders = {
    made: await workspace.addRevision('main', {
      id: made,
      up: 'create table users (id int primary key, name text);\ncreate index users_name_idx on users (name);\n',
      down: 'drop table users;\n',
    }),
    indexed: await workspace.addRevision('main', {
      id: indexed,
      up: '-- People are found by both.\ncreate index users_both_idx\n  on users (name, id);\n',
      down: 'drop index users_both_idx;\n',
    }),
    dropped: await workspace.addRevision('main', {
      id: dropped,
      up: 'alter table users\n  drop column name;\n',
      down: null,
    }),
  }
})

afterEach(() => workspace[Symbol.asyncDispose]())

/** What was found, as `<revision> <side> <line>:<column> <rule>`. */
function found(ended: Ended): readonly string[] {
  return ended
    .json()
    .databases.flatMap(({ findings }: any) =>
      findings.map((one: any) => `${one.revision} ${one.direction} ${one.line}:${one.column} ${one.rule}`),
    )
}

const declare = (text: string) =>
  workspace.write('databases/main/database.ts', `export default { name: 'main', ${text} }\n`)

const index = `${indexed} up 2:1 require-concurrent-index-creation`
const column = `${dropped} up 2:3 ban-drop-column`

describe('lint', () => {
  test('tells each unsafe statement with its place, its rule, what it does, and the safe way, and needs no server', async () => {
    const ended = await workspace.migrate('lint')

    expect(ended.exitCode).toBe(4)
    expect(ended.stdout).toBe(`main: 2 findings in 3 revisions
  ${folders.indexed}/migration.sql:2:1: require-concurrent-index-creation
      2 | create index users_both_idx
        | ^
      3 |   on users (name, id);
    blocks: nobody can write to the table while the index is built
    safe way: "create index concurrently" in a revision of its own with "transaction": "none" in its revision.json; pnpm migrate revision … -d main --concurrently writes it from the schema
  ${folders.dropped}/migration.sql:2:3: ban-drop-column
      1 | alter table users
      2 |   drop column name;
        |   ^
    breaks: the code that still runs may use the column
    safe way: take it out of the code first, write "phase": "contract" into its revision.json, and run it when the old code is gone: pnpm migrate upgrade --phase contract -d main
`)
    expect(ended.stderr).toBe(`error: main: 2 findings of what is unsafe on a database in use
  next: go the safe way that is said of each; or, where there is no harm in it, say why above the statement: -- drover:allow <rule> because <reason>
`)
    expect(await workspace.migrate('lint', '--quiet')).toMatchObject({ exitCode: 4, stdout: ended.stdout })
  })

  test('finds nothing in revisions that go the safe way which it says', async () => {
    await writeFile(
      join(workspace.root, folders.indexed, 'migration.sql'),
      'create index concurrently users_both_idx on users (name, id);\n',
    )
    for (const [folder, more] of [
      [folders.indexed, { transaction: 'none' }],
      [folders.dropped, { phase: 'contract' }],
    ] as const) {
      const file = join(workspace.root, folder, 'revision.json')
      await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...more }))
    }

    expect(await workspace.migrate('lint')).toMatchObject({
      exitCode: 0,
      stdout: 'main: nothing unsafe in 3 revisions\n',
      stderr: '',
    })
  })

  test('lets pass what a comment or database.ts allows', async () => {
    await writeFile(
      join(workspace.root, folders.dropped, 'migration.sql'),
      '-- drover:allow ban-drop-column because nothing has ever read it\nalter table users drop column name;\n',
    )
    expect(found(await workspace.migrate('lint', '--json'))).toEqual([index])

    await declare(`lint: { allow: ['require-concurrent-index-creation'] }`)
    expect(await workspace.migrate('lint')).toMatchObject({ exitCode: 0 })
  })

  test('begins behind the revision that database.ts names, unless others are asked for', async () => {
    await declare(`lint: { after: '${indexed}' }`)

    const ended = await workspace.migrate('lint', '--json')

    expect(found(ended)).toEqual([column])
    expect(ended.json().databases[0].revisions).toEqual([dropped])
    expect(found(await workspace.migrate('lint', indexed, '--json'))).toEqual([index])
    expect(found(await workspace.migrate('lint', '--range', ':', '--json'))).toEqual([index, column])
    await declare(`lint: { after: '${dropped}' }`)
    expect(await workspace.migrate('lint')).toMatchObject({ exitCode: 0, stdout: 'main: no revisions to look at\n' })
  })

  test('looks at the revisions that are named, and at those of a range', async () => {
    await workspace.addDatabase('side', { create: false })
    await workspace.addRevision('side', { id: 'bbbb00000001', up: 'drop table b;\n', parents: [] })
    await workspace.addRevision('side', { id: 'aaaa00000004', up: 'drop table c;\n' })
    const lint = async (...words: readonly string[]) => found(await workspace.migrate('lint', '--json', ...words))

    expect(await lint('main/aaaa00000002')).toEqual([index])
    expect(await lint(indexed, 'bbbb')).toEqual([index, 'bbbb00000001 up 1:1 ban-drop-table'])
    expect(await lint('head')).toEqual([column, 'aaaa00000004 up 1:1 ban-drop-table'])
    expect(await lint('side/head', '-d', 'side')).toEqual(['aaaa00000004 up 1:1 ban-drop-table'])
    expect(await lint('--range', `main/${made}:${indexed}`)).toEqual([index])
    expect(await lint('--range', 'head:', '-d', 'main')).toEqual([column])
  })

  test('looks at the ways back when it is told to, where taking away is what is meant', async () => {
    expect(found(await workspace.migrate('lint', '--down', '--json'))).toEqual([
      index,
      `${indexed} down 1:1 require-concurrent-index-deletion`,
      column,
    ])
  })

  test('skips code and what is not filled in, and says so', async () => {
    const code = await workspace.addRevision('main', { id: 'aaaa00000004', code: 'export default { up() {} }\n' })
    const unfilled = await workspace.addRevision('main', { id: 'aaaa00000005', up: '-- drover:unfilled\n', down: null })

    const ended = await workspace.migrate('lint', '--json', '--range', 'aaaa00000004:')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.json().databases[0].notes).toEqual([
      `${code} is skipped: what its code does cannot be read from it`,
      `${unfilled}/migration.sql is skipped: it is not filled in yet`,
    ])
  })

  test('reads revisions that run in batches', async () => {
    await workspace.addRevision('main', {
      id: 'aaaa00000004',
      batch: { key: 'users.id', size: 10 },
      up: 'update users set name = null where id > :from and id <= :to;\n',
    })

    const ended = await workspace.migrate('lint', 'aaaa00000004', '--json')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.json().databases[0].notes).toEqual([])
  })

  test('goes by nothing that is lying about for the linter alone', async () => {
    await workspace.write('.squawk.toml', `excluded_rules = ["ban-drop-column", "require-concurrent-index-creation"]\n`)

    expect(found(await workspace.migrate('lint', '--json'))).toEqual([index, column])
  })
})

test('lint --pending looks at what the database has not had', async () => {
  await using other = await createWorkspace()
  await other.addDatabase('main')
  await other.addRevision('main', { id: made, up: 'create table users (id int, name text);\n' })
  await other.addRevision('main', { id: indexed, up: 'create index on users (name);\n' })
  await other.addRevision('main', { id: dropped, up: 'alter table users drop column name;\n' })
  await other.migrate('upgrade', '+2')

  expect(found(await other.migrate('lint', '--pending', '--json'))).toEqual([`${dropped} up 1:19 ban-drop-column`])
  await other.migrate('upgrade')
  expect(await other.migrate('lint', '--pending')).toMatchObject({
    exitCode: 0,
    stdout: 'main: no revisions to look at\n',
  })
  other.env['MAIN_DATABASE_URL'] = 'postgres://nobody:hidden@127.0.0.1:9/nothing'
  const ended = await other.migrate('lint', '--pending')
  expect(ended).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('no server answers at 127.0.0.1:9') })
  expect(`${ended.stdout}${ended.stderr}`).not.toContain('hidden')
})

test.each([
  [
    'no linter is made for',
    `Object.defineProperty(process, 'arch', { value: 'riscv64' })`,
    'unsupported platform "linux-riscv64"',
  ],
  [
    'the linter of another was installed',
    `Object.defineProperty(process, 'platform', { value: 'darwin' })`,
    'was not installed',
  ],
])('on a machine that %s, lint says so, and all else works', async (_, pretend, message) => {
  workspace.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(pretend)}`

  const ended = await workspace.migrate('lint')

  expect(ended).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('squawk, the linter, is not there'),
  })
  expect(ended.stderr).toContain(message)
  expect(ended.stderr).toContain('next: ')
  expect(await workspace.migrate('history')).toMatchObject({ exitCode: 0 })
})

describe('lint refuses, with exit code 2,', () => {
  test.each([
    [['head', '--pending'], 'three ways of saying which revisions are meant'],
    [['--range', ':', '--pending'], 'three ways of saying which revisions are meant'],
    [['9999'], 'error: main: no revision has an id that starts with "9999"'],
    [['nowhere@@'], 'nowhere@@'],
    [['--range', 'nowhere:'], 'nowhere'],
    [['-d', 'other'], 'other'],
  ])('%j', async (words, message) => {
    const ended = await workspace.migrate('lint', ...words)

    expect(ended).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(message) })
    expect(ended.stderr).toContain('next:')
  })

  test('an id that several databases have revisions for', async () => {
    await workspace.addDatabase('side', { create: false })
    await workspace.addRevision('side', { id: 'aaaa00000001', parents: [] })

    expect(await workspace.migrate('lint', made)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('could be any of main/aaaa00000001, side/aaaa00000001'),
    })
    // What none of them has is said once, and of none.
    expect(await workspace.migrate('lint', '9999')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^error: no revision has an id that starts with "9999"\n {2}next: [^\n]*\n$/),
    })
  })

  test.each([
    [`lint: { allow: ['ban-drop-tabel'] }`, '"lint.allow.0" must be a rule of lint'],
    [
      `lint: { after: 'bbbb00000001' }`,
      '"lint.after" in databases/main/database.ts is bbbb00000001, and there is no such',
    ],
    [`lint: true`, '"lint" must hold "after", "allow" or both'],
  ])('the declaration %s', async (declaration, message) => {
    await declare(declaration)

    expect(await workspace.migrate('lint')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    })
  })
})

describe('lint tells, beside what it finds in the rest,', () => {
  test.each([
    ['create tabel a ();\n', 'is not SQL'],
    ['-- drover:allow ban-drop-table\ndrop table a;\n', 'a comment that allows nothing: it says no rule or no reason'],
    ['begin;\ndrop table a;\ncommit;\n', 'begins or ends a transaction of its own'],
  ])('what is wrong with %j', async (up, message) => {
    await workspace.addRevision('main', { id: 'aaaa00000004', up })

    const ended = await workspace.migrate('lint', '--json')

    expect(ended).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(message) })
    expect(found(ended)).toEqual(expect.arrayContaining([index, column]))
  })

  test('a history that cannot be read', async () => {
    await workspace.write('databases/side/database.ts', `export default { name: 'side' }\n`)
    await workspace.write('databases/side/migrations/20261120100000_x/revision.json', '{}')

    const ended = await workspace.migrate('lint', '--json')

    expect(ended).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('side: databases/side/migrations/20261120100000_x/migration.sql is missing'),
    })
    expect(found(ended)).toEqual([index, column])
  })
})

test('the revisions of this repository pass, and what is left out of them is what was there before the linter', async () => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
  const lint = (...words: readonly string[]) => startMigrate(['lint', ...words], { cwd: repository, env }).ended

  expect(await lint()).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await lint('--range', ':')).toMatchObject({ exitCode: 4 })
  // It has the revisions of another database.
  expect(await lint('-d', 'test')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('the history of gdpr'),
  })
})
