import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import postgres from 'postgres'
import { describe, expect, test } from 'vitest'

import { closeGate } from './harness/gate.ts'
import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { hasStore, query, queryColumn, readApplied, readStore } from './harness/query.ts'
import { createShop, shopIds } from './harness/shop.ts'

const { a1, a2, b1, b2, c1, c2 } = shopIds

async function expectRefused(pair: Pair, words: readonly string[], exitCode: number, ...texts: readonly string[]) {
  await pair.remember()
  expectFailure(await pair.migrate('stamp', ...words), exitCode, ...texts)
  await pair.expectUnchanged()
}

test('stamp adopts a database that has everything already: nothing is run, and there is nothing left to do', async () => {
  await using pair = await createPair()
  await query(pair.urls.beta, 'create table b1 (id integer); create table b2 (id integer)')

  const ended = await pair.migrate('stamp', 'head', '-d', 'beta')

  expect(ended).toMatchObject({
    exitCode: 0,
    stdout: `beta  2 revisions recorded, now at ${ids.b2}\n`,
    stderr: `beta: will record 2 revisions, without running\n  ${ids.b1} create b1\n  ${ids.b2} create b2\n`,
  })
  expect(await hasStore(pair.urls.alpha)).toBe(false)
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
  const [run] = await query(
    pair.urls.beta,
    `select command, outcome, plan::text, finished_at is not null as finished from drover.run`,
  )
  expect(run).toMatchObject({ command: 'stamp', outcome: 'succeeded', finished: true })
  expect(JSON.parse(run!['plan'])).toEqual([ids.b1, ids.b2].map((revision) => ({ direction: 'up', revision })))
  expect(await queryColumn(pair.urls.beta, 'select distinct duration_ms from drover.applied')).toEqual([0])

  expect(await pair.migrate('upgrade', '-d', 'beta')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`up to date, at ${ids.b2}`),
  })
  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0 })
  // What it says of itself is true, so the way back works too.
  expect(await pair.migrate('downgrade', 'base', '-d', 'beta')).toMatchObject({ exitCode: 0 })
})

test('what was stamped is compared with its file like anything else', async () => {
  await using pair = await createPair()
  await pair.migrate('stamp', 'head', '-d', 'beta')
  await appendFile(join(pair.root, pair.folders.beta[0]!, 'migration.sql'), 'alter table b1 add column name text;\n')

  expectFailure(await pair.migrate('upgrade'), 3, `${ids.b1} "create b1" was edited after it was applied`)
  expect(await pair.migrate('stamp', 'head', '-d', 'beta', '--purge')).toMatchObject({
    exitCode: 0,
    stdout: `beta  2 revisions forgotten, 2 revisions recorded, now at ${ids.b2}\n`,
  })
  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0 })
})

test('targets of several databases are recorded in each of them', async () => {
  await using pair = await createPair()

  const ended = await pair.migrate('stamp', 'alpha/a1a1', 'beta/head', '--json')

  expect(ended.json()).toMatchObject({
    command: 'stamp',
    exitCode: 0,
    databases: [
      {
        name: 'alpha',
        targets: [
          {
            current: [ids.a1],
            pending: [ids.a2],
            state: 'behind',
            steps: [{ direction: 'up', revision: ids.a1, message: 'create a1', status: 'recorded' }],
          },
        ],
      },
      { name: 'beta', targets: [{ current: [ids.b2], state: 'up-to-date' }] },
    ],
  })
  expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[ids.a1], [ids.b1, ids.b2]])

  expect(await pair.migrate('stamp', 'base')).toMatchObject({
    exitCode: 0,
    stdout: 'alpha  1 revision forgotten, now at base\nbeta   2 revisions forgotten, now at base\n',
  })
  expect(await pair.migrate('stamp', 'base')).toMatchObject({
    exitCode: 0,
    stdout: 'alpha  nothing to change, at base\nbeta   nothing to change, at base\n',
    stderr: '',
  })
})

