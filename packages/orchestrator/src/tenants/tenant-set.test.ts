import { databasePerTenant, schemaPerTenant } from '@drover/config'
import { ConnectionUrl } from '@drover/engine'
import { buildHistory } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleDatabase } from '../workspace/example-database.ts'
import { openTenantSet } from './tenant-set.ts'

/** The tenants of three servers, of which two are one server with two databases. */
function openExample(declare: typeof schemaPerTenant | typeof databasePerTenant) {
  const urls = {
    eu: 'postgres://a@one:5432/home',
    de: 'postgres://a@one:5432/other',
    us: 'postgres://a@two:5432/home',
    ca: 'postgres://b@two:5432/home',
  }
  const tenants = declare({ servers: { eu: 'EU_URL' }, registry: { server: 'region' } })
  const built = buildHistory([])
  if (!built.ok) throw new Error('a history without revisions is valid')
  const files = { root: '/', database: exampleDatabase('tenant', { tenants }), history: built.history }
  const registry = ConnectionUrl.parse('postgres://a@one:5432/main', 'the test')
  const servers = Object.entries(urls).map(([name, url]) => ({ name, url: ConnectionUrl.parse(url, name) }))
  return openTenantSet(files, { registry, servers })
}

const on = (server: string) => ({ slug: 'acme', target: 'tenant_acme', server })

describe('openTenantSet', () => {
  it('takes two names of one database for one place, where tenants are schemas', async () => {
    await using set = openExample(schemaPerTenant)

    expect(set.hosts.map(({ name }) => name)).toEqual(['eu', 'de', 'us'])
    expect(set.hostOf(on('ca'))).toBe(set.hostOf(on('us')))
    expect(set.hostOf(on('de'))).not.toBe(set.hostOf(on('eu')))
  })

  it('takes two names of one server for one place, where tenants are databases', async () => {
    await using set = openExample(databasePerTenant)

    expect(set.hosts.map(({ name }) => name)).toEqual(['eu', 'us'])
    expect(set.hostOf(on('de'))).toBe(set.hostOf(on('eu')))
    expect(set.hostOf(on('ca'))).toBe(set.hostOf(on('us')))
  })
})
