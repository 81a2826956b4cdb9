import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DroverError } from '@drover/history'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { findUnclassified, loadDataMap } from './data-map.ts'
import { exampleDatabase } from './example-database.ts'

const email = { personal: true, category: 'contact', purpose: 'Reaching the person', legalBasis: 'contract' } as const

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'drover-data-map-'))
  await mkdir(join(root, 'databases/gdpr'), { recursive: true })
})
afterAll(() => rm(root, { recursive: true }))

/** Writes a file into the database's folder and loads it as its data map. */
async function load(file: string, text: string) {
  await writeFile(join(root, 'databases/gdpr', file), text)
  const database = exampleDatabase('gdpr', { schema: './schema.ts', personalData: `./${file}` })
  return loadDataMap(root, database)
}

async function problemsOf(file: string, text: string) {
  const error: unknown = await load(file, text).catch((thrown: unknown) => thrown)
  if (!(error instanceof DroverError)) throw new Error(`it did not refuse: ${String(error)}`)
  return error.problems
}

describe('loadDataMap', () => {
  it('loads what the file declares', async () => {
    const declaration = { people: { retention: 'for a year', columns: { email } } }

    expect(await load('good.ts', `export const personalData = ${JSON.stringify(declaration)}`)).toEqual({
      file: 'databases/gdpr/good.ts',
      columns: [{ table: 'people', column: 'email', ...email, retention: 'for a year' }],
    })
  })

  it('has nothing for a database that declares none', async () => {
    expect(await loadDataMap(root, exampleDatabase('gdpr', {}))).toBeUndefined()
  })

  it('names the file and everything that is wrong in it', async () => {
    expect(
      await problemsOf('bad.ts', `export const personalData = { people: { columns: { email: { personal: 1 } } } }`),
    ).toMatchObject([
      {
        code: 'CONFIG_INVALID',
        file: 'databases/gdpr/bad.ts',
        message: 'databases/gdpr/bad.ts: "people.retention" is missing',
      },
      { code: 'CONFIG_INVALID', message: expect.stringContaining('"people.columns.email.personal" must say') },
    ])
    expect(await problemsOf('empty.ts', '')).toMatchObject([
      {
        code: 'CONFIG_INVALID',
        message:
          'databases/gdpr/empty.ts: "personalData" must be exported: export const personalData = classify({ … })',
      },
    ])
    expect(await problemsOf('broken.ts', 'export default {')).toMatchObject([
      { code: 'CONFIG_INVALID', message: expect.stringContaining('databases/gdpr/broken.ts: cannot be loaded') },
    ])
  })
})

describe('findUnclassified', () => {
  const map = {
    file: 'databases/gdpr/people.ts',
    columns: [
      { table: 'people', column: 'email', ...email, retention: 'for a year' },
      { table: 'people', column: 'phone', ...email, retention: 'for a year' },
    ],
  }

  it('finds nothing when every column is classified', () => {
    expect(findUnclassified(map, map.columns)).toEqual([])
  })

  it('finds columns that are not classified, and classifications of columns that are gone', () => {
    const columns = [
      { table: 'people', column: 'email' },
      { table: 'app.people', column: 'phone' },
    ]

    expect(findUnclassified(map, columns)).toMatchObject([
      {
        code: 'COLUMN_UNCLASSIFIED',
        file: 'databases/gdpr/people.ts',
        message: 'databases/gdpr/people.ts does not say whether app.people.phone holds personal data',
      },
      {
        code: 'COLUMN_GONE',
        message: 'databases/gdpr/people.ts classifies people.phone, and there is no such column',
      },
    ])
  })
})
