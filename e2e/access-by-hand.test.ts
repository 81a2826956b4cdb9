import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { readDocumentedCommands } from './harness/documented-commands.ts'
import { createGuarded, type Guarded } from './harness/guarded.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { repository } from './harness/repository-databases.ts'
import { openShell } from './harness/shell.ts'

const roles = ['owner', 'app', 'readonly'] as const
type Role = (typeof roles)[number]

let guarded: Guarded

beforeAll(async () => {
  guarded = await createGuarded()
})

afterAll(async () => {
  await guarded[Symbol.asyncDispose]()
})

beforeEach(({ skip }) => {
  skip(!hasPsql, 'psql is not installed (Debian: apt-get install postgresql-client)')
})

describe('after init, with psql', () => {
  beforeAll(async () => {
    const { exitCode, stderr } = await guarded.migrate('init')
    if (exitCode !== 0) throw new Error(stderr)
  })

  test('access finds everything as expected', async () => {
    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test.each(roles)('the %s connects to its own database, and to none of the others', async (role) => {
    for (const [own, other] of [
      ['alpha', 'beta'],
      ['beta', 'alpha'],
    ] as const) {
      expect(await runPsql(guarded.urlOf(own, role), await script('select 1;'))).toMatchObject({ exitCode: 0 })

      const { exitCode, stderr } = await runPsql(guarded.urlOf(other, role, own), await script('select 1;'))

      expect(exitCode).toBe(2)
      expect(stderr).toContain(`FATAL:  permission denied for database "${nameOf(other)}"`)
      expect(stderr).toContain('User does not have CONNECT privilege.')
    }
  })

  // Where the versions of PostgreSQL say it in different words, there is only the code.
  test.each<[string, string?]>([
    ['create table mine (id integer)', 'permission denied for schema public'],
    ['create view mine as select 1', 'permission denied for schema public'],
    ['create function mine() returns integer language sql as $$ select 1 $$', 'permission denied for schema public'],
    [
      'create temporary table mine (id integer)',
      'permission denied to create temporary tables in database "<database>"',
    ],
    ['create schema mine', 'permission denied for database <database>'],
    ['drop schema public', 'must be owner of schema public'],
    ['alter table note add column more text', 'must be owner of table note'],
    ['alter table note disable row level security', 'must be owner of table note'],
    ['create index on note (body)', 'must be owner of table note'],
    ['create trigger mine before insert on note execute function mine()', 'permission denied for table note'],
    ['drop table note', 'must be owner of table note'],
    ['truncate note', 'permission denied for table note'],
    ['create extension hstore', 'permission denied to create extension "hstore"'],
    ['drop extension citext', 'must be owner of extension citext'],
    ['create role mine', 'permission denied to create role'],
    ['alter role current_user superuser'],
    ['alter role current_user createdb'],
    ['grant <owner> to current_user'],
    ['set role <owner>', 'permission denied to set role "<owner>"'],
    ['set session authorization <owner>'],
    ['create database mine', 'permission denied to create database'],
    ['alter database <database> set work_mem = 64', 'must be owner of database <database>'],
    ['drop database <database>', 'must be owner of database <database>'],
    ['alter default privileges for role <owner> grant all on tables to current_user'],
    ['select from drover.applied', 'permission denied for schema drover'],
    ['select from drover.run', 'permission denied for schema drover'],
    ['select from drover.lease', 'permission denied for schema drover'],
    ['insert into drover.applied default values', 'permission denied for schema drover'],
    ['update drover.run set outcome = null', 'permission denied for schema drover'],
    ['delete from drover.lease', 'permission denied for schema drover'],
    ['truncate drover.applied', 'permission denied for schema drover'],
    ['create table drover.mine (id integer)', 'permission denied for schema drover'],
    [`copy note to '/tmp/mine'`],
    [`copy note to program 'true'`],
    ['select from pg_authid', 'permission denied for table pg_authid'],
    [`alter system set work_mem = '64kB'`, 'permission denied to set parameter "work_mem"'],
    [`select pg_read_file('PG_VERSION')`, 'permission denied for function pg_read_file'],
  ])('neither the application nor the reader can: %s', async (statement, message) => {
    for (const role of ['app', 'readonly'] as const) expect(await runAs(role, statement)).toEqual(denied(message))
  })

  test.each<[string, string]>([
    [`insert into note (body) values ('mine')`, 'permission denied for table note'],
    [`update note set body = 'mine'`, 'permission denied for table note'],
    ['delete from note', 'permission denied for table note'],
    ['select from note for update', 'permission denied for table note'],
    ['begin; lock table note in row exclusive mode', 'permission denied for table note'],
    [`select nextval('note_id_seq')`, 'permission denied for sequence note_id_seq'],
    ['copy note (body) from stdin', 'permission denied for table note'],
  ])('the reader cannot write: %s', async (statement, message) => {
    expect(await runAs('readonly', statement)).toEqual(denied(message))
  })

  test.each<[Role, string]>([
    ['app', `insert into note (body) values ('of the application') returning id`],
    ['app', `update note set body = 'changed'`],
    ['app', 'select * from note for update'],
    ['app', `delete from note where body = 'nothing'`],
    ['app', `select nextval('note_id_seq')`],
    ['readonly', 'select * from note'],
    ['readonly', 'copy note to stdout'],
    ['readonly', `select last_value from note_id_seq`],
    ['owner', 'create table mine (id integer)'],
    ['owner', 'alter table mine add column more text'],
    ['owner', 'truncate mine'],
    ['owner', 'drop table mine'],
    ['owner', 'create temporary table mine (id integer)'],
    ['owner', 'create schema mine'],
    ['owner', 'drop schema mine'],
    ['owner', 'select from drover.applied'],
  ])('the %s can: %s', async (role, statement) => {
    expect(await runAs(role, statement)).toEqual({ exitCode: 0, error: undefined })
  })

  test.each<[string, string?]>([
    ['create role mine', 'permission denied to create role'],
    ['create database mine', 'permission denied to create database'],
    ['alter role current_user superuser'],
    ['set role <app>', 'permission denied to set role "<app>"'],
    ['create extension dblink', 'permission denied to create extension "dblink"'],
    [`copy note to program 'true'`],
  ])('the owner has no power over the server: %s', async (statement, message) => {
    expect(await runAs('owner', statement)).toEqual(denied(message))
  })

  test('who grants what it has no right to grant has granted nothing', async () => {
    for (const role of ['app', 'readonly'] as const) {
      const { stderr } = await runPsql(guarded.urlOf('alpha', role), await script('grant all on note to public;'))
      expect(stderr).toContain('no privileges were granted for "note"')
    }

    expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0, stderr: '' })
  })
})

