import type { Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import { pinSearchPath, writeOwnBlock } from '../sql/search-path.ts'

/** The schema that holds what Drover remembers in each database. */
export const storeSchema = 'drover'

/** Whether an error says that Drover's tables are not there yet (undefined table or schema). */
export function isStoreMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '42P01' || error.code === '3F000')
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
 */
export async function ensureStore(connection: Connection): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.send(`${pinSearchPath}${createStore}`)
      return
    } catch (error) {
      if (!isBusy(error) || attempt === 200) throw error
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

/** The statements that create Drover's schema and tables where they are missing, as one transaction with the search_path pinned. */
export const createStore = `
do $drover$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('drover/store', 0)) then
    raise exception 'another run is creating the tables of drover' using errcode = '${busy}';
  end if;
end
$drover$;
create schema if not exists ${storeSchema};
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
  run uuid not null references ${storeSchema}.run (id),
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
