import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { hasStore, query, queryColumn, readApplied } from './harness/query.ts'

/** As it is and as it stands in a URL. */
const password = 'Wr0ng/Secret@#? %'
const encoded = encodeURIComponent(password)

/** The URL with parts of it replaced. */
function change(
  url: string,
  parts: Partial<Pick<URL, 'hostname' | 'port' | 'username' | 'password' | 'pathname'>>,
): string {
  return Object.assign(new URL(url), parts).href
}

/** Neither the password nor a piece of it that is long enough to be known again. */
function expectNoSecret(...texts: readonly string[]): void {
  for (const text of texts) expect(text).not.toMatch(/Wr0ng|Secret/i)
}

describe('a URL that cannot be read', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await createPair()
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  const login = `app:${encoded}@127.0.0.1`
  test.each<[string, string, ...string[]]>([
    ['has another scheme', `mysql://${login}/alpha`, 'does not start with postgres://'],
    ['is in the form of keywords', `host=127.0.0.1 password=${password}`, 'does not start with postgres://'],
    ['names no database', `postgres://${login}`, 'names no database', 'postgres://user@host:5432/name'],
    ['names no user', 'postgres://127.0.0.1/alpha', 'names no user', 'postgres://user@host:5432/name'],
    ['has a port that is none', `postgres://${login}:99999/alpha`, 'not a valid URL', 'postgres://user:password@host'],
    ['has a password that is not encoded', `postgres://app:${password}@127.0.0.1/alpha`, 'percent-encoded'],
    ['has a percent sign that is no escape', 'postgres://app:Secret%zz@127.0.0.1/alpha', '"%"', '%25'],
    ['has an unknown parameter', `postgres://${login}/alpha?pool_size=5`, '"pool_size"', 'sslmode'],
    ['has an unknown sslmode', `postgres://${login}/alpha?sslmode=bogus`, 'sslmode', 'verify-full'],
    [
      'asks for channel binding',
      `postgres://${login}/alpha?channel_binding=require`,
      'channel_binding=require',
      'take it out',
    ],
  ])('%s', async (_, url, ...texts) => {
    pair.env['ALPHA_DATABASE_URL'] = url

    const human = await pair.migrate('upgrade', '--verbose')
    const json = await pair.migrate('upgrade', '--json')

    expectFailure(human, 2, 'ALPHA_DATABASE_URL', ...texts)
    expect(json.json()).toMatchObject({ ok: false, exitCode: 2, error: { code: 'URL_INVALID' } })
    expectNoSecret(human.stderr, human.stdout, json.stderr, json.stdout)
    await pair.expectUnchanged()
  })
})

test('one URL that is missing among several is an error: a real and a development database are never mixed', async () => {
  await using pair = await createPair()
  // Empty is how compose files say that it is not set.
  pair.env['ALPHA_DATABASE_URL'] = ''

  const ended = await pair.migrate('upgrade')

  expectFailure(ended, 2, 'alpha: the URL of alpha is not set', 'set ALPHA_DATABASE_URL', '--database')
  await pair.expectUnchanged()
  expect(await pair.migrate('upgrade', '-d', 'beta')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
})

test('a secret file that cannot be read is named by its variable', async () => {
  await using pair = await createPair()
  delete pair.env['ALPHA_DATABASE_URL']
  pair.env['ALPHA_DATABASE_URL_FILE'] = `${pair.root}/nowhere`

  expectFailure(await pair.migrate('current'), 2, 'ALPHA_DATABASE_URL_FILE')
})

test('a wrong password is refused before anything is changed anywhere, and never printed', async () => {
  await using pair = await createPair()
  pair.env['BETA_DATABASE_URL'] = change(pair.urls.beta, { password: encoded })

  for (const command of ['init', 'upgrade', 'downgrade', 'current', 'check']) {
    const human = await pair.migrate(command, '--verbose')
    const json = await pair.migrate(command, '--json')

    expectFailure(human, command === 'check' ? 4 : 2, 'beta: the server at 127.0.0.1', 'refused the login', '28P01')
    expect(human.stderr).toContain('next: correct user and password in BETA_DATABASE_URL')
    expect(json.json().error).toMatchObject({ code: 'AUTHENTICATION_FAILED', database: 'beta' })
    expectNoSecret(human.stderr, human.stdout, json.stderr, json.stdout)
  }
  await pair.expectUnchanged()
})

test('a right password with special characters logs in, and is never printed, not even when a statement fails', async () => {
  await using pair = await createPair()
  const role = `drover_test_${new URL(pair.urls.alpha).pathname.slice(1)}`
  const database = decodeURIComponent(new URL(pair.urls.alpha).pathname.slice(1))
  await query(
    pair.urls.alpha,
    `create role "${role}" login password '${password}'; alter database "${database}" owner to "${role}"; alter schema public owner to "${role}"`,
  )
  try {
    pair.env['ALPHA_DATABASE_URL'] = change(pair.urls.alpha, { username: role, password: encoded })
    await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'select pg_sleep(0); select nothing;\n' })

    const outputs: string[] = []
    for (const words of [
      'upgrade alpha/a2a2',
      'upgrade',
      'upgrade --json',
      'current --json',
      'check',
      'downgrade --dry-run',
      'downgrade base',
    ]) {
      const { stdout, stderr } = await pair.migrate(...words.split(' '), '--verbose')
      outputs.push(stdout, stderr)
    }

    expect(outputs.join('')).toContain('column "nothing" does not exist')
    expect(outputs.join('')).toContain(`postgres://${role}@127.0.0.1:`)
    expectNoSecret(...outputs)
    const kept = await queryColumn(pair.urls.alpha, 'select run::text || lease::text from drover.run, drover.lease')
    expect(kept.length).toBeGreaterThan(0)
    expectNoSecret(...kept)
  } finally {
    await query(
      pair.urls.alpha,
      `alter database "${database}" owner to current_user; reassign owned by "${role}" to current_user; drop owned by "${role}"; drop role "${role}"`,
    )
  }
})

