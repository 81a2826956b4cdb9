import { execFileSync } from 'node:child_process'
import { hostname } from 'node:os'
import { join } from 'node:path'

import { createThrowawayDatabase } from '@drover/server'
import { describe, expect, inject, test } from 'vitest'

import { createPair, type Pair } from './harness/pair.ts'
import { findPgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { query, readStore } from './harness/query.ts'
import { createWorkspace } from './harness/workspace.ts'

const server = inject('serverUrl')

/** What it finds that is not as it should be: `alpha wrong indexes`. The settings of the tests' server are its own affair. */
async function findings(pair: Pick<Pair, 'migrate'>): Promise<readonly string[]> {
  const { findings: general, databases } = (await pair.migrate('doctor', '--json')).json()
  const all = [{ name: 'all', findings: general }, ...databases]
  return all
    .flatMap(({ name, findings: own }: any) => own.map(({ level, check }: any) => `${name} ${level} ${check}`))
    .filter((line: string) => !/ ok | warning (?:settings|privileges|encryption)$/.test(line))
}

test('says of databases that are well what they are, and changes nothing in them', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  const before = await readStore(pair.urls.alpha)

  const ended = await pair.migrate('doctor')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toMatch(/^ok {7}workspace {2}2 databases in /m)
  expect(ended.stdout).toMatch(
    new RegExp(`^ok {7}node +${process.versions.node.replaceAll('.', String.raw`\.`)}$`, 'm'),
  )
  expect(ended.stdout).toMatch(/^alpha\n {2}ok {7}url +postgres:\/\/\S+, from ALPHA_DATABASE_URL$/m)
  expect(ended.stdout).toMatch(/^ {2}ok {7}version +PostgreSQL \d\d/m)
  expect(ended.stdout).toMatch(/^ {2}ok {7}applied +up-to-date$/m)
  expect(ended.stdout).toMatch(/^ {2}ok {7}lease +nobody holds it$/m)
  expect(await readStore(pair.urls.alpha)).toEqual(before)
  const password = new URL(pair.urls.alpha).password
  if (password !== '') expect(ended.stdout).not.toContain(password)
})

test('a database that Drover has never touched is well', async () => {
  await using pair = await createPair()

  expect(await pair.migrate('doctor')).toMatchObject({ exitCode: 0 })
  expect(await findings(pair)).toEqual([])
})

