import { quoteIdentifier, quoteLiteral } from '@drover/engine'

import { findLiterals } from './literals.ts'
import type { Turn } from './order.ts'
import type { ColumnShape, ForeignKey, TableShape, TypeShape } from './table-shape.ts'
import { valuesOf } from './values.ts'

/** A column that gets values, and those that it may get; null is null. */
export interface Candidate {
  readonly column: ColumnShape
  readonly values: readonly (string | null)[]
  /** Whether the server has to say which of them fit. */
  readonly unsure: boolean
}

/** A question to the server: which of these combinations fit? */
export interface Question {
  /** Selects `candidate` as JSON, by column, with `nulls`, `rank` and `place` to sort by. */
  readonly combinations: string
  /** Whether `c.candidate` fits. */
  readonly test: string
  /** How many columns there are in a combination. */
  readonly width: number
}

/** The values that each column of a table may get, by type and by what the checks on it name. Counted and generated columns get none. */
export function listCandidates(turn: Turn, types: ReadonlyMap<string, TypeShape>): readonly Candidate[] {
  const { table } = turn
  const given = table.columns.filter((column) => isGiven(column, table))
  return given.map((column) => {
    const expressions = conditionsOf(table).filter(({ columns }) => columns.includes(column.name))
    const literals = findLiterals(expressions.map(({ expression }) => expression))
    const { texts, sure } = valuesOf(types, column.type, column.modifier, literals)
    const nullable = !column.notNull && !isNeverNull(types, column.type)
    const plain = turn.deferred.some((key) => key.columns.includes(column.name)) ? texts.slice(0, 1) : texts
    const isNullFirst = nullable && turn.later.some((key) => key.columns.includes(column.name))
    const alone = expressions.some(({ columns }) => columns.length === 1)
    const isReference = turn.ready.some((key) => key.columns.includes(column.name))
    return {
      column,
      values: isNullFirst ? [null] : [...plain, ...(nullable ? [null] : [])],
      unsure: !isNullFirst && !isReference && (alone || !sure),
    }
  })
}

/** Asks which values of a column fit the checks that are about it alone. */
export function questionOfColumn(turn: Turn, { column, values }: Candidate): Question {
  const conditions = conditionsOf(turn.table).filter(({ columns }) => columns.every((name) => name === column.name))
  return ask(
    turn.table,
    [{ column, source: valuesSource(values) }],
    conditions.map(({ expression }) => holds(expression)),
  )
}

/**
 * Columns that depend on one another, by checks of several columns, foreign keys or the bounds of partitions. Columns that
 * stand alone are in none of the groups.
 */
export function groupColumns(turn: Turn, candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  const given = new Set(candidates.map(({ column }) => column.name))
  const links = [
    ...conditionsOf(turn.table)
      .map(({ columns }) => columns)
      .filter((columns) => columns.length > 1),
    ...turn.ready.map((key) => key.columns),
    ...turn.later.filter((key) => key.table === turn.table.oid).map((key) => [...key.columns, ...key.references]),
  ].filter((columns) => columns.every((name) => given.has(name)))
  let groups: (readonly string[])[] = []
  for (const link of links) {
    const touched = groups.filter((group) => group.some((name) => link.includes(name)))
    groups = [...groups.filter((group) => !touched.includes(group)), [...new Set([...touched.flat(), ...link])]]
  }
  return groups.map((names) => candidates.filter(({ column }) => names.includes(column.name)))
}

