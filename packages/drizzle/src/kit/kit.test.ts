import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { DroverError, type Problem } from '@drover/history'
import { generateDrizzleJson, reconstruct } from 'drizzle-kit/api-postgres'
import * as pg from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'

import { createExampleFolder, type ExampleFolder, record } from './example-schemas.ts'
import type { KitHint } from './hints.ts'
import { type Kit, type KitDiff, type SnapshotFile, startKit } from './kit.ts'
import { emptyState, originId } from './state.ts'

// Some of these start processes of their own, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let folder: ExampleFolder
let kit: Kit
beforeAll(async () => {
  folder = await createExampleFolder()
  kit = startKit(folder.root)
})
afterAll(async () => {
  await kit[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const users = `export const users = pg.pgTable('users', { id: pg.integer().primaryKey(), name: pg.text() })`
const people = `export const people = pg.pgTable('people', { id: pg.integer().primaryKey(), fullName: pg.text('full_name') })`

/** What renames `users` to `people`, and its name. */
const renames: readonly KitHint[] = [
  { type: 'rename', kind: 'table', from: ['public', 'users'], to: ['public', 'people'] },
  { type: 'rename', kind: 'column', from: ['public', 'people', 'name'], to: ['public', 'people', 'full_name'] },
]

describe('comparing a schema with a history', () => {
  test('finds everything new when there is no history', async () => {
    const comparison = await kit.compare(await folder.schema(users), [], [])

    expect(comparison).toMatchObject({ changed: true, before: emptyState, diff: { ok: true } })
    expect(statementsOf(comparison.changed ? comparison.diff : undefined).join('\n')).toMatch(
      /^CREATE TABLE "users" \(/,
    )
  })

  test('finds nothing when the history has recorded the schema', async () => {
    const history = await record(kit, folder, users)

    const comparison = await kit.compare(await folder.schema(users), history, [])

    expect(comparison).toEqual({ changed: false })
  })

  test('finds what has changed since', async () => {
    const history = await record(kit, folder, users)
    const changed = users.replace('pg.text()', `pg.text(), born: pg.date()`)

    const comparison = await kit.compare(await folder.schema(changed), history, [])

    expect(comparison.changed && comparison.diff).toEqual({
      ok: true,
      statements: ['ALTER TABLE "users" ADD COLUMN "born" date;'],
    })
  })

  test('asks what may have been renamed, a round at a time, until it has been told', async () => {
    const history = await record(kit, folder, users)
    const schema = await folder.schema(people)
    const ask = async (hints: readonly KitHint[]) => {
      const comparison = await kit.compare(schema, history, hints)
      return comparison.changed && comparison.diff
    }

    expect(await ask([])).toEqual({ ok: false, questions: [{ kind: 'table', entity: ['public', 'people'] }] })
    expect(await ask(renames.slice(0, 1))).toEqual({
      ok: false,
      questions: [{ kind: 'column', entity: ['public', 'people', 'full_name'] }],
    })
    expect(await ask(renames)).toEqual({
      ok: true,
      statements: [
        'ALTER TABLE "users" RENAME TO "people";',
        'ALTER TABLE "people" RENAME COLUMN "name" TO "full_name";',
      ],
    })
  })

  test('drops and creates what is said to be new', async () => {
    const history = await record(kit, folder, users)

    const comparison = await kit.compare(await folder.schema(people), history, [
      { type: 'create', kind: 'table', entity: ['public', 'people'] },
    ])

    expect(statementsOf(comparison.changed ? comparison.diff : undefined).join('\n')).toMatch(
      /CREATE TABLE "people"[\s\S]*DROP TABLE "users"/,
    )
  })

  test('works for several callers at a time', async () => {
    const [one, other] = await Promise.all([folder.schema(users), folder.schema(people)])

    const states = await Promise.all([kit.readSchema(one), kit.readSchema(other), kit.readSchema(one)])

    expect(states.map(({ ddl }) => ddl[0]!.name)).toEqual(['users', 'people', 'users'])
  })
})

describe('the way back', () => {
  test('renames what was renamed when the hints are turned round', async () => {
    const [before, after] = await Promise.all([
      kit.readSchema(await folder.schema(users)),
      kit.readSchema(await folder.schema(people)),
    ])

    const diff = await kit.diff(after, before, [
      { type: 'rename', kind: 'table', from: ['public', 'people'], to: ['public', 'users'] },
      { type: 'rename', kind: 'column', from: ['public', 'users', 'full_name'], to: ['public', 'users', 'name'] },
    ])

    expect(diff).toEqual({
      ok: true,
      statements: [
        'ALTER TABLE "people" RENAME TO "users";',
        'ALTER TABLE "users" RENAME COLUMN "full_name" TO "name";',
      ],
    })
  })

  test('leads to nothing from the first state', async () => {
    const state = await kit.readSchema(await folder.schema(users))

    expect(await kit.diff(state, emptyState, [])).toEqual({ ok: true, statements: ['DROP TABLE "users";'] })
  })
})

describe('a snapshot', () => {
  test('is a base for the first revision, and what changes for the next', async () => {
    const first = await record(kit, folder, users)
    const second = await record(kit, folder, `${users}\n${people}`, first)

    const [base, diff] = [await readSnapshot(first), await readSnapshot(second)]
    expect(base).toMatchObject({ type: 'base', version: '9', dialect: 'postgres', prevIds: [originId] })
    expect(diff).toMatchObject({ type: 'diff', version: '9', dialect: 'postgres', prevIds: [base.id] })
    expect(new Set(diff.deltas.map(({ op }: { op: string }) => op))).toEqual(new Set(['create']))
    const state = await reconstruct({ '1': base, '2': diff })
    expect(await kit.readHistory(second)).toMatchObject({ id: diff.id, prevIds: [base.id], ddl: state.ddl })
  })

  test('of renames says that they are, so that they commute as renames do', async () => {
    const first = await record(kit, folder, users)
    const schema = await folder.schema(people)

    const second = await folder.snapshot(await kit.writeSnapshot(first, schema, renames), first)

    expect((await readSnapshot(second)).deltas).toMatchObject([
      { op: 'rename', set: { name: 'people' } },
      { op: 'rename', set: { name: 'full_name' } },
    ])
    expect(await kit.compare(schema, second, [])).toMatchObject({ changed: false })
  })

  test('can be of a state that no schema declares', async () => {
    const first = await record(kit, folder, users)
    const between = await kit.readSchema(await folder.schema(`${users}\n${people}`))

    const second = await folder.snapshot(await kit.writeSnapshot(first, between, []), first)

    expect((await kit.readHistory(second)).ddl).toHaveLength(between.ddl.length)
    expect(await kit.diff(await kit.readHistory(second), between, [])).toEqual({ ok: true, statements: [] })
  })

  test('of a revision that changes data follows the last one, and changes nothing', async () => {
    const first = await record(kit, folder, users)

    const second = await folder.snapshot(await kit.writeSnapshot(first, undefined, []), first)

    expect(await readSnapshot(second)).toMatchObject({
      type: 'diff',
      prevIds: [(await readSnapshot(first)).id],
      deltas: [],
    })
    expect((await kit.readHistory(second)).ddl).toEqual((await kit.readHistory(first)).ddl)
  })

  test('of a first revision that changes data holds nothing', async () => {
    const first = await folder.snapshot(await kit.writeSnapshot([], undefined, []))

    expect(await readSnapshot(first)).toMatchObject({ type: 'base', prevIds: [originId], ddl: [] })
    expect((await kit.readHistory(first)).ddl).toEqual([])
  })

  test('of a revision that joins branches follows all of them, and the next one finds what each has changed', async () => {
    const { first, left, right, both } = await branch({
      left: users.replace('pg.text()', 'pg.text(), born: pg.date()'),
      right: `${users}\n${people}`,
    })

    const merged = await folder.snapshot(await kit.writeSnapshot(both, undefined, []), both)

    const heads = [(await readSnapshot(right)).id, (await readSnapshot(left)).id]
    expect(await readSnapshot(merged)).toMatchObject({ type: 'diff', prevIds: heads, deltas: [] })
    const wanted = `${users.replace('pg.text()', 'pg.text(), born: pg.date()')}\n${people}`
    expect(await kit.compare(await folder.schema(wanted), merged, [])).toMatchObject({ changed: false })
    expect(first).toHaveLength(1)
  })

  test('of a revision that joins branches can change something as well', async () => {
    const { both } = await branch({
      left: users.replace('pg.text()', 'pg.text(), born: pg.date()'),
      right: `${users}\n${people}`,
    })

    const merged = await record(kit, folder, people, both)

    expect((await readSnapshot(merged)).prevIds).toHaveLength(2)
    expect(await kit.compare(await folder.schema(people), merged, [])).toMatchObject({ changed: false })
  })
})

describe('branches', () => {
  test('that change different things do not conflict', async () => {
    const { both } = await branch({
      left: users.replace('pg.text()', 'pg.text(), born: pg.date()'),
      right: users.replace('pg.text()', 'pg.text(), died: pg.date()'),
    })

    expect(await kit.findConflicts(both)).toEqual([])
  })

  test('that change the same column conflict, and the revisions are named', async () => {
    const { first, both } = await branch({
      left: users.replace('pg.text()', 'pg.varchar()'),
      right: users.replace('pg.text()', `pg.text().default('nobody')`),
      names: ['shorter-names', 'name-nobody'],
    })
    const later = await folder.snapshot(await kit.writeSnapshot([...first, both[1]!], undefined, []), [
      ...first,
      both[1]!,
    ])

    expect(await kit.findConflicts([...later, both[2]!])).toEqual([
      { object: 'column public.users.name', folders: ['shorter-names', 'name-nobody'] },
    ])
  })

  test('that create the same table conflict', async () => {
    const { both } = await branch({
      left: `${users}\n${people}`,
      right: `${users}\n${people.replace('pg.text', 'pg.varchar')}`,
    })

    expect(await kit.findConflicts(both)).toContainEqual({
      object: 'table public.people',
      folders: both.slice(1).map(({ folder: path }) => path.split('/').at(-1)),
    })
  })
})

describe('a schema that drizzle-kit does not take', () => {
  const table = `pg.pgTable('users', { id: pg.integer(), email: pg.text() }`
  test.each([
    [
      'a table twice',
      `export const a = ${table}); export const b = ${table})`,
      'declares the table public.users twice',
    ],
    [
      'a column twice',
      `export const a = pg.pgTable('users', { a: pg.text('name'), b: pg.text('name') })`,
      'gives the table public.users two columns called name',
    ],
    [
      'an index twice in a schema',
      `export const a = ${table}, (t) => [pg.index('by').on(t.id)]); export const b = pg.pgTable('people', { id: pg.integer() }, (t) => [pg.index('by').on(t.id)])`,
      'declares two indexes called by in the schema public, one of them on the table people',
    ],
    [
      'an index on an expression, without a name',
      `export const a = ${table}, (t) => [pg.index().on(sql\`lower(\${t.email})\`)])`,
      'has an index without a name on the table public.users, on the expression lower("users"."email")',
    ],
    [
      'an index on a vector, without an operator class',
      `export const a = pg.pgTable('texts', { v: pg.vector({ dimensions: 3 }) }, (t) => [pg.index('near').using('hnsw', t.v)])`,
      'has an index near on the vector column texts.v without an operator class',
    ],
    [
      'a check twice',
      `export const a = ${table}, () => [pg.check('positive', sql\`id > 0\`), pg.check('positive', sql\`id > 1\`)])`,
      'gives the table public.users two constraints called positive',
    ],
    [
      'a unique constraint twice',
      `export const a = ${table}, (t) => [pg.unique('once').on(t.id), pg.unique('once').on(t.email)])`,
      'gives the table public.users two constraints called once',
    ],
    [
      'a foreign key twice',
      `export const a = pg.pgTable('users', { id: pg.integer().primaryKey(), one: pg.integer(), other: pg.integer() }, (t) => [
        pg.foreignKey({ name: 'boss', columns: [t.one], foreignColumns: [t.id] }),
        pg.foreignKey({ name: 'boss', columns: [t.other], foreignColumns: [t.id] }),
      ])`,
      'gives the table public.users two constraints called boss',
    ],
    [
      'a primary key twice',
      `export const a = ${table}, (t) => [pg.primaryKey({ name: 'key', columns: [t.id] }), pg.primaryKey({ name: 'key', columns: [t.id, t.email] })])`,
      'gives the table public.users two constraints called key',
    ],
    [
      'a policy twice',
      `export const a = ${table}, () => [pg.pgPolicy('own', { for: 'select' }), pg.pgPolicy('own', { for: 'update' })])`,
      'gives the table public.users two policies called own',
    ],
    [
      'a policy of no table',
      `export const a = ${table}); export const own = pg.pgPolicy('own', { for: 'select' })`,
      'declares the policy own for no table, so that it would be left out',
    ],
    [
      'a view twice',
      `export const a = pg.pgView('names', { n: pg.text() }).as(sql\`select 1\`); export const b = pg.pgView('names', { n: pg.text() }).as(sql\`select 2\`)`,
      'declares the view public.names twice',
    ],
    [
      'a sequence twice',
      `export const a = pg.pgSequence('numbers'); export const b = pg.pgSequence('numbers')`,
      'declares the sequence public.numbers twice',
    ],
    [
      'an enum twice',
      `export const a = pg.pgEnum('mood', ['sad']); export const b = pg.pgEnum('mood', ['ok'])`,
      'declares the enum public.mood twice',
    ],
    [
      'an enum value twice',
      `export const a = pg.pgEnum('mood', ['sad', 'sad'])`,
      'gives the enum public.mood the same value twice',
    ],
    [
      'a role twice',
      `export const a = pg.pgRole('app'); export const b = pg.pgRole('app')`,
      'declares the role app twice',
    ],
    [
      'a schema twice',
      `export const a = pg.pgSchema('app'); export const b = pg.pgSchema('app')`,
      'declares the schema app twice',
    ],
  ])('with %s is refused, and the object named', async (_, declarations, what) => {
    const schema = await folder.schema(declarations)
    const file = schema.slice(folder.root.length + 1)

    const problems = await problemsOf(kit.compare(schema, [], []))

    expect(problems).toEqual([
      { code: 'SCHEMA_INVALID', file, message: `${file} ${what}`, hint: expect.stringMatching(/\w/) },
    ])
  })

  test('is told about everything at once', async () => {
    const schema = await folder.schema(`
      export const a = pg.pgEnum('mood', ['sad', 'sad'])
      export const b = pg.pgTable('users', { a: pg.text('name'), b: pg.text('name') })
      export const c = pg.pgTable('users', { id: pg.integer() })
      export const d = pg.pgTable('people', { a: pg.text('name'), b: pg.text('name') })`)

    expect((await problemsOf(kit.readSchema(schema))).map(({ message }) => message.replace(/^\S+ /, ''))).toEqual([
      'gives the enum public.mood the same value twice',
      'declares the table public.users twice',
      'gives the table public.people two columns called name',
    ])
  })
})

describe('a schema that Node does not load', () => {
  test.each([
    [
      'it is not there',
      'absent.ts',
      {},
      { message: 'absent.ts does not exist', hint: expect.stringContaining('database.ts') },
    ],
    [
      'a bracket is missing',
      'bracket.ts',
      { 'bracket.ts': `const a = {\n  b: [1,\n}\n` },
      { message: expect.stringMatching(/^bracket\.ts:3 cannot be read as TypeScript: /), line: 3 },
    ],
    [
      'it has an enum of TypeScript',
      'module/enum.ts',
      { 'module/package.json': '{ "type": "module" }', 'module/enum.ts': `export const a = 1\nenum Mood { Sad }\n` },
      {
        message: expect.stringMatching(/^module\/enum\.ts:2 cannot be read as TypeScript: /),
        hint: expect.stringContaining('union type'),
      },
    ],
    [
      'what it imports is not exported',
      'names.ts',
      { 'names.ts': `\nimport { b } from './other.ts'\nexport const a = b\n`, 'other.ts': 'export const c = 1\n' },
      { message: expect.stringMatching(/^names\.ts:2 .*'b'$/), line: 2 },
    ],
    [
      'a file that it imports is not there',
      'missing.ts',
      { 'missing.ts': `export * from './parts/users.ts'\n` },
      { message: 'missing.ts imports ./parts/users.ts, which does not exist', hint: expect.stringContaining('create') },
    ],
    [
      'an import leaves out the end of a name',
      'short.ts',
      { 'short.ts': `export * from './parts/roles'\n`, 'parts/roles.ts': 'export const a = 1\n' },
      {
        message: 'short.ts imports ./parts/roles, which does not exist',
        hint: expect.stringContaining('import ./parts/roles.ts'),
      },
    ],
    [
      'a package is not installed',
      'package.ts',
      { 'package.ts': `import 'drizzle-zoo'\n` },
      { message: 'package.ts imports the package drizzle-zoo, which is not installed' },
    ],
    [
      'it throws',
      'throws.ts',
      { 'throws.ts': `export * from './deeper.ts'\n`, 'deeper.ts': `\nthrow new Error('no idea')\n` },
      { message: 'deeper.ts:2 cannot be loaded: no idea', file: 'deeper.ts', line: 2 },
    ],
    [
      'a reference leads nowhere',
      'reference.ts',
      {
        'reference.ts': `import * as pg from 'drizzle-orm/pg-core'
const nothing: any = undefined
export const a = pg.pgTable('a', {
  id: pg.integer().references(() => nothing.id),
})\n`,
      },
      { message: expect.stringMatching(/^reference\.ts:4 cannot be loaded: .*'id'/), line: 4 },
    ],
    [
      'it ends the process',
      'exits.ts',
      { 'exits.ts': `process.exit(0)\n` },
      { message: 'exits.ts:1 cannot be loaded: it calls process.exit' },
    ],
    [
      'it kills the process',
      'kills.ts',
      { 'kills.ts': `process.kill(process.pid, 'SIGKILL')\nawait new Promise(() => {})\n` },
      { message: 'kills.ts ends the process that loads it: it was ended by SIGKILL', file: 'kills.ts' },
    ],
    [
      'it fails behind its own back',
      'later.ts',
      { 'later.ts': `setTimeout(() => {\n  throw new Error('too late')\n}, 1)\nawait new Promise(() => {})\n` },
      { message: 'later.ts ends the process that loads it: it ended with exit code 1 after "Error: too late"' },
    ],
  ])('because %s is refused, and kit goes on', async (_, name, files, problem) => {
    for (const [path, text] of Object.entries(files)) await folder.write(path, text)

    const problems = await problemsOf(kit.compare(join(folder.root, name), [], []))

    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ code: 'SCHEMA_INVALID', hint: expect.stringMatching(/\w/), ...problem })
    expect((await kit.readSchema(await folder.schema(users))).ddl.length).toBeGreaterThan(0)
  })
})

describe('a history', () => {
  test('of whole states, as drizzle-kit gives them to programs, can be read and gone on from', async () => {
    const [one, two] = await wholeStates()
    const history = await folder.snapshot(JSON.stringify(two), await folder.snapshot(JSON.stringify(one)))

    const state = await kit.readHistory(history)
    const next = await record(kit, folder, people, history)

    expect(state).toMatchObject({ id: two.id, prevIds: [one.id] })
    expect(state.ddl).toEqual(expect.arrayContaining(two.ddl.map((entity) => expect.objectContaining({ ...entity }))))
    expect(state.ddl).toHaveLength(two.ddl.length)
    expect(await readSnapshot(next)).toMatchObject({ type: 'diff', prevIds: [two.id] })
    expect(await kit.compare(await folder.schema(people), next, [])).toMatchObject({ changed: false })
  })

  test('of whole states can be brought into the format of today, and keeps its ids', async () => {
    const [one, two] = await wholeStates()
    const history = await folder.snapshot(JSON.stringify(two), await folder.snapshot(JSON.stringify(one)))

    const converted = (await kit.convertSnapshots(history)).map((text) => JSON.parse(text))

    expect(converted).toMatchObject([
      { type: 'base', id: one.id, prevIds: [originId] },
      { type: 'diff', id: two.id, prevIds: [one.id] },
    ])
    expect(await reconstruct({ '1': converted[0], '2': converted[1] })).toMatchObject({ id: two.id })
  })

  test.each([
    ['is not JSON', () => '{ "id": ', /is not JSON: /],
    ['holds something else', () => '[1, 2]', /is no snapshot of drizzle-kit/],
    ['is null', () => 'null', /is no snapshot of drizzle-kit/],
    [
      'is of another kind of database',
      (text: string) => text.replace('"postgres"', '"mysql"'),
      /is a snapshot of mysql/,
    ],
    [
      'has been edited',
      (text: string) => text.replace('"notNull": true', '"notNull": "yes"'),
      /cannot be used by drizzle-kit/,
    ],
    [
      'follows one that is not there',
      (text: string) => text.replace(originId, '11111111-0000-0000-0000-000000000000'),
      /follows the snapshot 11111111-0000-0000-0000-000000000000, which no revision below it has/,
    ],
  ])('with a snapshot that %s is refused, and the file named', async (_, edit, message) => {
    const text = await kit.writeSnapshot([], await folder.schema(users), [])
    const history = await folder.snapshot(edit(text))
    const file = join(history[0]!.folder, 'snapshot.json').slice(folder.root.length + 1)

    const problems = await problemsOf(kit.compare(await folder.schema(users), history, []))

    expect(problems).toEqual([
      {
        code: 'SNAPSHOT_INVALID',
        file,
        message: expect.stringMatching(message),
        hint: expect.stringContaining('restore'),
      },
    ])
    expect(problems[0]!.message.startsWith(`${file} `)).toBe(true)
  })

  test('without one of its snapshots is refused', async () => {
    const problems = await problemsOf(kit.readHistory([{ folder: join(folder.root, 'migrations', 'nowhere') }]))

    expect(problems).toMatchObject([
      { code: 'SNAPSHOT_INVALID', message: 'migrations/nowhere/snapshot.json does not exist' },
    ])
  })

  test('with a copied snapshot is refused', async () => {
    const text = await kit.writeSnapshot([], await folder.schema(users), [])
    const history = await folder.snapshot(text, await folder.snapshot(text))

    expect(await problemsOf(kit.readHistory(history))).toMatchObject([
      {
        code: 'SNAPSHOT_INVALID',
        message: expect.stringContaining('which another snapshot of this history has as well'),
      },
    ])
  })

  test('whose changes do not fit what is below them is refused, and the file named', async () => {
    const first = await record(kit, folder, users)
    const text = await kit.writeSnapshot(first, await folder.schema(people), renames)
    const second = await folder.snapshot(text.replace('\\"full_name\\"', '').replaceAll('"rename"', '"reverse"'), first)

    expect(await problemsOf(kit.readHistory(second))).toMatchObject([
      {
        code: 'SNAPSHOT_INVALID',
        file: join(second[1]!.folder, 'snapshot.json').slice(folder.root.length + 1),
      },
    ])
  })

  test('without revisions is the state in which there is nothing', async () => {
    expect(await kit.readHistory([])).toEqual(emptyState)
  })
})

describe('the process', () => {
  test('sees nothing of the environment', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://app:hunter2@localhost/main')
    onTestFinished(() => void vi.unstubAllEnvs())
    await using other = startKit(folder.root)

    const { ddl } = await other.readSchema(
      await folder.schema(`export const a = pg.pgTable(process.env.DATABASE_URL ?? 'unknown', { id: pg.integer() })`),
    )

    expect(ddl[0]!.name).toBe('unknown')
  })

  test('ends with its parent, however that ends', async () => {
    const file = await folder.schema(`
      import { writeFileSync } from 'node:fs'
      writeFileSync(${JSON.stringify(join(folder.root, 'pid'))}, String(process.pid))
      await new Promise((resolve) => setInterval(resolve, 1_000_000))`)
    const child = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      parentScript(`await kit.readSchema('${file}')`),
    ])
    const pid = await poll(async () => Number(await readFile(join(folder.root, 'pid'), 'utf8').catch(() => '')))

    child.kill('SIGKILL')

    expect(await poll(() => !isRunning(pid))).toBe(true)
  })

  test('does not keep its parent from ending once it has been disposed of, even unused', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', parentScript('')])

    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  })
})

