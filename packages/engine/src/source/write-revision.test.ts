import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { buildHistory, type History } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleWorkspace } from './example-workspace.ts'
import { readHistory } from './read-revisions.ts'
import { findScriptProblems, readScript } from './script.ts'
import { writeEmptyRevision, writeMergeRevision } from './write-revision.ts'

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

function emptyHistory(): History {
  const built = buildHistory([])
  if (!built.ok) throw new Error('an empty history is valid')
  return built.history
}
