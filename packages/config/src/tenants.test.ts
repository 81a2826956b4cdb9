import { describe, expect, it } from 'vitest'

import { databasePerTenant, defineDatabase, schemaPerTenant } from './define.ts'
import { parseDatabaseConfig } from './define-database.ts'

/** What `tenants` becomes, or what is wrong with it. */
function parse(tenants: unknown): unknown {
  const result = parseDatabaseConfig({ name: 'tenant', tenants })
  return result.ok ? result.config.tenants : result.faults
}

describe('schemaPerTenant', () => {
  it('fills in every default', () => {
    expect(parse(schemaPerTenant())).toEqual({
      kind: 'schema',
      name: 'tenant_{slug}',
      registry: { database: 'main', table: 'tenants', slug: 'slug', defaults: {} },
      connections: 4,
      app: [],
      readonly: [],
      shared: [],
    })
  })

  it('keeps everything that is declared', () => {
    const declared = schemaPerTenant({
      registry: {
        database: 'hub',
        table: 'app.customers',
        slug: 'handle',
        server: 'region',
        defaults: { name: '{slug}' },
      },
      servers: { eu: 'TENANT_EU_URL' },
      connections: 16,
      schema: 't_{slug}_data',
      role: 't_{slug}',
      app: ['main_app'],
      readonly: ['main_readonly'],
      shared: ['tenant_shared'],
    })

    expect(parse(declared)).toEqual({
      kind: 'schema',
      name: 't_{slug}_data',
      registry: {
        database: 'hub',
        table: 'app.customers',
        slug: 'handle',
        server: 'region',
        defaults: { name: '{slug}' },
      },
      servers: { eu: 'TENANT_EU_URL' },
      connections: 16,
      role: 't_{slug}',
      app: ['main_app'],
      readonly: ['main_readonly'],
      shared: ['tenant_shared'],
    })
  })
})

describe('databasePerTenant', () => {
  it('fills in every default, and has no shared schemas', () => {
    expect(parse(databasePerTenant())).toMatchObject({ kind: 'database', name: 'tenant_{slug}', app: [], shared: [] })
    expect(parse({ kind: 'database', shared: ['x'] })).toEqual([expect.stringContaining('tenants.shared')])
  })

  it('takes what is said, roles included', () => {
    const declared = databasePerTenant({ database: 'd_{slug}', role: 'r_{slug}', app: ['a'], readonly: ['b'] })

    expect(parse(declared)).toMatchObject({ name: 'd_{slug}', role: 'r_{slug}', app: ['a'], readonly: ['b'] })
  })
})

describe('parseDatabaseConfig, of tenants', () => {
  it.each([
    ['something that is no declaration', 'yes', 'must be'],
    ['a kind that is not known', { kind: 'cluster' }, 'schemaPerTenant'],
    ['a name without the slug', schemaPerTenant({ schema: 'tenant' }), 'around {slug}'],
    ['a name with a quote', schemaPerTenant({ schema: 'a"{slug}' }), 'around {slug}'],
    [
      'a table that is an expression',
      schemaPerTenant({ registry: { table: 'tenants; drop table x' } }),
      'must be a table',
    ],
    ['a column that is an expression', schemaPerTenant({ registry: { slug: 'lower(slug)' } }), 'must be a column'],
    ['too many connections', schemaPerTenant({ connections: 17 }), 'at most 16'],
    ['no connection', schemaPerTenant({ connections: 0 }), 'at least 1'],
    [
      'a URL in place of a variable',
      schemaPerTenant({ registry: { server: 'r' }, servers: { eu: 'postgres://x' } }),
      'must look like',
    ],
    ['servers without a column', schemaPerTenant({ servers: { eu: 'EU_URL' } }), 'needs "tenants.registry.server"'],
    ['a column without servers', schemaPerTenant({ registry: { server: 'region' } }), 'needs "tenants.servers"'],
    ['an option that is misspelt', { ...schemaPerTenant(), shema: 'x' }, 'tenants.shema'],
  ])('refuses %s', (_, tenants, fault) => {
    expect(parse(tenants)).toEqual([expect.stringContaining(fault)])
  })

  it('refuses roles of the database as a whole beside it', () => {
    const result = parseDatabaseConfig(defineDatabase({ name: 'tenant', tenants: schemaPerTenant(), access: {} }))

    expect(result).toMatchObject({
      ok: false,
      faults: [expect.stringContaining('"access" is for a database of its own')],
    })
  })
})
