import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'

import { buildHistory, type History } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleWorkspace } from './example-workspace.ts'
import { readHistory } from './read-revisions.ts'
import { findScriptProblems, readScript } from './script.ts'
import {
  writeCodeRevision,
  writeEmptyRevision,
  writeGeneratedRevision,
  writeGeneratedRevisions,
  writeMergeRevision,
} from './write-revision.ts'

const created = new Date('2026-11-20T14:30:05.678Z')

describe('writeEmptyRevision', () => {
  it('writes a folder that reads back as the revision it returns', () => {
    using workspace = exampleWorkspace({})

    const first = writeEmptyRevision(workspace.source, emptyHistory(), { message: 'Add users', parents: [], created })
    const second = writeEmptyRevision(workspace.source, readHistory(workspace.source), {
      message: 'Add teams',
      parents: [first.id],
      created: new Date('2026-11-20T15:00:00Z'),
    })

    expect(readHistory(workspace.source).revisions).toEqual([first, second])
    expect(first.id).toMatch(/^[0-9a-f]{12}$/)
    expect(second.parents).toEqual([first.id])
  })

  it('leaves both sides to be filled in, and refuses to run them until then', async () => {
    using workspace = exampleWorkspace({})
    const { root } = workspace.source

    const revision = writeEmptyRevision(workspace.source, emptyHistory(), {
      message: 'Add users',
      parents: [],
      created,
    })

    const up = await readScript(root, revision, 'up')
    const down = await readScript(root, revision, 'down')
    expect(findScriptProblems(up)).toMatchObject([{ code: 'UNFILLED', file: up.file, line: 1 }])
    expect(findScriptProblems(down)).toMatchObject([
      { code: 'UNFILLED', hint: expect.stringContaining('delete the file') },
    ])
  })

  it('writes a revision.json that a person can edit', () => {
    using workspace = exampleWorkspace({})

    const { id, folder } = writeEmptyRevision(workspace.source, emptyHistory(), {
      message: 'Größe "x"',
      parents: [],
      created,
    })

    const name = folder.split('/').at(-1)!
    expect(readFileSync(workspace.pathOf(`${name}/revision.json`), 'utf8')).toBe(
      `{\n  "id": "${id}",\n  "parents": [],\n  "message": "Größe \\"x\\"",\n  "created": "2026-11-20T14:30:05Z"\n}\n`,
    )
    expect(readdirSync(workspace.pathOf(name)).toSorted()).toEqual(['down.sql', 'migration.sql', 'revision.json'])
  })

  it.each([
    ['Add users', 'add_users'],
    ['  résumé & Größe ', 'resume_gro_e'],
    ['../../etc/passwd', 'etc_passwd'],
    ['数据', 'revision'],
    ['x'.repeat(80), 'x'.repeat(60)],
    [`${'x'.repeat(59)} y`, 'x'.repeat(59)],
  ])('names the folder of %j after its time and %j', (message, slug) => {
    using workspace = exampleWorkspace({})

    const { folder } = writeEmptyRevision(workspace.source, emptyHistory(), { message, parents: [], created })

    expect(folder).toBe(`databases/main/migrations/20261120143005_${slug}`)
  })

  it('does not touch a folder that is there already', () => {
    using workspace = exampleWorkspace({})
    const draft = { message: 'Add users', parents: [], created }
    const { id } = writeEmptyRevision(workspace.source, emptyHistory(), draft)

    expect(() => writeEmptyRevision(workspace.source, emptyHistory(), draft)).toThrow('is there already')

    expect(readHistory(workspace.source).revisions).toMatchObject([{ id }])
    expect(readdirSync(workspace.pathOf(''))).toHaveLength(1)
  })

  it('writes labels and dependencies when there are any, those of other databases behind their names', () => {
    using workspace = exampleWorkspace({})
    const { id } = writeEmptyRevision(workspace.source, emptyHistory(), { message: 'Add users', parents: [], created })

    const second = writeEmptyRevision(workspace.source, readHistory(workspace.source), {
      message: 'Add billing',
      parents: [],
      labels: ['billing'],
      dependsOn: [id],
      dependsOnElsewhere: [{ database: 'credentials', revision: 'c0c0c0c0c0c0' }],
      created: new Date('2026-11-20T15:00:00Z'),
    })

    const json: unknown = JSON.parse(readFileSync(`${workspace.source.root}/${second.folder}/revision.json`, 'utf8'))
    expect(json).toEqual({
      id: second.id,
      parents: [],
      message: 'Add billing',
      created: '2026-11-20T15:00:00Z',
      labels: ['billing'],
      dependsOn: [id, 'credentials/c0c0c0c0c0c0'],
    })
    expect(readHistory(workspace.source).byId.get(second.id)).toEqual(second)
  })

  it('gives a revision that would not sort behind its parent the next second', () => {
    using workspace = exampleWorkspace({})
    const first = writeEmptyRevision(workspace.source, emptyHistory(), { message: 'Zebras', parents: [], created })

    const second = writeEmptyRevision(workspace.source, readHistory(workspace.source), {
      message: 'Ants',
      parents: [first.id],
      created,
    })

    expect(second).toMatchObject({
      created: '2026-11-20T14:30:06Z',
      folder: expect.stringMatching(/20261120143006_ants$/),
    })
    expect(readdirSync(workspace.pathOf(''))).toEqual(['20261120143005_zebras', '20261120143006_ants'])
  })

  it('says that it cannot write, and leaves nothing behind', () => {
    using workspace = exampleWorkspace({ 'README.md': '' })
    const migrations = workspace.pathOf('').replace(/\/$/, '')
    rmSync(migrations, { recursive: true })
    writeFileSync(migrations, 'a file')

    const act = () => writeEmptyRevision(workspace.source, emptyHistory(), { message: 'x', parents: [], created })

    expect(act).toThrow(expect.objectContaining({ code: 'WRITE_FAILED' }))
    expect(act).toThrow(/^cannot write into databases\/main\/migrations \((?:ENOTDIR|EEXIST)\)$/)
    expect(readFileSync(migrations, 'utf8')).toBe('a file')
  })
})

