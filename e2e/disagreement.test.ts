import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'

async function createAppliedPair(): Promise<Pair> {
  const pair = await createPair()
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  await pair.remember()
  return pair
}

/** Beta's first revision with the same statement in other clothes. */
async function reformat(pair: Pair): Promise<string> {
  const file = `${pair.folders.beta[0]}/migration.sql`
  await pair.write(file, '-- What beta is about.\ncreate table b1 (\n  id integer\n);\n')
  return file
}

const remembered = (url: string) => queryColumn(url, `select checksum from drover.applied where revision = '${ids.b1}'`)

test('comments and white space that were edited after a revision was applied are a warning, and the upgrade goes on', async () => {
  await using pair = await createAppliedPair()
  const file = await reformat(pair)
  await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', up: 'create table b3 ();\n' })

  const checked = await pair.migrate('check', '--json')
  const upgraded = await pair.migrate('upgrade', '--json')

  const warning = {
    code: 'APPLIED_REFORMATTED',
    database: 'beta',
    revision: ids.b1,
    file,
    hint: expect.stringContaining('pnpm migrate repair'),
  }
  expect(checked).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^warning: beta: .*"create b1"/) })
  expect(checked.json().databases).toMatchObject([{ warnings: [] }, { problems: [], warnings: [warning] }])
  expect(upgraded).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^warning: beta: /) })
  expect(upgraded.json().warnings).toMatchObject([warning])
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2, 'b3b3b3b3b3b3'])
})

test('repair has the database remember the file as it is, and then nothing is said about it any more', async () => {
  await using pair = await createAppliedPair()
  await reformat(pair)
  const [before] = await remembered(pair.urls.beta)

  const dry = await pair.migrate('repair', '--dry-run')
  expect(dry).toMatchObject({
    exitCode: 0,
    stdout: `alpha: nothing to repair\nbeta: would remember 1 file as it is\n  ${ids.b1} create b1\n`,
  })
  await pair.expectUnchanged()

  const repaired = await pair.migrate('repair', '--json')
  expect(repaired).toMatchObject({ exitCode: 0, stderr: '' })
  expect(repaired.json().databases).toMatchObject([
    { name: 'alpha', repairs: [] },
    { name: 'beta', repairs: [{ revision: ids.b1, status: 'repaired' }] },
  ])
  const [after] = await remembered(pair.urls.beta)
  expect(after).not.toBe(before)
  expect(after.split('/')[1]).toBe(before.split('/')[1])
  expect(await readOutcomes(pair.urls.alpha)).toHaveLength(1)
  expect(await readOutcomes(pair.urls.beta)).toEqual(['succeeded', 'succeeded'])

  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await pair.migrate('repair', '-d', 'beta')).toMatchObject({ stdout: 'beta: nothing to repair\n' })
})

test('repair refuses while the statements of any applied revision have changed, and repairs nothing anywhere', async () => {
  await using pair = await createAppliedPair()
  await reformat(pair)
  const file = join(pair.root, pair.folders.alpha[0]!, 'migration.sql')
  const sql = await readFile(file, 'utf8')
  await pair.write(`${pair.folders.alpha[0]}/migration.sql`, sql.replace('integer', 'bigint'))

  expectFailure(await pair.migrate('repair'), 3, `alpha: ${ids.a1} "create a1" was edited after it was applied`)
  await pair.expectUnchanged()

  expect(await pair.migrate('repair', '-d', 'beta')).toMatchObject({ exitCode: 0 })
})

