import { type Connection, compareCatalogs, describeDifference, readCatalog } from '@drover/engine'
import { DroverError, type Problem, throwProblems } from '@drover/history'

import { changeBetween, comparableLines, compareChanges, type Deviation, deviationOf } from './compare-changes.ts'
import { findLostRows, type HeldColumn, type Holdings, stayingPart } from './compare-rows.ts'
import type { ObjectFile } from './objects/object-file.ts'
import { generateRows, readContents } from './rows.ts'
import { createShadow, type Shadow } from './shadow.ts'
import { type StatementFailure, tryStatements } from './try-statements.ts'

/** One way to write a revision. */
export interface Candidate {
  readonly up: readonly string[]
  readonly down: readonly string[]
  /** Whether the statements run one by one, outside a transaction. */
  readonly transaction: 'per-revision' | 'none'
}

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

/** What came of trying a candidate. */
export type Verdict =
  | { readonly ok: true; readonly notes: readonly string[] }
  | {
      readonly ok: false
      /** Whether the other side may still be right. */
      readonly side: 'up' | 'down'
      /**
       * `failed`: a statement fails, even without rows. `different`: it runs and leads somewhere else. `rows`: it runs on
       * empty tables and fails on rows. `loss`: it loses values that are to stay.
       */
      readonly fault: 'failed' | 'different' | 'rows' | 'loss'
      /** What happened, in one or several lines for people, the statement included. */
      readonly reason: string
      /** PostgreSQL's code for what failed; missing when nothing did. */
      readonly sqlstate?: string | undefined
    }

