import { describe, expect, inject, test } from 'vitest'

import { createGuarded } from './harness/guarded.ts'
import { createPair, type Pair } from './harness/pair.ts'
import { query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'

/** A pair whose databases have all revisions, and a table and a row that no revision knows of. */
async function createFilledPair(): Promise<Pair> {
  const pair = await createPair()
  await pair.migrate('upgrade')
  for (const url of Object.values(pair.urls)) {
    await query(url, 'create table drifted as select 1 as one; analyze drifted')
  }
  return pair
}

/** Whether the table is still there that no revision makes. */
async function hasDrifted(url: string): Promise<boolean> {
  const [row] = await query(url, `select to_regclass('drifted') is not null as found`)
  return row!['found']
}

test('drops the databases, the last first, and builds them again to the head', async () => {
  await using pair = await createFilledPair()

  const ended = await pair.migrate('reset', '--yes')

  expect(ended).toMatchObject({ exitCode: 0 })
  const dropped = ended.stderr.split('\n').filter((line) => line.includes(': dropped '))
  const names = (await pair.migrate('current', '--json')).json().databases.map(({ name }: any) => name)
  expect(dropped.map((line) => line.split(':')[0])).toEqual(names.toReversed())
  expect(ended.stderr).toMatch(
    /^alpha: \S+ is dropped, with all that is in it \(\d tables?, about \d rows?, [\d.]+ MB\), and built again$/m,
  )
  for (const url of Object.values(pair.urls)) {
    expect(await hasDrifted(url)).toBe(false)
    expect(await readOutcomes(url)).toEqual(['succeeded'])
  }
  expect(await pair.migrate('current', '--check-heads')).toMatchObject({ exitCode: 0 })
})

test('of one database, leaves the others as they are', async () => {
  await using pair = await createFilledPair()

  const ended = await pair.migrate('reset', '-d', 'beta', '--yes', '--json')

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(ended.json()).toMatchObject({
    command: 'reset',
    lost: [{ name: 'beta' }],
    databases: [{ name: 'beta', targets: [{ state: 'up-to-date', pending: [] }] }],
  })
  expect([await hasDrifted(pair.urls.alpha), await hasDrifted(pair.urls.beta)]).toEqual([true, false])
})

test('makes a database that is not there', async () => {
  await using pair = await createPair()
  await query(inject('serverUrl'), `drop database "${new URL(pair.urls.beta).pathname.slice(1)}"`)

  const ended = await pair.migrate('reset', '--yes')

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(ended.stderr).toContain('is not there, and is made')
  expect(await readApplied(pair.urls.beta)).not.toEqual([])
})

test('roles and grants are there again afterwards', async () => {
  await using guarded = await createGuarded()
  await guarded.migrate('init')
  await query(guarded.urlOf('alpha', 'admin'), 'create table drifted ()')

  const ended = await guarded.migrate('reset', '--yes')

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(await hasDrifted(guarded.urlOf('alpha', 'admin'))).toBe(false)
  expect(await guarded.migrate('access')).toMatchObject({ exitCode: 0 })
})

test('--dry-run says what would be lost and changes nothing', async () => {
  await using pair = await createFilledPair()

  const ended = await pair.migrate('reset', '--dry-run')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toMatch(/^alpha: .* is dropped, .*\nbeta: .* is dropped, /)
  expect(await hasDrifted(pair.urls.alpha)).toBe(true)
})

test('a database that migrates itself is left alone, and it says so', async () => {
  await using pair = await createFilledPair()
  const url = await pair.addDatabase('jobs')
  await query(url, 'create table drifted ()')
  const declaration = `export default { kind: 'external', name: 'jobs', command: ['false'] }\n`
  await pair.write('databases/jobs/database.ts', declaration)

  const ended = await pair.migrate('reset', '--yes')

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(ended.stderr).toContain('jobs: migrates itself, and is left alone\n')
  expect(await hasDrifted(url)).toBe(true)
})

describe('changes nothing', () => {
  test.each<
    [what: string, exitCode: number, message: string, spoil: (pair: Pair) => unknown, args?: readonly string[]]
  >([
    ['where nobody can be asked', 3, 'nobody can be asked whether all this may be lost', () => {}, []],
    [
      'in production',
      3,
      'NODE_ENV=production is set, and reset is for development alone',
      (pair) => (pair.env['NODE_ENV'] = 'production'),
    ],
    [
      'of a protected database',
      3,
      'beta: it is protected',
      (pair) => pair.write('databases/beta/database.ts', `export default { name: 'beta', protected: true }\n`),
    ],
    [
      'when a revision could not be applied again',
      3,
      'is not filled in yet',
      (pair) => pair.addRevision('beta', { id: 'b9b9b9b9b9b9', up: '-- drover:unfilled\n' }),
    ],
    [
      'when a file cannot be read',
      2,
      'revision.json',
      (pair) => pair.write(`${pair.folders.alpha[0]}/revision.json`, '{}'),
    ],
    [
      'when two names lead to one database',
      2,
      'alpha and beta lead to the same database',
      (pair) => (pair.env['BETA_DATABASE_URL'] = pair.urls.alpha),
    ],
    [
      'when a server cannot be reached',
      2,
      'beta: ',
      (pair) => (pair.env['BETA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'),
    ],
    ['of a database that does not exist', 2, 'gamma', () => {}, ['--yes', '-d', 'gamma']],
  ])('%s', async (_, exitCode, message, spoil, args = ['--yes']) => {
    await using pair = await createFilledPair()
    await spoil(pair)

    const ended = await pair.migrate('reset', ...args)

    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(ended.stderr).toContain(message)
    expect([await hasDrifted(pair.urls.alpha), await hasDrifted(pair.urls.beta)]).toEqual([true, true])
  })

  test('while sessions are connected, whose they are, until --force ends them', async () => {
    await using pair = await createFilledPair()
    const { default: postgres } = await import('postgres')
    const application = postgres(pair.urls.beta, {
      max: 1,
      connection: { application_name: 'the shop' },
      onclose: () => {},
    })
    await application`select 1`

    const refused = await pair.migrate('reset', '--yes')
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('error: beta: sessions are connected to it: 1 of "the shop"')
    expect(refused.stderr).toContain('--force')
    expect(await hasDrifted(pair.urls.alpha)).toBe(true)
    const forced = await pair.migrate('reset', '--yes', '--force')

    await application.end({ timeout: 0 })
    expect(forced).toMatchObject({ exitCode: 0 })
    expect(await hasDrifted(pair.urls.beta)).toBe(false)
  })

  test('by a user who could not make it again', async () => {
    await using pair = await createFilledPair()
    const name = `reset_${crypto.randomUUID().slice(0, 8)}`
    await query(inject('serverUrl'), `create role "${name}" login password 'x'`)
    const url = new URL(pair.urls.alpha)
    url.username = name
    url.password = 'x'
    pair.env['ALPHA_DATABASE_URL'] = url.href

    const ended = await pair.migrate('reset', '--yes')

    await query(inject('serverUrl'), `drop role "${name}"`)
    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain(`alpha: user "${name}" does not own it`)
    expect(await hasDrifted(pair.urls.alpha)).toBe(true)
  })

  test('on a host that is not this machine, however often it is confirmed, unless the host is named', async () => {
    await using pair = await createFilledPair()
    // The same server under an address that no rule takes for this machine.
    pair.env['ALPHA_DATABASE_URL'] = pair.urls.alpha.replace(/@[^:/]+/, '@0.0.0.0')

    const refused = await pair.migrate('reset', '-d', 'alpha', '--yes', '--force')
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toContain('alpha: it is on 0.0.0.0, which is not this machine')
    expect(refused.stderr).toContain('pnpm migrate reset -d alpha --remote 0.0.0.0')
    expect(await hasDrifted(pair.urls.alpha)).toBe(true)
    const named = await pair.migrate('reset', '-d', 'alpha', '--yes', '--remote', '0.0.0.0')

    expect(named).toMatchObject({ exitCode: 0 })
    expect(await queryColumn(pair.urls.alpha, `select to_regclass('drifted') is null`)).toEqual([true])
  })
})
