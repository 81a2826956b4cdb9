import type { CatalogDifference } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { isAboutForeign, isForeign } from './foreign.ts'

describe('isForeign', () => {
  it.each<[declaration: string, object: string]>([
    ['table public.spatial_ref_sys', 'table public.spatial_ref_sys'],
    ['table app.events_*', 'table app.events_2026'],
    ['schema topology', 'schema topology'],
    ['schema topology', 'table topology.layer'],
    ['schema topology', 'function topology.addedge(a text)'],
    ['schema pg*', 'view pgboss.jobs'],
    ['schema "two words"', 'table "two words"."a.b"'],
    ['function app.touch', 'function app.touch()'],
    ['function app.touch(a integer)', 'function app.touch(a integer)'],
    ['extension *', 'extension postgis'],
    ['schema tenant_*', 'schema "tenant_a-b"'],
    ['schema tenant_*', 'table "tenant_a-b".contexts'],
    ['schema tenant_*', 'default privileges for role owner in schema "tenant_a-b" on tables'],
    ['schema app', 'default privileges for role owner in schema app on sequences'],
    ['default privileges for role owner *', 'default privileges for role owner on tables'],
  ])('%s stands for %s', (declaration, object) => {
    expect(isForeign(object, ['view app.other', declaration])).toBe(true)
  })

  it.each<[declaration: string, object: string]>([
    ['table public.spatial', 'table public.spatial_ref_sys'],
    ['table app.events', 'view app.events'],
    ['schema topology', 'schema topology_old'],
    ['schema topology', 'table topology_old.layer'],
    ['schema topology', 'function app.edge(a topology.geometry)'],
    ['schema topology', 'table app."topology.layer"'],
    ['schema topology', 'extension topology'],
    ['schema app', 'default privileges for role app on tables'],
    ['schema app', 'default privileges for role owner in schema application on tables'],
    ['function app.touch(a integer)', 'function app.touch(a text)'],
    ['function app.touch', 'function app.touched()'],
  ])('%s does not stand for %s', (declaration, object) => {
    expect(isForeign(object, [declaration])).toBe(false)
  })
})

describe('isAboutForeign', () => {
  const foreign = ['table app.events']

  it.each<[what: string, difference: Partial<CatalogDifference>]>([
    ['a part of it', { object: 'table app.events', part: 'column id' }],
    [
      'a partition of it',
      {
        object: 'table app.y2026',
        found: 'persistent, partition of app.events, FOR VALUES IN (1)\ncolumn id: integer',
      },
    ],
    [
      'a sequence that it owns',
      { object: 'sequence app.s', found: 'persistent\nparameters: bigint, start 1, owned by app.events.id' },
    ],
  ])('takes %s for foreign', (_, difference) => {
    expect(isAboutForeign({ ...unexpected, ...difference }, foreign)).toBe(true)
  })

  it.each<[what: string, difference: Partial<CatalogDifference>]>([
    [
      'a partition of another table',
      { object: 'table app.y2026', found: 'persistent, partition of app.events_old, DEFAULT' },
    ],
    [
      'a sequence that another table owns',
      { object: 'sequence app.s', found: 'parameters: bigint, owned by app.other.events' },
    ],
  ])('does not take %s for foreign', (_, difference) => {
    expect(isAboutForeign({ ...unexpected, ...difference }, foreign)).toBe(false)
  })
})

const unexpected: CatalogDifference = {
  object: '',
  part: undefined,
  kind: 'unexpected',
  expected: undefined,
  found: undefined,
}
