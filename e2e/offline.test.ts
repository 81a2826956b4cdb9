import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { catalogOf, hasStore, query, queryColumn, readApplied, readOutcomes, readRecords } from './harness/query.ts'
import { createRepositoryDatabases, databaseNames } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

/** Two ways of running a script. Nothing that is proved with psql may depend on it. */
const runners = [
  {
    how: 'psql',
    skip: !hasPsql,
    run: async (url: string, file: string) => {
      const { exitCode, stderr } = await runPsql(url, file)
      return exitCode === 0 ? undefined : stderr
    },
  },
  {
    how: 'one message of a driver',
    skip: false,
    run: async (url: string, file: string) => {
      try {
        await query(url, await readFile(file, 'utf8'))
        return undefined
      } catch (error) {
        return String(error)
      }
    },
  },
]

let folder: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'drover-offline-')))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

let files = 0

/** Saves what a command printed. */
async function save(sql: string): Promise<string> {
  const file = join(folder, `${(files += 1)}.sql`)
  await writeFile(file, sql)
  return file
}

async function everythingOf(url: string): Promise<readonly string[]> {
  const user = new URL(url).username
  const all = [...(await catalogOf(url)), ...(await readRecords(url))]
  return all.map((line) => line.replaceAll(user, 'the user'))
}

