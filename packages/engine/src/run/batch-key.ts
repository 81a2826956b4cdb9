import { type Batch, type BatchProgress, nameRevision, type Problem } from '@drover/history'

import type { Connection, Row } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { fillRange, type KeyRange, parseKey } from '../source/batch.ts'
import type { Script } from '../source/script.ts'

/** The key of a revision in batches as its database knows it, as SQL. */
export interface BatchKey {
  /** With its schema. */
  readonly table: string
  readonly column: string
  /** With its schema. */
  readonly type: string
  /** The schema of the operators that compare two keys in the order of an index. */
  readonly operators: string
  /** Whether an index begins with it. Without one, every batch would read the whole table. */
  readonly isIndexed: boolean
  /** About how many rows there are, where the server has counted them. */
  readonly rows?: number
}

/** The next range of keys. */
export interface NextKeys {
  /** The last of them, as text. */
  readonly to: string
  readonly rows: number
}

/** Looks a key up in the catalogue. What it is called means what the search_path of the database makes of it. */
export async function readKey(
  connection: Connection,
  { revision }: Pick<Script, 'revision'>,
  key: string,
): Promise<BatchKey | Problem> {
  const name = parseKey(key)!
  const [row] =
    await connection.send(`select pg_catalog.set_config('drover.table', coalesce(pg_catalog.to_regclass(${quoteLiteral(name.table)})::pg_catalog.oid, 0)::pg_catalog.text, true);
${pinSearchPath}select
  format('%I.%I', relation_schema.nspname, relname) as table_name,
  quote_ident(attname) as column_name,
  format('%I.%I', type_schema.nspname, typname) as type_name,
  coalesce((
    select quote_ident(operator_schema.nspname)
    from pg_opclass
    join pg_am on pg_am.oid = opcmethod and amname = 'btree'
    join pg_amop on amopfamily = opcfamily and amoplefttype = opcintype and amoprighttype = opcintype and amopstrategy = 5
    join pg_operator on pg_operator.oid = amopopr
    join pg_namespace as operator_schema on operator_schema.oid = oprnamespace
    where opcdefault and opcintype = coalesce(nullif(typbasetype, 0), pg_type.oid)
  ), 'pg_catalog') as operator_schema,
  exists (
    select from pg_index
    join pg_class as index on index.oid = indexrelid
    join pg_am on pg_am.oid = index.relam and amname = 'btree'
    where indrelid = pg_class.oid and indkey[0] = attnum and indisvalid and indpred is null
  ) as is_indexed,
  case
    when relkind = 'p' then (
      select sum(greatest(leaf.reltuples, 0))
      from pg_partition_tree(pg_class.oid)
      join pg_class as leaf on leaf.oid = relid
      where isleaf
    )
    else reltuples
  end as rows
from pg_class
join pg_namespace as relation_schema on relation_schema.oid = relnamespace
join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
join pg_type on pg_type.oid = atttypid
join pg_namespace as type_schema on type_schema.oid = typnamespace
where pg_class.oid = current_setting('drover.table')::oid and attname = (parse_ident(${quoteLiteral(name.column)}))[1]`)
  const text = (column: string): string => String(row?.[column])
  if (!row) {
    return {
      code: 'REVISION_INVALID',
      revision: revision.id,
      file: `${revision.folder}/revision.json`,
      message: `${nameRevision(revision)} runs in batches by ${key}, and there is no such column`,
      hint: 'correct the "key" of its "batch", or let the revision that makes the column come before this one',
    }
  }
  const rows = Number(row['rows'])
  return {
    table: text('table_name'),
    column: text('column_name'),
    type: text('type_name'),
    operators: text('operator_schema'),
    isIndexed: row['is_indexed'] === true,
    ...(rows > 0 && { rows }),
  }
}

/** The statement that reads the last key there is, and whether there are rows without one. */
export function selectEnd({ table, column }: BatchKey): string {
  // The name alone would be the one of the output in ORDER BY, which is text.
  return `${pinSearchPath}${readableText}select exists (select from ${table} where ${column} is null) as "${columns.isNull}", (
  select held.${column}::text from ${table} as held where ${column} is not null order by held.${column} desc limit 1
) as "${columns.end}";
`
}

