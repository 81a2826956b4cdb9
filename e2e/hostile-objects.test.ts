import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { hasPsql, runPsql } from './harness/psql.ts'
import { query, queryColumn } from './harness/query.ts'
import { countCaught, pinned, setTraps } from './harness/traps.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['a1a1a1a1a1a1', 'a2a2a2a2a2a2', 'a3a3a3a3a3a3'] as const

// The one that servers come with, one that is looked at after PostgreSQL's own schema, and one that is looked at before it.
describe.each(['"$user", public', 'evil, public', 'evil, public, pg_catalog'])('with the search_path %s', (path) => {
  test('nothing that an ordinary user has left there is called, and every command does its work', async () => {
    await using workspace = await createTrapped(path)

    expect(await workspace.attempt('plan')).toMatchObject({ exitCode: 0 })
    expect(await workspace.attempt('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await workspace.applied()).toEqual(ids)
    expect(await workspace.attempt('upgrade')).toMatchObject({ exitCode: 0 })
    expect((await workspace.attempt('current', '--json')).json().databases[0].targets[0]).toMatchObject({
      current: [ids[2]],
      state: 'up-to-date',
    })
    expect(await workspace.attempt('check')).toMatchObject({ exitCode: 0 })
    const { differences } = (await workspace.attempt('drift', '--json')).json().databases[0]
    expect(differences).toContainEqual(expect.objectContaining({ object: 'table public.lease', kind: 'unexpected' }))
    expect(differences.filter(({ object }: any) => /\bpublic\.note/.test(object))).toEqual([])
    expect(await workspace.attempt('downgrade', 'base')).toMatchObject({ exitCode: 0 })
    expect(await workspace.applied()).toEqual([])
    expect(await workspace.attempt('stamp', 'head')).toMatchObject({ exitCode: 0 })
    expect(await workspace.applied()).toEqual(ids)
    expect(await workspace.attempt('stamp', 'base')).toMatchObject({ exitCode: 0 })
    expect(await workspace.attempt('upgrade')).toMatchObject({ exitCode: 0 })
    await workspace.write(`${workspace.folder}/migration.sql`, `-- Notes.\n${createNote}`)
    expect(await workspace.attempt('repair')).toMatchObject({ exitCode: 0 })
    expect(await workspace.attempt('upgrade')).toMatchObject({ exitCode: 0, stderr: '' })

    expect(await workspace.applied()).toEqual(ids)
    expect(await workspace.outcomes()).toEqual(['succeeded'])
  })

  test('a revision outside a transaction that fails is gone on with', async () => {
    await using workspace = await createTrapped(path)
    await workspace.attempt('upgrade', '+1')
    await query(pinned(workspace.url), `insert into public.note values (1, 'twice'), (2, 'twice')`)

    expect(await workspace.attempt('upgrade')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('could not create unique index'),
    })
    expect(await workspace.attempt('upgrade')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('the next one has left the invalid index public.note_body'),
    })
    await query(pinned(workspace.url), 'delete from public.note')
    expect(await workspace.attempt('upgrade', '--resume')).toMatchObject({ exitCode: 0 })

    expect(await workspace.applied()).toEqual(ids)
  })

  test.skipIf(!hasPsql)('nothing of it is called by a script for psql', async () => {
    await using workspace = await createTrapped(path)

    for (const words of [['upgrade'], ['downgrade', 'base']]) {
      const script = await workspace.attempt(...words, '--sql')
      const ran = await runScript(workspace.url, script.stdout)
      expect({ ran, caught: await countCaught(workspace.url) }).toMatchObject({ ran: { exitCode: 0 }, caught: 0 })
      expect(await workspace.applied()).toEqual(words.includes('upgrade') ? ids : [])
    }
  })
})

test('the traps do catch whoever looks there', async () => {
  await using workspace = await createTrapped('evil, public, pg_catalog')
  const careless = [
    'select now()',
    `select * from pg_class where relname = 'note'`,
    `select 1 where 'a'::varchar = 'a'`,
    `select 'a'::text`,
    'select * from applied, format(null, 1::name, 1::name)',
  ]

  for (const statement of careless) await expect(query(workspace.url, statement)).rejects.toThrow('caught in evil')
  expect(await countCaught(workspace.url)).toBe(careless.length)
})

