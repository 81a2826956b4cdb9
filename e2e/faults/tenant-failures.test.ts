import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { closeGate, gateSql } from '../harness/gate.ts'
import { hasStore, query, queryColumn } from '../harness/query.ts'
import { createTenantHistory, lockTable, slugsOf, type Tenants, untilSo } from '../harness/tenant-history.ts'
import type { Ended, Running } from '../harness/workspace.ts'

/** What a tenant may fail of: a row that it has. */
const positive = { up: 'alter table item add constraint positive check (counter >= 0);\n' }

test('of 1,000 tenants, one with a row that violates a new constraint is told with its reason, the others are done, and a rerun after the repair finishes it', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(1000))
  await upgrade(tenants)
  await spoil(tenants, 't00500')
  await history.addRevision(positive)

  const ended = await tenants.start(['upgrade', '--json']).ended

  expect(ended.exitCode).toBe(1)
  expect(countsOf(ended)).toMatchObject({ done: 999, failed: 1, waiting: 0, notTried: 0 })
  expect(failuresOf(ended)).toMatchObject([
    { target: 'tenant_t00500', problem: { code: 'STATEMENT_FAILED', sqlstate: '23514' } },
  ])
  expect((await tenants.snapshot()).map(({ log, schemas }) => [log, schemas.length])).toEqual([
    [['1', '2'], 999],
    [['1'], 1],
  ])

  await repair(tenants, 't00500')
  expect(countsOf(await tenants.start(['upgrade', '--json']).ended)).toMatchObject({ settled: 999, done: 1 })
  expect(await tenants.snapshot()).toMatchObject([{ log: ['1', '2'], schemas: { length: 1000 } }])
})

test('--max-failures begins no other tenant when so many have failed', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(30))
  await upgrade(tenants)
  await spoil(tenants, ...slugsOf(30).slice(1))
  await history.addRevision(positive)

  const ended = await tenants.start(['upgrade', '--json', '--max-failures', '5', '--connections', '1']).ended

  expect(ended.exitCode).toBe(1)
  expect(ended.json().error).toMatchObject({ code: 'TENANTS_FAILED' })
  expect(countsOf(ended)).toMatchObject({ done: 1, failed: 5, notTried: 24 })
})

test('a tenant that goes first and fails keeps all others from being tried', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(30))
  await upgrade(tenants)
  await spoil(tenants, 't00001')
  await history.addRevision(positive)

  const ended = await tenants.start(['upgrade', '--json']).ended

  expect(ended.exitCode).toBe(1)
  expect(countsOf(ended)).toMatchObject({ done: 0, failed: 1, notTried: 29 })
  expect(ended.json().error.message).toContain('t00001 was to go first')
})

test('--retry-failed tries those alone that did not get there in the last run, until there are none', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(20))
  await upgrade(tenants)
  await spoil(tenants, 't00007', 't00013')
  await history.addRevision(positive)
  expect(countsOf(await tenants.start(['upgrade', '--json']).ended)).toMatchObject({ done: 18, failed: 2 })
  await tenants.register(['t00021'])

  await repair(tenants, 't00013')
  const second = await tenants.start(['upgrade', '--retry-failed', '--canary', '2', '--json']).ended
  expect(second.exitCode).toBe(1)
  expect(countsOf(second)).toMatchObject({ settled: 0, done: 1, failed: 1 })

  await repair(tenants, 't00007')
  const third = await tenants.start(['upgrade', '--retry-failed', '--json']).ended
  expect(third.exitCode).toBe(0)
  expect(countsOf(third)).toMatchObject({ settled: 0, done: 1 })
  expect(await tenants.start(['upgrade', '--retry-failed']).ended).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('no tenant has failed in the last run'),
  })
})

const hidden = { up: 'alter table item add hidden text;\n' }
const inBatches = (table: string, set: string) => ({
  batch: { key: `${table}.id`, size: 7 },
  up: `update ${table} set ${set} where id > :from and id <= :to;\n`,
})

test.each([
  ['of a transaction', [hidden]],
  ['of batches', [inBatches('item', 'counter = counter + 10')]],
  ['of a transaction behind batches that are done', [inBatches('log', 'entry = entry'), hidden]],
] as const)(
  'a tenant whose table is locked all the time waits, with who is in the way %s, and holds up no other',
  async (_, revisions) => {
    await using history = await createTenantHistory()
    await using tenants = await history.makeTenants(slugsOf(20))
    await upgrade(tenants)
    for (const revision of revisions) await history.addRevision(revision)
    await using lock = await lockTable(tenants, 'tenant_t00005.item')

    const ended = await tenants.start(['upgrade', '--json', '--lock-attempts', '2', '--connections', '1']).ended

    expect(ended.exitCode).toBe(1)
    expect(countsOf(ended)).toMatchObject({ done: 19, failed: 0, waiting: 1, notTried: 0 })
    expect(failuresOf(ended)).toMatchObject([
      { target: 'tenant_t00005', problem: { sqlstate: '55P03', blockers: [{ pid: lock.pid }] } },
    ])
    await lock.release()
    expect(countsOf(await tenants.start(['upgrade', '--json']).ended)).toMatchObject({ settled: 19, done: 1 })
  },
)

test('a tenant that takes long holds up no other, across waves', async () => {
  const slow = `${gateSql('gate').replace(/;\n$/, '')} where current_schema() = 'tenant_t00002';\n`
  await using history = await createTenantHistory([{ up: slow }])
  await using tenants = await history.makeTenants(slugsOf(40))
  await using gate = await closeGate(tenants.url)
  const running = tenants.start(['upgrade', '--wave', '5', '--connections', '2'])

  // It takes as long as all others need.
  await untilApplied(running, tenants, 39 * 2)
  await gate.open()

  expect(await running.ended).toMatchObject({ exitCode: 0 })
  const order = await queryColumn(
    tenants.url,
    `select target from drover.applied where revision = '${history.expected().ids.at(-1)}' order by applied_at`,
  )
  expect(order).toHaveLength(40)
  expect(order.at(-1)).toBe('tenant_t00002')
})