/** Asks which combinations of values fit all that is said about a group of columns. References are taken from the rows that are there. */
export function questionOfGroup(
  turn: Turn,
  tables: ReadonlyMap<string, TableShape>,
  group: readonly Candidate[],
): Question {
  const names = new Set(group.map(({ column }) => column.name))
  const conditions = conditionsOf(turn.table).filter(
    ({ columns }) => columns.length > 0 && columns.every((name) => names.has(name)),
  )
  const references = turn.ready.filter((key) => key.columns.every((name) => names.has(name)))
  const own = turn.later.filter((key) => key.table === turn.table.oid && key.columns.every((name) => names.has(name)))
  // Each column gets its share of what can be tried in good time.
  const share = Math.max(2, Math.floor(mostCombinations ** (1 / group.length)))
  const sources = group.map(({ column, values }) => {
    const key = references.find(({ columns }) => columns.includes(column.name))
    const parent = key && tables.get(key.table)
    const referenced = key?.references[key.columns.indexOf(column.name)]
    const source =
      parent && referenced !== undefined
        ? referencedSource(parent, referenced, Math.min(share, 12), values.includes(null))
        : valuesSource(cut(values, share))
    return { column, source }
  })
  return ask(turn.table, sources, [
    ...conditions.map(({ expression }) => holds(expression)),
    ...references.flatMap((key) => {
      const parent = tables.get(key.table)
      return parent ? [refers(turn.table, key, parent)] : []
    }),
    ...own.map((key) => refersToItself(turn.table, key, names)),
  ])
}

/** Asks one message for the answers to several questions. The rows of its last result have them in `answers`, a JSON list of lists. */
export function writeQuestions(questions: readonly Question[]): string {
  const asked = questions.map((question) => ({
    ...question,
    all: `
      with fitting as materialized (select c.* from (${question.combinations}) as c where ${question.test})
      select coalesce(jsonb_agg(candidate order by nulls, rank, place), '[]')
      from (
        select *,
          row_number() over (order by nulls, rank, place) as fullest,
          row_number() over (order by nulls desc, rank, place) as emptiest,
          row_number() over (order by md5(place::text)) as mixed
          ${columnPlaces(question)
            .map(
              (place) =>
                `, row_number() over (partition by place[${place}] order by nulls, rank, place) as best_${place}`,
            )
            .join('')}
        from fitting
      ) as ranked
      where fullest <= 24 or emptiest <= 2 or mixed <= 60 ${columnPlaces(question)
        .map((place) => `or best_${place} <= 2`)
        .join(' ')}`,
  }))
  const body = `
declare
  question jsonb;
  answer jsonb;
  answers jsonb := '[]';
  given jsonb;
  fits boolean;
begin
  for question in select * from jsonb_array_elements(${quoteLiteral(JSON.stringify(asked))}::jsonb) loop
    begin
      execute question ->> 'all' into answer;
    exception when others then
      -- A value that a check or a type cannot read spoils the query: one by one it only spoils itself.
      answer := '[]';
      begin
        for given in execute format('select candidate from (%s) as c order by nulls, rank, place limit 4000', question ->> 'combinations') loop
          begin
            execute format('select %s from (select $1 as candidate) as c', question ->> 'test') into fits using given;
            if fits then
              answer := answer || jsonb_build_array(given);
            end if;
          exception when others then
            null;
          end;
          exit when jsonb_array_length(answer) >= 200;
        end loop;
      exception when others then
        -- Then it is the rows of another table that cannot be read; what was found until then is good.
        null;
      end;
    end;
    answers := answers || jsonb_build_array(answer);
  end loop;
  perform set_config('drover.answers', answers::text, true);
end`
  return `do ${quoteLiteral(body)};\nselect current_setting('drover.answers') as answers`
}

/** How many combinations of values are tried for a group of columns. */
const mostCombinations = 6000

interface Condition {
  readonly expression: string
  readonly columns: readonly string[]
}

function conditionsOf(table: TableShape): readonly Condition[] {
  const { checks, partitions, partitionColumns: columns } = table
  if (partitions.length === 0 || columns.length === 0) return checks
  return [...checks, { expression: partitions.map((bounds) => `(${bounds})`).join(' or '), columns }]
}

function isGiven(column: ColumnShape, table: TableShape): boolean {
  if (column.generated) return false
  // Counted values are left to the sequence, unless somebody else decides them.
  return (
    !column.counted || (column.default !== null && table.foreignKeys.some((key) => key.columns.includes(column.name)))
  )
}

function isNeverNull(types: ReadonlyMap<string, TypeShape>, oid: string): boolean {
  const type = types.get(oid)
  return type !== undefined && type.kind === 'd' && (type.notNull || isNeverNull(types, type.base ?? ''))
}

/** The first values, and null if it is among them. */
function cut(values: readonly (string | null)[], length: number): readonly (string | null)[] {
  if (values.length <= length) return values
  return values.includes(null) ? [...values.slice(0, length - 1), null] : values.slice(0, length)
}

