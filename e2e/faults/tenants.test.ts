import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { closeGate, gateSql } from '../harness/gate.ts'
import { anyPlace, openProxy, type Proxy } from '../harness/proxy.ts'
import { query, readOutcomes } from '../harness/query.ts'
import { playRounds, type Random, timeForRounds } from '../harness/rounds.ts'
import {
  createTenantHistory,
  everyKind,
  lockTable,
  slugsOf,
  type Tenants,
  type TenantHistory,
  transactional,
  untilSo,
} from '../harness/tenant-history.ts'
import type { Ended, Running } from '../harness/workspace.ts'

/** How many tenants are upgraded while something goes wrong. */
const many = Number(process.env['DROVER_FAULT_TENANTS'] ?? 60)
const rounds = { usually: 4 }
/** The runner is killed so often before one is left to end. */
const kills = { fewest: 1, most: 4 }

/** How an upgrade goes that nothing disturbs. */
interface Undisturbed extends Pick<Proxy, 'passed'> {
  readonly ms: number
  readonly state: Awaited<ReturnType<Tenants['snapshot']>>
}

describe.each([
  ['transactions', transactional],
  ['revisions of every kind', everyKind],
] as const)('a history with %s', (_, revisions) => {
  test(
    `after kill -9 of an upgrade of ${many} tenants at any moments, a rerun takes all of them to head, each revision once`,
    { timeout: (timeForRounds(rounds) * many) / 60 },
    async () => {
      await using history = await createTenantHistory(revisions)
      const undisturbed = await runUndisturbed(history)

      await playRounds(rounds, async (random) => {
        await using tenants = await history.makeTenants(slugsOf(many))
        const times = random.between(kills.fewest, kills.most)
        for (let time = 0; time < times; time += 1) await killSomewhere(tenants, undisturbed, random)

        expectExit(await tenants.start(['upgrade']).ended, 0)

        expect(await tenants.snapshot()).toEqual(undisturbed.state)
      })
    },
  )

  test('two runners at once apply every revision once', async () => {
    await using history = await createTenantHistory(revisions)
    await using tenants = await history.makeTenants(slugsOf(many))

    const both = [tenants.start(['upgrade']), tenants.start(['upgrade'])]

    for (const one of both) expectExit(await one.ended, 0)
    await expectAllAtHead(history, tenants, slugsOf(many))
  })

  test('a runner whose lease was taken over by another one leaves nothing twice', async () => {
    await using history = await createTenantHistory(revisions)
    await using tenants = await history.makeTenants(slugsOf(many))
    const first = tenants.start(['upgrade'])
    await first.waitFor('nothing is wrong, and the others follow')

    await tenants.expireLease()
    const second = tenants.start(['upgrade', '--wait-lock', '0'])

    expectExit(await first.ended, 0, 1)
    expectExit(await second.ended, 0, 3)
    expectExit(await tenants.start(['upgrade']).ended, 0)
    await expectAllAtHead(history, tenants, slugsOf(many))
  })

  test('a runner and those who create tenants at the same time apply every revision once', async () => {
    await using history = await createTenantHistory(revisions)
    await using tenants = await history.makeTenants(slugsOf(many))
    const slugs = slugsOf(many + 3)
    const runner = tenants.start(['upgrade'])

    // Some that are new, and some that the runner has come to or will.
    const created = slugs.slice(-3).map((slug) => tenants.start(['create', slug]))
    const found = [3, many / 2, many - 1].map((at) => tenants.start(['create', slugs[Math.floor(at)]!]))

    for (const one of created) expectExit(await one.ended, 0)
    // Whoever comes to a tenant that the other is at is told so.
    for (const one of found) expectExit(await one.ended, 0, 3)
    expectExit(await runner.ended, 0)
    expectExit(await tenants.start(['upgrade']).ended, 0)
    await expectAllAtHead(history, tenants, slugs)
  })
})

test('what the server is still at for one tenant after kill -9 is waited for, and is not taken for what another one has left', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(10))
  expectExit(await tenants.start(['upgrade']).ended, 0)
  // Unlike an index that is made concurrently, it waits for nothing in other tenants.
  await history.addRevision({ outside: 'vacuum item;\n' })
  await using first = await lockTable(tenants, 'tenant_t00002.item')
  await using second = await lockTable(tenants, 'tenant_t00003.item')
  const isAt = async (slug: string) => {
    const own = `datname = current_database() and state = 'active' and query like '/* tenant_${slug} */%'`
    return (await query(tenants.url, `select from pg_stat_activity where ${own}`)).length > 0
  }
  const killed = tenants.start(['upgrade'])
  await untilSo(killed, async () => (await isAt('t00002')) && (await isAt('t00003')))
  killed.kill('SIGKILL')
  await killed.ended
  await tenants.expireLease()
  await first.release()
  while (await isAt('t00002'));

  const ended = await tenants.start(['upgrade', '--json', '--lock-attempts', '2']).ended

  expectExit(ended, 1)
  expect(ended.json().databases[0]).toMatchObject({
    tenants: { failed: 0, waiting: 1, notTried: 0 },
    targets: [{ target: 'tenant_t00003', problem: { code: 'HALF_DONE' } }],
  })
  await second.release()
  expectExit(await tenants.start(['upgrade']).ended, 0)
  await expectAllAtHead(history, tenants, slugsOf(10))
})

