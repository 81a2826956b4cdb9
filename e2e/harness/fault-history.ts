import { compareCatalogs } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import { inject } from 'vitest'

import { logEntry, readLog, createLog } from './log.ts'
import { openProxy, type Proxy } from './proxy.ts'
import { catalogOf, hasStore, query, queryColumn } from './query.ts'
import { createWorkspace, type Ended, type Running, type TestWorkspace } from './workspace.ts'

/** Histories with revisions of every kind, to be run while something goes wrong. */
export interface FaultHistory extends AsyncDisposable {
  readonly workspace: TestWorkspace
  /** Ids by database, in the order in which they are applied. */
  readonly ids: Readonly<Record<string, readonly string[]>>
  /** Makes empty databases for one round, on the tests' server or another. */
  makeDatabases(serverUrl?: string): Promise<FaultDatabases>
  /** An upgrade that nothing disturbs: the first call runs it, on that server, whose version shows in the schema. */
  undisturbed(serverUrl?: string): Promise<Undisturbed>
}

/** How an upgrade goes that nothing disturbs. */
export interface Undisturbed extends Pick<Proxy, 'passed'> {
  readonly ms: number
  /** What is in the databases then. */
  readonly snapshot: Snapshot
}

/** Databases that a round has to itself. */
export interface FaultDatabases extends AsyncDisposable {
  readonly urls: Readonly<Record<string, string>>
  /** Starts a command on them; `reach` turns their URLs into those that the command gets. */
  start(args: readonly string[], options?: StartOptions): Running
  /** Expires all leases, as if their holders had been silent for long. */
  expireLeases(): Promise<void>
  /** Which revisions are recorded as applied, by database, when the server has done all that it was sent. */
  applied(): Promise<Readonly<Record<string, readonly string[]>>>
  snapshot(): Promise<Snapshot>
}

interface StartOptions {
  readonly reach?: (url: string) => string
  readonly env?: Readonly<Record<string, string>>
}

/** What is in some databases, by database. */
export type Snapshot = Readonly<Record<string, DatabaseSnapshot>>

interface DatabaseSnapshot {
  readonly catalog: readonly string[]
  readonly rows: readonly string[]
  /** What has run, in order: a revision that ran twice stands in it twice. */
  readonly log: readonly string[]
  readonly applied: readonly string[]
}

/** A revision of which every part writes down that it ran. */
interface LoggedRevision {
  readonly up?: string
  readonly down?: string
  /** Statements outside a transaction, with an entry before and behind. */
  readonly outside?: { readonly up: string; readonly down: string }
  /** Lines of `up` in TypeScript. */
  readonly code?: string
  /** How `up` is repeated. It is one statement, and writes nothing down: rows that it changed twice show. */
  readonly batch?: object
}

const first: readonly LoggedRevision[] = [
  {
    up: `create table item (id integer primary key, name text not null, slug text);
insert into item select number, 'item ' || number from generate_series(1, 300) as number;\n`,
    down: 'drop table item;\n',
  },
  { up: 'alter table item add counter integer not null default 0;\n', down: 'alter table item drop counter;\n' },
  { up: 'update item set counter = counter + 1;\n', down: 'update item set counter = counter - 1;\n' },
  {
    outside: {
      up: 'create index concurrently item_name on item (name);\n',
      down: 'drop index concurrently item_name;\n',
    },
  },
  { code: "await sql`update item set slug = replace(name, ' ', '-'), counter = counter + 10`" },
  {
    up: `create function touch() returns trigger language plpgsql as $$ begin new.counter := new.counter + 1; return new; end $$;
create trigger touch before update on item for each row execute function touch();
select pg_sleep(0.02);\n`,
    down: 'drop trigger touch on item;\ndrop function touch();\n',
  },
  { up: 'update item set slug = slug || counter;\n', down: 'update item set slug = slug;\n' },
  {
    batch: { key: 'public.item.id', size: 60 },
    up: 'update item set counter = counter + 100 where id > :from and id <= :to;\n',
    down: 'update item set counter = counter - 102;\n',
  },
  { up: 'update item set slug = slug || counter;\n', down: 'update item set slug = slug;\n' },
]

const second: readonly LoggedRevision[] = [
  { up: 'create table part (id bigint primary key);\n', down: 'drop table part;\n' },
  { up: 'insert into part select generate_series(1, 100);\nselect pg_sleep(0.02);\n', down: 'delete from part;\n' },
  { up: 'alter table part add weight numeric;\n', down: 'alter table part drop weight;\n' },
]

