import { DroverError } from '@drover/history'
import { describe, expect, test } from 'vitest'

import { exampleFolder } from './example-folder.ts'
import type { ConvertSnapshots } from './foreign-history.ts'
import { isJournalFolder, readJournalFolder } from './journal.ts'

interface Entry {
  readonly idx: number
  readonly when: number
  readonly tag: string
}

const [first, second, third] = [1, 2, 3].map(
  (digit) => `${`${digit}`.repeat(8)}-${`${digit}`.repeat(4)}-4111-8111-111111111111`,
)
const origin = '00000000-0000-0000-0000-000000000000'
const time = Date.UTC(2026, 10, 1, 12)

const entries: readonly [Entry, Entry, Entry] = [
  { idx: 0, when: time, tag: '0000_one' },
  { idx: 1, when: time + 300, tag: '0001_two-words' },
  { idx: 2, when: time + 5000, tag: '0002_three' },
]

function journal(list: readonly Entry[], dialect = 'postgresql'): string {
  return JSON.stringify({ version: '7', dialect, entries: list })
}

function snapshot(id: string | undefined, prevId: string | undefined): string {
  return JSON.stringify({ version: '7', dialect: 'postgresql', id, prevId, tables: {} })
}

const files = {
  'meta/_journal.json': journal(entries),
  '0000_one.sql': 'select 1;\n',
  '0001_two-words.sql': 'select 2;\n',
  '0002_three.sql': 'select 3;\n',
  'meta/0000_snapshot.json': snapshot(first, origin),
  'meta/0001_snapshot.json': snapshot(second, first),
  'meta/0002_snapshot.json': snapshot(third, second),
}

function without(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)))
}

/** What drizzle-kit is given is what is looked at here. */
const convert: ConvertSnapshots = async (snapshots) => snapshots.map(({ text }) => text)

async function read(contents: Readonly<Record<string, string>>) {
  using example = exampleFolder(contents)
  expect(isJournalFolder(example.folder)).toBe(true)
  try {
    const { revisions, warnings } = await readJournalFolder(example.folder, convert)
    return { revisions, warnings: warnings.map(({ message }) => message), problems: [] }
  } catch (error) {
    if (!(error instanceof DroverError)) throw error
    return { revisions: [], warnings: [], problems: error.problems.map(({ message }) => message) }
  }
}

test('the entries become revisions in the order of the journal', async () => {
  const { revisions, warnings } = await read(files)

  expect(warnings).toEqual([])
  expect(revisions).toMatchObject([
    { id: '111111111111', name: '0000_one', folderName: '20261101120000_0000_one', parents: [], message: 'one' },
    {
      id: '222222222222',
      folderName: '20261101120000_0001_two-words',
      parents: ['111111111111'],
      message: 'two words',
    },
    { id: '333333333333', folderName: '20261101120005_0002_three', parents: ['222222222222'] },
  ])
  expect(revisions[1]).toMatchObject({ created: new Date(time + 300), files: { up: 'select 2;\n' } })
})

test('entries that go back in time stay in their place', async () => {
  const [one, two, three] = entries
  const { revisions, warnings } = await read({
    ...files,
    'meta/_journal.json': journal([one, { ...two, when: one.when - 1 }, three]),
  })

  expect(revisions.map(({ created }) => created.getTime() - time)).toEqual([0, 0, 5000])
  expect(warnings).toEqual([expect.stringContaining('0001_two-words is dated before 0000_one, which it comes after')])
})

test('snapshots follow each other as the journal says, whatever they say themselves', async () => {
  const { revisions, warnings } = await read({ ...files, 'meta/0002_snapshot.json': snapshot(third, first) })

  expect(JSON.parse(revisions[2]!.files.snapshot!)).toMatchObject({ prevId: second })
  expect(warnings).toEqual([
    expect.stringContaining('meta/0002_snapshot.json does not come after the snapshot before it'),
  ])
})

test('the snapshot after a missing one says what the missing one was called, and holds its changes', async () => {
  const { revisions, warnings } = await read(without('meta/0001_snapshot.json'))

  expect(revisions.map(({ id }) => id)).toEqual(['111111111111', '222222222222', '333333333333'])
  expect(revisions[1]!.files.snapshot).toBeUndefined()
  expect(JSON.parse(revisions[2]!.files.snapshot!)).toMatchObject({ prevId: first })
  expect(warnings).toEqual([expect.stringContaining('legacy/meta/0001_snapshot.json is missing')])
})

test('a folder without any snapshot has the SQL alone, with ids made from the tags', async () => {
  const { revisions, warnings } = await read(
    without('meta/0000_snapshot.json', 'meta/0001_snapshot.json', 'meta/0002_snapshot.json'),
  )

  expect(new Set(revisions.map(({ id }) => id)).size).toBe(3)
  for (const { id, files: own } of revisions) {
    expect(id).toMatch(/^[0-9a-f]{12}$/)
    expect(own.snapshot).toBeUndefined()
  }
  expect(warnings).toEqual([expect.stringContaining('legacy/meta has no snapshots')])
})

describe('an irregularity is named', () => {
  const [one, two, three] = entries
  test.each([
    ['a stray file', { ...files, 'old.sql': '' }, 'legacy/old.sql has no entry in meta/_journal.json'],
    ['a lost file', without('0001_two-words.sql'), 'legacy/0001_two-words.sql is missing'],
    ['a lost end', without('meta/0002_snapshot.json'), 'legacy/meta/0002_snapshot.json is missing'],
    [
      'one idx for two',
      { ...files, 'meta/_journal.json': journal([one, two, { ...three, idx: 1 }]) },
      'entries 0001_two-words and 0002_three have the same idx 1',
    ],
    [
      'one tag for two',
      { ...files, 'meta/_journal.json': journal([...entries, { ...three, idx: 3 }]) },
      'with the tag 0002_three',
    ],
    ['another database', { ...files, 'meta/_journal.json': journal(entries, 'mysql') }, 'is of a history for mysql'],
    ['nothing', { ...files, 'meta/_journal.json': journal([]) }, 'legacy/meta/_journal.json has no entries'],
    ['a damaged journal', { ...files, 'meta/_journal.json': '{' }, 'is not a journal of drizzle-kit'],
    [
      'a damaged snapshot',
      { ...files, 'meta/0001_snapshot.json': '{}' },
      'legacy/meta/0001_snapshot.json is not a snapshot',
    ],
    [
      'an older snapshot',
      { ...files, 'meta/0001_snapshot.json': snapshot(second, first).replace('"7"', '"6"') },
      'legacy/meta/0001_snapshot.json is of version 6',
    ],
    [
      'a statement that only a breakpoint ends',
      { ...files, '0000_one.sql': `select 'a;--';\nselect 1 -- no\n--> statement-breakpoint\nselect 2;\n` },
      'legacy/0000_one.sql:2: the statement ends without ";"',
    ],
  ])('%s', async (_, contents, message) => {
    expect((await read(contents)).problems).toEqual([expect.stringContaining(message)])
  })

  test('and so are all others: a file that was renamed is missing, and a stray one', async () => {
    const { problems } = await read({
      ...without('0001_two-words.sql', 'meta/0002_snapshot.json'),
      '0001_other.sql': '',
    })
    expect(problems).toEqual([
      expect.stringContaining('legacy/0001_other.sql has no entry'),
      expect.stringContaining('legacy/0001_two-words.sql is missing'),
      expect.stringContaining('legacy/meta/0002_snapshot.json is missing'),
    ])
  })
})
