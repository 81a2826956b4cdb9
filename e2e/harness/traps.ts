import { query } from './query.ts'

/** The schemas in which an ordinary user may leave things lying about. */
const trapSchemas = ['public', 'evil'] as const

/**
 * Makes, in each of these schemas, a twin of everything in `pg_catalog` that may have one, and overloads that fit what Drover
 * writes better than what is in `pg_catalog`: functions, operators, an implicit cast, types, relations, and tables named like
 * Drover's own. Whatever is called says so in a sequence, which no rollback takes back, and fails.
 * @param maker URL of the user who makes them: the owner of the schemas is enough
 */
export async function setTraps(maker: string): Promise<void> {
  for (const schema of trapSchemas) await query(maker, trapsIn(schema))
}

/** How many times something was caught in any of the traps. */
export async function countCaught(url: string): Promise<number> {
  const [row] = await query(
    pinned(url),
    `select ${trapSchemas.map((schema) => `(select case when is_called then last_value else 0 end from ${schema}.caught)`).join(' + ')} as count`,
  )
  return Number(row!['count'])
}

/** The URL with which a test looks at such a database without being caught itself. */
export function pinned(url: string): string {
  const own = new URL(url)
  own.searchParams.set('search_path', 'pg_catalog')
  return own.href
}

/** Argument types with which Drover calls what takes any types, or others. */
const overloads = [
  ['hashtextextended', 'text, integer'],
  ['format', 'text, name, name'],
  ['format', 'text, text, name, name'],
  ['format', 'text, text, text, text, integer, timestamptz'],
  ['concat_ws', 'text, text, text, text'],
  ['concat_ws', 'text, text, text'],
  ['jsonb_build_object', 'text, text'],
  ['jsonb_build_object', 'text, bigint'],
  ['jsonb_build_object', 'text, bigint, text, bigint'],
  ['quote_ident', 'name'],
  ['to_regclass', 'name'],
  ['set_config', 'text, text, integer'],
] as const

const operators = [
  ['||', 'numeric', 'text'],
  ['||', 'text', 'oid'],
  ['||', 'text', 'name'],
  ['*', 'numeric', 'integer'],
  ['*', 'double precision', 'integer'],
  ['=', 'name', 'oid'],
] as const

/** Types for which a domain of the same name is laid out. */
const types = ['text', 'name', 'oid', 'uuid', 'jsonb', 'timestamptz', 'int8', 'regclass', 'regnamespace'] as const

function trapsIn(schema: string): string {
  return `
set search_path = pg_catalog;
create sequence ${schema}.caught;
create table ${schema}.applied (history text, target text, revision text, checksum text, state text);
create table ${schema}.run (id uuid, history text, outcome text);
create table ${schema}.lease (history text, token bigint);
create function ${schema}.trip(what text) returns boolean language plpgsql volatile as $$
begin
  perform pg_catalog.nextval('${schema}.caught');
  raise exception 'caught in ${schema}: %', what;
end
$$;
create type ${schema}.bait as (content text);
create function ${schema}.take(text) returns ${schema}.bait language plpgsql as $$ begin perform ${schema}.trip('cast'); end $$;
create cast (text as ${schema}.bait) with function ${schema}.take(text) as implicit;
create function ${schema}.join_bait(numeric, ${schema}.bait) returns text language plpgsql as $$ begin perform ${schema}.trip('bait'); end $$;
create operator ${schema}.|| (leftarg = numeric, rightarg = ${schema}.bait, function = ${schema}.join_bait);
do $traps$
declare
  one record;
begin
  for one in
    select proname as name, oidvectortypes(proargtypes) as types,
      case when proretset then 'setof ' else '' end || format_type(prorettype, null) as result
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f' and provariadic = 0
    union all
    values ${overloads.map(([name, args]) => `('${name}', '${args}', 'text')`).join(', ')}
  loop
    begin
      execute format(
        'create function ${schema}.%I(%s) returns %s language plpgsql as %L',
        one.name, one.types, one.result, format('begin perform ${schema}.trip(%L); end', one.name || '(' || one.types || ')')
      );
    exception when others then null; -- Some types are for PostgreSQL's own functions alone.
    end;
  end loop;

  for one in
    select oprname as name, format_type(oprleft, null) as "left", format_type(oprright, null) as "right",
      format_type(oprresult, null) as result, row_number() over () as number
    from pg_operator
    where oprnamespace = 'pg_catalog'::regnamespace and oprkind = 'b'
    union all
    values ${operators.map(([name, left, right], index) => `('${name}', '${left}', '${right}', 'text', ${-index - 1})`).join(', ')}
  loop
    begin
      execute format(
        'create function ${schema}.operator_%s(%s, %s) returns %s language plpgsql as %L',
        replace(one.number::text, '-', '_'), one.left, one.right, one.result,
        format('begin perform ${schema}.trip(%L); end', one.left || ' ' || one.name || ' ' || one.right)
      );
      execute format(
        'create operator ${schema}.%s (leftarg = %s, rightarg = %s, function = ${schema}.operator_%s)',
        one.name, one.left, one.right, replace(one.number::text, '-', '_')
      );
    exception when others then null;
    end;
  end loop;

  for one in
    select relname as name from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')
  loop
    begin
      execute format(
        'create view ${schema}.%1$I as select one.* from pg_catalog.%1$I as one where ${schema}.trip(%1$L)', one.name
      );
    exception when others then null;
    end;
  end loop;
end
$traps$;
${types.map((type) => `create domain ${schema}.${type} as ${type} check (${schema}.trip('type ${type}'));`).join('\n')}
`
}
