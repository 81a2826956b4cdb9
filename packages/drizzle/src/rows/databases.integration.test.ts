import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { describe, expect, inject, it } from 'vitest'

import { exampleDatabase } from './example-database.ts'
import { generateRows } from './generate-rows.ts'
import { readContents } from './read-contents.ts'

const databases = path.resolve(import.meta.dirname, '../../../../databases')

describe('generateRows on the databases of the repository', () => {
  it.each(['main', 'credentials', 'gdpr', 'tenant'])('fills every table of %s', async (name) => {
    await using database = await exampleDatabase(inject('serverUrl'), await readMigrations(name))

    const { tables, without } = await generateRows(database.connection)

    expect(without).toEqual([])
    const contents = await readContents(database.connection)
    expect(tables).toHaveLength(contents.tables.size)
    const few = [...contents.tables].filter(([, { rows }]) => rows < 3).map(([table]) => table)
    const never = [...contents.tables].filter(([, { columns }]) =>
      [...columns.values()].some(({ filled }) => filled === 0),
    )
    expect(few).toEqual([])
    expect(never.map(([table]) => table)).toEqual([])
  })
})

/** The SQL of all revisions of a database, in the order of their folders. */
async function readMigrations(name: string): Promise<string> {
  const folder = path.join(databases, name, 'migrations')
  const revisions = (await readdir(folder)).toSorted()
  const files = await Promise.all(
    revisions.map((revision) => readFile(path.join(folder, revision, 'migration.sql'), 'utf8')),
  )
  return files.join('\n')
}