describe('writeCodeRevision', () => {
  it('writes one file for both sides, which refuses to run until it is filled in', async () => {
    using workspace = exampleWorkspace({})
    const draft = { message: 'Fill in slugs', parents: [], created }

    const revision = writeCodeRevision(workspace.source, emptyHistory(), draft, { snapshot: '{}' })

    expect(readHistory(workspace.source).revisions).toEqual([revision])
    expect(revision).toMatchObject({ language: 'typescript', reversible: true })
    expect(Object.keys(filesOf(workspace.pathOf(revision.folder.split('/').at(-1)!))).toSorted()).toEqual([
      'migration.ts',
      'revision.json',
      'snapshot.json',
    ])
    const script = await readScript(workspace.source.root, revision, 'up')
    expect(findScriptProblems(script)).toMatchObject([
      { code: 'UNFILLED', line: 3, hint: expect.stringContaining('// drover:unfilled') },
    ])
  })
})

describe('writeMergeRevision', () => {
  it.each([
    [2, 'two branches'],
    [3, '3 branches'],
  ])('joins %i revisions with an up and a down that can be run and do nothing', async (count, branches) => {
    using workspace = exampleWorkspace({})
    const { root } = workspace.source
    const parents = Array.from({ length: count }, (_, at) => {
      const draft = { message: `arm ${at}`, parents: [], created }
      return writeEmptyRevision(workspace.source, readHistory(workspace.source), draft).id
    })

    const merge = writeMergeRevision(workspace.source, readHistory(workspace.source), {
      message: 'Join them',
      parents,
      created: new Date('2026-11-20T15:00:00Z'),
    })

    expect(readHistory(workspace.source).heads).toEqual([merge])
    const scripts = [await readScript(root, merge, 'up'), await readScript(root, merge, 'down')]
    expect(scripts.map(({ sql }) => sql)).toEqual([
      `-- Joins ${branches}; nothing to change.\n`,
      `-- Parts ${branches} again; nothing to change.\n`,
    ])
    expect(scripts.flatMap((script) => [...findScriptProblems(script), ...script.statements])).toEqual([])
  })
})

