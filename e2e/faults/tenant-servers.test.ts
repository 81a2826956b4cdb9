import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type OwnServer, startOwnServer } from '../harness/own-server.ts'
import { query, queryColumn } from '../harness/query.ts'
import {
  clearTenants,
  createTenantPlaces,
  numbered,
  type TenantKind,
  type TenantPlaces,
} from '../harness/tenant-places.ts'
import type { Running } from '../harness/workspace.ts'

/** How many tenants there are on each of the two servers. */
const many = Number(process.env['DROVER_FAULT_TENANTS'] ?? 40)
/** How many of those of one are done when it goes down. */
const before = Math.floor(many / 2)
const time = { timeout: 120_000 + many * 1000 }

const slugs = { eu: numbered('eu', many), us: numbered('us', many) }
/** After the first revision, and the one in which the server goes down. */
const all = (server: 'eu' | 'us') => Object.fromEntries(slugs[server].map((slug) => [slug, '1 2']))

let [eu, us]: OwnServer[] = []
beforeAll(async () => {
  // What a process has written stays when it is killed. To come back, the files of all databases would be synced one by one.
  const settings = { fsync: 'off' }
  ;[eu, us] = await Promise.all([startOwnServer(settings), startOwnServer(settings)])
})
afterAll(async () => {
  for (const server of [eu, us]) await server?.[Symbol.asyncDispose]()
})

describe.each(['schema', 'database'] as const)('a %s per tenant, on two servers', (kind) => {
  test(
    'a server that goes down in mid-run keeps the other from nothing, and a rerun finishes what is left, each revision once',
    time,
    async () => {
      await using places = await setUp(kind)
      const upgrade = places.start(['tenant', 'upgrade', '--give-up-after', '2s', '--json'])
      await crashInTheMiddle(upgrade)
      const ended = await upgrade.ended
      await eu!.start()

      expect(ended.exitCode).toBe(1)
      expect(ended.json().databases[0].tenants.servers).toEqual([
        expect.objectContaining({ name: 'eu', done: before, failed: 0, waiting: 0, notTried: many - before }),
        expect.objectContaining({ name: 'us', done: many, failed: 0, waiting: 0, notTried: 0 }),
      ])
      expect(ended.json().problems).toEqual([
        expect.objectContaining({
          code: 'TENANTS_FAILED',
          message: expect.stringMatching(
            new RegExp(`^${many - before} tenants were not tried, because eu: no server answers at`),
          ),
        }),
      ])
      expect(await places.ran('us')).toEqual(all('us'))
      expect(Object.values(await places.ran('eu')).filter((ran) => ran === '1 2')).toHaveLength(before)

      await places.expireLeases('eu')
      const rerun = await places.migrate('tenant', 'upgrade', '--json')

      expect(rerun.exitCode).toBe(0)
      expect(rerun.json().databases[0].tenants.servers).toEqual([
        expect.objectContaining({ name: 'eu', settled: before, done: many - before }),
        expect.objectContaining({ name: 'us', settled: many, done: 0 }),
      ])
      expect(await places.ran('eu')).toEqual(all('eu'))
      expect(await places.ran('us')).toEqual(all('us'))
    },
  )

  test('a server that is back in time costs nothing: all tenants are done, each revision once', time, async () => {
    await using places = await setUp(kind)
    const upgrade = places.start(['tenant', 'upgrade', '--give-up-after', '5m'])
    await crashInTheMiddle(upgrade)
    await upgrade.waitFor('waiting for eu')
    await eu!.start()
    const ended = await upgrade.ended

    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^tenant +\S+ tenants moved/) })
    expect(ended.stdout).toMatch(new RegExp(`^ +eu +0 +${many} +0 +0 +0$`, 'm'))
    expect(await places.ran('eu')).toEqual(all('eu'))
    expect(await places.ran('us')).toEqual(all('us'))
  })
})

/** Tenants on both servers that have had one revision, with another one that comes to a halt on one server. */
async function setUp(kind: TenantKind): Promise<TenantPlaces> {
  for (const server of [eu!, us!]) await clearTenants(server.url)
  const places = await createTenantPlaces(kind, { eu: eu!.url, us: us!.url })
  await places.list('eu', slugs.eu)
  await places.list('us', slugs.us)
  const first = await places.migrate('tenant', 'upgrade')
  expect(first).toMatchObject({ exitCode: 0 })
  // Those that come later, on a server of which the sessions say so, stop in the middle of their transaction.
  await places.addStep({
    up: `do $$
begin
  if current_setting('test.halts', true) = 'yes'
    and substring(case current_schema() when 'public' then current_database() else current_schema() end from '\\d+$')::integer > ${before}
  then
    perform pg_sleep(600);
  end if;
end
$$;
`,
  })
  await query(eu!.url, `alter role postgres set test.halts = 'yes'`)
  await query(eu!.url, 'checkpoint')
  return places
}

/** Ends a server while it is at tenants that come behind the first half of them, which is done. */
async function crashInTheMiddle(upgrade: Running): Promise<void> {
  let hasEnded = false
  void upgrade.ended.then(() => (hasEnded = true))
  const halted = `select count(*)::integer from pg_stat_activity where wait_event = 'PgSleep'`
  while ((await queryColumn(eu!.url, halted))[0] < 4) {
    if (hasEnded) throw new Error(`it ended before anything halted: ${(await upgrade.ended).stderr}`)
    await sleep(50)
  }
  await query(eu!.url, 'alter role postgres reset test.halts')
  await eu!.crash()
}
