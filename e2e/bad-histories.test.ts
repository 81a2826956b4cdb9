import { appendFile, cp, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { query, readApplied } from './harness/query.ts'

/** A pair in which everything is applied, and a third revision of alpha is not. */
async function createAppliedPair(): Promise<Pair> {
  const pair = await createPair()
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'create table a3 (id integer);\n' })
  await pair.remember()
  return pair
}

test('a revision that was edited after it was applied stops the upgrade of every database, and check finds it', async () => {
  await using pair = await createAppliedPair()
  const file = `${pair.folders.beta[0]}/migration.sql`
  await appendFile(join(pair.root, file), 'alter table b1 add column name text;\n')

  const texts = [`beta: ${ids.b1} "create b1" was edited after it was applied on 20`, `restore ${file}`, 'new revision']
  expectFailure(await pair.migrate('upgrade'), 3, ...texts)
  expectFailure(await pair.migrate('upgrade', '--dry-run'), 3, ...texts)
  expectFailure(await pair.migrate('check'), 4, ...texts)
  await pair.expectUnchanged()
})

test('line endings and a byte-order mark do not make a file an edited one', async () => {
  await using pair = await createAppliedPair()
  await pair.write(`${pair.folders.beta[0]}/migration.sql`, '\uFEFFcreate table b1 (id integer);\r\n')

  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0 })
})

test('an applied revision whose folder is gone stops everything that would change a database', async () => {
  await using pair = await createAppliedPair()
  const folder = join(pair.root, pair.folders.beta[1]!)
  await cp(folder, `${pair.root}/kept`, { recursive: true })
  await rm(folder, { recursive: true })

  const texts = [`beta: revision ${ids.b2} is applied in the database`, 'bring its folder back']
  expectFailure(await pair.migrate('upgrade'), 3, ...texts)
  expectFailure(await pair.migrate('downgrade'), 3, ...texts)
  expectFailure(await pair.migrate('check'), 4, ...texts)
  await pair.expectUnchanged()

  const current = await pair.migrate('current')
  expect(current).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^beta .*b2b2b2b2b2b2 +ahead of the files/m),
  })
  expect((await pair.migrate('current', '--verbose')).stdout).toMatch(/b2b2b2b2b2b2 .*\(its folder is missing\)/)

  await cp(`${pair.root}/kept`, folder, { recursive: true })
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
})

test('a revision that was put below an applied one is a gap, and stops the upgrade of every database', async () => {
  await using pair = await createAppliedPair()
  const folder = await pair.addRevision('beta', { id: 'b0b0b0b0b0b0', message: 'too late', parents: [] })
  const record = { id: ids.b1, parents: ['b0b0b0b0b0b0'], message: 'create b1', created: '2026-11-01T00:00:03.000Z' }
  await pair.write(`${pair.folders.beta[0]}/revision.json`, JSON.stringify(record))

  const texts = ['beta: b0b0b0b0b0b0 "too late" is not applied, although', ids.b1, 'after the head instead']
  expectFailure(await pair.migrate('upgrade'), 3, ...texts)
  expectFailure(await pair.migrate('check'), 4, ...texts)
  expect((await pair.migrate('check', '--json')).json().error.file).toBe(`${folder}/revision.json`)
  expect((await pair.migrate('current')).stdout).toMatch(/^beta .* diverged from the files: see pnpm migrate check$/m)
  await pair.expectUnchanged()
})

test('a down.sql that is missing is refused with 3, and nothing is reverted in any database', async () => {
  await using pair = await createAppliedPair()
  const file = `${pair.folders.alpha[1]}/down.sql`
  await rm(join(pair.root, file))

  expectFailure(
    await pair.migrate('downgrade'),
    3,
    `alpha: ${ids.a2} "create a2" cannot be reverted: it has no down.sql`,
    `write ${file}, or choose a target that keeps this revision`,
  )
  expectFailure(await pair.migrate('downgrade', 'base'), 3, `alpha: ${ids.a2}`)
  await pair.expectUnchanged()

  expect(await pair.migrate('downgrade', 'base', '-d', 'beta')).toMatchObject({ exitCode: 0 })
  expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[ids.a1, ids.a2], []])
})

test('a down.sql that is still to be filled in is refused with 3, and nothing is reverted in any database', async () => {
  await using pair = await createAppliedPair()
  await pair.write(`${pair.folders.alpha[1]}/down.sql`, '-- drover:unfilled\n')

  expectFailure(await pair.migrate('downgrade'), 3, `alpha: ${pair.folders.alpha[1]}/down.sql is not filled in yet`)
  await pair.expectUnchanged()
})

test('everything that is wrong is said at once, database by database', async () => {
  await using pair = await createAppliedPair()
  await appendFile(join(pair.root, `${pair.folders.alpha[0]}/migration.sql`), 'select 1;\n')
  await rm(join(pair.root, pair.folders.beta[1]!), { recursive: true })

  const ended = await pair.migrate('upgrade', '--json')

  expectFailure(ended, 3, `alpha: ${ids.a1}`, `beta: revision ${ids.b2}`)
  expect(ended.json().problems.map(({ code }: { code: string }) => code)).toEqual(['APPLIED_EDITED', 'APPLIED_UNKNOWN'])
  await pair.expectUnchanged()
})

test('a database that another run holds is refused with 3, and says who holds it', async () => {
  await using pair = await createAppliedPair()
  await query(
    pair.urls.alpha,
    `update drover.lease set expires_at = clock_timestamp() + interval '1 hour', os_user = 'ada', host = 'deploy-7'`,
  )
  await pair.remember()

  const ended = await pair.migrate('upgrade', '--wait-lock', '0')

  expectFailure(ended, 3, 'alpha: another run holds the database: "upgrade" of ada on deploy-7', '--wait-lock')
  expect(ended.stdout).toBe('')
  await pair.expectUnchanged()
})