test('what one tenant has just had is said of no other that had had the same before', async () => {
  await using history = await createTenantHistory()
  await using tenants = await history.makeTenants(slugsOf(3))
  expectExit(await tenants.start(['upgrade']).ended, 0)
  await history.addRevision({ up: 'alter table item add late integer;\n' })
  // Whatever is asked next, arrives so late that the first tenant can be at head by then.
  await using network = await openProxy(tenants.url)
  network.delay(500)
  const listing = tenants.start(['list'], { reach: network.through })
  const sorted = `datname = current_database() and state = 'idle' and query like 'set local search_path%do $drover$%'`
  await untilSo(
    listing,
    async () => (await query(tenants.url, `select from pg_stat_activity where ${sorted}`)).length > 0,
  )

  await query(
    tenants.url,
    `insert into drover.applied (history, target, revision, checksum, state, run, duration_ms)
select history, target, '${history.expected().ids[1]}', checksum, state, run, duration_ms from drover.applied where target = 'tenant_t00001'`,
  )

  const ended = await listing.ended
  expectExit(ended, 0)
  expect(ended.stdout).toMatch(/t00002 .*behind: 1 pending\nt00003 .*behind: 1 pending\n/)
})

test('tenants that come while an upgrade goes on are at head when it ends, wherever their slugs are in the order', async () => {
  await using history = await createTenantHistory([{ up: gateSql('gate') }])
  await using tenants = await history.makeTenants(slugsOf(10))
  await using gate = await closeGate(tenants.url)
  const running = tenants.start(['upgrade'])
  await untilWaiting(running, tenants.url, 1)

  await tenants.register(['a-first', 'z-last'])
  await gate.open()

  expectExit(await running.ended, 0)
  await expectAllAtHead(history, tenants, ['a-first', ...slugsOf(10), 'z-last'])
})

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('%s ends the tenants that are under way, begins no other, and exits %i', async (signal, exitCode) => {
  const second = `${gateSql('gate').replace(/;\n$/, '')} where current_schema() <> 'tenant_t00001';\n`
  await using history = await createTenantHistory([{ up: second }])
  await using tenants = await history.makeTenants(slugsOf(20))
  await using gate = await closeGate(tenants.url)
  const running = tenants.start(['upgrade', '--connections', '3'])
  // The canary, and then three at once.
  await untilWaiting(running, tenants.url, 3)

  running.kill(signal)
  await running.waitFor(`${signal}: finishing`)
  await gate.open()
  const ended = await running.ended

  expect(ended).toMatchObject({ exitCode, stdout: expect.stringContaining('interrupted, 4 tenants moved') })
  expect(ended.stdout).toContain('16 not tried')
  const [group, ...others] = await tenants.snapshot()
  expect(others).toEqual([])
  expect(group).toMatchObject({ log: ['1', '2'], schemas: slugsOf(4).map((slug) => `tenant_${slug}`) })
  expect(await readOutcomes(tenants.url)).toEqual(['interrupted'])

  // Nobody has to wait for one who left in an orderly way.
  expectExit(await tenants.start(['upgrade', '--wait-lock', '0']).ended, 0)
  await expectAllAtHead(history, tenants, slugsOf(20))
})

/** Starts an upgrade and kills it after some time, or when it has sent or got so much. It may have ended before that. */
async function killSomewhere(tenants: Tenants, { ms, passed }: Undisturbed, random: Random): Promise<void> {
  if (random.chance(0.5)) {
    const running = tenants.start(['upgrade'])
    await Promise.race([sleep(random.next() * ms), running.ended])
    running.kill('SIGKILL')
    await running.ended
  } else {
    const target: { running?: Running } = {}
    // At once, so that what has just come does not reach it any more.
    const act = () => target.running?.kill('SIGKILL')
    await using proxy = await openProxy(tenants.url, { kind: 'call', act, ...anyPlace(passed, random) })
    target.running = tenants.start(['upgrade'], { reach: proxy.through })
    await target.running.ended
  }
  await tenants.expireLease()
}

async function runUndisturbed(history: TenantHistory): Promise<Undisturbed> {
  await using tenants = await history.makeTenants(slugsOf(many))
  await using proxy = await openProxy(tenants.url)
  const started = performance.now()
  const ended = await tenants.start(['upgrade'], { reach: proxy.through }).ended
  const ms = performance.now() - started
  expectExit(ended, 0)
  const state = await expectAllAtHead(history, tenants, slugsOf(many))
  return { ms, passed: proxy.passed, state }
}

/** Makes sure that tenants have had every revision once, and are alike. @returns what there is of them */
async function expectAllAtHead(
  history: TenantHistory,
  tenants: Tenants,
  slugs: readonly string[],
): Promise<Undisturbed['state']> {
  const { ids, log } = history.expected()
  const state = await tenants.snapshot()
  expect(state).toHaveLength(1)
  expect(state[0]).toMatchObject({
    log,
    applied: ids.map((id) => `${id} applied`),
    schemas: slugs.map((slug) => `tenant_${slug}`),
  })
  return state
}

/** Shows what a command printed where it does not end with one of these codes. */
function expectExit({ exitCode, stdout, stderr }: Ended, ...codes: readonly number[]): void {
  expect(exitCode, `${stdout}${stderr}`).toBeOneOf([...codes])
}

/** Waits until so many sessions of a runner wait at a gate. */
function untilWaiting(running: Running, url: string, count: number): Promise<void> {
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`
  return untilSo(running, async () => (await query(url, waiting)).length >= count)
}
