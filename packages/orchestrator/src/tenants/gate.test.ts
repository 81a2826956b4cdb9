import type { Step } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { Gate } from './gate.ts'
import type { Host } from './host.ts'
import type { WorkItem } from './lane.ts'

/** A server on which each tenant has a schema that is told by its fingerprint. */
function openGate(fingerprints: Readonly<Record<string, string>>) {
  const asked: (readonly string[])[] = []
  const server = { isAway: false }
  const host = {
    name: 'eu',
    fingerprint: async (tenants: readonly WorkItem['tenant'][]) => {
      if (server.isAway) throw new Error('no server answers')
      asked.push(tenants.map(({ slug }) => slug))
      return new Map(
        tenants.flatMap(({ slug, target }) => (slug in fingerprints ? [[target, fingerprints[slug]!] as const] : [])),
      )
    },
  } as Partial<Host> as Host
  return { gate: new Gate(host), asked, server }
}

function item(slug: string, revision = 'a', direction: Step['direction'] = 'up'): WorkItem {
  const steps = [{ direction, revision: { id: revision } } as Step]
  return { tenant: { slug, target: `tenant_${slug}` }, steps, isNew: false }
}

describe('Gate', () => {
  it('lets all pass that are alike, and asks for each of them once', async () => {
    const { gate, asked } = openGate({ a: '1', b: '1', c: '1' })
    gate.add(item('a'))
    gate.add(item('b'))

    expect(await gate.pass()).toBeUndefined()
    gate.add(item('c'))
    expect(await gate.pass()).toBeUndefined()

    expect(asked).toEqual([['a', 'b'], ['c']])
  })

  it('names those that are not like the first of all, whenever they are done', async () => {
    const { gate } = openGate({ a: '1', b: '1', c: '2', d: '3' })
    gate.add(item('a'))
    await gate.pass()
    for (const slug of ['b', 'c', 'd']) gate.add(item(slug))

    expect(await gate.pass()).toMatchObject({
      code: 'TENANTS_DIFFER',
      message: 'c, d are not like a, which has had the same revisions',
      tenants: ['c', 'd'],
    })
  })

  it('names the first of all when it is the one that is not like the others', async () => {
    const { gate } = openGate({ a: '1', b: '2', c: '2' })
    gate.add(item('a'))
    await gate.pass()
    for (const slug of ['b', 'c']) gate.add(item(slug))

    expect(await gate.pass()).toMatchObject({
      message: 'a is not like b, c, which have had the same revisions',
      tenants: ['a'],
    })
  })

  it('compares only those that have ended with the same step', async () => {
    const { gate } = openGate({ a: '1', b: '2', c: '3' })
    gate.add(item('a', 'x'))
    gate.add(item('b', 'y'))
    gate.add(item('c', 'x', 'down'))

    expect(await gate.pass()).toBeUndefined()
  })

  it('says nothing of what has been dropped meanwhile', async () => {
    const { gate } = openGate({ b: '1' })
    gate.add(item('a'))
    gate.add(item('b'))

    expect(await gate.pass()).toBeUndefined()
  })

  it('compares the next time what could not be compared', async () => {
    const { gate, server, asked } = openGate({ a: '1', b: '2' })
    gate.add(item('a'))
    server.isAway = true
    await expect(gate.pass()).rejects.toThrow('no server answers')
    gate.add(item('b'))
    server.isAway = false

    expect(await gate.pass()).toMatchObject({ tenants: ['b'] })
    expect(asked).toEqual([['a', 'b']])
  })
})