const other: readonly LoggedRevision[] = [
  { up: 'create table thing (id bigint, kind text);\n', down: 'drop table thing;\n' },
  {
    up: `insert into thing select number, 'a' from generate_series(1, 500) as number;\n`,
    down: 'delete from thing;\n',
  },
  {
    batch: { until: 'unchanged' },
    up: `insert into thing select id + 1000, kind || 'b' from thing where id <= 500 and id + 1000 not in (select id from thing) order by id limit 200;\n`,
    down: 'delete from thing where id > 1000;\n',
  },
  {
    outside: {
      up: 'create unique index concurrently thing_id on thing (id);\nvacuum thing;\n',
      down: 'drop index concurrently thing_id;\n',
    },
  },
  {
    up: 'alter table thing add primary key using index thing_id;\n',
    down: 'alter table thing drop constraint thing_id;\ncreate unique index thing_id on thing (id);\n',
  },
]

/** Revisions that take their time, and share messages all the same. What they say of the disk is for themselves alone. */
const steady: readonly LoggedRevision[] = Array.from({ length: 15 }, () => ({
  up: 'set synchronous_commit = off;\nselect pg_sleep(0.04);\n',
}))

const histories: Readonly<
  Record<string, { readonly after: readonly string[]; readonly revisions: readonly LoggedRevision[] }>
> = {
  first: { after: [], revisions: first },
  second: { after: ['first'], revisions: second },
  other: { after: [], revisions: other },
  steady: { after: [], revisions: steady },
}

/** Makes histories, and no databases. `only` names other ones than those with revisions of every kind. */
export async function createFaultHistory(
  only: readonly (keyof typeof histories)[] = ['first', 'second', 'other'],
): Promise<FaultHistory> {
  const workspace = await createWorkspace()
  const ids: Record<string, readonly string[]> = {}
  for (const name of only) {
    const { after, revisions } = histories[name]!
    await workspace.addDatabase(name, { after: after.filter((one) => only.includes(one)), create: false })
    ids[name] = revisions.map((_, at) => idOf(name, at + 1))
    for (const [at, revision] of revisions.entries()) await addRevision(workspace, name, at + 1, revision)
  }
  let reference: Promise<Undisturbed> | undefined
  const makeDatabases: FaultHistory['makeDatabases'] = (serverUrl: string = inject('serverUrl')) =>
    openDatabases(workspace, only, serverUrl)
  return {
    workspace,
    ids,
    makeDatabases,
    undisturbed: (serverUrl) => (reference ??= runUndisturbed(() => makeDatabases(serverUrl))),
    [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
  }
}

/** What differs from a run that nothing has disturbed: nothing, when every revision was applied exactly once. */
export function findDifferences({ snapshot }: Undisturbed, actual: Snapshot): readonly string[] {
  return Object.entries(snapshot).flatMap(([name, { catalog, ...rows }]) => {
    const found = actual[name]!
    const schema = compareCatalogs(catalog, found.catalog)
    const others = (['log', 'applied', 'rows'] as const).filter((key) => rows[key].join('\n') !== found[key].join('\n'))
    return [
      ...schema.map((difference) => `${name}: ${JSON.stringify(difference)}`),
      ...others.map(
        (key) =>
          `${name}: ${key}: expected\n${rows[key].slice(0, 30).join('\n')}\nfound\n${found[key].slice(0, 30).join('\n')}`,
      ),
    ]
  })
}

/**
 * Types a command, and what its hints say, until it ends well: as somebody would who comes back after something went wrong.
 * @throws {Error} when a command fails without a hint to go on with, or there is no end to it
 */
export async function followHints(
  databases: Pick<TestWorkspace | FaultDatabases, 'start'>,
  command: readonly string[],
): Promise<void> {
  const transcript: string[] = []
  const run = async (words: readonly string[]) => {
    const ended = await databases.start(words).ended
    transcript.push(`$ pnpm migrate ${words.join(' ')}\n${ended.stdout}${ended.stderr}(exit ${ended.exitCode})`)
    return ended
  }
  for (let tries = 1; tries <= 60; tries += 1) {
    const ended = await run(command)
    if (ended.exitCode === 0) return
    const next = findNext(ended)
    if (next === undefined) break
    // It may have to be said again: the server may still be at what was begun.
    if (next !== 'again') await run(next)
  }
  throw new Error(`there is no way on:\n${transcript.slice(-6).join('\n')}`)
}

/** The command that a hint names, or that the same one may be said again. */
function findNext({ exitCode, stderr }: Ended): readonly string[] | 'again' | undefined {
  if (exitCode !== 3) return undefined
  const command = /go on with: pnpm migrate ([^;\n]+)/.exec(stderr)?.[1]
  if (command !== undefined) return [...command.split(' '), ...(command.startsWith('downgrade') ? ['--yes'] : [])]
  return stderr.includes('run the same command again') ? 'again' : undefined
}

async function openDatabases(
  workspace: TestWorkspace,
  names: readonly string[],
  serverUrl: string,
): Promise<FaultDatabases> {
  const made = await Promise.all(names.map(() => createThrowawayDatabase(serverUrl)))
  const urls = Object.fromEntries(names.map((name, at) => [name, made[at]!.url]))
  await Promise.all(Object.values(urls).map(createLog))
  const onEach = async <T>(act: (url: string) => Promise<T>): Promise<Readonly<Record<string, T>>> =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await act(urls[name]!)] as const)))
  return {
    urls,
    start: (args, { reach = (url: string) => url, env } = {}) => {
      const own = names.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, reach(urls[name]!)] as const)
      return workspace.start(args, { env: { ...Object.fromEntries(own), ...env } })
    },
    expireLeases: async () => {
      await onEach(async (url) => {
        if (await hasStore(url)) await query(url, expireLease)
      })
    },
    applied: () =>
      onEach(async (url) => {
        while ((await query(url, atWork)).length > 0);
        return readAppliedIds(url)
      }),
    snapshot: () => onEach(readSnapshot),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(made.map((database) => database[Symbol.asyncDispose]()))
    },
  }
}

