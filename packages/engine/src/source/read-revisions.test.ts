import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'

import { checksum, DroverError, type Problem } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleWorkspace } from './example-workspace.ts'
import { readHistory, readHistoryMeanwhile } from './read-revisions.ts'

const folder = '20261120143000_add_users'
const path = `databases/main/migrations/${folder}`
const record = { id: '0123456789ab', parents: [], message: 'add users', created: '2026-11-20T14:30:00Z' }

describe('readHistory', () => {
  it('reads a revision without opening its SQL', () => {
    const full = { ...record, labels: ['users'], dependsOn: [] }
    using workspace = exampleWorkspace({ [`${folder}/revision.json`]: full, [`${folder}/down.sql`]: '' })
    // What cannot be read as a file still counts as there.
    mkdirSync(workspace.pathOf(`${folder}/migration.sql`))

    expect(readHistory(workspace.source).revisions).toEqual([{ ...full, folder: path, reversible: true }])
  })

  it('has no labels and dependencies where none are given, and no way back without a down.sql', () => {
    using workspace = exampleWorkspace({ [`${folder}/revision.json`]: record, [`${folder}/migration.sql`]: '' })

    expect(readHistory(workspace.source).revisions).toEqual([
      { ...record, labels: [], dependsOn: [], folder: path, reversible: false },
    ])
  })

  it('tells dependencies on other databases from those of the same history', () => {
    const base = { ...record, id: 'bbbbbbbbbbbb' }
    const upper = { ...record, dependsOn: ['credentials/aaaaaaaaaaaa', base.id] }
    using workspace = exampleWorkspace({
      [`${folder}/revision.json`]: upper,
      [`${folder}/migration.sql`]: '',
      '20261119000000_base/revision.json': base,
      '20261119000000_base/migration.sql': '',
    })

    expect(readHistory(workspace.source).byId.get(record.id)).toMatchObject({
      dependsOn: [base.id],
      dependsOnElsewhere: [{ database: 'credentials', revision: 'aaaaaaaaaaaa' }],
    })
  })

  it('reads a revision.json that begins with a byte-order mark', () => {
    const text = `\uFEFF${JSON.stringify(record)}`
    using workspace = exampleWorkspace({ [`${folder}/revision.json`]: text, [`${folder}/migration.sql`]: '' })

    expect(readHistory(workspace.source).revisions).toHaveLength(1)
  })

  it('tells a revision outside a transaction, and one that was never proved', () => {
    const how = { ...record, transaction: 'none', proof: 'none' }
    using workspace = exampleWorkspace({ [`${folder}/revision.json`]: how, [`${folder}/migration.sql`]: '' })

    expect(readHistory(workspace.source).revisions).toMatchObject([{ transaction: 'none', proof: 'none' }])
  })

  it('takes a migration.ts for both sides of a revision', () => {
    const parts = {
      [`${folder}/revision.json`]: record,
      [`${folder}/migration.ts`]: 'export default { up() {},\ndown() {} }',
      '20261121000000_more/revision.json': { ...record, id: 'bbbbbbbbbbbb' },
      '20261121000000_more/migration.ts': 'export default { up() {} }',
    }
    using workspace = exampleWorkspace(parts)

    expect(readHistory(workspace.source).revisions).toMatchObject([
      { id: record.id, language: 'typescript', reversible: true },
      { id: 'bbbbbbbbbbbb', language: 'typescript', reversible: false },
    ])
  })

  it.each<[what: string, files: Readonly<Record<string, string | object>>, told: string]>([
    ['without a revision.json', { 'migration.ts': '' }, `${path}/revision.json is missing`],
    [
      'beside a down.sql',
      { 'migration.ts': '', 'revision.json': record, 'down.sql': '' },
      `${path}/down.sql stands beside`,
    ],
    [
      'outside a transaction',
      { 'migration.ts': '', 'revision.json': { ...record, transaction: 'none' } },
      'always runs in a transaction',
    ],
    [
      'in batches',
      { 'migration.ts': '', 'revision.json': { ...record, batch: { until: 'unchanged' } } },
      'is one transaction',
    ],
    ['with a faulty record', { 'migration.ts': '', 'revision.json': {} }, 'is not a revision'],
  ])('refuses code %s', (_, files, told) => {
    const entries = Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content])
    using workspace = exampleWorkspace(Object.fromEntries(entries))

    expect(() => readHistory(workspace.source)).toThrow(told)
  })

  it.each([
    [{ key: 'public.users.id' }, { range: { key: 'public.users.id', size: 1000 }, pauseMs: 0 }],
    [
      { key: '"Users"."Id"', size: 50, pause: '2s' },
      { range: { key: '"Users"."Id"', size: 50 }, pauseMs: 2000 },
    ],
    [{ until: 'unchanged', pause: '50ms' }, { pauseMs: 50 }],
  ])('reads how a statement is repeated: %j', (batch, read) => {
    using workspace = exampleWorkspace({
      [`${folder}/revision.json`]: { ...record, batch },
      [`${folder}/migration.sql`]: '',
    })

    expect(readHistory(workspace.source).revisions[0]?.batch).toEqual(read)
  })

  it.each([
    ['users.id', '"batch" must be an object'],
    [{}, '"batch" must have either "key" or "until"'],
    [{ key: 'users.id', until: 'unchanged' }, '"batch" must have either "key" or "until"'],
    [{ key: 'id' }, '"batch.key" must be <schema>.<table>.<column>, or <table>.<column>'],
    [{ key: 'users.id', size: 0 }, '"batch.size" must be from 1 to 1000000'],
    [{ key: 'users.id', size: '10' }, '"batch.size" must be a number'],
    [{ until: 'unchanged', size: 10 }, '"batch" has a "size", which is for batches by a "key"'],
    [{ until: 'empty' }, '"batch.until" must be "unchanged", or left out for batches by a key'],
    [{ key: 'users.id', pause: 50 }, '"batch.pause" must be a duration, such as "50ms" or "2s"'],
    [{ key: 'users.id', pause: '50' }, '"batch.pause" must be a duration, such as "50ms" or "2s"'],
    [{ key: 'users.id', rows: 10 }, '"batch.rows" is not a field of a revision'],
  ])('refuses the batches %j', (batch, told) => {
    using workspace = exampleWorkspace({
      [`${folder}/revision.json`]: { ...record, batch },
      [`${folder}/migration.sql`]: '',
    })

    expect(() => readHistory(workspace.source)).toThrow(`${path}/revision.json is not a revision: ${told}`)
  })

  it('refuses batches outside a transaction', () => {
    using workspace = exampleWorkspace({
      [`${folder}/revision.json`]: { ...record, transaction: 'none', batch: { until: 'unchanged' } },
      [`${folder}/migration.sql`]: '',
    })

    expect(() => readHistory(workspace.source)).toThrow('says "transaction": "none" and "batch"')
  })

  it('takes a folder of drizzle-kit for a revision', () => {
    const first = { id: '5C0F4A6E-77aa-4c1e-9d3b-1f2e3d4c5b6a', prevIds: ['00000000-0000-0000-0000-000000000000'] }
    const second = { id: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', prevIds: [first.id] }
    using workspace = exampleWorkspace({
      '20261120143000_wide_hulk/snapshot.json': first,
      '20261120143000_wide_hulk/migration.sql': '',
      '20261121090000_old_ego/snapshot.json': second,
      '20261121090000_old_ego/migration.sql': '',
    })

    expect(readHistory(workspace.source).revisions).toMatchObject([
      { id: '5c0f4a6e77aa', parents: [], message: 'wide hulk', created: '2026-11-20T14:30:00Z' },
      { id: 'aaaaaaaabbbb', parents: ['5c0f4a6e77aa'], message: 'old ego', created: '2026-11-21T09:00:00Z' },
    ])
  })

  it('has an empty history where there is no folder, or nothing but files and hidden folders in it', () => {
    using missing = exampleWorkspace({})
    using empty = exampleWorkspace({ 'README.md': '', '.draft-1/migration.sql': '' })

    expect(readHistory(missing.source).revisions).toEqual([])
    expect(readHistory(empty.source).revisions).toEqual([])
  })

  it.each<[fault: string, text: string | object, message: string | RegExp]>([
    ['is not JSON', '{ "id": ', new RegExp(`^${path}/revision\\.json is not JSON: .+`)],
    ['is empty', '', new RegExp(`^${path}/revision\\.json is not JSON: .+`)],
    ['is no object', '"text"', `${path}/revision.json is not a revision: it must be an object`],
    ['is null', 'null', `${path}/revision.json is not a revision: it must be an object`],
    [
      'lacks a field',
      { ...record, message: undefined },
      `${path}/revision.json is not a revision: "message" is missing`,
    ],
    [
      'has a field too many',
      { ...record, parent: [] },
      `${path}/revision.json is not a revision: "parent" is not a field of a revision`,
    ],
    [
      'has an id that is too long',
      { ...record, id: '0123456789abc' },
      `${path}/revision.json is not a revision: "id" must be 12 hex digits (0-9, a-f)`,
    ],
    [
      'has an id in capitals',
      { ...record, id: '0123456789AB' },
      `${path}/revision.json is not a revision: "id" must be 12 hex digits (0-9, a-f)`,
    ],
    ['has a number for an id', { ...record, id: 12 }, `${path}/revision.json is not a revision: "id" must be a string`],
    [
      'has one parent without a list',
      { ...record, parents: 'a' },
      `${path}/revision.json is not a revision: "parents" must be a list of ids`,
    ],
    [
      'has a bad parent',
      { ...record, parents: [1] },
      `${path}/revision.json is not a revision: "parents.0" must be a string`,
    ],
    [
      'has a parent twice',
      { ...record, parents: ['aaaaaaaaaaaa', 'aaaaaaaaaaaa'] },
      `${path}/revision.json is not a revision: "parents" names a revision twice`,
    ],
    [
      'has a bad label',
      { ...record, labels: [null] },
      `${path}/revision.json is not a revision: "labels.0" must be a string`,
    ],
    [
      'has a kind of transaction that there is not',
      { ...record, transaction: true },
      `${path}/revision.json is not a revision: "transaction" must be "none" or "own", or left out for one transaction`,
    ],
    [
      'has a phase that there is not',
      { ...record, phase: 'late' },
      `${path}/revision.json is not a revision: "phase" must be "expand", "backfill" or "contract", or left out`,
    ],
    [
      'has a kind of proof that there is not',
      { ...record, proof: 'shadow' },
      `${path}/revision.json is not a revision: "proof" must be "none", or left out`,
    ],
    [
      'has an abbreviated dependency on another database',
      { ...record, dependsOn: ['credentials/aaaa'] },
      `${path}/revision.json is not a revision: "dependsOn.0" must be an id of this history, or <database>/<id> of another`,
    ],
    [
      'has a date for a time',
      { ...record, created: '2026-11-20' },
      `${path}/revision.json is not a revision: "created" must be a time like 2026-11-20T14:30:00Z`,
    ],
    [
      'has a time that is none',
      { ...record, created: '2026-13-40T14:30:00Z' },
      `${path}/revision.json is not a revision: "created" must be a time like 2026-11-20T14:30:00Z`,
    ],
    [
      'has several faults',
      { ...record, id: 'x', created: 1 },
      `${path}/revision.json is not a revision: "id" must be 12 hex digits (0-9, a-f); "created" must be a string`,
    ],
  ])('refuses a revision.json that %s', (_, text, message) => {
    using workspace = exampleWorkspace({ [`${folder}/revision.json`]: text, [`${folder}/migration.sql`]: '' })

    const [problem] = problemsOf(() => readHistory(workspace.source))

    expect(problem).toMatchObject({
      code: 'REVISION_INVALID',
      file: `${path}/revision.json`,
      message: expect.stringMatching(/./),
    })
    if (typeof message === 'string') expect(problem?.message).toBe(message)
    else expect(problem?.message).toMatch(message)
  })

  it.each<[fault: string, files: Readonly<Record<string, string | object>>, message: string]>([
    ['no migration.sql', { 'revision.json': record }, `${path}/migration.sql is missing`],
    [
      'neither revision.json nor snapshot.json',
      { 'migration.sql': '' },
      `${path} has neither revision.json nor snapshot.json`,
    ],
    [
      'a snapshot that is of an earlier drizzle-kit',
      { 'migration.sql': '', 'snapshot.json': { id: 'x' } },
      `${path} is not a revision of drizzle-kit 1.0`,
    ],
  ])('refuses a folder with %s', (_, files, message) => {
    using workspace = exampleWorkspace(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text])),
    )

    expect(problemsOf(() => readHistory(workspace.source))).toMatchObject([{ code: 'REVISION_INVALID', message }])
  })

  it('refuses a snapshot that is not JSON, and one in a folder without a time in its name', () => {
    using broken = exampleWorkspace({ [`${folder}/snapshot.json`]: '{', [`${folder}/migration.sql`]: '' })
    using unnamed = exampleWorkspace({
      'meta/snapshot.json': { id: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee', prevIds: [] },
      'meta/migration.sql': '',
    })

    expect(problemsOf(() => readHistory(broken.source))[0]?.message).toMatch(/snapshot\.json is not JSON: /)
    expect(problemsOf(() => readHistory(unnamed.source))[0]?.message).toBe(
      'databases/main/migrations/meta is not a revision of drizzle-kit 1.0',
    )
  })

  it('names every folder at fault, not only the first', () => {
    using workspace = exampleWorkspace({ 'a/x': '', 'b/x': '', 'c/migration.sql': '', 'c/revision.json': record })

    expect(problemsOf(() => readHistory(workspace.source)).map((problem) => problem.file)).toEqual([
      'databases/main/migrations/a/migration.sql',
      'databases/main/migrations/b/migration.sql',
    ])
  })

  it('refuses what is wrong with the graph', () => {
    using workspace = exampleWorkspace({
      [`${folder}/revision.json`]: record,
      [`${folder}/migration.sql`]: '',
      [`${folder}_copy/revision.json`]: record,
      [`${folder}_copy/migration.sql`]: '',
    })

    expect(problemsOf(() => readHistory(workspace.source))).toMatchObject([
      { code: 'DUPLICATE_ID', revision: record.id },
    ])
  })

  it('refuses a link that leads nowhere, and a file where the folder should be', () => {
    using dangling = exampleWorkspace({ 'README.md': '' })
    symlinkSync('nowhere', dangling.pathOf('20261120143000_gone'))
    using file = exampleWorkspace({ 'README.md': '' })
    rmSync(file.pathOf(''), { recursive: true })
    writeFileSync(file.pathOf('').replace(/\/$/, ''), '')

    expect(problemsOf(() => readHistory(dangling.source))[0]?.message).toMatch(
      /20261120143000_gone cannot be read \(ENOENT/,
    )
    expect(problemsOf(() => readHistory(file.source))[0]?.message).toBe('databases/main/migrations cannot be read')
  })
})

describe('readHistoryMeanwhile', () => {
  it('reads the same, and the checksums of the texts that it can read', async () => {
    const files = { [`${folder}/revision.json`]: record, [`${folder}/migration.sql`]: 'select 1;\n' }
    using workspace = exampleWorkspace({
      ...files,
      'b/revision.json': { ...record, id: 'bbbbbbbbbbbb', parents: [record.id] },
    })
    mkdirSync(workspace.pathOf('b/migration.sql'))
    const checksums = new Map<string, string>()

    expect(await readHistoryMeanwhile(workspace.source, checksums)).toEqual(readHistory(workspace.source))
    expect(checksums).toEqual(new Map([[record.id, checksum('select 1;\n')]]))
  })

  it('refuses the same', async () => {
    using workspace = exampleWorkspace({ 'a/revision.json': record, 'b/migration.sql': '' })

    const problems = problemsOf(() => readHistory(workspace.source))
    await expect(readHistoryMeanwhile(workspace.source, new Map())).rejects.toMatchObject({ problems })
  })
})

function problemsOf(act: () => unknown): readonly Problem[] {
  try {
    act()
  } catch (error) {
    if (error instanceof DroverError) return error.problems
    throw error
  }
  throw new Error('nothing was refused')
}
