import { expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const schema = `
import { integer, pgSchema, pgTable, pgView, text } from 'drizzle-orm/pg-core'

export const people = pgTable('people', { id: integer('id').primaryKey(), email: text('email') })
export const app = pgSchema('app')
export const visits = app.table('visits', { id: integer('id').primaryKey() })
export const addresses = pgView('addresses').as((query) => query.select({ email: people.email }).from(people))
`

const map = `
const key = { personal: false, purpose: 'Key' }

export const personalData = {
  people: {
    retention: 'for a year',
    columns: {
      id: key,
      email: { personal: true, category: 'contact', purpose: 'Reaching the person', legalBasis: 'contract' },
    },
  },
  'app.visits': { retention: 'for a day', columns: { id: key } },
}
`

/** A workspace with a database that has a data map, and one that has none. */
async function createMapped(): Promise<TestWorkspace> {
  const workspace = await createWorkspace()
  await workspace.addDatabase('gdpr', { schema })
  await workspace.addDatabase('plain')
  await workspace.write(
    'databases/gdpr/database.ts',
    `export default { name: 'gdpr', schema: './schema.ts', personalData: './personal-data.ts' }\n`,
  )
  await workspace.write('databases/gdpr/personal-data.ts', map)
  return workspace
}

test('data-map prints the map as Markdown, JSON and SQL, without a server', async () => {
  await using workspace = await createMapped()
  for (const name of Object.keys(workspace.env)) if (name.endsWith('_URL')) delete workspace.env[name]

  expect(await workspace.migrate('data-map')).toMatchObject({
    exitCode: 0,
    stderr: 'no data map is declared by plain\n',
    stdout: `# Data map of gdpr

## people

| column | personal data | purpose | legal basis | kept |
| --- | --- | --- | --- | --- |
| \`id\` | | Key | | for a year |
| \`email\` | contact | Reaching the person | contract, Article 6(1)(b) | for a year |

## app.visits

| column | personal data | purpose | legal basis | kept |
| --- | --- | --- | --- | --- |
| \`id\` | | Key | | for a day |
`,
  })
  expect((await workspace.migrate('data-map', '--json')).json()).toMatchObject({
    ok: true,
    databases: [
      {
        name: 'gdpr',
        file: 'databases/gdpr/personal-data.ts',
        columns: [
          { table: 'people', column: 'id', personal: false, category: null, purpose: 'Key', retention: 'for a year' },
          { table: 'people', column: 'email', personal: true, category: 'contact', legalBasis: 'contract' },
          { table: 'app.visits', column: 'id', retention: 'for a day' },
        ],
      },
      { name: 'plain', file: null, columns: [] },
    ],
  })
  expect(await workspace.migrate('data-map', '--sql', '-d', 'gdpr')).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: expect.stringContaining(`
comment on column "people"."email" is
  'Reaching the person. Personal data: contact. Basis: contract, Article 6(1)(b). Kept for a year.';
`),
  })
})

test('check refuses a column that the map says nothing of, and a column of the map that is gone', async () => {
  await using workspace = await createMapped()
  expect(await workspace.migrate('revision', 'begin', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0, stderr: '' })

  await workspace.write('databases/gdpr/schema.ts', schema.replace("email: text('email')", "email: text('mail')"))
  const ended = await workspace.migrate('check', '--offline', '--json')

  expectFailure(
    ended,
    4,
    'gdpr: databases/gdpr/personal-data.ts does not say whether people.mail holds personal data',
    'gdpr: databases/gdpr/personal-data.ts classifies people.email, and there is no such column',
  )
  expect(
    ended
      .json()
      .problems.map(({ code }: { code: string }) => code)
      .toSorted(),
  ).toEqual(['COLUMN_GONE', 'COLUMN_UNCLASSIFIED', 'SCHEMA_CHANGED'])
})

test('a map that cannot be read is told by data-map and by check, and keeps nothing else from working', async () => {
  await using workspace = await createMapped()
  expect(await workspace.migrate('revision', 'begin', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })
  await workspace.write('databases/gdpr/personal-data.ts', map.replace("legalBasis: 'contract'", "legalBasis: 'whim'"))
  const fault = 'databases/gdpr/personal-data.ts: "people.columns.email.legalBasis" must be one of consent, contract,'

  expectFailure(await workspace.migrate('data-map'), 2, fault)
  expectFailure(await workspace.migrate('check'), 4, fault)
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
})

test('a map without a schema is refused, for there is nothing to compare it with', async () => {
  await using workspace = await createMapped()
  await workspace.write(
    'databases/gdpr/database.ts',
    `export default { name: 'gdpr', personalData: './personal-data.ts' }\n`,
  )

  expectFailure(await workspace.migrate('data-map'), 2, 'databases/gdpr/database.ts: "personalData" needs "schema"')
})
