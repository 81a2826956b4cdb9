import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import {
  type Connection,
  ConnectionUrl,
  openConnection,
  readCatalog,
  readHistory,
  type Source,
  unfilledMarker,
  withoutPlaces,
} from '@drover/engine'
import { DroverError, type Revision, throwProblems } from '@drover/history'
import { createThrowawayDatabase } from '@drover/server'

import { type DraftedRevision, draftRevisions } from '../draft.ts'
import type { ExampleFolder } from '../kit/example-schemas.ts'
import type { Kit } from '../kit/kit.ts'
import { parseRename, type RenameOption } from '../rename-option.ts'
import { compareSchema, type SchemaTarget } from '../schema-change.ts'
import { writeDrafts } from '../write-drafts.ts'
import type { ChangeCase, Outcome } from './change-case.ts'
import { schemaSource } from './schema-source.ts'

/** Where cases are tried. */
export interface Workbench {
  readonly kit: Kit
  readonly folder: ExampleFolder
  /** URL of a server. */
  readonly server: string
}

/** What came of a case. */
export interface ChangeResult {
  readonly outcome: Outcome
  /** Why it is not simply right; empty when it is. */
  readonly reason: string
  /** What is wrong with a revision that is said to be right. There must never be any. */
  readonly faults: readonly string[]
}

/** Makes the revisions of a case as `revision` does, and tries what comes out. */
export async function tryChange(bench: Workbench, name: string, change: ChangeCase): Promise<ChangeResult> {
  const database = await bench.folder.write(`${name}/before.ts`, schemaSource(change.before))
  await bench.folder.write(`${name}/after.ts`, schemaSource(change.after))
  await writeObjects(bench, `${name}/objects-before`, change.objectsBefore)
  await writeObjects(bench, `${name}/objects-after`, change.objectsAfter)
  const source: Source = { root: bench.folder.root, folder: `${name}/migrations` }

  const first = await makeRevisions(bench, source, name, 'before', [], undefined)
  if (typeof first === 'string') throw new Error(`${database} cannot be made from nothing: ${first}`)
  const renames = (change.renames ?? []).map(readRename)
  const next = await makeRevisions(bench, source, name, 'after', renames, bench.server).catch(describeRefusal)
  if (typeof next === 'string') return { outcome: 'refused', reason: next, faults: [] }

  const revisions = next.map(({ revision }) => revision)
  const unproved = next.flatMap(({ drafted: { proof } }) => (proof.kind === 'unproved' ? [proof] : []))[0]
  if (unproved) {
    return {
      outcome: unproved.fault === 'rows' || unproved.fault === 'loss' ? 'needs data' : 'refused',
      reason: unproved.reason,
      faults: await findUnmarked(source, next, unproved.side),
    }
  }
  const isCorrected = next.some(({ drafted: { proof } }) => proof.kind === 'proved' && proof.corrected.length > 0)
  const before = first.map(({ revision }) => revision)
  const faults = await findFaults(bench, source, name, before, revisions, renames.length > 0)
  return { outcome: isCorrected ? 'fell back' : 'right', reason: '', faults }
}

interface MadeRevision {
  readonly drafted: DraftedRevision
  readonly revision: Revision
}

/** Writes the revisions that a schema takes, as the command line does. A text when they are refused. */
async function makeRevisions(
  { kit }: Workbench,
  source: Source,
  name: string,
  age: 'before' | 'after',
  renames: readonly RenameOption[],
  shadowServer: string | undefined,
): Promise<readonly MadeRevision[] | string> {
  const history = readHistory(source)
  const parents = history.heads.map(({ id }) => id)
  const target: SchemaTarget = {
    source,
    history,
    parents,
    schema: `${name}/${age}.ts`,
    objects: `${name}/objects-${age}`,
  }
  const comparison = await compareSchema(kit, target, { renames, created: [], noRename: true })
  throwProblems(comparison.unresolved.map(({ problem }) => problem))
  if (comparison.kind === 'unchanged') return []
  if (comparison.kind === 'refused') return comparison.problems.map(({ message }) => message).join('\n')
  if (comparison.kind === 'ambiguous') throw new Error('a question is open although everything unknown is new')
  const options = { concurrently: false, ...(shadowServer !== undefined && { shadowServer }) }
  const drafts = await draftRevisions(kit, comparison.change, options)
  const revisions = writeDrafts(source, history, { message: age, parents, created: new Date() }, drafts)
  return drafts.map((drafted, index) => ({ drafted, revision: revisions[index]! }))
}