// psql 15 is what the oldest supported systems have; where there is none at all, the driver's variant is the proof.
describe.each(runners)('a script run by $how', ({ skip, run }) => {
  test.skipIf(skip)('leaves what a run leaves, in the four databases of this repository, up and down', async () => {
    await using online = await createRepositoryDatabases({ ordinaryOwner: true })
    await using offline = await createRepositoryDatabases({ ordinaryOwner: true })
    const out = join(folder, `repository-${(files += 1)}`)

    for (const [up, words] of [
      [true, ['upgrade', '+2']],
      [true, ['upgrade']],
      [false, ['downgrade', '-1']],
      [false, ['downgrade', 'base']],
    ] as const) {
      expect(await online.migrate(...words)).toMatchObject({ exitCode: 0 })
      expect(await offline.migrate(...words, '--sql', '--out-dir', out)).toMatchObject({ exitCode: 0 })
      for (const name of up ? databaseNames : databaseNames.toReversed()) {
        expect(await run(offline.urls[name], join(out, `${name}.sql`))).toBeUndefined()
      }

      for (const name of databaseNames) {
        expect(await everythingOf(offline.urls[name])).toEqual(await everythingOf(online.urls[name]))
      }
    }
    expect((await offline.migrate('current', '--json')).json().databases[0].targets[0].pending).not.toEqual([])
  })

  test.skipIf(skip)('of a range leaves what a run leaves, from files alone', async () => {
    await using online = await createPair()
    await using offline = await createPair()
    offline.env['ALPHA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'
    const ranges = [
      ['upgrade', 'a1a1', ':a1a1'],
      ['upgrade', 'head', 'a1a1:head'],
      ['downgrade', 'base', 'head:base'],
      ['upgrade', 'head', ':'],
    ] as const

    for (const [command, target, range] of ranges) {
      await online.migrate(command, target, '-d', 'alpha')
      const script = await offline.migrate(command, range, '--sql', '-d', 'alpha')
      expect(script).toMatchObject({ exitCode: 0, stderr: '' })
      expect(await run(offline.urls.alpha, await save(script.stdout))).toBeUndefined()

      expect(await everythingOf(offline.urls.alpha)).toEqual(await everythingOf(online.urls.alpha))
    }
  })

  test.skipIf(skip)('refuses to be run twice, before anything, and says what is applied', async () => {
    await using pair = await createPair()
    const up = await save((await pair.migrate('upgrade', ':', '--sql', '-d', 'alpha')).stdout)
    expect(await run(pair.urls.alpha, up)).toBeUndefined()
    await pair.remember()

    expect(await run(pair.urls.alpha, up)).toContain(
      'nothing was changed: the database "alpha" is not where this script starts',
    )
    await pair.expectUnchanged()
  })

  test.skipIf(skip)('refuses a database that lacks what it builds on, with and without tables of Drover', async () => {
    await using pair = await createPair()
    const second = await save((await pair.migrate('upgrade', 'a1a1:head', '--sql', '-d', 'alpha')).stdout)

    expect(await run(pair.urls.alpha, second)).toContain('is not where this script starts')
    await pair.expectUnchanged()

    await pair.migrate('upgrade', '-d', 'alpha')
    await pair.migrate('downgrade', 'base', '-d', 'alpha')
    await pair.remember()
    expect(await run(pair.urls.alpha, second)).toContain('is not where this script starts')
    const down = await save((await pair.migrate('downgrade', 'head:base', '--sql', '-d', 'alpha')).stdout)
    expect(await run(pair.urls.alpha, down)).toContain('is not where this script starts')
    await pair.expectUnchanged()
  })

  test.skipIf(skip)('keeps a search_path, a role and a timeout of one revision from the next', async () => {
    await using online = await createLeaky()
    await using offline = await createLeaky()
    await online.migrate('upgrade')
    const script = await offline.migrate('upgrade', '--sql')

    expect(await run(offline.url, await save(script.stdout))).toBeUndefined()

    expect(await everythingOf(offline.url)).toEqual(await everythingOf(online.url))
    expect(await catalogOf(offline.url)).toContainEqual(expect.stringContaining('public.after_leak'))
    const owners = `select relowner::regrole::text from pg_class where relname in ('before_leak', 'after_leak') order by relname`
    expect(await queryColumn(offline.url, owners)).toEqual(await queryColumn(online.url, owners))
  })

  test.skipIf(skip)('keeps what is in strings, bodies of functions and comments to the last character', async () => {
    await using online = await createOdd()
    await using offline = await createOdd()
    await online.migrate('upgrade')
    const script = await offline.migrate('upgrade', '--sql')

    expect(await run(offline.url, await save(script.stdout))).toBeUndefined()

    expect(await everythingOf(offline.url)).toEqual(await everythingOf(online.url))
    const content = `select text from odd order by id`
    expect(await queryColumn(offline.url, content)).toEqual(await queryColumn(online.url, content))
  })

  test.skipIf(skip)('stops at the revision that fails, keeps those before it, and can be gone on from', async () => {
    await using pair = await createPair()
    await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'create table a3 ();\nselect 1 / 0;\n' })
    const script = await save((await pair.migrate('upgrade', '--sql', '-d', 'alpha')).stdout)

    expect(await run(pair.urls.alpha, script)).toContain('division by zero')
    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])

    // The lease of a script that has ended in the middle expires by itself, as that of a run that was killed.
    // Each revision that is done has kept it alive.
    const held = `heartbeat_at > acquired_at and expires_at < heartbeat_at + interval '16 seconds'`
    expect(await queryColumn(pair.urls.alpha, `select ${held} from drover.lease`)).toEqual([true])
    await query(pair.urls.alpha, 'update drover.lease set expires_at = clock_timestamp()')
    const downgrade = await pair.migrate('downgrade', 'base', '-d', 'alpha')
    expect(downgrade).toMatchObject({ exitCode: 0 })
    expect(await readOutcomes(pair.urls.alpha)).toEqual(['lost', 'succeeded'])
  })

  test.skipIf(skip)('does not begin while a run holds the database', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade', '+1', '-d', 'alpha')
    const script = await save((await pair.migrate('upgrade', '--sql', '-d', 'alpha')).stdout)
    await query(pair.urls.alpha, `update drover.lease set expires_at = now() + interval '1 hour', os_user = 'ada'`)
    await pair.remember()

    expect(await run(pair.urls.alpha, script)).toMatch(
      /nothing was changed: another run holds the database: "upgrade" of ada/,
    )
    await pair.expectUnchanged()
  })
})

