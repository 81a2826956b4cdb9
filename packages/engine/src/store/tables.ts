import { DroverError, type Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import { pinSearchPath, writeOwnBlock } from '../sql/search-path.ts'

/** The schema that holds what Drover remembers in each database. */
export const storeSchema = 'drover'

/** The schema that holds the queue of a fleet, where one is used. */
export const queueSchema = 'drover_fleet'

/** Schemas that are Drover's, and no part of what a history makes. */
export const ownSchemas: readonly string[] = [storeSchema, queueSchema]

/** Whether an error says that Drover's tables are not there yet (undefined table or schema). */
export function isStoreMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '42P01' || error.code === '3F000')
}

/** Raised where Drover's tables are not to be believed. PostgreSQL itself uses no class DR. */
const foreignStore = 'DRV04'

/** The schema, and what in it has the names of Drover's tables: without names, all tables of the database would be gone through. */
const parts = `(
    select 1 as place, 'schema' as kind, nspname::text as name, nspowner as owner
    from pg_namespace
    where nspname = '${storeSchema}'
    union all
    select
      2, case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end,
      '${storeSchema}.' || relname, relowner
    from pg_class
    where relname in ('applied', 'lease', 'run') and relnamespace = (select oid from pg_namespace where nspname = '${storeSchema}')
  ) as part`

/**
 * The text of a block that raises an error where Drover's schema, or a table in it, is somebody else's. Whoever may create schemas
 * in a database could make it beforehand, with tables that lie about what is applied, or with views and policies that do what
 * they like as whoever looks. So this comes before anything in the schema is named, with the search_path pinned.
 *
 * To be believed are the owner of the database, superusers, the user who looks, and the roles whose privileges that user has; a
 * superuser has those of every role, which says nothing.
 * @param options.mayBeMissing `false` raises what PostgreSQL raises for a missing table where `applied` is not there. It is the same
 * look, because between two of them the schema could come and go; what is there and is ours, nobody else can take away
 */
export function refuseForeignStore({ mayBeMissing }: { readonly mayBeMissing: boolean }): string {
  // The first look is that of every day, and of a database that is new: the second one takes many times as long.
  const raiseWhere = (condition: string) =>
    mayBeMissing ? '' : `    if ${condition} then\n      raise undefined_table;\n    end if;\n`
  return `declare
  verdict record;
begin
  select
    count(*) = 0 as is_empty,
    bool_or(name = '${storeSchema}.applied') and bool_and(
      pg_get_userbyid(owner) = current_user or owner = (select datdba from pg_database where datname = current_database())
    ) as is_ours
  into verdict
  from ${parts};
  if verdict.is_ours is not true then
${raiseWhere('verdict.is_empty')}${judgeParts}${raiseWhere('not verdict.is_there')}  end if;
end`
}

const judgeParts = `    select
      coalesce(bool_or(name = '${storeSchema}.applied'), false) as is_there,
      (array_agg(format('the %s %s belongs to %I', kind, name, pg_get_userbyid(owner)) order by place, name) filter (where is_foreign))[1] as fault,
      coalesce(
        min('drop schema ${storeSchema} cascade') filter (where is_foreign and kind = 'schema'),
        string_agg(format('drop %s %s cascade', kind, name), '; ' order by name) filter (where is_foreign)
      ) as removal,
      case
        when bool_and(kind in ('schema', 'table')) filter (where is_foreign)
        then string_agg(format('alter %s %s owner to %I', kind, name, pg_get_userbyid(datdba)), '; ' order by place, name) filter (where is_foreign)
      end as transfer
    into verdict
    from (
      select
        part.*, datdba,
        (
          role.rolsuper or owner = datdba or role.rolname = current_user
          or (not reader.rolsuper and pg_has_role(current_user, owner, 'usage'))
        ) is not true as is_foreign
      from ${parts}
      cross join (select datdba from pg_database where datname = current_database()) as this
      cross join (select rolsuper from pg_roles where rolname = current_user) as reader
      left join pg_roles as role on role.oid = owner
    ) as judged;
    if verdict.fault is not null then
      raise exception using
        errcode = '${foreignStore}',
        message = verdict.fault || ', who is not to be believed about what is applied',
        hint = concat(
          'find out who has made it; to be rid of it: ', verdict.removal, '; if it is Drover''s own, of another user: ' || verdict.transfer
        );
    end if;
`

