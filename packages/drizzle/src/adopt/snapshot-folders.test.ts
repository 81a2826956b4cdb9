import { DroverError } from '@drover/history'
import { describe, expect, test } from 'vitest'

import { exampleFolder } from './example-folder.ts'
import { isSnapshotFolder, readSnapshotFolders } from './snapshot-folders.ts'

const [first, second, third] = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
] as const
const origin = '00000000-0000-0000-0000-000000000000'

function snapshot(id: string, prevIds: readonly string[], version = '9'): string {
  return JSON.stringify({ type: 'diff', version, dialect: 'postgres', id, prevIds, deltas: [] })
}

const files = {
  '20261101120000_one/migration.sql': 'create table a (id integer);\n',
  '20261101120000_one/snapshot.json': snapshot(first, [origin]),
  '20261102120000_two/migration.sql': 'create table b (id integer);\n',
  '20261102120000_two/snapshot.json': snapshot(second, [first]),
}

/** Nothing is to be converted in most of these folders. */
const refuseToConvert = () => Promise.reject(new Error('there is nothing to convert'))

async function problemsOf(contents: Readonly<Record<string, string>>): Promise<readonly string[]> {
  using example = exampleFolder(contents)
  try {
    await readSnapshotFolders(example.folder, refuseToConvert)
  } catch (error) {
    if (error instanceof DroverError) return error.problems.map(({ message }) => message)
    throw error
  }
  return []
}

function without(file: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name !== file))
}

test('folders become revisions as they are', async () => {
  using example = exampleFolder({ ...files, 'notes/readme.md': 'x' })
  expect(isSnapshotFolder(example.folder)).toBe(true)

  const sound = exampleFolder(files)
  using _ = sound
  const { revisions, warnings } = await readSnapshotFolders(sound.folder, refuseToConvert)

  expect(warnings).toEqual([])
  expect(revisions).toMatchObject([
    {
      id: '111111111111',
      name: '20261101120000_one',
      folderName: '20261101120000_one',
      parents: [],
      message: 'one',
      files: { up: 'create table a (id integer);\n', snapshot: files['20261101120000_one/snapshot.json'] },
    },
    { id: '222222222222', parents: ['111111111111'] },
  ])
})

test('snapshots of an older version are all converted, parents first', async () => {
  using example = exampleFolder({
    ...files,
    '20261031120000_early/migration.sql': 'select 1;\n',
    '20261031120000_early/snapshot.json': snapshot(third, [second], '8'),
  })

  const { revisions, warnings } = await readSnapshotFolders(example.folder, async (snapshots) =>
    snapshots.map(({ name }) => `converted ${name}`),
  )

  expect(revisions.map((revision) => revision.files.snapshot)).toEqual([
    'converted 20261101120000_one',
    'converted 20261102120000_two',
    'converted 20261031120000_early',
  ])
  expect(warnings).toMatchObject([
    { message: expect.stringContaining('20261031120000_early sorts before 20261102120000_two, which it comes after') },
  ])
})

describe('an irregularity is named', () => {
  test.each([
    [
      'no snapshot',
      without('20261102120000_two/snapshot.json'),
      'two/snapshot.json is missing: nothing says what this comes after',
    ],
    ['no SQL', without('20261102120000_two/migration.sql'), 'two/migration.sql is missing: drizzle-orm passes over'],
    [
      'a snapshot that is none',
      { ...files, '20261102120000_two/snapshot.json': '{' },
      'two/snapshot.json is not a snapshot of drizzle-kit 1.0',
    ],
    [
      'a parent that is missing',
      { ...files, '20261101120000_one/snapshot.json': snapshot(third, [origin]) },
      `two comes after the snapshot ${first}, and no folder has that one`,
    ],
    [
      'a copy',
      { ...files, '20261102120000_two/snapshot.json': snapshot(first, [origin]) },
      '20261101120000_one and 20261102120000_two have the same snapshot id',
    ],
    [
      'a name without a time',
      { ...files, 'three/migration.sql': 'select 1;\n', 'three/snapshot.json': snapshot(third, [second]) },
      'legacy/three does not begin with a time',
    ],
    [
      'a statement that only a breakpoint ends',
      { ...files, '20261102120000_two/migration.sql': 'select 1;\nselect 2\n--> statement-breakpoint\nselect 3;\n' },
      'two/migration.sql:2: the statement ends without ";"',
    ],
  ])('%s', async (_, contents, message) => {
    expect(await problemsOf(contents)).toEqual([expect.stringContaining(message)])
  })
})