/** A history that branches after one revision with `users`. */
async function branch({
  left,
  right,
  names = [],
}: {
  readonly left: string
  readonly right: string
  readonly names?: readonly string[]
}): Promise<Readonly<Record<'first' | 'left' | 'right' | 'both', readonly SnapshotFile[]>>> {
  const first = await record(kit, folder, users)
  const onLeft = await record(kit, folder, left, first, names[0])
  const onRight = await record(kit, folder, right, first, names[1])
  return { first, left: onLeft, right: onRight, both: [...onLeft, onRight.at(-1)!] }
}

async function readSnapshot(history: readonly SnapshotFile[]): Promise<any> {
  return JSON.parse(await readFile(join(history.at(-1)!.folder, 'snapshot.json'), 'utf8'))
}

async function wholeStates() {
  const one = await generateDrizzleJson({ a: pg.pgTable('users', { id: pg.integer().primaryKey() }) })
  const table = pg.pgTable('users', { id: pg.integer().primaryKey(), name: pg.text() })
  return [one, await generateDrizzleJson({ table }, one.id)] as const
}

function statementsOf(diff: KitDiff | undefined): readonly string[] {
  return diff?.ok ? diff.statements : []
}

async function problemsOf(work: Promise<unknown>): Promise<readonly Problem[]> {
  try {
    await work
    return []
  } catch (error) {
    if (error instanceof DroverError) return error.problems
    throw error
  }
}

function parentScript(work: string): string {
  const module = join(import.meta.dirname, 'kit.ts')
  return `import { startKit } from '${module}'
{
  await using kit = startKit('/')
  ${work}
}`
}

async function poll<T>(look: () => T | Promise<T>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found) return found
    await sleep(20)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