test('the steps of the guide go as it says, on a development server of its own', async () => {
  await using shell = await openShell()
  const guide = readFileSync(join(repository, 'docs', 'guides', 'access.md'), 'utf8')
  const [, section = ''] = guide.split('\n### Trying it by hand\n')
  const commands = readDocumentedCommands(section.split(/\n##+ /)[0]!)
  expect(commands.length).toBeGreaterThan(10)

  // In one shell, because the first ones set what the others use.
  const { output } = await shell.run(commands.map(({ command }) => `${command} 2>&1`).join('\n'))

  const documented = commands.flatMap((one) => (one.output === undefined || one.output === '' ? [] : [one.output]))
  expect(withoutPort(output)).toBe(withoutPort(`${documented.join('\n')}\n`))
})

/** Statements of one role in `alpha`; what the server says to the one that it refuses. */
async function runAs(role: Role, statement: string): Promise<{ exitCode: number | null; error: string | undefined }> {
  const text = `\\set VERBOSITY verbose\n${withNames(statement)};`
  const { exitCode, stderr } = await runPsql(guarded.urlOf('alpha', role), await script(text))
  return { exitCode, error: /ERROR: {2}(.*)$/m.exec(stderr)?.[1] }
}

/** How psql ends with a statement for which a privilege is missing. */
function denied(message: string | undefined): unknown {
  return {
    exitCode: 3,
    error: message === undefined ? expect.stringMatching(/^42501: /) : `42501: ${withNames(message)}`,
  }
}

function withNames(text: string): string {
  return text
    .replaceAll('<database>', nameOf('alpha'))
    .replaceAll(/<(owner|app)>/g, (_, role: 'owner' | 'app') => guarded.roleOf('alpha', role))
}

function nameOf(database: 'alpha' | 'beta'): string {
  return new URL(guarded.urlOf(database, 'admin')).pathname.slice(1)
}

async function script(text: string): Promise<string> {
  await guarded.write('by-hand.sql', `${text}\n`)
  return join(guarded.root, 'by-hand.sql')
}

function withoutPort(text: string): string {
  return text.replaceAll(/port \d+/g, 'port …')
}