test('a tenant that was changed by hand stops the run behind its wave, and --no-gate goes on', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(30))
  await upgrade(tenants)
  await query(tenants.url, 'alter table tenant_t00015.item add by_hand text')
  await history.addRevision(positive)

  const ended = await tenants.start(['upgrade', '--json', '--wave', '10']).ended

  expect(ended.exitCode).toBe(1)
  expect(ended.json().error).toMatchObject({ code: 'TENANTS_DIFFER', tenants: ['t00015'] })
  // What is under way when a wave ends is part of the next one.
  expect(countsOf(ended).done).toBeOneOf([20, 30])
  await history.addRevision({ up: 'alter table item add other text;\n' })
  const again = await tenants.start(['upgrade', '--json', '--no-gate']).ended
  expect(again.exitCode).toBe(0)
  expect(countsOf(again)).toMatchObject({ done: 30, notTried: 0 })
})

test('a revision that was edited after tenants have had it is refused for all of them, and nothing is changed', async () => {
  await using history = await createTenantHistory([{ up: 'alter table item add first text;\n' }])
  await using tenants = await history.makeTenants(slugsOf(20))
  await upgrade(tenants)
  const folder = await history.addRevision({ up: 'alter table item add second text;\n' })
  expect(countsOf(await tenants.start(['upgrade', '--json', '--tenant', 't00001']).ended)).toMatchObject({ done: 1 })
  const before = await tenants.snapshot()
  const file = join(folder, 'migration.sql')
  const text = await readFile(join(history.workspace.root, file), 'utf8')
  await history.workspace.write(file, text.replace('second', 'other'))

  // One has had it; the others would get something else.
  const ended = await tenants.start(['upgrade', '--json']).ended

  expect(ended.exitCode).toBe(3)
  expect(ended.json().error).toMatchObject({ code: 'APPLIED_EDITED', tenants: ['t00001'] })
  expect(await tenants.snapshot()).toEqual(before)
})

/** Slugs that somebody may write into a table, and that no name is made of. */
const hostile = [
  'a"; drop schema public cascade; --',
  "a'; drop schema public cascade; --",
  '$drover$; drop schema public cascade; --',
  'two\nlines',
  'two\r\nlines',
  '../x',
  'Upper',
  'x'.repeat(200),
  '',
  ' ',
  '-x',
  'ü',
  't00001,t00002',
  '%I',
  '{slug}',
  '\\',
]

test('rows of the registry of which no name can be made are told, reach no SQL, and keep no other tenant waiting', async () => {
  const usable = ['pg_catalog', 'public', ...slugsOf(10)]
  await using history = await createTenantHistory([], { tenants: `{ role: 'role_of_{slug}' }` })
  await using tenants = await history.makeTenants([...hostile, ...usable])

  for (const words of [['upgrade'], ['upgrade', '--retry-failed']]) {
    const ended = await tenants.start([...words, '--json']).ended

    expect(ended.exitCode).toBe(1)
    expect(failuresOf(ended).map(({ problem }: any) => problem.code)).toEqual(hostile.map(() => 'TENANT_INVALID'))
    expect(failuresOf(ended).map(({ target }: any) => target)).toEqual(hostile.toSorted())
  }
  const found = await tenants.snapshot()
  expect(found.flatMap(({ schemas }) => schemas).toSorted()).toEqual(usable.map((slug) => `tenant_${slug}`))
  expect(found.map(({ log }) => log)).toEqual(usable.map(() => ['1']))
  expect(
    await queryColumn(tenants.url, `select relname from pg_class where relnamespace = 'public'::regnamespace`),
  ).toEqual(['tenants'])
})

test('slugs whose role would be cut off, and so be the role of another tenant, are refused', async () => {
  await using history = await createTenantHistory([], {
    tenants: `{ schema: 't_{slug}', role: 'role_of_the_tenant_{slug}' }`,
  })
  const long = 'x'.repeat(50)
  await using tenants = await history.makeTenants([`${long}-1`, `${long}-2`])

  const ended = await tenants.start(['upgrade', '--json']).ended

  expect(ended.exitCode).toBe(1)
  expect(failuresOf(ended).map(({ problem }: any) => problem.code)).toEqual(['TENANT_INVALID', 'TENANT_INVALID'])
})

async function upgrade(tenants: Tenants): Promise<void> {
  const { exitCode, stdout, stderr } = await tenants.start(['upgrade']).ended
  expect(exitCode, `${stdout}${stderr}`).toBe(0)
}

/** Gives tenants a row that a constraint will not have. */
async function spoil({ url }: Tenants, ...slugs: readonly string[]): Promise<void> {
  await query(url, slugs.map((slug) => `update tenant_${slug}.item set counter = -1 where id = 7`).join(';'))
}

async function repair({ url }: Tenants, slug: string): Promise<void> {
  await query(url, `update tenant_${slug}.item set counter = 0 where id = 7`)
}

/** How many tenants ended in which way. */
function countsOf(ended: Ended): any {
  return ended.json().databases[0].tenants
}

/** The tenants that did not get there, with their problems. */
function failuresOf(ended: Ended): any {
  return ended.json().databases[0].targets
}

/** Waits until so many revisions are applied. */
function untilApplied(running: Running, { url }: Tenants, count: number): Promise<void> {
  const applied = 'select from drover.applied'
  return untilSo(running, async () => (await hasStore(url)) && (await query(url, applied)).length >= count)
}