describe('in a history that branches', () => {
  test('several targets say where the database stands in each branch', async () => {
    await using shop = await createShop()

    expect(await shop.migrate('stamp', 'b2b2', 'search')).toMatchObject({ exitCode: 0 })
    expect((await readApplied(shop.url)).toSorted()).toEqual([a1, a2, b1, b2, c1])

    expect(await shop.migrate('stamp', 'heads')).toMatchObject({
      exitCode: 0,
      stdout: `shop  1 revision recorded, now at ${b2}, ${c2}\n`,
    })
  })

  test('a lower target forgets what descends from it, and what depends on that', async () => {
    await using shop = await createShop()
    await shop.migrate('stamp', 'heads')

    const ended = await shop.migrate('stamp', 'a2a2', '--json')

    expect(ended.json().databases[0].targets[0].steps).toEqual(
      [c2, c1, b2, b1].map((revision) => ({
        direction: 'down',
        revision,
        message: expect.any(String),
        status: 'forgotten',
      })),
    )
    expect((await readApplied(shop.url)).toSorted()).toEqual([a1, a2])
  })

  test('the base of a branch forgets that branch alone', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'heads')

    expect(await shop.migrate('stamp', 'search@base')).toMatchObject({ exitCode: 0 })

    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2])
    const tables = await queryColumn(shop.url, `select tablename from pg_tables where schemaname = 'public'`)
    expect(tables).toHaveLength(6)
  })

  test.each([
    ['a walk from where it stands', ['+1'], 2, '"+1" starts from what is applied'],
    ['several heads', ['head'], 3, 'the history has 2 heads'],
    ['a target that forgets what another needs', ['a1a1', 'c1c1'], 2, 'cannot stand at "a1a1" and at "c1c1"'],
    ['an unknown revision', ['ffff'], 2, 'no revision has an id that starts with "ffff"'],
    ['a broken target', ['a1a1', 'b1b1@'], 2, 'target "b1b1@" ends too early'],
  ])('%s is refused, and nothing is recorded', async (_, words, exitCode, text) => {
    await using shop = await createShop()

    expectFailure(await shop.migrate('stamp', ...words), exitCode, text)

    expect(await hasStore(shop.url)).toBe(false)
  })
})

test('--purge forgets rows that no file knows; without it they are in the way', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await rm(join(pair.root, pair.folders.beta[1]!), { recursive: true })

  expectFailure(
    await pair.migrate('stamp', 'head', '-d', 'beta'),
    3,
    `beta: revision ${ids.b2} is applied in the database, and its folder is not among the migrations`,
    'pnpm migrate stamp --purge',
  )
  const ended = await pair.migrate('stamp', 'head', '-d', 'beta', '--purge')

  expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`  ${ids.b2} (its folder is missing)\n`) })
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1])
})

test('--dry-run shows what would be recorded and changes nothing', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade', '-d', 'beta')
  await pair.remember()

  const ended = await pair.migrate('stamp', 'alpha/head', 'beta/b1b1', '--dry-run')
  const json = await pair.migrate('stamp', 'alpha/head', 'beta/b1b1', '--dry-run', '--json')

  expect(ended).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: `alpha: would record 2 revisions, without running
  ${ids.a1} create a1
  ${ids.a2} create a2
beta: would forget 1 revision, without reverting
  ${ids.b2} create b2
`,
  })
  expect(json.json().databases[1].targets[0].steps).toEqual([
    { direction: 'down', revision: ids.b2, message: 'create b2', status: 'planned' },
  ])
  await pair.expectUnchanged()
})