// Drover makes its schema and the tables in it in one transaction.
const expireLease = `update drover.lease set expires_at = '-infinity'`

const atWork = `select from pg_stat_activity where datname = current_database() and application_name = 'drover' and state = 'active'`

async function readAppliedIds(url: string): Promise<readonly string[]> {
  if (!(await hasStore(url))) return []
  return queryColumn(url, `select revision from drover.applied where state = 'applied' order by applied_at, revision`)
}

async function readSnapshot(url: string): Promise<DatabaseSnapshot> {
  const tables = await queryColumn(
    url,
    `select tablename from pg_tables where schemaname = 'public' and tablename <> 'log' order by tablename`,
  )
  const rows = tables.map((table) => `select '${table} ' || to_jsonb("${table}")::text as row from "${table}"`)
  return {
    catalog: await catalogOf(url),
    log: await readLog(url),
    rows: rows.length === 0 ? [] : await queryColumn(url, `${rows.join(' union all ')} order by row`),
    applied: (await hasStore(url))
      ? await queryColumn(
          url,
          `select revision || ' ' || state || ' ' || checksum from drover.applied order by revision`,
        )
      : [],
  }
}

async function runUndisturbed(makeDatabases: () => Promise<FaultDatabases>): Promise<Undisturbed> {
  await using databases = await makeDatabases()
  await using proxy = await openProxy(Object.values(databases.urls)[0]!)
  const started = performance.now()
  const ended = await databases.start(['upgrade'], { reach: proxy.through }).ended
  const ms = performance.now() - started
  if (ended.exitCode !== 0) throw new Error(`nothing disturbs it, and it fails: ${ended.stderr}`)
  return { ms, passed: proxy.passed, snapshot: await databases.snapshot() }
}

async function addRevision(
  workspace: TestWorkspace,
  database: string,
  number: number,
  { up = '', down = '', outside, code, batch }: LoggedRevision,
): Promise<void> {
  const id = idOf(database, number)
  if (batch) {
    await workspace.addRevision(database, { id, batch, up, down })
    return
  }
  if (code !== undefined) await workspace.addRevision(database, { id, code: codeOf(number, code) })
  else if (outside === undefined) {
    await workspace.addRevision(database, {
      id,
      up: `${up}${logEntry(`up ${number}`)}`,
      down: `${down}${logEntry(`down ${number}`)}`,
    })
  } else {
    const between = (verb: string, sql: string) =>
      `${logEntry(`${verb} ${number}a`)}${sql}${logEntry(`${verb} ${number}b`)}`
    await workspace.addRevision(database, {
      id,
      transaction: 'none',
      up: between('up', outside.up),
      down: between('down', outside.down),
    })
  }
}

function codeOf(number: number, code: string): string {
  return `import { defineMigration } from '@drover/config'

export default defineMigration({
  async up({ sql }) {
    ${code}
    await sql\`insert into log (entry) values ('up ${number}')\`
  },
  async down({ sql }) {
    await sql\`update item set slug = null, counter = counter - 10\`
    await sql\`insert into log (entry) values ('down ${number}')\`
  },
})
`
}

/** An id that no other database has. */
function idOf(database: string, number: number): string {
  return `${Buffer.from(database.padEnd(4)).toString('hex').slice(0, 8)}${String(number).padStart(4, '0')}`
}
