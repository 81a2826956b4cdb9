import { describe, expect, it } from 'vitest'

import { schemaOfTenant } from './tenant-schema.ts'

describe('schemaOfTenant', () => {
  it.each([
    ['acme', 'tenant_acme'],
    ['acme-corp', 'tenant_acme-corp'],
    ['7_seas', 'tenant_7_seas'],
    ['0', 'tenant_0'],
    ['select', 'tenant_select'],
    ['a'.repeat(56), `tenant_${'a'.repeat(56)}`],
  ])('names the schema of %s', (slug, schema) => {
    expect(schemaOfTenant(slug)).toBe(schema)
  })

  it.each([
    '',
    'Acme',
    '-acme',
    '_acme',
    'ac me',
    ' acme',
    'acme\n',
    'acme\0',
    'acme"; drop schema public cascade; --',
    "acme', public",
    'acme,public',
    'acme.contexts',
    '$user',
    'büro',
    '\u0430cme',
    '٣',
    'a'.repeat(57),
  ])('refuses %j', (slug) => {
    expect(() => schemaOfTenant(slug)).toThrow(TypeError)
  })

  it('says what was given and what is expected, on one line', () => {
    expect(() => schemaOfTenant('Acme\nCorp')).toThrow(
      '"Acme\\nCorp" is not the slug of a tenant: expected 1 to 56 lower-case letters, digits, "-" and "_", beginning with a letter or digit',
    )
  })
})