describe('a stamp is refused before anything is recorded anywhere', () => {
  test('when a revision is still to be filled in: its checksum would be that of a file that has to change', async () => {
    await using pair = await createPair()
    await pair.migrate('revision', 'x', '--empty', '-d', 'beta')

    await expectRefused(pair, ['head'], 3, 'beta: ', 'is not filled in yet')
  })

  test('when a database is protected, until --yes is given', async () => {
    await using pair = await createPair()
    await pair.write('databases/beta/database.ts', `export default { name: 'beta', protected: true }\n`)

    await expectRefused(pair, ['head'], 3, 'beta: the database is protected', 'confirm the stamp with --yes')
    expect(await pair.migrate('stamp', 'head', '--yes')).toMatchObject({ exitCode: 0 })
    // There is nothing to agree to.
    expect(await pair.migrate('stamp', 'head')).toMatchObject({ exitCode: 0 })
  })

  test('when a database cannot be reached', async () => {
    await using pair = await createPair()
    const before = pair.env['BETA_DATABASE_URL']!
    pair.env['BETA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'

    expectFailure(await pair.migrate('stamp', 'head'), 2, 'beta: ')

    pair.env['BETA_DATABASE_URL'] = before
    await pair.expectUnchanged()
  })

  test('when a revision is given to several databases, or for one that is not selected', async () => {
    await using pair = await createPair()

    await expectRefused(pair, ['a1a1'], 2, 'belongs to one of them', 'pnpm migrate stamp <database>/a1a1')
    await expectRefused(pair, ['beta/b1b1', '-d', 'alpha'], 2, 'the target is for "beta"')
    await expectRefused(pair, ['gamma/head'], 2, 'there is no database "gamma"')
    expect(await pair.migrate('stamp')).toMatchObject({ exitCode: 2 })
  })
})

describe('while another run is at work', () => {
  test('a stamp that is not to wait is refused', async () => {
    await using pair = await createPair()
    await using gate = await closeGate(pair.urls.beta)
    await pair.write(`${pair.folders.beta[0]}/migration.sql`, gate.sql)
    const upgrade = pair.start(['upgrade', '-d', 'beta', '--verbose'])
    await upgrade.waitFor(gate.notice)
    const before = await readStore(pair.urls.beta)

    const ended = await pair.migrate('stamp', 'head', '--wait-lock', '0', '--json')

    expectFailure(ended, 3, 'beta: another run holds the database: "upgrade" of ')
    expect(ended.json().error.code).toBe('LOCKED')
    expect((await readStore(pair.urls.beta)).filter((row) => row.startsWith('run'))).toEqual(
      before.filter((row) => row.startsWith('run')),
    )
    expect(await readApplied(pair.urls.alpha)).toEqual([])
    await gate.open()
    expect(await upgrade.ended).toMatchObject({ exitCode: 0 })
  })

  test('a stamp that has waited is refused when what is applied has changed meanwhile', async () => {
    await using pair = await createPair()
    await using gate = await closeGate(pair.urls.beta)
    await pair.write(`${pair.folders.beta[0]}/migration.sql`, gate.sql)
    const upgrade = pair.start(['upgrade', '-d', 'beta', '--verbose'])
    await upgrade.waitFor(gate.notice)

    const stamp = pair.start(['stamp', 'b1b1', '-d', 'beta', '--json'])
    await stamp.waitFor('waiting for another run: "upgrade"')
    await gate.open()
    const ended = await stamp.ended

    expectFailure(ended, 3, 'beta: another run has changed what is applied since this stamp was planned')
    expect(ended.json().error.code).toBe('STATE_MOVED')
    expect(await upgrade.ended).toMatchObject({ exitCode: 0 })
    expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
  })

  test('a stamp that is interrupted while it waits has changed nothing', async () => {
    await using pair = await createPair()
    await using gate = await closeGate(pair.urls.beta)
    await pair.write(`${pair.folders.beta[0]}/migration.sql`, gate.sql)
    const upgrade = pair.start(['upgrade', '-d', 'beta', '--verbose'])
    await upgrade.waitFor(gate.notice)

    const stamp = pair.start(['stamp', 'head', '-d', 'beta', '--json'])
    await stamp.waitFor('waiting for another run')
    stamp.kill('SIGTERM')

    expect(await stamp.ended).toMatchObject({ exitCode: 143, stderr: expect.stringContaining('interrupted') })
    await gate.open()
    expect(await upgrade.ended).toMatchObject({ exitCode: 0 })
    expect(await queryColumn(pair.urls.beta, 'select command from drover.run')).toEqual(['upgrade'])
  })
})

test('a stamp that fails in the second database says what was recorded in the first', async () => {
  await using pair = await createPair()
  await pair.migrate('stamp', 'beta/b1b1')
  const other = postgres(pair.urls.beta, { max: 1, prepare: false, fetch_types: false })
  await other.unsafe('begin; lock table drover.applied in exclusive mode').simple()

  const ended = await pair.migrate('stamp', 'head', '--json')
  await other.end()

  expectFailure(ended, 1, 'beta: nothing was recorded: somebody else is changing what is applied in this database')
  expect(ended.json()).toMatchObject({
    exitCode: 1,
    error: { code: 'LOCKED', database: 'beta' },
    databases: [
      { name: 'alpha', targets: [{ state: 'up-to-date', current: [ids.a2] }] },
      { name: 'beta', targets: [{ state: 'behind', current: [ids.b1], steps: [{ status: 'failed' }] }] },
    ],
  })
  expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[ids.a1, ids.a2], [ids.b1]])
})
