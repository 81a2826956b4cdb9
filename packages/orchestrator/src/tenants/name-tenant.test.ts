import { DroverError } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { nameTenant } from './name-tenant.ts'

const config = { kind: 'schema', name: 'tenant_{slug}' } as const

function problemOf(act: () => unknown) {
  try {
    act()
  } catch (error) {
    if (error instanceof DroverError) return error.problems[0]
    throw error
  }
  throw new Error('it did not refuse')
}

describe('nameTenant', () => {
  it.each([
    ['acme', 'tenant_acme'],
    ['0', 'tenant_0'],
    ['a-b_c', 'tenant_a-b_c'],
    ['public', 'tenant_public'],
  ])('calls the tenant %s %s', (slug, target) => {
    expect(nameTenant(config, { slug })).toEqual({ slug, target })
  })

  it('puts the slug where the template says, and keeps what else is known of the tenant', () => {
    const places = { ...config, name: 't_{slug}-x', servers: { eu: 'TENANT_EU_URL' } }

    expect(nameTenant(places, { slug: 'acme', server: 'eu' })).toEqual({
      slug: 'acme',
      server: 'eu',
      target: 't_acme-x',
    })
  })

  it.each([
    '',
    ' ',
    'a b',
    'Acme',
    '-a',
    '_a',
    'a.b',
    'a"b',
    "a'b",
    'a;b',
    'a\n',
    'a\nb',
    '../a',
    'ä',
    'a\u0000',
    '{slug}',
    'a$b',
    'ａ',
  ])('refuses the slug %j', (slug) => {
    expect(problemOf(() => nameTenant(config, { slug }))).toMatchObject({
      code: 'TENANT_INVALID',
      message: `the slug ${JSON.stringify(slug)} cannot be part of a name`,
    })
  })

  it('takes a name of 63 bytes, and refuses one of 64 instead of cutting it off', () => {
    const longest = 'x'.repeat(63 - 'tenant_'.length)

    expect(nameTenant(config, { slug: longest }).target).toHaveLength(63)
    expect(problemOf(() => nameTenant(config, { slug: `${longest}x` }))).toMatchObject({
      code: 'TENANT_INVALID',
      message: expect.stringContaining('has 64 bytes, and PostgreSQL keeps 63'),
      hint: 'choose a slug of at most 56 characters',
    })
  })

  it.each([
    [undefined, 'the tenant acme is on no server'],
    ['mars', 'the tenant acme is on "mars", which is none of the servers'],
    ['toString', 'the tenant acme is on "toString", which is none of the servers'],
    ['', 'the tenant acme is on "", which is none of the servers'],
  ])('refuses a tenant on the server %j, and names those that there are', (server, message) => {
    const places = { ...config, servers: { eu: 'TENANT_EU_URL', us: 'TENANT_US_URL' } }

    expect(problemOf(() => nameTenant(places, { slug: 'acme', ...(server !== undefined && { server }) }))).toEqual({
      code: 'TENANT_INVALID',
      message,
      hint: 'the servers are: eu, us',
    })
  })
})