/** A table, column or schema that gets another name: `[schema, table]`, `[schema, table, column]` or `[schema]`. */
export interface Rename {
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** The same for the way back. */
export function reverseRenames(renames: readonly Rename[]): readonly Rename[] {
  return renames.map(({ from, to }) => ({ from: to, to: from }))
}

/**
 * Tries a candidate on copies of the history's shadow, with rows in every table, and with empty ones when that fails: up, down,
 * up. After each step the catalogues are compared: after up with what was wished, after down with what was there before.
 * @param renames old to new, so that rows are looked for under the new name
 */
export async function prove(
  base: Shadow,
  wish: Wish,
  candidate: Candidate,
  renames: readonly Rename[],
): Promise<Verdict> {
  const trial = { base, wish, candidate, renames }
  const filled = await tryUpDownUp(trial, 'filled')
  if (filled.ok) return filled
  if (filled.fault !== 'failed') return toVerdict(filled)
  const empty = await tryUpDownUp(trial, 'empty')
  const failsOnRows = empty.ok || (filled.side === 'up' && empty.side === 'down')
  return toVerdict(failsOnRows ? { ...filled, fault: 'rows' } : empty)
}

/**
 * Runs one side of a candidate.
 * @throws {DroverError} `SHADOW_FAILED` with the statement that fails
 */
export async function runCandidate(shadow: Shadow, candidate: Candidate, side: 'up' | 'down'): Promise<void> {
  const failure = await tryStatements(shadow.connection, candidate[side], candidate.transaction)
  if (!failure) return
  throw new DroverError({
    code: 'SHADOW_FAILED',
    message: `a statement fails in a shadow: ${failure.message}`,
    statement: failure.statement,
    ...(failure.sqlstate !== undefined && { sqlstate: failure.sqlstate }),
  })
}

interface Trial {
  readonly base: Shadow
  readonly wish: Wish
  readonly candidate: Candidate
  readonly renames: readonly Rename[]
}

interface Fault {
  readonly ok: false
  readonly side: 'up' | 'down'
  readonly fault: 'failed' | 'different' | 'rows' | 'loss'
  readonly details: readonly string[]
  readonly sqlstate?: string | undefined
}

async function tryUpDownUp(
  { base, wish, candidate, renames }: Trial,
  tables: 'filled' | 'empty',
): Promise<(Verdict & { readonly ok: true }) | Fault> {
  await using shadow = await base.copy()
  const { connection } = shadow
  const run = (side: 'up' | 'down') => tryStatements(connection, candidate[side], candidate.transaction)
  const before = await readLines(connection)
  const rows = tables === 'filled' ? await generateRows(connection) : undefined
  const held = rows && (await readHoldings(connection))
  const findLost = async (changed: readonly Rename[]) =>
    held ? findLostRows(held, await readHoldings(connection), changed) : []

  const upFailure = await run('up')
  if (upFailure) return { ok: false, side: 'up', ...toFault(upFailure) }
  const lost = await findLost(renames)
  if (lost.length > 0) return { ok: false, side: 'up', fault: 'loss', details: lost }
  const after = await readLines(connection)
  const deviation = compareChanges(wish, changeBetween(before, after), renames)
  if (isDeviation(deviation)) return { ok: false, side: 'up', fault: 'different', details: tell(deviation, after) }

  const stayed = held && stayingPart(held, await readHoldings(connection), renames)
  const downFailure = await run('down')
  if (downFailure) return { ok: false, side: 'down', ...toFault(downFailure) }
  const back = await readLines(connection)
  const leftover = deviationOf(before, back)
  if (isDeviation(leftover)) return { ok: false, side: 'down', fault: 'different', details: tell(leftover, back) }
  const lostOnTheWay = stayed ? findLostRows(stayed, await readHoldings(connection), []) : []
  if (lostOnTheWay.length > 0) return { ok: false, side: 'down', fault: 'loss', details: lostOnTheWay }

  const again = await run('up')
  if (again) {
    const details = ['After it, the way up fails:', ...describeFailure(again)]
    return { ok: false, side: 'down', fault: 'failed', details }
  }
  const afterAgain = await readLines(connection)
  const change = deviationOf(after, afterAgain)
  if (isDeviation(change)) {
    const details = ['After it, the way up leads somewhere else than the first time:', ...tell(change, afterAgain)]
    return { ok: false, side: 'down', fault: 'different', details }
  }
  return {
    ok: true,
    notes: rows?.without.map(({ table, reason }) => `no rows could be made for ${table}: ${reason}`) ?? [],
  }
}

async function readLines(connection: Connection): Promise<readonly string[]> {
  return comparableLines(await readCatalog(connection))
}

async function readHoldings(connection: Connection): Promise<Holdings> {
  const contents = await readContents(connection)
  const rows = await connection.send(selectColumns)
  const columns = rows.map((row): readonly [string, HeldColumn] => [
    [row['schema'], row['table'], row['column']].join('\0'),
    { generated: row['generated'] === 'yes', labels: readLabels(row['labels']) },
  ])
  return { contents, columns: new Map(columns) }
}

const selectColumns = `
select
  namespace.nspname as schema, class.relname as table, attribute.attname as column,
  case attribute.attgenerated when '' then 'no' else 'yes' end as generated,
  (
    select json_agg(enumlabel order by enumsortorder)::text
    from pg_catalog.pg_enum
    where enumtypid in (type.oid, type.typelem, type.typbasetype)
  ) as labels
from pg_catalog.pg_attribute as attribute
join pg_catalog.pg_class as class on class.oid = attribute.attrelid
join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
join pg_catalog.pg_type as type on type.oid = attribute.atttypid
where class.relkind in ('r', 'p')
  and attribute.attnum > 0
  and not attribute.attisdropped
  and namespace.nspname !~ '^pg_'
  and namespace.nspname <> 'information_schema'`

function readLabels(json: unknown): readonly string[] {
  const labels: unknown = typeof json === 'string' ? JSON.parse(json) : []
  return Array.isArray(labels) ? labels.map(String) : []
}

function isDeviation({ missing, unexpected }: Deviation): boolean {
  return missing.length + unexpected.length > 0
}

function toFault(failure: StatementFailure): Pick<Fault, 'fault' | 'details' | 'sqlstate'> {
  return { fault: 'failed', details: describeFailure(failure), sqlstate: failure.sqlstate }
}

function toVerdict({ side, fault, details, sqlstate }: Fault): Verdict {
  return { ok: false, side, fault, reason: [headlines[side][fault], ...details].join('\n'), sqlstate }
}

const headlines = {
  up: {
    failed: 'The way up fails:',
    different: 'The way up does not lead to the schema:',
    rows: 'The way up works on empty tables, but fails on rows:',
    loss: 'The way up loses rows or values that are to stay:',
  },
  down: {
    failed: 'The way down fails:',
    different: 'The way down does not lead back:',
    rows: 'The way down works on empty tables, but fails on rows:',
    loss: 'The way down loses rows or values that the way up had kept:',
  },
} as const

function describeFailure({ statement, message, sqlstate, notes }: StatementFailure): readonly string[] {
  return [shorten(statement), `${message}${sqlstate === undefined ? '' : ` (SQLSTATE ${sqlstate})`}`, ...notes]
}

/** As much of a statement as a line of a comment should hold. */
const longestStatement = 200

function shorten(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ').trim()
  return line.length > longestStatement ? `${line.slice(0, longestStatement)} …` : line
}

/** How many differences are told: who has read these looks at the statements. */
const mostDifferences = 8

function tell({ missing, unexpected }: Deviation, found: readonly string[]): readonly string[] {
  const surplus = new Set(unexpected)
  const expected = [...found.filter((line) => !surplus.has(line)), ...missing].toSorted()
  const differences = compareCatalogs(expected, found)
  const rest = differences.length - mostDifferences
  return [
    ...differences.slice(0, mostDifferences).flatMap((difference) => describeDifference(difference)),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ]
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