test('a revision sees the search_path of its database, at its end too', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await query(url, `create schema app; alter database "${new URL(url).pathname.slice(1)}" set search_path = app`)
  await workspace.addRevision('main', {
    id: ids[0],
    up: `create table seen (path varchar);
create function look() returns trigger language plpgsql as $$
begin
  insert into seen values (current_setting('search_path'));
  return null;
end
$$;
create table note (id integer);
create constraint trigger look after insert on note deferrable initially deferred for each row execute function look();
insert into note values (1);
insert into seen values (current_setting('search_path'));
`,
  })
  await workspace.addRevision('main', {
    id: ids[1],
    transaction: 'none',
    up: `insert into note values (2);
insert into seen values (current_setting('search_path'));
`,
  })

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })

  expect(await queryColumn(url, 'select path from app.seen')).toEqual(['app', 'app', 'app', 'app'])
})

describe.each(['the owner of the database', 'a superuser'] as const)('as %s', (who) => {
  test('a schema drover that an ordinary user has made is believed by no command, and nothing in it is called', async () => {
    await using shared = await createShared(who)
    await query(shared.strangerUrl, lyingStore)

    for (const words of [
      ['current'],
      ['upgrade'],
      ['plan'],
      ['downgrade', 'base', '--yes'],
      ['stamp', 'head'],
      ['drift'],
      ['history', '--indicate-current'],
      ['upgrade', '--sql'],
      ['init'],
    ]) {
      const ended = await shared.migrate(...words, '--json')
      expect({ words, exitCode: ended.exitCode, error: ended.json().error }).toEqual({
        words,
        // For a check, a database that cannot be looked at is a finding.
        exitCode: words[0] === 'drift' ? 4 : 2,
        error: {
          code: 'PRIVILEGE_MISSING',
          database: 'main',
          message: `the schema drover belongs to ${shared.stranger}, who is not to be believed about what is applied`,
          hint: 'find out who has made it; to be rid of it: drop schema drover cascade',
        },
      })
    }
    expect(await queryColumn(shared.adminUrl, 'select is_called from drover.called')).toEqual([false])

    await query(shared.adminUrl, 'drop schema drover cascade')
    expect(await shared.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await queryColumn(shared.adminUrl, 'select revision from drover.applied')).toEqual([ids[0]])
  })

  test.skipIf(!hasPsql)('nor by a script for psql', async () => {
    await using shared = await createShared(who)
    const script = await shared.migrate('upgrade', 'base:head', '--sql')
    expect(script).toMatchObject({ exitCode: 0 })
    await query(shared.strangerUrl, lyingStore)

    const ran = await runScript(shared.url, script.stdout)

    expect(ran.exitCode).not.toBe(0)
    expect(ran.stderr).toContain(`the schema drover belongs to ${shared.stranger}`)
    expect(await queryColumn(shared.adminUrl, 'select is_called from drover.called')).toEqual([false])
  })

  test('what the other one has applied is believed', async () => {
    await using shared = await createShared(who)
    const variable = shared.env['MAIN_DATABASE_URL']!
    shared.env['MAIN_DATABASE_URL'] = who === 'a superuser' ? shared.ownerUrl : shared.adminUrl
    expect(await shared.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    await query(
      shared.adminUrl,
      `grant usage on schema drover to ${shared.owner}; grant all on all tables in schema drover, public to ${shared.owner}`,
    )
    shared.env['MAIN_DATABASE_URL'] = variable
    await shared.addRevision('main', { id: ids[1], up: 'create table public.later ();\n' })

    expect(await shared.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect((await shared.migrate('current', '--json')).json().databases[0].targets[0]).toMatchObject({
      current: [ids[1]],
      state: 'up-to-date',
    })
  })
})

/** Tables that lie, and say so when they are asked. */
const lyingStore = `
create schema drover;
create sequence drover.called;
create function drover.lie() returns boolean language plpgsql as $$ begin return nextval('drover.called') > 0; end $$;
create table drover.run (id uuid);
create table drover.lease (history text, expires_at timestamptz);
create view drover.applied as
select 'main' as history, '' as target, '${ids[0]}' as revision, 'sha256:1' as checksum, 'applied' as state, now() as applied_at
where drover.lie();
grant usage on schema drover to public;
grant select on all tables in schema drover to public;
`

interface Shared extends TestWorkspace {
  readonly owner: string
  readonly stranger: string
  /** As whom the tests are. */
  readonly url: string
  readonly adminUrl: string
  readonly ownerUrl: string
  readonly strangerUrl: string
}

/** A database of one revision, with an owner, and with an ordinary user who may create schemas in it. */
async function createShared(who: 'the owner of the database' | 'a superuser'): Promise<Shared> {
  await using opened = new AsyncDisposableStack()
  const workspace = await createWorkspace()
  const adminUrl = await workspace.addDatabase('main')
  const suffix = randomBytes(6).toString('hex')
  const [owner, stranger] = [`drover_owner_${suffix}`, `drover_stranger_${suffix}`]
  const urlOf = (role: string) => Object.assign(new URL(adminUrl), { username: role, password: 'x' }).href
  opened.defer(() => query(inject('serverUrl'), `drop role ${owner}, ${stranger}`).then(() => undefined))
  // What the users own goes with the database, which therefore has to go first.
  opened.use(workspace)
  const database = `"${new URL(adminUrl).pathname.slice(1)}"`
  await query(
    adminUrl,
    `create role ${owner} login password 'x'; create role ${stranger} login password 'x';
alter database ${database} owner to ${owner}; grant create on database ${database} to ${stranger};`,
  )
  await workspace.addRevision('main', { id: ids[0], up: createNote, down: 'drop table public.note;\n' })
  const url = who === 'a superuser' ? adminUrl : urlOf(owner)
  workspace.env['MAIN_DATABASE_URL'] = url
  const owned = opened.move()
  return {
    ...workspace,
    owner,
    stranger,
    url,
    adminUrl,
    ownerUrl: urlOf(owner),
    strangerUrl: urlOf(stranger),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const createNote = 'create table public.note (id integer primary key, body varchar);\n'

interface Trapped extends TestWorkspace {
  readonly url: string
  /** Of the first revision. */
  readonly folder: string
  /** Runs the command line, and fails when anything was caught by then. */
  attempt: TestWorkspace['migrate']
  applied(): Promise<readonly unknown[]>
  /** How runs ended, each way once. */
  outcomes(): Promise<readonly unknown[]>
}

/** A database of three revisions, in which an ordinary user has set traps. */
async function createTrapped(path: string): Promise<Trapped> {
  await using opened = new AsyncDisposableStack()
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  const user = `drover_stranger_${randomBytes(6).toString('hex')}`
  const stranger = new URL(url)
  stranger.username = user
  stranger.password = randomBytes(12).toString('hex')
  opened.defer(() => query(inject('serverUrl'), `drop role ${user}`).then(() => undefined))
  // What the user owns goes with the database, which therefore has to go first.
  opened.use(workspace)
  await query(
    url,
    `create role ${user} login password '${stranger.password}';
grant create on schema public to ${user};
create schema evil authorization ${user};`,
  )
  await setTraps(stranger.href)
  await query(pinned(url), `alter database "${new URL(url).pathname.slice(1)}" set search_path = ${path}`)

  const folder = await workspace.addRevision('main', {
    id: ids[0],
    up: createNote,
    down: 'drop table public.note;\n',
  })
  await workspace.addRevision('main', {
    id: ids[1],
    transaction: 'none',
    up: `set statement_timeout = '1min';
create unique index concurrently note_body on public.note (body);
alter table public.note add column also integer;
`,
    down: `drop index concurrently public.note_body;
alter table public.note drop column also;
`,
  })
  await workspace.addRevision('main', {
    id: ids[2],
    up: 'alter table public.note add column more integer;\n',
    down: 'alter table public.note drop column more;\n',
  })
  const owned = opened.move()
  return {
    ...workspace,
    url,
    folder,
    attempt: async (...args) => {
      const ended = await workspace.migrate(...args)
      expect({ args, ...ended, caught: await countCaught(url) }).toMatchObject({ args, caught: 0 })
      return ended
    },
    applied: () =>
      queryColumn(pinned(url), `select revision from drover.applied where state = 'applied' order by revision`),
    outcomes: () => queryColumn(pinned(url), 'select distinct outcome from drover.run'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function runScript(url: string, sql: string): ReturnType<typeof runPsql> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-script-'))
  try {
    await writeFile(join(folder, 'script.sql'), sql)
    return await runPsql(url, join(folder, 'script.sql'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