test.skipIf(!hasPsql)('a script run by a psql that goes on after errors applies nothing out of order', async () => {
  await using pair = await createPair()
  // Two arms: the second could be applied without the first, as far as the graph is concerned.
  await pair.addRevision('alpha', { id: 'c1c1c1c1c1c1', parents: [ids.a1], up: 'select 1 / 0;\n' })
  await pair.addRevision('alpha', { id: 'd1d1d1d1d1d1', parents: [ids.a1], up: 'create table d1 ();\n' })
  const script = await save((await pair.migrate('upgrade', 'heads', '--sql', '-d', 'alpha')).stdout)

  await runPsql(pair.urls.alpha, script, { onErrorStop: false })

  expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])
  expect(await readOutcomes(pair.urls.alpha)).toEqual(['running'])

  await pair.remember()
  const again = await runPsql(pair.urls.alpha, script, { onErrorStop: false })
  expect(again.stderr).toContain('is not where this script starts')
  await pair.expectUnchanged()
})

test.skipIf(!hasPsql)('a script says what it is encoded in, whatever psql takes for granted', async () => {
  await using online = await createOdd()
  await using offline = await createOdd()
  await online.migrate('upgrade')
  const script = await save((await offline.migrate('upgrade', '--sql')).stdout)

  const ended = await runPsql(offline.url, script, { env: { PGCLIENTENCODING: 'LATIN1', LC_ALL: 'C' } })

  expect(ended.exitCode).toBe(0)
  const content = `select text from odd order by id`
  expect(await queryColumn(offline.url, content)).toEqual(await queryColumn(online.url, content))
})

describe('upgrade --sql', () => {
  let pair: Pair

  beforeAll(async () => {
    pair = await createPair()
  })

  afterAll(async () => {
    await pair[Symbol.asyncDispose]()
  })

  test('reads the database, changes nothing, and prints the same again', async () => {
    const first = await pair.migrate('upgrade', '--sql', '-d', 'alpha')

    expect(first).toMatchObject({ exitCode: 0, stderr: '' })
    expect(first.stdout).toContain('create table a2 (id integer);')
    expect((await pair.migrate('upgrade', '--sql', '-d', 'alpha')).stdout).toBe(first.stdout)
    expect(await hasStore(pair.urls.alpha)).toBe(false)
    await pair.expectUnchanged()
  })

  test('of several databases needs a folder, and writes a file for each of them', async () => {
    expectFailure(await pair.migrate('upgrade', '--sql'), 2, 'alpha, beta', '--out-dir <folder>')

    const ended = await pair.migrate('upgrade', '--sql', '--out-dir', 'scripts/new')

    expect(ended).toMatchObject({
      exitCode: 0,
      stdout: 'scripts/new/alpha.sql  2 revisions\nscripts/new/beta.sql   2 revisions\n',
    })
    expect((await readdir(join(pair.root, 'scripts/new'))).toSorted()).toEqual(['alpha.sql', 'beta.sql'])
    const { scripts } = (await pair.migrate('upgrade', '--sql', '--json')).json()
    expect(scripts).toEqual([
      { database: 'alpha', file: null, revisions: [ids.a1, ids.a2], sql: expect.stringContaining('create table a1') },
      { database: 'beta', file: null, revisions: [ids.b1, ids.b2], sql: expect.stringContaining('create table b1') },
    ])
  })

  test('of databases that need each other in turn is several scripts, which are listed in their order', async () => {
    await using other = await createPair()
    await other.addRevision('alpha', { id: 'a3a3a3a3a3a3', dependsOn: [`beta/${ids.b1}`], up: 'create table a3 ();\n' })
    await other.addRevision('beta', {
      id: 'b3b3b3b3b3b3',
      dependsOn: ['alpha/a3a3a3a3a3a3'],
      up: 'create table b3 ();\n',
    })

    const ended = await other.migrate('upgrade', '--sql', '--out-dir', 'out')

    const listed = ended.stdout.split('\n').filter((line) => line !== '')
    expect(listed.map((line) => line.split(' ')[0])).toEqual([
      'out/alpha.1.sql',
      'out/beta.1.sql',
      'out/alpha.2.sql',
      'out/beta.2.sql',
    ])
    for (const line of listed) {
      const [file = ''] = line.split(' ')
      await query(
        file.includes('alpha') ? other.urls.alpha : other.urls.beta,
        await readFile(join(other.root, file), 'utf8'),
      )
    }
    expect(await readApplied(other.urls.alpha)).toEqual([ids.a1, ids.a2, 'a3a3a3a3a3a3'])
    expect(await other.migrate('plan', '--check')).toMatchObject({ exitCode: 0 })
  })

  test('has a script that does nothing where there is nothing to do', async () => {
    const ended = await pair.migrate('upgrade', 'a1a1:a1a1', '--sql', '-d', 'alpha')

    expect(ended).toMatchObject({ exitCode: 0, stdout: '-- upgrade of the database "alpha": nothing to do.\n' })
  })

  test('refuses ranges that are not there, the wrong way round, or of no database in particular', async () => {
    expectFailure(await pair.migrate('upgrade', 'a1a1:9999', '--sql', '-d', 'alpha'), 2, '9999')
    expectFailure(await pair.migrate('upgrade', 'a2a2:a1a1', '--sql', '-d', 'alpha'), 2, 'wrong way round')
    expectFailure(await pair.migrate('upgrade', 'a1a1:head', '--sql'), 2, 'belongs to one of them')
    expectFailure(await pair.migrate('upgrade', '--out-dir', 'x'), 2, '--sql')
    expect(await pair.migrate('upgrade', 'alpha/a1a1:head', '--sql')).toMatchObject({ exitCode: 0 })
  })

  test('refuses what cannot be reverted, is not filled in, or would be a command to psql', async () => {
    await using other = await createPair()
    await other.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'select 1;\n\\! touch pwned\n', down: null })
    await other.addRevision('beta', { id: 'b3b3b3b3b3b3', up: '-- drover:unfilled\n' })

    expectFailure(await other.migrate('downgrade', 'head:base', '--sql', '-d', 'alpha'), 3, 'cannot be reverted')
    expectFailure(await other.migrate('upgrade', ':', '--sql', '-d', 'alpha'), 2, 'migration.sql:2:', 'backslash')
    expectFailure(await other.migrate('upgrade', ':', '--sql', '-d', 'beta'), 3, 'not filled in')
  })
})

