import { createThrowawayDatabase, type ThrowawayDatabase } from '@drover/server'
import pg from 'pg'
import { describe, expect, inject, it } from 'vitest'

import { type Delta, planDelta } from './plan-delta.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

const users = 'create table users (id int primary key, name text)'
const touch = `create function touch() returns trigger language plpgsql as $$ begin return new; end $$`

const changes: readonly (readonly [change: string, from: string, to: string])[] = [
  ['a column', users, `${users}; alter table users add column age int not null default 0`],
  [
    'a function with another body and another result',
    `create function one() returns int return 1`,
    `create function one() returns bigint return 2`,
  ],
  [
    'a function whose body names a table that comes along',
    '',
    `${users}; create function all_users() returns setof users language sql as 'select * from users'`,
  ],
  [
    'a view on a view, when the lower one changes',
    `${users}; create view low as select id from users; create view high as select id from low`,
    `${users}; create view low as select id, name as label from users; create view high as select id from low where label > ''`,
  ],
  [
    'a column that another type fits better, under a view',
    `${users}; create view names as select name from users`,
    `create table users (id int primary key, name varchar(20)); create view names as select name from users`,
  ],
  [
    'a trigger',
    users,
    `${users}; ${touch}; create trigger touch before update on users for each row execute function touch()`,
  ],
  ['privileges', users, `${users}; grant select, update (name) on users to pg_monitor`],
  ['a function that is not for everybody', touch, `${touch}; revoke execute on function touch() from public`],
  [
    'comments',
    users,
    `${users}; comment on table users is 'who logs in'; comment on column users.name is 'it''s a name'`,
  ],
  [
    'a constraint that can be deferred',
    `${users}; create table posts (author int references users)`,
    `${users}; create table posts (author int references users deferrable initially deferred)`,
  ],
  [
    'an exclusion constraint',
    'create table bookings (during tsrange)',
    'create table bookings (during tsrange, constraint apart exclude using gist (during with &&))',
  ],
  ['an extension', '', 'create extension citext; create table mails (mail citext unique)'],
  [
    'a policy',
    users,
    `${users}; alter table users enable row level security; alter table users force row level security;
     create policy own on users as restrictive for update using (id > 1)`,
  ],
  ['a domain', '', `create domain mail as text check (value like '%@%'); create table people (mail mail)`],
  ['a schema', users, `${users}; create schema app; create sequence app.counter increment 5`],
  [
    'a sequence that becomes an identity',
    'create table a (id serial)',
    'create table a (id int not null generated always as identity)',
  ],
  [
    'a value taken out of an enum',
    `create type mood as enum ('sad', 'ok', 'odd'); create table a (m mood default 'ok')`,
    `create type mood as enum ('sad', 'ok'); create table a (m mood default 'ok')`,
  ],
]

describe('planDelta', () => {
  it.each(
    changes.flatMap(([change, from, to]) => [
      [change, from, to] as const,
      [`${change}, taken back`, to, from] as const,
    ]),
  )('leads to %s', async (_, from, to) => {
    await using pair = await databases(from, to)

    const delta = await pair.plan()
    expect(delta.gaps).toEqual([])
    expect(delta.statements).not.toEqual([])
    await execute(pair.from, delta.statements.join(';\n'))

    expect(await pair.plan()).toEqual({ statements: [], gaps: [] })
  })

  it('plans the same twice', async () => {
    const [from, to] = [users, changes.map(([, , sql]) => sql).find((sql) => sql.includes('force row'))!]
    await using one = await databases(from, to)
    await using other = await databases(from, to)

    expect(await one.plan()).toEqual(await other.plan())
  })

  it('leaves owners, roles and the schemas to ignore as they are', async () => {
    await using pair = await databases(
      'create table mine (id int); create schema other; create table other.kept (id int)',
      `create table mine (id int); grant select on mine to pg_monitor; alter table mine owner to pg_monitor;
       create table theirs (id int); alter table theirs owner to pg_monitor; create schema drover; create table drover.run (id int)`,
    )

    const { statements } = await planDelta({
      from: pair.from.url,
      to: pair.to.url,
      ignoredSchemas: ['drover', 'other'],
    })

    expect(statements.join('\n')).not.toMatch(/owner|authorization|postgres|drover|other/i)
    expect(statements.join('\n')).toMatch(/create table "public"."theirs"/i)
  })

  it('says what it does not compare', async () => {
    await using pair = await databases(users, `${users}; create statistics related on id, name from users`)

    expect(await pair.plan()).toEqual({
      statements: [],
      gaps: ['it does not compare objects of the kind statistics object'],
    })
  })

  it('says that a new value of an enum is used before it can be', async () => {
    await using pair = await databases(
      `create type mood as enum ('sad'); create table a (m mood)`,
      `create type mood as enum ('sad', 'ok'); create table a (m mood default 'ok')`,
    )

    const { statements, gaps } = await pair.plan()

    expect(statements[0]).toBe(`ALTER TYPE "public"."mood" ADD VALUE 'ok' AFTER 'sad'`)
    expect(gaps).toEqual([`it uses what only a commit makes usable, a new value of an enum: ${statements[1]}`])
  })
})

/** Two databases, each made by its SQL, and the way from one to the other. */
async function databases(from: string, to: string) {
  await using opened = new AsyncDisposableStack()
  const [one, other] = await Promise.all([from, to].map((sql) => databaseOf(sql).then((made) => opened.use(made))))
  const owned = opened.move()
  return {
    from: one!,
    to: other!,
    plan: (): Promise<Delta> => planDelta({ from: one!.url, to: other!.url, ignoredSchemas: [] }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function databaseOf(sql: string): Promise<ThrowawayDatabase> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await createThrowawayDatabase(inject('serverUrl')))
  await execute(database, sql)
  opened.move()
  return database
}

async function execute(database: ThrowawayDatabase, sql: string): Promise<void> {
  const client = new pg.Client(database.url)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
