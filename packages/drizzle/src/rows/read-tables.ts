import { type Connection, ownSchemas, pinFormats, quoteLiteral } from '@drover/engine'
import * as v from 'valibot'

import { type DatabaseShape, databaseShape } from './table-shape.ts'

/** Reads the shape of all tables that may get rows, by schema and name, in one message. */
export async function readTables(connection: Connection): Promise<DatabaseShape> {
  const [row] = await connection.send(`${pinSession};\n${selectShape}`)
  return v.parse(databaseShape, JSON.parse(String(row?.['shape'])))
}

/** For one message: text forms of values do not depend on who reads them, and the server qualifies every name that it writes. */
export const pinSession = `set local search_path = pg_catalog;
${pinFormats}`

/**
 * Tables that hold rows of their own or of their partitions; those of the system, of Drover and of extensions are left out. A
 * partition's rows are its parent's.
 */
export const selectTables = `
select class.oid, space.nspname as schema, class.relname as name, class.relkind = 'p' as partitioned, class.relforcerowsecurity as forced
from pg_class as class
join pg_namespace as space on space.oid = class.relnamespace
where class.relkind in ('r', 'p')
  and not class.relispartition
  and space.nspname !~ '^pg_' and space.nspname not in (${['information_schema', ...ownSchemas].map(quoteLiteral).join(', ')})
  and not exists (
    select from pg_depend
    where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e'
  )`

/** Names of columns by their numbers, in order. */
function columnNames(table: string, numbers: string): string {
  return `coalesce((
    select jsonb_agg(attribute.attname order by place)
    from unnest(${numbers}) with ordinality as part (number, place)
    join pg_attribute as attribute on attribute.attrelid = ${table} and attribute.attnum = part.number
  ), '[]')`
}

