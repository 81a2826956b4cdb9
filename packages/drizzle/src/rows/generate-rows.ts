import { type Connection, pinFormats } from '@drover/engine'
import * as v from 'valibot'

import {
  type Candidate,
  groupColumns,
  listCandidates,
  type Question,
  questionOfColumn,
  questionOfGroup,
  tableName,
  writeQuestions,
} from './candidates.ts'
import { chooseRows, type RowValues } from './choose-rows.ts'
import { filling, type FillingOptions, writeFilling, writeLateReferences } from './fill.ts'
import { mayBeNull, orderTables, type Turn } from './order.ts'
import { readTables } from './read-tables.ts'
import { withoutForcedSecurity } from './row-security.ts'
import type { TableShape, TypeShape } from './table-shape.ts'

/** Which tables got rows. */
interface GeneratedRows {
  /** Quoted, qualified names of the tables that have rows now. */
  readonly tables: readonly string[]
  /** Tables that got none, and why, in the server's words. */
  readonly without: readonly { readonly table: string; readonly reason: string }[]
}

/**
 * Puts a few rows into every table, so that a change that fails on rows fails now: referenced tables first, values fit for
 * their types and for what the constraints ask, every enum value, nulls wherever they are allowed, duplicates wherever nothing
 * forbids them. Six rows, or more where an enum has many values, or fewer where a unique key leaves no more.
 *
 * Deterministic: the same schema gets the same rows. For tables without rows. Tables of extensions, foreign tables and
 * Drover's own get none; a partition's rows come through its parent, and only the parent is named.
 * @throws {DroverError} for what goes wrong with the connection; a table that refuses its rows is in `without`
 */
export function generateRows(connection: Connection): Promise<GeneratedRows> {
  return withoutForcedSecurity(connection, async () => {
    const shape = await readTables(connection)
    const tables = new Map(shape.tables.map((table) => [table.oid, table]))
    const types = new Map(shape.types.map((type) => [type.oid, type]))
    const turns = orderTables(shape.tables)
    const candidates = await findCandidates(connection, turns, types)

    const reasons = await fillTables(connection, turns, { candidates, tables, types })
    const late = writeLateReferences(turns, tables)
    if (late !== undefined) await connection.send(late)

    return {
      tables: shape.tables.filter((table) => !reasons.has(table.oid)).map((table) => tableName(table)),
      without: shape.tables.flatMap((table) => {
        const reason = reasons.get(table.oid)
        return reason === undefined ? [] : [{ table: tableName(table), reason }]
      }),
    }
  })
}

interface Findings {
  /** By turn. */
  readonly candidates: readonly (readonly Candidate[])[]
  readonly tables: ReadonlyMap<string, TableShape>
  readonly types: ReadonlyMap<string, TypeShape>
}

/** Fills the tables in their turn. @returns why tables have no rows, by table */
async function fillTables(
  connection: Connection,
  turns: readonly Turn[],
  { candidates, tables, types }: Findings,
): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>()
  let open = new Set<string>()
  let cycle: TableShape[] = []
  try {
    for (const [place, turn] of turns.entries()) {
      // Keys into a cycle are checked when all of its tables have their rows: in one transaction, then.
      if (open.size === 0 && turn.deferred.length > 0) await connection.send('begin; set constraints all deferred')
      open = new Set([...open, ...turn.deferred.map((key) => key.table)].filter((oid) => oid !== turn.table.oid))
      if (open.size > 0 || cycle.length > 0) cycle.push(turn.table)
      const inCycle = cycle.length > 0
      const known = { candidates: candidates[place] ?? [], tables, types, reasons, inCycle }
      const reason = await fillTable(connection, turn, known)
      if (reason !== undefined) reasons.set(turn.table.oid, reason)
      if (open.size > 0 || !inCycle) continue
      const refusal = await commit(connection)
      if (refusal !== undefined) for (const table of cycle) reasons.set(table.oid, refusal)
      cycle = []
    }
  } catch (error) {
    if (cycle.length > 0) await connection.send('rollback')
    throw error
  }
  return reasons
}

async function commit(connection: Connection): Promise<string | undefined> {
  try {
    await connection.send('commit')
    return undefined
  } catch (error) {
    return refusalIn(error)
  }
}

interface Known {
  readonly candidates: readonly Candidate[]
  readonly tables: ReadonlyMap<string, TableShape>
  readonly types: ReadonlyMap<string, TypeShape>
  /** Why tables before this one got no rows. */
  readonly reasons: ReadonlyMap<string, string>
  /** Whether keys are checked later than in this message. */
  readonly inCycle: boolean
}

/** The candidates of each table, those that need it tested by the server, in one message for all. */
async function findCandidates(
  connection: Connection,
  turns: readonly Turn[],
  types: ReadonlyMap<string, TypeShape>,
): Promise<readonly (readonly Candidate[])[]> {
  const listed = turns.map((turn) => ({ turn, candidates: listCandidates(turn, types) }))
  const unsure = listed.flatMap(({ turn, candidates }) =>
    candidates.filter((candidate) => candidate.unsure).map((candidate) => ({ turn, candidate })),
  )
  const answers = await askServer(
    connection,
    unsure.map(({ turn, candidate }) => questionOfColumn(turn, candidate)),
  )
  const found = new Map(unsure.map(({ candidate }, place) => [candidate, answers[place] ?? []]))
  return listed.map(({ candidates }) =>
    candidates.map((candidate) => {
      const fitting = found.get(candidate)
      // Where nothing fits and something is needed, the server may say why.
      if (!fitting || (fitting.length === 0 && isNeeded(candidate))) return candidate
      return { ...candidate, values: fitting.map((row) => row[candidate.column.name] ?? null) }
    }),
  )
}