/** An error of that block as one of ours; any other as it is. */
export function translateForeignStore(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === foreignStore)) return error
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined
  return new DroverError(
    { code: 'PRIVILEGE_MISSING', message: error.message, ...(hint !== undefined && { hint }) },
    { cause: error },
  )
}

/**
 * What keeps the user of a connection from having Drover's schema created, asked before anything is created anywhere.
 * `undefined` where nothing does.
 */
export async function findStoreObstacle(connection: Connection): Promise<Problem | undefined> {
  const [row] = await connection.send(
    `${pinSearchPath}select has_database_privilege(current_database(), 'create') as allowed`,
  )
  if (row?.['allowed'] === true) return undefined
  const { user, database } = connection.url
  return {
    code: 'PRIVILEGE_MISSING',
    message: `user "${user}" may not create the schema ${storeSchema} in the database "${database}"`,
    hint: `connect as the owner of the database, or let its owner: grant create on database ${quoteIdentifier(database)} to ${quoteIdentifier(user)}`,
  }
}

/**
 * Creates Drover's schema and tables where they are missing. Several runs may do so at once: `if not exists` alone
 * does not make that safe in PostgreSQL (both see nothing, one fails on the catalogue's unique index), so they take
 * turns by a lock that is only ever tried, never waited for.
 * @throws {DroverError} `PRIVILEGE_MISSING` where somebody else has made the schema or a table in it
 */
export async function ensureStore(connection: Connection): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.send(`${pinSearchPath}${createStore}`)
      return
    } catch (error) {
      if (!isBusy(error) || attempt === 200) throw translateForeignStore(error)
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 30))
    }
  }
}

/** The statement that adds what tables of an earlier version lack; it takes no lock where nothing is missing. */
export const completeStore = `do $drover$
${writeOwnBlock({
  body: `  if not exists (
    select from pg_attribute
    where attrelid = '${storeSchema}.applied'::regclass and attname = 'progress' and not attisdropped
  ) then
    alter table ${storeSchema}.applied add column progress jsonb;
  end if;
`,
})}
$drover$;
`

/** Raised by the guard of `createStore`; PostgreSQL itself uses no class DR. */
const busy = 'DRV01'

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === busy
}

/**
 * The statements that create Drover's schema and tables where they are missing, as one transaction with the search_path pinned. That every
 * run of `applied` is in `run`, no foreign key says: nothing takes rows out of `run`, and its triggers would be a third of what a record costs.
 */
export const createStore = `
do $drover$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('drover/store', 0)) then
    raise exception 'another run is creating the tables of drover' using errcode = '${busy}';
  end if;
end
$drover$;
do $drover$
begin
  -- What this transaction makes, nobody else can have made.
  if not exists (select from pg_namespace where nspname = '${storeSchema}') then
    create schema ${storeSchema};
  else
${refuseForeignStore({ mayBeMissing: true })};
  end if;
end
$drover$;
create table if not exists ${storeSchema}.run (
  id uuid primary key,
  release uuid not null,
  history text not null,
  command text not null,
  plan jsonb not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  outcome text not null default 'running' check (outcome in ('running', 'succeeded', 'failed', 'interrupted', 'lost')),
  error jsonb,
  database_user text not null default session_user,
  os_user text not null,
  host text not null,
  pid integer not null,
  version text not null,
  git_commit text
);
create index if not exists run_history_started_at on ${storeSchema}.run (history, started_at desc);
create table if not exists ${storeSchema}.applied (
  history text not null,
  target text not null default '',
  revision text not null,
  checksum text not null,
  state text not null default 'applied' check (state in ('applied', 'running')),
  applied_at timestamptz not null default clock_timestamp(),
  applied_by text not null default session_user,
  duration_ms double precision not null,
  run uuid not null,
  progress jsonb,
  primary key (history, target, revision)
);
create table if not exists ${storeSchema}.lease (
  history text primary key,
  token bigint not null,
  run uuid not null,
  database_user text not null default session_user,
  os_user text not null,
  host text not null,
  pid integer not null,
  command text not null,
  acquired_at timestamptz not null default clock_timestamp(),
  heartbeat_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
comment on schema ${storeSchema} is 'What Drover has applied here, by which runs, and who may change this database now.';
comment on table ${storeSchema}.applied is 'The revisions that each target has had.';
comment on table ${storeSchema}.run is 'Every execution of a plan on this database; append-only.';
comment on table ${storeSchema}.lease is 'Who holds the right to change this database now. The token grows with every holder.';
revoke all on schema ${storeSchema} from public`