const selectShape = `
with recursive tables as materialized (${selectTables}
),
columns as materialized (
  select attribute.*
  from pg_attribute as attribute
  join tables on tables.oid = attribute.attrelid
  where attribute.attnum > 0 and not attribute.attisdropped
),
used (oid) as (
  select atttypid from columns
  union
  select part.oid
  from used
  join pg_type as type on type.oid = used.oid
  left join pg_range as range on type.oid in (range.rngtypid, range.rngmultitypid)
  cross join lateral (
    select case when type.typcategory = 'A' and type.typtype = 'b' then type.typelem end
    union all select type.typbasetype
    union all select range.rngsubtype
    union all select atttypid from pg_attribute where attrelid = type.typrelid and attnum > 0 and not attisdropped
  ) as part (oid)
  where part.oid <> 0
),
types as (
  select jsonb_build_object(
    'oid', type.oid::text,
    'name', type.typname,
    'kind', type.typtype,
    'builtIn', type.typnamespace = 'pg_catalog'::regnamespace,
    'element', case when type.typcategory = 'A' and type.typtype = 'b' then type.typelem::text end,
    'delimiter', coalesce((select typdelim from pg_type as element where element.oid = type.typelem), ','),
    'base', nullif(type.typbasetype, 0)::text,
    'baseModifier', type.typtypmod,
    'checks', coalesce((
      select jsonb_agg(pg_get_expr(conbin, 0) order by conname)
      from pg_constraint
      where contypid = type.oid and contype = 'c'
    ), '[]'),
    'notNull', type.typnotnull,
    'bound', (select rngsubtype::text from pg_range where type.oid in (rngtypid, rngmultitypid)),
    'labels', coalesce((select jsonb_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = type.oid), '[]'),
    'attributes', coalesce((
      select jsonb_agg(jsonb_build_object('type', atttypid::text, 'modifier', atttypmod) order by attnum)
      from pg_attribute
      where type.typtype = 'c' and attrelid = type.typrelid and attnum > 0 and not attisdropped
    ), '[]')
  ) as shape
  from used
  join pg_type as type using (oid)
),
shapes as (
  select tables.schema, tables.name, jsonb_build_object(
    'oid', tables.oid::text,
    'schema', tables.schema,
    'name', tables.name,
    'partitioned', tables.partitioned,
    'columns', coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', columns.attname,
        'declared', format_type(columns.atttypid, columns.atttypmod),
        'type', columns.atttypid::text,
        'modifier', columns.atttypmod,
        'notNull', columns.attnotnull,
        'generated', columns.attgenerated <> '',
        'counted', columns.attidentity <> '' or coalesce(expression.text ~ '^(pg_catalog\\.)?nextval\\(', false),
        'default', expression.text
      ) order by columns.attnum)
      from columns
      left join lateral (
        select pg_get_expr(adbin, adrelid) as text
        from pg_attrdef
        where adrelid = columns.attrelid and adnum = columns.attnum
      ) as expression on true
      where columns.attrelid = tables.oid
    ), '[]'),
    'checks', coalesce((
      select jsonb_agg(jsonb_build_object(
        'expression', pg_get_expr(conbin, conrelid),
        'columns', ${columnNames('conrelid', 'conkey')}
      ) order by conname)
      from pg_constraint
      where conrelid = tables.oid and contype = 'c'
    ), '[]'),
    'foreignKeys', coalesce((
      select jsonb_agg(jsonb_build_object(
        'columns', ${columnNames('conrelid', 'conkey')},
        'table', confrelid::text,
        'references', ${columnNames('confrelid', 'confkey')},
        'deferrable', condeferrable
      ) order by conname)
      from pg_constraint
      where conrelid = tables.oid and contype = 'f' and conparentid = 0
    ), '[]'),
    'uniqueKeys', coalesce((
      select jsonb_agg(jsonb_build_object(
        'columns', case when indexprs is null then ${columnNames('indrelid', "(string_to_array(indkey::text, ' ')::int2[])[1:indnkeyatts]")} else (
          -- Which columns an expression reads, only the dependencies tell.
          select jsonb_agg(distinct attname)
          from pg_depend
          join pg_attribute on attrelid = indrelid and attnum = refobjsubid
          where classid = 'pg_class'::regclass and objid = indexrelid and refclassid = 'pg_class'::regclass and refobjid = indrelid
        ) end,
        -- The column came with PostgreSQL 15.
        'nullsDistinct', not coalesce((to_jsonb(pg_index) ->> 'indnullsnotdistinct')::boolean, false)
      ) order by indexrelid::regclass::text)
      from pg_index
      where indrelid = tables.oid and indisunique and indpred is null
        and (indexprs is null or exists (
          select from pg_depend
          where classid = 'pg_class'::regclass and objid = indexrelid and refclassid = 'pg_class'::regclass and refobjid = indrelid
            and refobjsubid > 0
        ))
    ), '[]'),
    'partitions', coalesce((
      select jsonb_agg(pg_get_partition_constraintdef(leaf.relid) order by leaf.relid::text)
      from pg_partition_tree(tables.oid) as leaf
      where leaf.isleaf and leaf.level > 0 and pg_get_partition_constraintdef(leaf.relid) is not null
    ), '[]'),
    'partitionColumns', coalesce((
      select jsonb_agg(distinct attname)
      from pg_partition_tree(tables.oid) as tree
      join pg_partitioned_table on partrelid = tree.relid
      join pg_attribute on attrelid = partrelid and attnum = any (partattrs)
    ), '[]'),
    'triggers', coalesce((
      select jsonb_agg(jsonb_build_object(
        'disable', format('disable trigger %I', tgname),
        'enable', format(case tgenabled when 'A' then 'enable always trigger %I' else 'enable trigger %I' end, tgname)
      ) order by tgname)
      from pg_trigger
      where tgrelid = tables.oid and not tgisinternal and tgenabled in ('O', 'A')
    ), '[]')
  ) as shape
  from tables
)
select jsonb_build_object(
  'tables', coalesce((select jsonb_agg(shape order by schema, name) from shapes), '[]'),
  'types', coalesce((select jsonb_agg(shape) from types), '[]')
)::text as shape`