test('a wrong port is refused before anything is changed anywhere', async () => {
  await using pair = await createPair()
  // Nothing listens there: the port of "discard" is reserved.
  pair.env['BETA_DATABASE_URL'] = change(pair.urls.beta, { port: '9' })

  expectFailure(
    await pair.migrate('upgrade'),
    2,
    'beta: no server answers at 127.0.0.1:9',
    'correct host and port in BETA_DATABASE_URL',
  )
  await pair.expectUnchanged()

  const current = await pair.migrate('current')
  expectFailure(current, 2, 'beta: no server answers')
  expect(current.stdout).toBe('alpha  base  behind: 2 revisions pending\nbeta   -     cannot be read\n')
})

test('a host that nobody knows is named', async () => {
  await using pair = await createPair()
  pair.env['BETA_DATABASE_URL'] = change(pair.urls.beta, { hostname: 'nowhere.invalid' })

  expectFailure(await pair.migrate('upgrade'), 2, 'beta: the host nowhere.invalid cannot be found', 'BETA_DATABASE_URL')
  await pair.expectUnchanged()
})

test('a server without TLS is refused where the URL asks for it', async () => {
  await using pair = await createPair()
  pair.env['BETA_DATABASE_URL'] = `${pair.urls.beta}?sslmode=require`

  expectFailure(await pair.migrate('upgrade'), 2, 'does not offer the TLS that BETA_DATABASE_URL asks for', 'sslmode')
  await pair.expectUnchanged()
})

describe('a database that its server does not have', () => {
  test('is refused by everything but init, which creates it; then there is nothing left to do', async () => {
    await using pair = await createPair()
    const url = await pair.addDatabase('gamma', { create: false })
    await pair.addRevision('gamma', { id: 'c1c1c1c1c1c1', up: 'create table c1 (id integer);' })

    expectFailure(await pair.migrate('upgrade'), 2, 'gamma: the server at 127', 'no database "', 'pnpm migrate init')
    expectFailure(await pair.migrate('init', '--dry-run'), 2, 'gamma: ')
    await pair.expectUnchanged()

    const init = await pair.migrate('init')
    expect(init).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('gamma: created the database\n') })
    expect(await readApplied(url)).toEqual(['c1c1c1c1c1c1'])

    expect((await pair.migrate('upgrade')).stdout).toContain('nothing to do')
    const again = await pair.migrate('init')
    expect(again).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('nothing to do') })
  })

  test('is not created while another one cannot be reached', async () => {
    await using pair = await createPair()
    const url = await pair.addDatabase('gamma', { create: false })
    pair.env['BETA_DATABASE_URL'] = change(pair.urls.beta, { port: '9' })

    const ended = await pair.migrate('init')

    expectFailure(ended, 2, 'beta: no server answers')
    expect(ended.stderr).not.toContain('gamma')
    const name = decodeURIComponent(new URL(url).pathname.slice(1))
    expect(await query(pair.urls.alpha, `select from pg_database where datname = '${name}'`)).toEqual([])
    await pair.expectUnchanged()
  })
})

describe('a user who may not', () => {
  let pair: Pair
  let weak: string
  beforeAll(async () => {
    pair = await createPair()
    weak = `drover_weak_${new URL(pair.urls.alpha).pathname.slice(1)}`
    await query(pair.urls.alpha, `create role "${weak}" login password 'weak'`)
    await pair.remember()
  })
  afterAll(async () => {
    await query(pair.urls.alpha, `drop role "${weak}"`)
    await pair[Symbol.asyncDispose]()
  })

  test('create a database is told what to ask for', async () => {
    pair.env['BETA_DATABASE_URL'] = change(pair.urls.beta, { username: weak, password: 'weak', pathname: '/nowhere' })

    expectFailure(await pair.migrate('init'), 2, `beta: user "${weak}" may not create the database "nowhere"`, 'owner')
    await pair.expectUnchanged()
  })

  test('make the tables of Drover is found before another database has had anything', async () => {
    pair.env['BETA_DATABASE_URL'] = change(pair.urls.beta, { username: weak, password: 'weak' })

    expectFailure(await pair.migrate('upgrade'), 2, `beta: user "${weak}" may not create the schema`, 'grant create on')
    expect(await hasStore(pair.urls.alpha)).toBe(false)
    await pair.expectUnchanged()
  })
})

test('two databases that lead to the same one are refused, however their URLs are written', async () => {
  await using pair = await createPair()
  pair.env['BETA_DATABASE_URL'] = change(pair.urls.alpha, { hostname: 'localhost' })

  const texts = ['alpha and beta lead to the same database', 'correct ALPHA_DATABASE_URL or BETA_DATABASE_URL']
  expectFailure(await pair.migrate('upgrade'), 2, ...texts)
  expectFailure(await pair.migrate('current'), 2, ...texts)
  expectFailure(await pair.migrate('check'), 4, ...texts)
  const json = (await pair.migrate('upgrade', '--json')).json()
  expect(json.databases.map(({ name }: { name: string }) => name)).toEqual(['alpha', 'beta'])
  await pair.expectUnchanged()
})