/** A schema that no database takes is refused with the server's words. */
function describeRefusal(error: unknown): string {
  if (error instanceof DroverError && error.code === 'SCHEMA_INVALID') return error.message
  throw error
}

/** What could run although it is not proved. */
async function findUnmarked(
  source: Source,
  made: readonly MadeRevision[],
  side: 'up' | 'down',
): Promise<readonly string[]> {
  const files = made.flatMap(({ drafted: { proof }, revision }) =>
    proof.kind === 'unproved'
      ? (side === 'up' ? ['migration.sql', 'down.sql'] : ['down.sql']).map((file) =>
          join(source.root, revision.folder, file),
        )
      : [],
  )
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  return files.filter((_, index) => !texts[index]?.includes(unfilledMarker)).map((file) => `${file} is not marked`)
}

/**
 * Tries revisions without any of what proved them: up, down and up again on a database of the schema before, compared with
 * what the schema after is when it is made from nothing.
 */
async function findFaults(
  bench: Workbench,
  source: Source,
  name: string,
  before: readonly Revision[],
  revisions: readonly Revision[],
  hasRenames: boolean,
): Promise<readonly string[]> {
  const fresh: Source = { root: source.root, folder: `${name}/from-nothing` }
  const made = await makeRevisions(bench, fresh, name, 'after', [], undefined)
  if (typeof made === 'string') throw new Error(made)

  await using database = await openDatabase(bench.server)
  const { connection } = database
  await connection.send('begin')
  for (const { drafted } of made) await connection.send(drafted.up)
  const wish = await readSchema(connection, hasRenames)
  await connection.send('rollback')

  await run(connection, source, before, 'up')
  const start = await readSchema(connection, false)
  await run(connection, source, revisions, 'up')
  const end = await readSchema(connection, false)
  const endWithoutNames = await readSchema(connection, hasRenames)
  await run(connection, source, revisions.toReversed(), 'down')
  const back = await readSchema(connection, false)
  await run(connection, source, revisions, 'up')
  return [
    ...difference('up leads elsewhere', wish, endWithoutNames),
    ...difference('down leads elsewhere', start, back),
    ...difference('the second up leads elsewhere', end, await readSchema(connection, false)),
  ]
}

interface Database extends AsyncDisposable {
  readonly connection: Connection
}

async function openDatabase(server: string): Promise<Database> {
  await using opened = new AsyncDisposableStack()
  const { url } = opened.use(await createThrowawayDatabase(server))
  const connection = opened.use(openConnection(ConnectionUrl.parse(url, 'the server of the tests')))
  const owned = opened.move()
  return { connection, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function run(
  connection: Connection,
  { root }: Source,
  revisions: readonly Revision[],
  direction: 'up' | 'down',
): Promise<void> {
  for (const revision of revisions) {
    const file = direction === 'up' ? 'migration.sql' : 'down.sql'
    const sql = await readFile(join(root, revision.folder, file), 'utf8')
    if (revision.transaction !== 'none') await connection.send(`begin;\n${sql}\n;commit`)
    else for (const statement of sql.split('--> statement-breakpoint')) await connection.send(statement)
  }
}

/**
 * The catalogue, without the places of columns. Where something is renamed, also without the names that PostgreSQL makes of
 * others (`users_pkey`), because these stay when a table or a column gets another name.
 */
async function readSchema(connection: Connection, hasRenames: boolean): Promise<readonly string[]> {
  const lines = withoutPlaces(await readCatalog(connection))
  if (!hasRenames) return lines
  const automatic = /(?<=["\s.'])(?:\w+_)+(?:pkey|key|fkey|seq|index|not_null)\d*\b/g
  return lines.map((line) => line.replaceAll(automatic, '~')).toSorted()
}

function difference(what: string, expected: readonly string[], found: readonly string[]): readonly string[] {
  const missing = expected.filter((line) => !found.includes(line)).map((line) => `- ${line}`)
  const unexpected = found.filter((line) => !expected.includes(line)).map((line) => `+ ${line}`)
  const lines = [...missing, ...unexpected]
  return lines.length === 0 ? [] : [`${what}:\n${lines.join('\n')}`]
}

async function writeObjects(
  { folder }: Workbench,
  place: string,
  objects: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const [file, sql] of Object.entries(objects)) await folder.write(`${place}/${file}`, `${sql}\n`)
}

function readRename(text: string): RenameOption {
  const parsed = parseRename(text)
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.option
}