/** A database whose first revision leaves the session in disorder. */
async function createLeaky(): Promise<TestWorkspace & { readonly url: string }> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('leaky')
  await workspace.addRevision('leaky', {
    id: '1111aaaa1111',
    up: `create table before_leak ();
create schema elsewhere;
grant usage, create on schema elsewhere to pg_monitor;
create temporary table before_leak_temporary ();
set search_path = elsewhere;
set statement_timeout = '1h';
set role pg_monitor;
`,
  })
  await workspace.addRevision('leaky', {
    id: '2222aaaa2222',
    up: `create table after_leak (
  setting text default 'none'
);
do $$
begin
  if current_setting('statement_timeout') <> '0' then raise 'a timeout has come along'; end if;
  if to_regclass('pg_temp.before_leak_temporary') is not null then raise 'a table has come along'; end if;
end
$$;
`,
  })
  return { ...workspace, url }
}

/** A database whose revision holds what a careless copy would change. */
async function createOdd(): Promise<TestWorkspace & { readonly url: string }> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('odd')
  await workspace.addRevision('odd', {
    id: '3333aaaa3333',
    message: 'größe "of" 数\n$drover$; drop table odd; --',
    up: `-- größe: it's a comment; with ; semicolons \\! and 'quotes
create table odd (id integer primary key, text text);
insert into odd values (1, 'größe 数 😀'), (2, E'back\\\\slash\\n'), (3, 'a:USER :HOST :''x'' \\d'), (4, '
-- in a string

');
create function odd_function() returns text language sql as $body$
  -- a comment; in the body
  select 'commit;
begin;' /* ; */;\r
$body$;
create function atomic_function() returns integer language sql
begin atomic
  select 1;
  select case when true then 2 else 3 end;
end;
select (array[1, 2, 3])[1:2] -- no semicolon behind this`,
  })
  return { ...workspace, url }
}