interface SourcedColumn {
  readonly column: ColumnShape
  readonly source: string
}

function ask(table: TableShape, columns: readonly SourcedColumn[], tests: readonly string[]): Question {
  const places = columns.map((_, index) => `p${index}`)
  const read = columns.map(
    ({ column }) =>
      `cast(c.candidate ->> ${quoteLiteral(column.name)} as ${column.declared}) as ${quoteIdentifier(column.name)}`,
  )
  const all = tests.length > 0 ? tests.join(' and ') : 'true'
  return {
    combinations: `
      select
        jsonb_object(array[${columns.map(({ column }) => quoteLiteral(column.name)).join(', ')}], array[${places.map((place) => `${place}.value`).join(', ')}]) as candidate,
        ${places.map((place) => `(${place}.value is null)::int`).join(' + ')} as nulls,
        ${places.map((place) => `${place}.place`).join(' + ')} as rank,
        array[${places.map((place) => `${place}.place`).join(', ')}] as place
      from ${columns.map(({ source }, index) => `${source} as p${index} (place, value)`).join(', ')}
      limit ${mostCombinations * 2}`,
    // Reading the values is a test as well: num_nulls() takes all of them, so that none is left out as unused.
    test: `(select num_nulls(${columns.map(({ column }) => columnOf(table, column.name)).join(', ')}) >= 0 and ${all} from (select ${read.join(', ')}) as ${quoteIdentifier(table.name)})`,
    width: columns.length,
  }
}

function valuesSource(values: readonly (string | null)[]): string {
  const rows = values.map((value, place) => `(${place}, ${value === null ? 'null' : quoteLiteral(value)}::text)`)
  return rows.length > 0 ? `(values ${rows.join(', ')})` : `(select 0, ''::text where false)`
}

function referencedSource(parent: TableShape, column: string, most: number, nullable: boolean): string {
  const name = quoteIdentifier(column)
  return `(
    select (row_number() over (order by min(found.place)) - 1)::int, found.value
    from (
      select ${name}::text as value, row_number() over (order by tableoid, ctid) as place
      from ${fromTable(parent)}
      where ${name} is not null
    ) as found
    group by found.value
    ${nullable ? `union all select ${most}, null` : ''}
    order by 1
    limit ${most + 1}
  )`
}

/** Only a table's own rows can be referenced, not those of tables that inherit from it. */
function fromTable(table: TableShape): string {
  return `${table.partitioned ? '' : 'only '}${tableName(table)}`
}

/** A table's name, quoted and qualified. */
export function tableName(table: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`
}

function holds(expression: string): string {
  return `(${expression}) is not false`
}

function refers(table: TableShape, { columns, references }: ForeignKey, parent: TableShape): string {
  const pairs = columns.map(
    (column, index) => `drover_parent.${quoteIdentifier(references[index] ?? '')} = ${columnOf(table, column)}`,
  )
  return `(${isPartlyNull(table, columns)} or exists (select from ${fromTable(parent)} as drover_parent where ${pairs.join(' and ')}))`
}

/** A row may refer to itself. What is not known yet, a counted number, is left to the server. */
function refersToItself(table: TableShape, { columns, references }: ForeignKey, known: ReadonlySet<string>): string {
  const pairs = columns
    .map((column, index) => ({ column, referenced: references[index] ?? '' }))
    .filter(({ referenced }) => known.has(referenced))
    .map(({ column, referenced }) => `${columnOf(table, referenced)} = ${columnOf(table, column)}`)
  return `(${isPartlyNull(table, columns)} or (${['true', ...pairs].join(' and ')}))`
}

function isPartlyNull(table: TableShape, columns: readonly string[]): string {
  return columns.map((column) => `${columnOf(table, column)} is null`).join(' or ')
}

/** A column in a test, where the values of a row stand under the table's name. */
function columnOf(table: TableShape, column: string): string {
  return `${quoteIdentifier(table.name)}.${quoteIdentifier(column)}`
}

function columnPlaces({ width }: Question): readonly number[] {
  return Array.from({ length: width }, (_, index) => index + 1)
}
