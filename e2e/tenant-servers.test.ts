import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type OwnServer, startOwnServer } from './harness/own-server.ts'
import { expectFailure } from './harness/pair.ts'
import { queryColumn } from './harness/query.ts'
import { clearTenants, createTenantPlaces } from './harness/tenant-places.ts'

let [eu, us]: OwnServer[] = []
beforeAll(async () => {
  ;[eu, us] = await Promise.all([startOwnServer({ fsync: 'off' }), startOwnServer({ fsync: 'off' })])
})
beforeEach(async () => {
  for (const server of [eu!, us!]) await clearTenants(server.url)
})
afterAll(async () => {
  for (const server of [eu, us]) await server?.[Symbol.asyncDispose]()
})

describe.each(['schema', 'database'] as const)('a %s per tenant, on two servers', (kind) => {
  const setUp = (options?: string) => createTenantPlaces(kind, { eu: eu!.url, us: us!.url }, options)

  test('each tenant is moved on the server that its row names, and each server has a row of its own in the result', async () => {
    await using places = await setUp()
    await places.list('eu', ['acme', 'globex'])
    await places.list('us', ['initech'])

    const upgrade = await places.migrate('tenant', 'upgrade')

    expect(upgrade.exitCode).toBe(0)
    expect(upgrade.stdout).toMatch(/^ +server +up to date +done +failed +waiting +not tried$/m)
    expect(upgrade.stdout).toMatch(/^ +eu +0 +2 +0 +0 +0$/m)
    expect(upgrade.stdout).toMatch(/^ +us +0 +1 +0 +0 +0$/m)
    expect(await places.ran('eu')).toEqual({ acme: '1', globex: '1' })
    expect(await places.ran('us')).toEqual({ initech: '1' })
    expect((await places.migrate('tenant', 'upgrade')).stdout).toContain('nothing to do')
    expect((await places.migrate('tenant', 'verify')).stdout).toContain('3 tenants compared: as the history makes them')
  })

  test('a tenant on a server that there is not is reported, and stops nobody', async () => {
    await using places = await setUp()
    await places.list('mars', ['abc'])
    await places.list('eu', ['acme'])
    await places.list('us', ['initech', 'umbrella'])

    const upgrade = await places.migrate('tenant', 'upgrade', '--json')

    expect(upgrade.exitCode).toBe(1)
    expect(upgrade.json().databases[0].targets).toEqual([
      expect.objectContaining({
        problem: expect.objectContaining({
          code: 'TENANT_INVALID',
          message: 'the tenant abc is on "mars", which is none of the servers',
          hint: 'the servers are: eu, us',
        }),
      }),
    ])
    expect([await places.ran('eu'), await places.ran('us')]).toEqual([{ acme: '1' }, { initech: '1', umbrella: '1' }])
  })

  test('a tenant is made on the server that --set names, and on no other', async () => {
    await using places = await setUp()

    const made = await places.migrate('tenant', 'create', 'acme', '--set', 'region=us', '--json')

    expect(made.json()).toMatchObject({
      exitCode: 0,
      tenant: { slug: 'acme', server: 'us', row: 'made', revisions: 1 },
    })
    expect(await queryColumn(places.registry, `select slug || ' on ' || region from tenants`)).toEqual(['acme on us'])
    expect([await places.ran('eu'), await places.ran('us')]).toEqual([{}, { acme: '1' }])
  })

  test('a tenant is made on the server that is the default, where nothing else is said', async () => {
    await using places = await createTenantPlaces(kind, { eu: eu!.url, us: us!.url }, '', `{ region: 'us' }`)

    const made = await places.migrate('tenant', 'create', 'acme')

    expect(made.exitCode).toBe(0)
    expect(await places.ran('us')).toEqual({ acme: '1' })
  })

  test.each([
    [['--set', 'region=mars'], 'the tenant acme is on "mars", which is none of the servers'],
    [[], 'the tenant acme is on no server'],
  ])('a tenant with %j is refused, and nothing is made of it', async (words, message) => {
    await using places = await setUp()

    const refused = await places.migrate('tenant', 'create', 'acme', ...words)

    expectFailure(refused, 2, message, 'the servers are: eu, us')
    expect(await queryColumn(places.registry, 'select slug from tenants')).toEqual([])
    expect([await places.ran('eu'), await places.ran('us')]).toEqual([{}, {}])
  })

  test('a server that is down before it begins keeps the other from nothing', async () => {
    await using places = await setUp()
    await places.list('eu', ['acme', 'globex'])
    await places.list('us', ['initech'])
    const env = { TENANT_EU_URL: await freeAddress() }

    const upgrade = await places.start(['tenant', 'upgrade', '--json'], { env }).ended
    const listed = await places.start(['tenant', 'list'], { env }).ended

    expect(upgrade.exitCode).toBe(1)
    expect(upgrade.json().databases[0].tenants.servers).toEqual([
      expect.objectContaining({
        name: 'eu',
        done: 0,
        notTried: 2,
        problem: expect.objectContaining({ code: 'UNREACHABLE' }),
      }),
      expect.objectContaining({ name: 'us', done: 1, notTried: 0 }),
    ])
    expect(listed.stdout).toMatch(/^2 on eu +- +- +no server answers at/m)
    expect(listed.stdout).toMatch(/^initech +tenant_initech +\S+ +up to date$/m)
  })

  test('a tenant of one server is dropped there, and another of the same kind on the other stays', async () => {
    await using places = await setUp()
    await places.list('eu', ['acme'])
    await places.list('us', ['initech'])
    await places.migrate('tenant', 'upgrade')

    const dropped = await places.migrate('tenant', 'drop', 'acme', '--no-export', '--yes')

    expect(dropped).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('tenant: dropped acme') })
    expect([await places.ran('eu'), await places.ran('us')]).toEqual([{}, { initech: '1' }])
    expect(await queryColumn(places.registry, 'select slug from tenants')).toEqual(['initech'])
  })
})

/** A URL of this machine at which nobody answers. */
async function freeAddress(): Promise<string> {
  await using server = await startOwnServer()
  return server.url
}
