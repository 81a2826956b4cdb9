import type { ReleaseEvent } from '@drover/orchestrator'
import { describe, expect, it } from 'vitest'

import { eventEntry } from './event.ts'

const problem = { code: 'STATEMENT_FAILED', message: 'canceling statement due to lock timeout' } as const

describe('eventEntry', () => {
  it.each<ReleaseEvent>([
    { type: 'tenant-parked', database: 'tenant', tenant: { slug: 'acme', target: 'tenant_acme' }, problem, attempt: 2 },
    { type: 'server-silent', database: 'tenant', server: 'eu', problem },
    { type: 'gate-passed-over', database: 'tenant', problem },
  ])('has the problem of $type, which nothing tells later', (event) => {
    expect(eventEntry(event)).toMatchObject({ level: 'warn', event: event.type, database: 'tenant', problem })
  })

  it('leaves out the problem that ends the run, which is an entry of its own', () => {
    expect(eventEntry({ type: 'server-lost', database: 'tenant', server: 'eu', problem })).not.toHaveProperty('problem')
  })
})
