import { query, queryColumn } from '../harness/query.ts'

/** The columns of a table or view of `public` in their order; none when it is not there. */
export async function readColumns(url: string, table: string): Promise<readonly string[]> {
  const names = await queryColumn(
    url,
    `
select attname
from pg_attribute
where attrelid = to_regclass('public.${table}') and attnum > 0 and not attisdropped
order by attnum`,
  )
  return names.map(String)
}

/** The enums of `public` with their members, in the order in which they sort. */
export async function readEnums(url: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows = await query(
    url,
    `
select typname, string_agg(enumlabel, ',' order by enumsortorder) as members
from pg_type
join pg_enum on enumtypid = pg_type.oid
where typnamespace = 'public'::regnamespace
group by typname
order by typname`,
  )
  return Object.fromEntries(rows.map((row) => [String(row['typname']), String(row['members']).split(',')]))
}

/** One column of a table of `public`, with what its comment says of it. */
export interface CommentedColumn {
  readonly name: string
  readonly type: string
  /** Empty when there is none. */
  readonly comment: string
}

/** All columns of all tables, named `table.column`, in the order of their names. */
export async function readCommentedColumns(url: string): Promise<readonly CommentedColumn[]> {
  const rows = await query(
    url,
    `
select
  relname || '.' || attname as name,
  format_type(atttypid, atttypmod) as type,
  coalesce(col_description(attrelid, attnum), '') as comment
from pg_class
join pg_attribute on attrelid = pg_class.oid
where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
order by 1`,
  )
  return rows.map((row) => ({ name: String(row['name']), type: String(row['type']), comment: String(row['comment']) }))
}
