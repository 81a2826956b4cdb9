import { readHistory } from '@drover/engine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createExampleFolder, type ExampleFolder } from '../kit/example-schemas.ts'
import { type Kit, type SnapshotFile, startKit } from '../kit/kit.ts'
import { findKitRevisions, readKitRevision } from './kit-folders.ts'

let folder: ExampleFolder
let kit: Kit

beforeAll(async () => {
  folder = await createExampleFolder()
  kit = startKit(folder.root)
})

afterAll(async () => {
  await kit[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const source = () => ({ root: folder.root, folder: 'migrations' })

/** Writes a migration as drizzle-kit does. */
async function generate(
  name: string,
  declarations: string | undefined,
  sql: string,
  below: readonly SnapshotFile[],
): Promise<readonly SnapshotFile[]> {
  const schema = declarations === undefined ? undefined : await folder.schema(declarations)
  const snapshot = await kit.writeSnapshot(below, schema, [])
  await folder.write(`migrations/${name}/migration.sql`, sql)
  return folder.snapshot(snapshot, below, name)
}

describe('what drizzle-kit has made among our revisions', () => {
  test('is found, with the states around it and its way back', async () => {
    const first = await generate(
      '20261101120000_one',
      `export const users = pg.pgTable('users', { name: pg.text() })`,
      'CREATE TABLE "users" ("name" text);\n',
      [],
    )
    const second = await generate(
      '20261102120000_two',
      `export const users = pg.pgTable('users', { full: pg.text(), age: pg.integer() })`,
      'ALTER TABLE "users" RENAME COLUMN "name" TO "full";--> statement-breakpoint\nALTER TABLE "users" ADD COLUMN "age" integer;\n',
      first,
    )
    await generate('20261103120000_three', undefined, `UPDATE "users" SET "age" = 1;\n`, second)
    const history = readHistory(source())

    const found = findKitRevisions(source(), history)
    const [one, two, three] = await Promise.all(
      found.map((revision) => readKitRevision(kit, source(), history, revision)),
    )

    expect(found.map(({ message }) => message)).toEqual(['one', 'two', 'three'])
    expect(one).toMatchObject({
      ground: { snapshots: [] },
      before: { ddl: [] },
      down: ['DROP TABLE "users"'],
      renames: [],
    })
    expect(two!.up).toEqual([
      'ALTER TABLE "users" RENAME COLUMN "name" TO "full"',
      expect.stringContaining('ADD COLUMN "age" integer'),
    ])
    expect(two!.renames).toEqual([{ from: ['public', 'users', 'name'], to: ['public', 'users', 'full'] }])
    expect(two!.down.toSorted()).toEqual([
      'ALTER TABLE "users" DROP COLUMN "age"',
      'ALTER TABLE "users" RENAME COLUMN "full" TO "name"',
    ])
    // Data that a custom migration has changed is no business of a schema.
    expect(three).toMatchObject({ down: [], renames: [], after: { ddl: three!.before.ddl } })
  })

  test('is what has no revision.json', async () => {
    const before = findKitRevisions(source(), readHistory(source()))
    const { id, parents, message, created } = before[1]!
    await folder.write('migrations/20261102120000_two/revision.json', JSON.stringify({ id, parents, message, created }))

    const after = findKitRevisions(source(), readHistory(source()))

    expect(after).toEqual([before[0], before[2]])
  })
})