describe('finds', () => {
  test.each<[what: string, found: string, hint: string, spoil: (pair: Pair) => unknown]>([
    [
      'a server that cannot be reached, and looks at the others',
      'beta wrong connection',
      '',
      (pair) => (pair.env['BETA_DATABASE_URL'] = 'postgres://nobody:s3cret@127.0.0.1:9/nothing'),
    ],
    [
      'a URL that is not set',
      'beta wrong url',
      'set BETA_DATABASE_URL',
      (pair) => delete pair.env['BETA_DATABASE_URL'],
    ],
    [
      'a URL that is none, without its text',
      'beta wrong url',
      '',
      (pair) => (pair.env['BETA_DATABASE_URL'] = 'mysql://me:s3cret@host/x'),
    ],
    [
      'a database.ts that is wrong',
      'all wrong workspace',
      'correct databases/beta/database.ts',
      (pair) => pair.write('databases/beta/database.ts', `export default { name: 'beta', nothing: 1 }\n`),
    ],
    [
      'a history that cannot be read',
      'beta wrong connection',
      '',
      (pair) => pair.write(`${pair.folders.beta[0]}/revision.json`, '{}'),
    ],
    [
      'an invalid index',
      'alpha wrong indexes',
      'drop index concurrently public.by_id',
      (pair) =>
        query(
          pair.urls.alpha,
          `create table spoilt (id integer); create index by_id on spoilt (id); update pg_index set indisvalid = false where indexrelid = 'by_id'::regclass`,
        ),
    ],
    [
      'a revision that is half done',
      'alpha wrong applied',
      '--resume',
      async (pair) => {
        await pair.addRevision('alpha', {
          id: 'a9a9a9a9a9a9',
          transaction: 'none',
          up: 'create table half ();\nselect 1 / 0;\n',
        })
        await pair.migrate('upgrade')
      },
    ],
    [
      'revisions that no file knows',
      'alpha wrong applied',
      '',
      (pair) =>
        query(
          pair.urls.alpha,
          `update drover.applied set revision = 'ffffffffffff' where revision = (select max(revision) from drover.applied)`,
        ),
    ],
    [
      'read-only transactions',
      'alpha wrong writable',
      '',
      (pair) => setInDatabase(pair.urls.alpha, 'default_transaction_read_only = on'),
    ],
    [
      'a user for shadows who is not let in',
      'all wrong shadows',
      '',
      (pair) => (pair.env['DROVER_SHADOW_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'),
    ],
  ])('%s', async (_, found, hint, spoil) => {
    await using pair = await createPair()
    await pair.migrate('upgrade')
    await spoil(pair)

    const ended = await pair.migrate('doctor')

    expect(ended.exitCode).toBe(4)
    expect(ended.stderr).toMatch(/^error: /)
    expect(ended.stderr).toContain(hint)
    expect(`${ended.stdout}${ended.stderr}`).not.toContain('s3cret')
    expect(await findings(pair)).toContain(found)
  })

  test.each<[what: string, found: string, spoil: (pair: Pair) => unknown]>([
    [
      'two heads',
      'alpha warning history',
      (pair) => pair.addRevision('alpha', { id: 'a9a9a9a9a9a9', parents: ['a1a1a1a1a1a1'] }),
    ],
    [
      'a lease that a process of this machine holds which is gone',
      'alpha warning lease',
      (pair) =>
        query(
          pair.urls.alpha,
          `update drover.lease set expires_at = clock_timestamp() + interval '1 hour', host = '${hostname()}', pid = 99999999`,
        ),
    ],
    [
      'tables of Drover of an earlier version',
      'alpha warning records',
      (pair) => query(pair.urls.alpha, 'alter table drover.applied drop column progress'),
    ],
  ])('%s, and exits with 0, because everything works', async (_, found, spoil) => {
    await using pair = await createPair()
    await pair.migrate('upgrade')
    await spoil(pair)

    const ended = await pair.migrate('doctor', '-d', 'alpha')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(/^ {2}warning {2}\w+ .*\n +next: \S/m)
    expect(await findings(pair)).toContain(found)
  })

  test('settings of a database that revisions would stumble over', async () => {
    await using pair = await createPair()
    await setInDatabase(pair.urls.alpha, `default_transaction_isolation = 'serializable'`)

    const { stdout } = await pair.migrate('doctor', '-d', 'alpha')

    expect(stdout).toContain('transactions are serializable by default')
  })

  test('a user who may not create the schema, and may not rehearse on a copy', async () => {
    await using pair = await createPair()
    const name = `doctor_${crypto.randomUUID().slice(0, 8)}`
    await query(server, `create role "${name}" login password 'x'`)
    const url = new URL(pair.urls.alpha)
    url.username = name
    url.password = 'x'
    pair.env['ALPHA_DATABASE_URL'] = url.href

    const found = await findings(pair)

    await query(server, `drop role "${name}"`)
    expect(found).toEqual(expect.arrayContaining(['alpha wrong privileges', 'alpha warning copies']))
  })

  test('a pooler', async (context) => {
    const program = findPgBouncer()
    if (program === undefined) return context.skip('it needs PgBouncer')
    await using pair = await createPair()
    await using bouncer = await startPgBouncer(program, server)
    pair.env['ALPHA_DATABASE_URL'] = bouncer.through(pair.urls.alpha)

    expect(await findings(pair)).toContain('alpha warning pooler')
  })

  test('secrets in the repository, or on their way there', async () => {
    await using pair = await createPair()
    await pair.write('.env', 'NOTHING=1\n')
    const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: pair.root, stdio: 'pipe' })

    expect(await findings(pair)).not.toContain('all warning .env')
    git('init')
    expect(await findings(pair)).toContain('all warning .env')
    git('add', '.env')
    expect(await findings(pair)).toContain('all wrong .env')
    git('rm', '--cached', '.env')
    await pair.write('.gitignore', '.env\n')
    expect(await findings(pair)).not.toContain('all warning .env')
  })

  test('a drizzle-orm that is another than the drizzle-kit that makes revisions', async () => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('shop', { schema: '' })

    expect(await findings(workspace)).toEqual([])
    await workspace.write('databases/shop/node_modules/drizzle-orm/package.json', '{ "version": "0.45.1" }')
    const ended = await workspace.migrate('doctor')

    expect(ended.exitCode).toBe(4)
    expect(ended.stderr).toContain(
      'the schema of shop is of drizzle-orm 0.45.1, and revisions are made by drizzle-kit 1.',
    )
    expect(ended.stderr).toContain('pnpm add drizzle-orm@1.')
  })

  test('two names of one database', async () => {
    await using pair = await createPair()
    pair.env['BETA_DATABASE_URL'] = pair.urls.alpha

    expect(await findings(pair)).toContain('alpha wrong connection')
  })
})

test('what is typed wrong is no finding', async () => {
  await using pair = await createPair()

  expect(await pair.migrate('doctor', '-d', 'gamma')).toMatchObject({ exitCode: 2, stdout: '' })
  expect(await pair.start(['doctor'], { cwd: join(pair.root, '..') }).ended).toMatchObject({ exitCode: 4 })
})

test('of a database that migrates itself, looks at its server alone', async () => {
  await using pair = await createPair()
  await using jobs = await createThrowawayDatabase(server)
  pair.env['JOBS_DATABASE_URL'] = jobs.url
  await pair.write(
    'databases/jobs/database.ts',
    `export default { kind: 'external', name: 'jobs', managedBy: 'somebody' }\n`,
  )

  const { stdout, exitCode } = await pair.migrate('doctor', '-d', 'jobs')

  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^ {2}ok {7}version /m)
  expect(stdout).not.toContain('records')
})

async function setInDatabase(url: string, setting: string): Promise<void> {
  await query(server, `alter database "${new URL(url).pathname.slice(1)}" set ${setting}`)
}
