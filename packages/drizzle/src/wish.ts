import { type Connection, readCatalog } from '@drover/engine'
import { type Problem, throwProblems } from '@drover/history'

import { changeBetween, comparableLines } from './compare-changes.ts'
import type { ObjectFile } from './objects/object-file.ts'
import { createShadow, type Shadow } from './shadow.ts'
import { type StatementFailure, tryStatements } from './try-statements.ts'

/** What a change is to do, as found by making the schemas before and after it from nothing. */
export interface Wish {
  /** How their catalogues differ: lines that go, and lines that come. As `comparableLines` gives them. */
  readonly removed: readonly string[]
  readonly added: readonly string[]
  /** Makes one of the schemas in a shadow of its own. */
  make(which: 'before' | 'after'): Promise<Shadow>
}

/** What a schema consists of: drizzle-kit's statements from nothing, and the objects declared beside them. */
export interface SchemaParts {
  readonly statements: readonly string[]
  readonly objects: readonly ObjectFile[]
}

/**
 * Makes both schemas from nothing in an empty shadow, which it leaves empty.
 * @param server URL of a user who may create databases
 * @throws {DroverError} `SCHEMA_INVALID` when one cannot be made, with the statement and what the server says, or
 * `SHADOW_FAILED`
 */
export async function makeWish(server: string, empty: Shadow, before: SchemaParts, after: SchemaParts): Promise<Wish> {
  const early = findLastingDefaults(before.objects, after.objects)
  const read = async (parts: SchemaParts) =>
    (await readUndone(empty, parts, early)) ?? (await readMade(server, parts, early))
  return {
    ...changeBetween(await read(before), await read(after)),
    make: (which) => makeShadow(server, which === 'before' ? before : after, early),
  }
}

/** The catalogue of a schema that is made and undone: a tenth of the work of a database. `undefined` when it needs a commit. */
async function readUndone(
  { connection }: Shadow,
  parts: SchemaParts,
  early: ReadonlySet<string>,
): Promise<readonly string[] | undefined> {
  await connection.send('begin')
  try {
    const failed = await makeSchema(connection, parts, early, 'inside')
    return failed.length > 0 ? undefined : await readLines(connection)
  } finally {
    await connection.send('rollback')
  }
}

async function readMade(server: string, parts: SchemaParts, early: ReadonlySet<string>): Promise<readonly string[]> {
  await using made = await makeShadow(server, parts, early)
  // Read before the shadow goes.
  return await readLines(made.connection)
}

async function makeShadow(server: string, parts: SchemaParts, early: ReadonlySet<string>): Promise<Shadow> {
  await using opened = new AsyncDisposableStack()
  const shadow = opened.use(await createShadow(server))
  throwProblems(describeUnmade(await makeSchema(shadow.connection, parts, early, 'per-revision')))
  opened.move()
  return shadow
}

/** The catalogue of a database, as changes are compared. */
export async function readLines(connection: Connection): Promise<readonly string[]> {
  return comparableLines(await readCatalog(connection))
}

/** Something that makes a part of a schema: all statements of drizzle-kit, or one object. */
interface Unit {
  /** Path of its file, when it is an object. */
  readonly file?: string
  readonly statements: readonly string[]
}

interface FailedUnit {
  readonly unit: Unit
  readonly failure: StatementFailure
}

/** @returns what could not be made; none when all of it was */
async function makeSchema(
  connection: Connection,
  parts: SchemaParts,
  early: ReadonlySet<string>,
  transaction: 'per-revision' | 'inside',
): Promise<readonly FailedUnit[]> {
  // Loaded when it is needed, because it comes with PostgreSQL's parser.
  const { creationOrder } = await import('./objects/objects.ts')
  const objects = (await creationOrder(parts.objects)).map(({ file, sql }) => ({ file, statements: [sql] }))
  const isEarly = ({ file }: Unit) => file !== undefined && early.has(file)
  let open: readonly Unit[] = [
    ...objects.filter(isEarly),
    { statements: parts.statements },
    ...objects.filter((unit) => !isEarly(unit)),
  ]
  // Each may need any other: a default calls a function, a view reads a table, a type comes with an extension.
  while (open.length > 0) {
    const failed: FailedUnit[] = []
    for (const unit of open) {
      const failure = await tryStatements(connection, unit.statements, transaction)
      if (failure) failed.push({ unit, failure })
    }
    if (failed.length === open.length) return failed
    open = failed.map(({ unit }) => unit)
  }
  return []
}

/** What is wrong in itself; what merely misses something else is told when there is nothing but that. */
function describeUnmade(failed: readonly FailedUnit[]): readonly Problem[] {
  const causes = failed.filter(({ failure }) => !missingThings.has(failure.sqlstate ?? ''))
  return (causes.length > 0 ? causes : failed).map(({ unit, failure }) => ({
    code: 'SCHEMA_INVALID',
    message: `the schema cannot be made: ${unit.file === undefined ? '' : `object ${unit.file}: `}${failure.message}`,
    hint:
      unit.file === undefined
        ? 'correct the Drizzle schema; what it needs besides (functions, types, extensions) can be declared as an object'
        : 'correct the object; what it needs has to be in the Drizzle schema or declared as an object, too',
    statement: failure.statement,
    ...(unit.file !== undefined && { file: unit.file }),
    ...(failure.sqlstate !== undefined && { sqlstate: failure.sqlstate }),
    ...(failure.notes.length > 0 && { serverNotes: failure.notes }),
  }))
}

/** Undefined: a table, function, object, column or schema. */
const missingThings: ReadonlySet<string> = new Set(['42P01', '42883', '42704', '42703', '3F000'])

/** Default privileges reach the tables that come after them: those that stay are there before the tables of both schemas. */
function findLastingDefaults(before: readonly ObjectFile[], after: readonly ObjectFile[]): ReadonlySet<string> {
  const known = new Map(before.map(({ file, sql }) => [file, sql]))
  const lasting = after.filter(
    ({ file, sql }) => known.get(file) === sql && /^(?:\s|--.*\n)*alter\s+default\s+privileges\b/i.test(sql),
  )
  return new Set(lasting.map(({ file }) => file))
}
