import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createThrowawayDatabase } from '@drover/server'
import { beforeAll, expect, inject, test } from 'vitest'

import { catalogOf, query } from '../harness/query.ts'
import {
  createOne,
  createRepositoryDatabases,
  type HistoryName,
  makeTenant,
  modelledNames,
  repository,
} from '../harness/repository-databases.ts'
import { compareSchemas, type SchemaComparison } from './compare-schemas.ts'

let urls: Readonly<Record<HistoryName, string>>
beforeAll(async () => {
  const databases = await createRepositoryDatabases({ ordinaryOwner: true })
  const upgrade = await databases.migrate('upgrade')
  if (upgrade.exitCode !== 0) throw new Error(upgrade.stderr)
  const tenant = await createOne(inject('serverUrl'), true)
  await makeTenant(tenant.url)
  urls = { ...databases.urls, tenant: tenant.url }
  return () => Promise.all([databases[Symbol.asyncDispose](), tenant[Symbol.asyncDispose]()])
})

test.each(modelledNames)('the Drizzle schema of %s and its objects make what its revisions make', async (name) => {
  const [{ all }] = (await compareSchemas([name])) as [SchemaComparison]
  await using made = await createThrowawayDatabase(inject('serverUrl'))
  await query(made.url, all.join('\n'))
  for (const sql of inOrder(await readObjects(name))) await query(made.url, withoutUndo(sql))

  const found = (await catalogOf(made.url)).map(withoutPlace).toSorted()
  const ofRevisions = (await catalogOf(urls[name])).map(withoutPlace).toSorted()

  expect(found.filter((line) => / trigger | comment\b/.test(line)).length).toBeGreaterThan(20)
  expect(found).toEqual(ofRevisions)
})

test.each(modelledNames)('the last revision of %s recorded the objects that are declared', async (name) => {
  const migrations = join(repository, 'databases', name, 'migrations')
  const last = (await readdir(migrations)).toSorted().at(-1)!

  expect(JSON.parse(await readFile(join(migrations, last, 'objects.json'), 'utf8'))).toEqual(await readObjects(name))
})

/** The object files of a database with their SQL. */
async function readObjects(name: string): Promise<Readonly<Record<string, string>>> {
  const folder = join(repository, 'databases', name, 'objects')
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.sql')).toSorted()
  const read = files.map(async (file) => [file, await readFile(join(folder, file), 'utf8')] as const)
  return Object.fromEntries(await Promise.all(read))
}

/** Schemas and functions, then what calls them; comments on any of it last. */
function inOrder(objects: Readonly<Record<string, string>>): readonly string[] {
  const folders = ['schemas', 'functions', 'constraints', 'row-security', 'triggers', 'comments']
  return folders.flatMap((folder) =>
    Object.entries(objects)
      .filter(([file]) => file.startsWith(`${folder}/`))
      .map(([, sql]) => sql),
  )
}

function withoutUndo(sql: string): string {
  return sql.split('-- drover:drop')[0]!
}

/** A column that a later revision adds is the last one. */
function withoutPlace(line: string): string {
  return line.replace(/^(table \S+ column \S+: )#\d+ /, '$1')
}