test('repair waits for no other run longer than it is told to', async () => {
  await using pair = await createAppliedPair()
  await reformat(pair)
  await query(pair.urls.beta, `update drover.lease set expires_at = clock_timestamp() + interval '1 hour'`)
  await pair.remember()

  expectFailure(await pair.migrate('repair', '--wait-lock', '0'), 3, 'beta: another run holds the database')
  await pair.expectUnchanged()
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('repair that waits for another run ends on %s with %i, and repairs nothing', async (signal, exitCode) => {
  await using pair = await createAppliedPair()
  await reformat(pair)
  await query(pair.urls.beta, `update drover.lease set expires_at = clock_timestamp() + interval '1 hour'`)
  await pair.remember()

  const running = pair.start(['repair'])
  await running.waitFor('beta: waiting for another run')
  running.kill(signal)

  expect(await running.ended).toMatchObject({ exitCode })
  await pair.expectUnchanged()
})

test('a database that remembers the texts alone, as earlier versions did, takes a reformatted file for an edited one', async () => {
  await using pair = await createAppliedPair()
  await query(pair.urls.beta, `update drover.applied set checksum = split_part(checksum, '/', 1)`)
  await pair.remember()

  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  await reformat(pair)
  expectFailure(await pair.migrate('upgrade'), 3, `beta: ${ids.b1} "create b1" was edited after it was applied`)
  expectFailure(await pair.migrate('repair'), 3, `beta: ${ids.b1}`)
  await pair.expectUnchanged()
})

test('a revision that was merged below an applied one is refused, and applied with --allow-out-of-order', async () => {
  await using pair = await createAppliedPair()
  await pair.addRevision('beta', {
    id: 'b0b0b0b0b0b0',
    message: 'too late',
    parents: [ids.b1],
    up: 'create table b0 ();\n',
  })
  const record = { id: ids.b2, parents: ['b0b0b0b0b0b0'], message: 'create b2', created: '2026-11-01T00:00:04.000Z' }
  await pair.write(`${pair.folders.beta[1]}/revision.json`, JSON.stringify(record))

  expectFailure(
    await pair.migrate('upgrade'),
    3,
    `beta: b0b0b0b0b0b0 "too late" is not applied, although ${ids.b2} "create b2", which comes after it, is`,
    'pnpm migrate upgrade --allow-out-of-order',
  )
  await pair.expectUnchanged()

  const dry = await pair.migrate('upgrade', '--allow-out-of-order', '--dry-run')
  expect(dry.stdout).toContain('beta: would apply 1 revision\n  b0b0b0b0b0b0 too late\n')
  expect(await pair.migrate('upgrade', '--allow-out-of-order')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2, 'b0b0b0b0b0b0'])
  expect(await pair.migrate('check')).toMatchObject({ exitCode: 0, stderr: '' })
  expect(await pair.migrate('downgrade', 'base', '--yes')).toMatchObject({ exitCode: 0 })
})

test('check lists every kind of disagreement with a code, a message and a next step of its own', async () => {
  await using pair = await createAppliedPair()
  await reformat(pair)
  await pair.write(`${pair.folders.beta[1]}/migration.sql`, 'create table b2 (id bigint);\n')
  await pair.addRevision('alpha', { id: 'a0a0a0a0a0a0', message: 'too late', parents: [] })
  const record = { id: ids.a1, parents: ['a0a0a0a0a0a0'], message: 'create a1', created: '2026-11-01T00:00:01.000Z' }
  await pair.write(`${pair.folders.alpha[0]}/revision.json`, JSON.stringify(record))
  await rm(join(pair.root, pair.folders.alpha[1]!), { recursive: true })

  const ended = await pair.migrate('check', '--json')

  expect(ended.exitCode).toBe(4)
  const { databases, problems, warnings } = ended.json()
  expect(databases.map((one: { problems: [] }) => codesOf(one.problems))).toEqual([
    ['APPLIED_UNKNOWN', 'APPLIED_GAP'],
    ['APPLIED_EDITED'],
  ])
  expect(databases.map((one: { warnings: [] }) => codesOf(one.warnings))).toEqual([[], ['APPLIED_REFORMATTED']])
  const all: readonly { message: string; hint: string }[] = [...problems, ...warnings]
  expect(new Set(all.map(({ message }) => message)).size).toBe(4)
  expect(new Set(all.map(({ hint }) => hint)).size).toBe(4)
  await pair.expectUnchanged()
})

function codesOf(list: readonly { code: string }[]): readonly string[] {
  return list.map(({ code }) => code)
}
