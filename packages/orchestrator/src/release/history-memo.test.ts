import {
  chmodSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type DatabaseState, readHistory } from '@drover/engine'
import { checksum, type History } from '@drover/history'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { type HistoryMemo, keepMemo, readMemo, recall } from './history-memo.ts'

/** Enough for a history to be worth keeping. */
const many = 500

/** One that tests change; they are many to write anew for each. */
const some = 7

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'drover memo '))
  for (let number = 0; number < many; number += 1) addRevision(number)
})
afterEach(() => {
  rmSync(join(root, 'node_modules'), { recursive: true, force: true })
  rmSync(folderOf(many), { recursive: true, force: true })
  for (const number of [some, many - 1]) addRevision(number)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const folder = 'databases/main/migrations'

const idOf = (number: number) => number.toString(16).padStart(12, '0')
const folderOf = (number: number) => join(root, folder, String(number).padStart(4, '0'))
const textOf = (number: number) => `select ${number};\n`
const source = () => ({ root, folder })
const place = (version = '1.2.3') => ({ folder: join(root, 'node_modules/.cache/drover'), version })

function addRevision(number: number): void {
  const record = {
    id: idOf(number),
    parents: number === 0 ? [] : [idOf(number - 1)],
    message: `step ${number}`,
    created: new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString().replace('.000Z', 'Z'),
  }
  mkdirSync(folderOf(number), { recursive: true })
  writeFileSync(join(folderOf(number), 'revision.json'), JSON.stringify(record))
  writeFileSync(join(folderOf(number), 'migration.sql'), textOf(number))
}

interface Read {
  readonly history: History
  readonly texts: ReadonlyMap<string, string>
  readonly readAt: number
}

/** What was read of the files, long after they were written. */
function read(later = 60_000): Read {
  const history = readHistory(source())
  const texts = new Map(history.revisions.map(({ id }, number) => [id, checksum(textOf(number))]))
  return { history, texts, readAt: Date.now() + later }
}

/** A database that has had the first revisions, as their texts are. */
function stateOf(count = many): DatabaseState {
  const applied = Array.from({ length: count }, (_, number) => ({
    id: idOf(number),
    checksum: `${checksum(textOf(number))}/${'0'.repeat(64)}`,
    appliedAt: '2026-11-20T11:00:00.000Z',
  }))
  return { applied, identity: 'main', initialised: true }
}

const keep = (what = read(), state = stateOf()) => keepMemo(place(), 'main', source(), what, state)
const memoOf = () => readMemo(place(), 'main', source())

async function kept(): Promise<HistoryMemo> {
  await keep()
  return memoOf()!
}

/** What a database answers that has had everything. */
const answer = (memo: { readonly fingerprint: string }) => Promise.resolve({ ...stateOf(), ...memo })

describe('keepMemo', () => {
  it('keeps what the files came to, and nothing lies about beside it', async () => {
    await keep()

    expect(memoOf()).toMatchObject({ current: [idOf(many - 1)], heads: [idOf(many - 1)] })
    expect(readdirSync(place().folder)).toEqual(['main.history.json'])
  })

  it.each<[string, () => Promise<void>]>([
    ['a database that lacks the last revision', () => keep(read(), stateOf(many - 1))],
    [
      'a database that has had another text',
      () => {
        const state = stateOf()
        const [first, ...rest] = state.applied
        return keep(read(), { ...state, applied: [{ ...first!, checksum: checksum('select 0;') }, ...rest] })
      },
    ],
    [
      'a database that has had a revision which the files do not know',
      () => {
        const state = stateOf()
        const [first, ...rest] = state.applied
        return keep(read(), { ...state, applied: [{ ...first!, id: 'ffffffffffff' }, ...rest] })
      },
    ],
    [
      'a database with a revision that is half done',
      () => {
        const halfDone = { id: idOf(0), direction: 'down', done: 0, total: 1 } as const
        return keep(read(), { ...stateOf(), halfDone })
      },
    ],
    ['files that were written when they had been read', () => keep(read(-60_000))],
    ['files that were written shortly before they were read', () => keep(read(0))],
    [
      'files of which one could not be read',
      () => {
        const { texts, ...rest } = read()
        return keep({ ...rest, texts: new Map([...texts].slice(1)) })
      },
    ],
    [
      'a history that is read in no time',
      () => {
        rmSync(folderOf(many - 1), { recursive: true })
        return keep(read(), stateOf(many - 1))
      },
    ],
  ])('keeps nothing of %s', async (_, act) => {
    await act()

    expect(memoOf()).toBeUndefined()
  })

  it('keeps nothing where nothing can be written, and says nothing', async () => {
    mkdirSync(join(root, 'node_modules'))
    writeFileSync(join(root, 'node_modules/.cache'), 'a file')

    await keep()

    expect(memoOf()).toBeUndefined()
  })

  it.skipIf(process.getuid?.() === 0)('keeps nothing in a folder of somebody else', async () => {
    mkdirSync(place().folder, { recursive: true })
    chmodSync(place().folder, 0o555)

    await keep()

    expect(existsSync(join(place().folder, 'main.history.json'))).toBe(false)
  })
})

describe('readMemo', () => {
  it.each<[string, () => unknown]>([
    ['of another database', () => readMemo(place(), 'gdpr', source())],
    ['of another version of Drover', () => readMemo(place('1.2.4'), 'main', source())],
    ['of another folder', () => readMemo(place(), 'main', { root, folder: 'databases/other/migrations' })],
    [
      'that is damaged',
      () => {
        const file = join(place().folder, 'main.history.json')
        writeFileSync(file, readFileSync(file, 'utf8').slice(0, 100))
        return memoOf()
      },
    ],
    [
      'that lacks a field',
      () => {
        const file = join(place().folder, 'main.history.json')
        writeFileSync(file, readFileSync(file, 'utf8').replace('"heads"', '"tails"'))
        return memoOf()
      },
    ],
  ])('does not use a memo %s', async (_, act) => {
    await keep()
    expect(memoOf()).toBeDefined()

    expect(act()).toBeUndefined()
  })
})

describe('recall', () => {
  it('says where a database is that has had the files as they still are', async () => {
    const memo = await kept()
    const { fingerprint } = memo

    const ends = [idOf(many - 1)]
    expect(await recall(memo, source(), answer({ fingerprint }))).toMatchObject({
      status: { current: ends, heads: ends, pending: [], state: 'up-to-date' },
    })
  })

  it.each<[string, () => void]>([
    ['an edited file', () => writeFileSync(join(folderOf(some), 'migration.sql'), 'select 8;\n')],
    ['an edited record', () => writeFileSync(join(folderOf(some), 'revision.json'), '{}')],
    ['one revision more', () => addRevision(many)],
    ['one revision less', () => rmSync(folderOf(some), { recursive: true })],
  ])('does not know it any more with %s', async (_, change) => {
    const memo = await kept()
    const { fingerprint } = memo

    change()

    expect(await recall(memo, source(), answer({ fingerprint }))).toBeUndefined()
  })

  it('does not know it of a database that has had other revisions, or none, or half of one', async () => {
    const memo = await kept()
    const { fingerprint } = memo
    const halfDone = { id: idOf(0), direction: 'down', done: 0, total: 1 } as const

    expect(await recall(memo, source(), answer({ fingerprint: '0'.repeat(64) }))).toBeUndefined()
    expect(await recall(memo, source(), Promise.resolve(stateOf(0)))).toBeUndefined()
    const torn = Promise.resolve({ ...stateOf(), fingerprint, halfDone })
    expect(await recall(memo, source(), torn)).toBeUndefined()
  })

  it('fails as the database does', async () => {
    const failed = Promise.reject(new Error('gone'))
    failed.catch(() => undefined)

    await expect(recall(await kept(), source(), failed)).rejects.toThrow('gone')
  })
})