describe('writeGeneratedRevision', () => {
  it('writes what it is given, and what it is given alone', () => {
    using workspace = exampleWorkspace({})
    const draft = { id: '5c0f4a6e77aa', message: 'Add index', parents: [], created } as const

    const full = writeGeneratedRevision(
      workspace.source,
      emptyHistory(),
      { ...draft, transaction: 'none', proof: 'none' },
      {
        up: 'create index concurrently i on t (c);\n',
        down: 'drop index concurrently i;\n',
        snapshot: '{}\n',
        objects: '[]\n',
      },
    )

    expect(filesOf(workspace.pathOf(full.folder.split('/').at(-1)!))).toEqual({
      'revision.json': `{\n  "id": "5c0f4a6e77aa",\n  "parents": [],\n  "message": "Add index",\n  "created": "2026-11-20T14:30:05Z",\n  "transaction": "none",\n  "proof": "none"\n}\n`,
      'migration.sql': 'create index concurrently i on t (c);\n',
      'down.sql': 'drop index concurrently i;\n',
      'snapshot.json': '{}\n',
      'objects.json': '[]\n',
    })
    expect(readHistory(workspace.source).revisions).toEqual([full])

    const plain = { ...draft, id: '0123456789ab', message: 'Add table', parents: [full.id] }
    const bare = writeGeneratedRevision(workspace.source, readHistory(workspace.source), plain, { up: 'select 1;\n' })
    expect(Object.keys(filesOf(workspace.pathOf(bare.folder.split('/').at(-1)!)))).toEqual([
      'migration.sql',
      'revision.json',
    ])
    expect(bare).not.toHaveProperty('transaction')
    expect(readHistory(workspace.source).byId.get(bare.id)).toEqual({ ...bare, reversible: false })
  })

  it('puts the files of a schema beside an empty revision and a merge as well', () => {
    using workspace = exampleWorkspace({})
    const schema = { snapshot: '{"id":1}\n', objects: '{"id":2}\n' }
    const draft = { message: 'x', parents: [], created }

    const empty = writeEmptyRevision(workspace.source, emptyHistory(), draft, schema)
    const merge = writeMergeRevision(workspace.source, emptyHistory(), { ...draft, message: 'y' }, schema)

    const expected = { 'snapshot.json': schema.snapshot, 'objects.json': schema.objects }
    expect(filesOf(`${workspace.source.root}/${empty.folder}`)).toMatchObject(expected)
    expect(filesOf(`${workspace.source.root}/${merge.folder}`)).toMatchObject(expected)
  })
})

describe('writeGeneratedRevisions', () => {
  const first = { id: 'ffffffffffff', message: 'Values', parents: [], created }
  const second = { id: '000000000000', message: 'Defaults', parents: [first.id], created }
  const drafts = [
    { draft: first, files: { up: 'select 1;\n' } },
    { draft: second, files: { up: 'select 2;\n' } },
  ]

  it('writes revisions that sort in the order in which they run', () => {
    using workspace = exampleWorkspace({})

    const written = writeGeneratedRevisions(workspace.source, emptyHistory(), drafts)

    expect(written.map((revision) => [revision.id, revision.created])).toEqual([
      [first.id, '2026-11-20T14:30:05Z'],
      [second.id, '2026-11-20T14:30:06Z'],
    ])
    expect(readdirSync(workspace.pathOf(''))).toEqual(['20261120143005_values', '20261120143006_defaults'])
    expect(readHistory(workspace.source).revisions).toEqual(written)
  })

  it('writes none when one is there already', () => {
    using workspace = exampleWorkspace({ '20261120143006_defaults/keep.txt': '' })

    expect(() => writeGeneratedRevisions(workspace.source, emptyHistory(), drafts)).toThrow(
      'databases/main/migrations/20261120143006_defaults is there already',
    )

    expect(readdirSync(workspace.pathOf(''))).toEqual(['20261120143006_defaults'])
  })

  it('takes back what has appeared when a later one cannot be moved to its place', () => {
    using workspace = exampleWorkspace({ 'README.md': '' })
    // Looks free, and no folder can be moved there.
    symlinkSync('nowhere', workspace.pathOf('20261120143006_defaults'))

    expect(() => writeGeneratedRevisions(workspace.source, emptyHistory(), drafts)).toThrow(
      'cannot write into databases/main/migrations (ENOTDIR)',
    )

    expect(readdirSync(workspace.pathOf(''))).toEqual(['20261120143006_defaults', 'README.md'])
  })
})

function filesOf(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]))
}

function emptyHistory(): History {
  const built = buildHistory([])
  if (!built.ok) throw new Error('an empty history is valid')
  return built.history
}
