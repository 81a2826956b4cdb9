import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'

import { describe, expect, it } from 'vitest'

import { type ExampleWorkspace, exampleWorkspace } from './example-workspace.ts'
import { readHistory } from './read-revisions.ts'
import { stampFiles } from './stamp-files.ts'

const record = { parents: [], message: 'm', created: '2026-11-20T14:30:00Z' }

/** A revision in SQL, one in TypeScript, one of drizzle-kit, and a file that lies among them. */
function threeKinds(): ExampleWorkspace {
  return exampleWorkspace({
    '1_sql/revision.json': { ...record, id: 'aaaaaaaaaaaa' },
    '1_sql/migration.sql': 'select 1;\n',
    '2_code/revision.json': { ...record, id: 'bbbbbbbbbbbb', parents: ['aaaaaaaaaaaa'] },
    '2_code/migration.ts': 'export default {}\n',
    '20261120143000_kit/migration.sql': 'select 3;\n',
    '20261120143000_kit/snapshot.json': { id: '11111111-1111-4111-8111-111111111111', prevIds: [] },
    'README.md': 'about',
  })
}

/** Writes something else of the same length, and has the file say that it was modified when it was before. */
function editUnseen(file: string): void {
  const { atime, mtime } = statSync(file)
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    text.replace(/\w/, (letter) => (letter === 'z' ? 'y' : 'z')),
  )
  utimesSync(file, atime, mtime)
}

/** What tells one state of the files from another; the time of a change does not. */
async function digestsOf({ source }: ExampleWorkspace): Promise<readonly string[]> {
  const { names, files } = await stampFiles(source)
  return [names, files]
}

describe('stampFiles', () => {
  it('is the same while nothing changes, however often the files are read', async () => {
    using workspace = threeKinds()
    const before = await stampFiles(workspace.source)

    readHistory(workspace.source)

    expect(await stampFiles(workspace.source)).toEqual(before)
  })

  it.each<[string, (at: (file: string) => string) => void]>([
    ['an edit of the SQL', (at) => appendFileSync(at('1_sql/migration.sql'), ' ')],
    ['an edit of the record', (at) => appendFileSync(at('1_sql/revision.json'), ' ')],
    ['an edit that leaves size and mtime as they were', (at) => editUnseen(at('1_sql/migration.sql'))],
    ['such an edit of TypeScript', (at) => editUnseen(at('2_code/migration.ts'))],
    ['such an edit of a snapshot', (at) => editUnseen(at('20261120143000_kit/snapshot.json'))],
    [
      'a file that takes the place of another with the same text',
      (at) => {
        writeFileSync(at('1_sql/new'), readFileSync(at('1_sql/migration.sql')))
        renameSync(at('1_sql/new'), at('1_sql/migration.sql'))
      },
    ],
    ['a file that is gone', (at) => rmSync(at('1_sql/migration.sql'))],
    ['a folder that is gone', (at) => rmSync(at('2_code'), { recursive: true })],
    ['a folder that is new', (at) => mkdirSync(at('3_empty'))],
    ['a folder that is called something else', (at) => renameSync(at('1_sql'), at('1_other'))],
    ['a down.sql beside TypeScript, which must not be there', (at) => writeFileSync(at('2_code/down.sql'), '')],
    [
      'a record in a folder of drizzle-kit',
      (at) => writeFileSync(at('20261120143000_kit/revision.json'), JSON.stringify(record)),
    ],
    [
      'a folder where a file was',
      (at) => {
        rmSync(at('README.md'))
        mkdirSync(at('README.md'))
      },
    ],
  ])('tells of %s', async (_, change) => {
    using workspace = threeKinds()
    const before = await digestsOf(workspace)

    change((file) => workspace.pathOf(file))

    expect(await digestsOf(workspace)).not.toEqual(before)
  })

  it('does not look at the files where their names say that something has changed', async () => {
    using workspace = threeKinds()
    const before = await stampFiles(workspace.source)
    expect(await stampFiles(workspace.source, before)).toEqual(before)

    renameSync(workspace.pathOf('1_sql'), workspace.pathOf('1_other'))

    expect(await stampFiles(workspace.source, before)).toBeUndefined()
  })

  it('says when a file was changed last, whatever the file says of itself', async () => {
    using workspace = threeKinds()
    const file = workspace.pathOf('1_sql/migration.sql')
    utimesSync(file, new Date('2020-01-01'), new Date('2020-01-01'))

    expect((await stampFiles(workspace.source)).changedAt).toBe(statSync(file).ctimeMs)
  })

  it('takes a missing folder for an empty one, as reading it does', async () => {
    using workspace = exampleWorkspace({})

    expect(await stampFiles(workspace.source)).toMatchObject({ changedAt: 0 })
  })

  it('tells a folder without a file from one whose file is empty', async () => {
    using workspace = exampleWorkspace({ '1_sql/revision.json': { ...record, id: 'aaaaaaaaaaaa' } })
    const before = await digestsOf(workspace)

    writeFileSync(workspace.pathOf('1_sql/migration.sql'), '')

    expect(await digestsOf(workspace)).not.toEqual(before)
  })
})
