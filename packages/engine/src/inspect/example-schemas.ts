import type { Connection } from '../connect/connection.ts'
import { quoteIdentifier } from '../sql/quote.ts'

/** Names of schemas that are easily mistaken for something else: for each other, for a table, for an expression. */
export const hostileNames: readonly string[] = [
  'tenant_a',
  'tenant_a1',
  'tenant_a_b',
  'xtenant_a',
  'tenant_a-b',
  'tenant."x".y',
  "O'Hara's",
  String.raw`back\slash\1`,
  'Größe',
  'select',
  'contexts',
  '<schema>',
]

/** A history that has something of everything, with tables, aliases and texts that look like names of schemas. */
export const exampleHistory = String.raw`
create type mood as enum ('sad', 'ok');
create type pair as (a int, b mood);
create type span as range (subtype = timestamptz);
create sequence counter increment 5;
create domain email as text default nextval('counter'::regclass)::text check (value like '%@%');
create function double(a int, b mood default 'ok') returns int begin atomic select a * 2; end;
create function touch() returns trigger set search_path from current language plpgsql as $$
begin
  -- As tenant_a.contexts has it.
  raise notice 'tenant_a.contexts and "tenant_a-b".contexts';
  perform tenant_a.id from tenant_a;
  return new;
end
$$;
create aggregate total (int) (sfunc = int4pl, stype = int, initcond = '0');
create function same(a mood, b mood) returns boolean language sql as 'select a::text = b::text';
create operator === (leftarg = mood, rightarg = mood, function = same);
create collation plain (locale = 'C');
create table contexts (
  id serial primary key,
  code text collate plain not null default 'tenant_a.contexts',
  other text default '"tenant_a-b".contexts',
  place regclass default 'contexts'::regclass,
  mood mood default 'ok' check (mood === 'ok' and double(id, mood) > 0),
  pairs pair[],
  mail email,
  twice bigint generated always as (id * 2) stored,
  check (code <> 'tenant_a1.contexts')
);
create table tenant_a (id int references contexts on delete cascade, contexts int);
create table child () inherits (contexts);
create table events (id int, day date not null) partition by range (day);
create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
create index by_code on contexts (lower(code), abs(id)) where code <> ' ON tenant_a.contexts';
create trigger touch before update on contexts for each row when (new.code <> 'tenant_a.x') execute function touch();
create view both_of as select tenant_a.id, contexts.code from tenant_a join contexts on contexts.id = tenant_a.contexts where contexts.mood === 'ok';
create view alike as select tenant_a.id as tenant_a from contexts as tenant_a;
create materialized view totals as select total(contexts.id) as total from contexts with no data;
create rule quiet as on delete to tenant_a do instead update contexts set code = 'tenant_a.x' where contexts.id = old.id;
create statistics together on id, code from contexts;
alter table contexts enable row level security;
create policy own on contexts using (exists (select from tenant_a where tenant_a.id = contexts.id));
comment on table contexts is 'tenant_a.contexts';
revoke execute on function touch() from public;
alter default privileges in schema current_schema grant select on tables to public`

/** Builds a history in a schema, which is made unless it is there. */
export async function buildIn(connection: Connection, schema: string, history: string): Promise<void> {
  const name = quoteIdentifier(schema)
  // The only statement that has to name the schema.
  const script = history.replaceAll('current_schema', () => name)
  await connection.send(`create schema if not exists ${name}; set local search_path = ${name};\n${script}`)
}
