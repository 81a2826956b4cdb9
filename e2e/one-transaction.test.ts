import { expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { query, readApplied } from './harness/query.ts'
import { createWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const

test('--transaction all applies all revisions of a database, or none', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', { id: ids[0], up: 'create table one ();\n', down: 'drop table one;\n' })
  await workspace.addRevision('main', { id: ids[1], up: 'create table two ();\n', down: 'drop table two;\n' })
  const folder = await workspace.addRevision('main', { id: ids[2], up: 'insert into three values (1);\n' })

  const failed = await workspace.migrate('upgrade', '--transaction', 'all')

  expectFailure(failed, 1, `${folder}/migration.sql:1:13`, 'nothing of this run was kept')
  expect(failed.stdout).toMatch(/^main +failed at aaaa00000003 .*: 0 revisions applied, 2 not tried$/m)
  expect(await readApplied(url)).toEqual([])
  expect(await query(url, `select to_regclass('public.one') as one`)).toEqual([{ one: null }])

  await query(url, 'create table three (id int)')
  const applied = await workspace.migrate('upgrade', '--transaction', 'all')

  expect(applied).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('3 revisions applied') })
  expect(await readApplied(url)).toEqual(ids)
  expect(await query(url, 'select count(distinct xmin::text)::int as transactions from drover.applied')).toEqual([
    { transactions: 1 },
  ])
})

test('--transaction all reverts all revisions of a database, or none', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', { id: ids[0], up: 'create table one ();\n', down: 'drop table missing;\n' })
  await workspace.addRevision('main', { id: ids[1], up: 'create table two ();\n', down: 'drop table two;\n' })
  await workspace.migrate('upgrade')

  const failed = await workspace.migrate('downgrade', 'base', '--yes', '--transaction', 'all')

  expectFailure(failed, 1, 'table "missing" does not exist', 'nothing of this run was kept')
  expect(await readApplied(url)).toEqual(ids.slice(0, 2))
  expect(await query(url, `select to_regclass('public.two') is not null as two`)).toEqual([{ two: true }])
})

test('--transaction all is refused before anything runs where a revision cannot share one', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', { id: ids[0], up: 'create table one (id int);\n' })
  await workspace.addRevision('main', {
    id: ids[1],
    up: 'create index concurrently one_id on one (id);\n',
    transaction: 'none',
  })

  const refused = await workspace.migrate('upgrade', '--transaction', 'all')

  expectFailure(refused, 3, `aaaa00000002`, 'it runs outside one', 'leave --transaction all out')
  expect(await query(url, `select to_regclass('public.one') as one`)).toEqual([{ one: null }])
})

test('--transaction all is refused where revisions of another database come in between', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('first')
  await workspace.addDatabase('second')
  await workspace.addRevision('first', { id: ids[0], up: 'create table one ();\n' })
  await workspace.addRevision('second', { id: ids[1], up: 'select 1;\n', dependsOn: [`first/${ids[0]}`] })
  await workspace.addRevision('first', { id: ids[2], up: 'select 1;\n', dependsOn: [`second/${ids[1]}`] })

  const refused = await workspace.migrate('upgrade', '--transaction', 'all')

  expectFailure(refused, 3, 'first: its revisions cannot share a transaction')
})

test('a scope that there is not is refused', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')

  const refused = await workspace.migrate('upgrade', '--transaction', 'none')

  expectFailure(refused, 2, '--transaction', 'per-revision, all')
})