/** The statement that reads the next range of keys after what is done. One that has only begun has its first. */
export function selectNext(key: BatchKey, size: number, { after, end }: BatchProgress): string {
  const { table, column, operators } = key
  if (end === undefined) return ''
  const compare = (operator: string, value: string) =>
    `${column} operator(${operators}.${operator}) ${valueOf(key, value)}`
  return `${pinSearchPath}${readableText}with batch as (
  select ${column} as key
  from ${table}
  where ${compare('<=', end)}${after === undefined ? '' : ` and ${compare('>', after)}`}
  order by ${column}
  limit ${size}
)
select (select key::text from batch order by batch.key desc limit 1) as "${columns.to}", (select count(*) from batch) as "${columns.rows}";
`
}

/** A range as SQL for the statement of a revision. */
export function rangeOf(key: BatchKey, after: string | undefined, to: string): KeyRange {
  return { ...(after !== undefined && { from: valueOf(key, after) }), to: valueOf(key, to) }
}

/**
 * Writes the statement of a revision in batches for a database that nobody else uses: it has them all in one transaction, and is
 * tried out where there are no rows as well.
 */
export async function writeReplay(connection: Connection, script: Script, batch: Batch): Promise<string | Problem> {
  const { text } = script.statements[0]!
  if (batch.range) {
    const key = await readKey(connection, script, batch.range.key)
    if ('code' in key) return key
    const [row] = await connection.send(selectEnd(key))
    const end = row && readKeys(row).end
    return fillRange(text, { to: end === undefined ? `null::${key.type}` : valueOf(key, end) }).sql
  }
  // One that does not exclude what it has done would never come to an end.
  const most = 1000
  return `do ${quoteLiteral(`declare
  drover_changed pg_catalog.int8;
begin
  for drover_batch in 1 .. ${most} loop
    execute ${quoteLiteral(text)};
    get diagnostics drover_changed = row_count;
    if drover_changed = 0 then
      return;
    end if;
  end loop;
  raise exception 'the statement still changes rows after ${most} batches: it has to leave out what it has done';
end`)}`
}

/** What the statements above have read, from one of the rows of a message; nothing from any other. */
export function readKeys(row: Row): {
  readonly hasNull?: boolean
  readonly end?: string
  readonly next?: NextKeys | undefined
} {
  const [end, to] = [row[columns.end], row[columns.to]]
  if (columns.isNull in row) return { hasNull: row[columns.isNull] === true, ...(typeof end === 'string' && { end }) }
  if (columns.to in row) return { next: typeof to === 'string' ? { to, rows: Number(row[columns.rows]) } : undefined }
  return {}
}

/** What speaks against taking rows by a key, as long as none was taken. */
export function describeMissingIndex({ revision }: Script, { table, column }: BatchKey): Problem {
  return {
    code: 'REVISION_INVALID',
    revision: revision.id,
    file: `${revision.folder}/revision.json`,
    message: `${nameRevision(revision)} runs in batches by ${table}.${column}, and no index begins with that: every batch would read the whole table`,
    hint: `choose a key that has one, such as the primary key, or make one in a revision before this: create index concurrently on ${table} (${column})`,
  }
}

/** Rows without a key are in no range: what is not done would pass for done. */
export function describeNullKeys({ revision }: Script, { table, column }: BatchKey): Problem {
  return {
    code: 'STATEMENT_FAILED',
    revision: revision.id,
    file: `${revision.folder}/revision.json`,
    message: `${nameRevision(revision)} runs in batches by ${table}.${column}, and there are rows without one, which are in no batch`,
    hint: `choose a key that every row has, or give one to these: select * from ${table} where ${column} is null; nothing of this revision was run`,
  }
}

function valueOf({ type }: BatchKey, value: string): string {
  return `${quoteLiteral(value)}::${type}`
}

/** As text, a key has to be the same in whatever session it is read again. */
const readableText = `set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local bytea_output = 'hex'; set local extra_float_digits = 3;
`

const columns = { isNull: 'drover:null', end: 'drover:end', to: 'drover:to', rows: 'drover:rows' } as const
