import { compareCatalogs, type Connection, describeDifference } from '@drover/engine'
import { DroverError } from '@drover/history'

import { changeBetween, compareChanges, type Deviation, deviationOf } from './compare-changes.ts'
import { findLostRows, type HeldColumn, type Holdings, stayingPart } from './compare-rows.ts'
import type { Rename } from './rename.ts'
import { generateRows, readContents } from './rows.ts'
import type { Shadow } from './shadow.ts'
import { type StatementFailure, tryStatements } from './try-statements.ts'
import { readLines, type Wish } from './wish.ts'

/** One way to write a revision. */
export interface Candidate {
  readonly up: readonly string[]
  readonly down: readonly string[]
  /** Whether the statements run one by one, outside a transaction. */
  readonly transaction: 'per-revision' | 'none'
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