/** Fills one table. @returns why it has no rows, if it has none */
async function fillTable(connection: Connection, turn: Turn, known: Known): Promise<string | undefined> {
  const { table } = turn
  const missing = turn.ready.find((key) => known.reasons.has(key.table) && !mayBeNull(table, key))
  const parent = missing && known.tables.get(missing.table)
  if (parent) return `it references ${tableName(parent)}, which has no rows`

  const slots = await findRows(connection, turn, known, { count: countRows(known), before: [] })
  const constraints = known.inCycle ? 'deferred' : 'immediate'
  const first = await fill(connection, table, slots, { triggers: 'on', constraints })
  // A trigger that refuses rows wants something that nobody can guess. Within a cycle no table can be altered.
  const again = first.rows.length === 0 && table.triggers.length > 0 && !known.inCycle
  const { rows } = again ? await fill(connection, table, slots, { triggers: 'off', constraints }) : first
  if (rows.length === 0) return (await hasRows(connection, table)) ? undefined : first.reason

  const own = turn.later.filter((key) => key.table === table.oid)
  if (own.length === 0) return undefined
  const referring = { ...turn, ready: [...turn.ready, ...own], later: turn.later.filter((key) => !own.includes(key)) }
  const more = await findRows(connection, referring, known, { count: 2, before: rows })
  await fill(connection, table, more, { triggers: again ? 'off' : 'on', constraints })
  return undefined
}

/** Chooses rows out of what the server says would fit, several choices for each. */
async function findRows(
  connection: Connection,
  turn: Turn,
  { candidates, tables }: Known,
  { count, before }: { readonly count: number; readonly before: readonly RowValues[] },
): Promise<readonly (readonly RowValues[])[]> {
  const groups = groupColumns(turn, candidates)
  const answers = await askServer(
    connection,
    groups.map((group) => questionOfGroup(turn, tables, group)),
  )
  const together = answers.map((answer, place) => (answer.length > 0 ? answer : valuesNeeded(groups[place] ?? [])))
  const grouped = new Set(groups.flat())
  const alone = candidates
    .filter((candidate) => !grouped.has(candidate))
    .map(({ column, values }) => values.map((value) => ({ [column.name]: value })))
  return chooseRows([...together, ...alone], turn.table.uniqueKeys, count, before)
}

/** Some values for those columns of a group that need one, though they do not fit: the server may say why. */
function valuesNeeded(group: readonly Candidate[]): readonly RowValues[] {
  const entries = group
    .filter((candidate) => isNeeded(candidate))
    .map(({ column, values }) => [column.name, values[0] ?? null] as const)
  return [Object.fromEntries(entries)]
}

function isNeeded({ column }: Candidate): boolean {
  return column.notNull && column.default === null
}

/** Inserts rows. @returns those that the server took, and what it said of the first that it did not take */
async function fill(
  connection: Connection,
  table: TableShape,
  slots: readonly (readonly RowValues[])[],
  options: FillingOptions,
): Promise<{ readonly rows: readonly RowValues[]; readonly reason: string }> {
  const nothing = 'no values were found that fit its unique keys'
  try {
    const [row] = await connection.send(writeFilling(table, slots, options))
    const { chosen, reason } = v.parse(filling, JSON.parse(String(row?.['outcome'])))
    const rows = slots.map((choices, place) => choices[chosen[place] ?? -1]).filter((choice) => choice !== undefined)
    return { rows, reason: reason ?? nothing }
  } catch (error) {
    return { rows: [], reason: refusalIn(error) }
  }
}

/** A revision may have put rows into a table. */
async function hasRows(connection: Connection, table: TableShape): Promise<boolean> {
  const [row] = await connection.send(`select exists (select from ${tableName(table)}) as filled`)
  return row?.['filled'] === true
}

/** Six rows, or as many as it takes to have every value of an enum beside an empty row and a duplicate. */
function countRows({ candidates, types }: Known): number {
  const labels = candidates.map(({ column }) => types.get(column.type)?.labels.length ?? 0)
  return Math.min(Math.max(6, ...labels.map((count) => count + 3)), 40)
}

const answersShape = v.array(v.array(v.record(v.string(), v.nullable(v.string()))))

async function askServer(
  connection: Connection,
  questions: readonly Question[],
): Promise<readonly (readonly RowValues[])[]> {
  if (questions.length === 0) return []
  const [row] = await connection.send(`${pinFormats};\n${writeQuestions(questions)}`)
  return v.parse(answersShape, JSON.parse(String(row?.['answers'])))
}

/** What the server says against something; what is wrong with the connection is thrown on. */
function refusalIn(error: unknown): string {
  if (error instanceof Error && error.name === 'PostgresError') return error.message
  throw error
}
