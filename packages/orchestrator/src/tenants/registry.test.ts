import { describe, expect, it } from 'vitest'

import { tableOf, toLike } from './registry.ts'

describe('toLike', () => {
  it.each([
    ['acme', 'acme'],
    ['eu-*', 'eu-%'],
    ['*', '%'],
    ['a?c', 'a_c'],
    ['a_c', 'a!_c'],
    ['100%', '100!%'],
    ['a!b', 'a!!b'],
    ['*_*', '%!_%'],
    ['', ''],
  ])('writes %j as %j', (pattern, like) => {
    expect(toLike(pattern)).toBe(like)
  })
})

describe('tableOf', () => {
  const registry = { database: 'main', slug: 'slug', defaults: {} }

  it.each([
    ['tenants', '"public"."tenants"'],
    ['app.customers', '"app"."customers"'],
  ])('finds %s in %s, whatever the search_path', (table, sql) => {
    expect(tableOf({ ...registry, table })).toBe(sql)
  })
})
