import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'

/** Something in a schema that needs something in another. */
export interface ForeignReference {
  readonly schema: string
  /** What refers, as the server names it: `table constraint posts_author_fkey on app.posts`, `view app.adults`. */
  readonly object: string
  /** The schema that it refers to. */
  readonly toSchema: string
  /** What it refers to: `table audit.logs`, `table column audit.logs.id`, `function audit.touch()`. */
  readonly to: string
}

/**
 * Finds what in these schemas depends on something in another schema, with one query: foreign keys, views, rules, defaults, checks,
 * indexes, triggers, policies, types of columns, parents of tables, owners of sequences, signatures and parsed bodies of functions. What
 * a function's body says as a text, the server does not know.
 * @param allowed schemas that may be referred to, besides pg_catalog and information_schema: shared ones, those of extensions
 * @returns each pair once, in the order of the schemas' names
 */
export async function findForeignReferences(
  connection: Connection,
  schemas: readonly string[],
  allowed: readonly string[],
): Promise<readonly ForeignReference[]> {
  if (schemas.length === 0) return []
  const nameless = ['pg_catalog', 'information_schema', 'pg_toast', ...allowed]
  const rows = await connection.send(`${pinSearchPath}set local jit = off;
set local quote_all_identifiers = off;
with spaces as materialized (
  select namespace.oid, nspname
  from (values ${schemas.map((schema) => `(${quoteLiteral(schema)}::name)`).join(', ')}) as wanted (schema)
  join pg_namespace as namespace on nspname = wanted.schema
),
allowed as materialized (
  select oid from pg_namespace where nspname in (${nameless.map(quoteLiteral).join(', ')})
),
relations as materialized (
  select class.oid, class.relnamespace as space from pg_class as class join spaces on spaces.oid = class.relnamespace
),
-- What people made, and what PostgreSQL takes apart: a default, the rule that is a view. A trigger that enforces a foreign key is
-- on both of its tables.
objects (space, class, id) as materialized (
  select space, 'pg_class'::regclass::oid, oid from relations
  union all
  select relations.space, 'pg_attrdef'::regclass, part.oid from pg_attrdef as part join relations on relations.oid = part.adrelid
  union all
  select relations.space, 'pg_constraint'::regclass, part.oid from pg_constraint as part join relations on relations.oid = part.conrelid
  union all
  select relations.space, 'pg_trigger'::regclass, part.oid from pg_trigger as part join relations on relations.oid = part.tgrelid
  where not part.tgisinternal
  union all
  select relations.space, 'pg_rewrite'::regclass, part.oid from pg_rewrite as part join relations on relations.oid = part.ev_class
  union all
  select relations.space, 'pg_policy'::regclass, part.oid from pg_policy as part join relations on relations.oid = part.polrelid
  union all
  select spaces.oid, 'pg_constraint'::regclass, part.oid
  from pg_constraint as part
  join pg_type as type on type.oid = part.contypid
  join spaces on spaces.oid = type.typnamespace
${schemaCatalogs
  .map(
    ([catalog, space]) => `  union all
  select spaces.oid, '${catalog}'::regclass, part.oid from ${catalog} as part join spaces on spaces.oid = part.${space}`,
  )
  .join('\n')}
),
dependencies as materialized (
  select distinct objects.space, depend.classid, depend.objid, depend.objsubid, depend.refclassid, depend.refobjid, depend.refobjsubid
  from objects
  join pg_depend as depend on depend.classid = objects.class and depend.objid = objects.id
),
-- In what schema that is which they depend on.
resolved as (
${[['pg_class', 'relnamespace'] as const, ...schemaCatalogs]
  .map(
    ([catalog, space]) => `  select dependencies.*, part.${space} as to_space
  from dependencies
  join ${catalog} as part on part.oid = dependencies.refobjid
  where dependencies.refclassid = '${catalog}'::regclass and part.${space} <> dependencies.space`,
  )
  .join('\n  union all\n')}
)
select spaces.nspname as schema, object.description as object, other.nspname as to_schema, referred.description as referred
from resolved
join spaces on spaces.oid = resolved.space
join pg_namespace as other on other.oid = resolved.to_space
left join pg_rewrite as rule on resolved.classid = 'pg_rewrite'::regclass and rule.oid = resolved.objid and rule.rulename = '_RETURN'
cross join lateral (${describe(`case when rule.oid is null then resolved.classid else 'pg_class'::regclass end`, 'coalesce(rule.ev_class, resolved.objid)', 'resolved.objsubid')}) as object
-- A foreign key needs the index of the columns as well.
left join pg_class as needed on resolved.refclassid = 'pg_class'::regclass and needed.oid = resolved.refobjid
cross join lateral (${describe('resolved.refclassid', 'resolved.refobjid', 'resolved.refobjsubid')}) as referred
where resolved.to_space not in (select oid from allowed) and (needed.oid is null or needed.relkind not in ('i', 'I'))
group by 1, 2, 3, 4
order by spaces.nspname collate "C", object.description collate "C", referred.description collate "C"`)
  return rows.map((row) => ({
    schema: String(row['schema']),
    object: String(row['object']),
    toSchema: String(row['to_schema']),
    to: String(row['referred']),
  }))
}

/** Catalogues whose objects are in a schema, with the column that says in which. */
const schemaCatalogs = [
  ['pg_type', 'typnamespace'],
  ['pg_proc', 'pronamespace'],
  ['pg_collation', 'collnamespace'],
  ['pg_conversion', 'connamespace'],
  ['pg_operator', 'oprnamespace'],
  ['pg_opclass', 'opcnamespace'],
  ['pg_opfamily', 'opfnamespace'],
  ['pg_statistic_ext', 'stxnamespace'],
  ['pg_ts_config', 'cfgnamespace'],
  ['pg_ts_dict', 'dictnamespace'],
] as const

/** Unlike pg_describe_object(), this does not depend on the language of the server. */
function describe(catalog: string, id: string, part: string): string {
  return `select type || ' ' || identity as description from pg_identify_object(${catalog}, ${id}, ${part})`
}
