import type { TenantsOutcome } from '@drover/orchestrator'
import { describe, expect, it } from 'vitest'

import { styleFor } from './style.ts'
import { describeTenantsEvent, describeTenantsOutcome, plainly, standingOf, tenantsWords } from './tenants.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})
const nobody = { settled: 0, done: 0, failed: 0, waiting: 0, notTried: 0 }
const problem = { code: 'STATEMENT_FAILED', message: 'division by zero' } as const

/** How it went on some servers. */
function outcomeOf(servers: TenantsOutcome['servers'], more: Partial<TenantsOutcome> = {}): TenantsOutcome {
  return { servers, revisions: 0, failed: [], waiting: [], isInterrupted: false, ...more }
}

describe('describeTenantsEvent', () => {
  it('tells how many are done, how fast, and how long the rest takes', () => {
    const event = {
      type: 'tenants-progress',
      total: 10_000,
      done: 2500,
      failed: 1,
      waiting: 2,
      ratePerSecond: 412.3,
    } as const

    expect(describeTenantsEvent({ ...event, leftMs: 18_190 }, 'tenant', plain)).toBe(
      'tenant  2,500 of 10,000 tenants (25 %), 1 failed, 2 waiting, 412/s, 18.2 s left',
    )
    expect(describeTenantsEvent({ ...event, ratePerSecond: 0, failed: 0, waiting: 0 }, 'tenant', plain)).toBe(
      'tenant  2,500 of 10,000 tenants (25 %)',
    )
  })

  it('names a tenant with its server where there are several', () => {
    const failure = { slug: 'acme', target: 'tenant_acme', server: 'eu', problem }

    expect(describeTenantsEvent({ type: 'tenant-failed', failure }, 'tenant', plain)).toBe(
      'tenant  failed acme on eu: division by zero',
    )
    expect(describeTenantsEvent({ type: 'server-lost', server: '', problem }, 'tenant', plain)).toBe(
      'tenant  lost the server: division by zero',
    )
  })
})

describe('plainly', () => {
  it('keeps a slug on one line, and from a terminal what it would obey', () => {
    expect(['acme', 'Größe!', 'a\nb', '\u001b[2J'].map(plainly)).toEqual([
      'acme',
      'Größe!',
      '"a\\nb"',
      String.raw`"\u001b[2J"`,
    ])
  })
})

describe('describeTenantsOutcome', () => {
  it('is one row where there is one server', () => {
    const lines = describeTenantsOutcome(outcomeOf([{ name: '', ...nobody, settled: 9000, done: 1000 }]), plain)

    expect(lines).toEqual([
      '  up to date  done   failed  waiting  not tried',
      '  9,000       1,000  0       0        0',
    ])
  })

  it('is a row for each server and one for all of them', () => {
    const servers = [
      { name: 'eu', ...nobody, done: 500 },
      { name: 'us', ...nobody, done: 200, notTried: 300, problem },
    ]

    expect(describeTenantsOutcome(outcomeOf(servers), plain)).toEqual([
      '  server  up to date  done  failed  waiting  not tried',
      '  eu      0           500   0       0        0',
      '  us      0           200   0       0        300',
      '  all     0           700   0       0        300',
      '  us: division by zero',
    ])
  })

  it('names the first ten that failed, however many there are', () => {
    const failed = Array.from({ length: 12 }, (_, index) => ({
      slug: `t${index}`,
      target: `t${index}`,
      server: '',
      problem,
    }))

    const lines = describeTenantsOutcome(outcomeOf([{ name: '', ...nobody, failed: 12 }], { failed }), plain)

    expect(lines.slice(2)).toEqual([
      ...failed.slice(0, 10).map(({ slug }) => `  failed ${slug}: division by zero`),
      '  and 2 more',
    ])
  })
})

describe('tenantsWords and standingOf', () => {
  it('leave out what there is none of', () => {
    const servers = [{ name: '', ...nobody, done: 1, settled: 2 }]

    expect(tenantsWords(outcomeOf(servers, { revisions: 1 }))).toBe('1 tenant moved by 1 revision, 2 up to date')
    expect(tenantsWords(outcomeOf([{ name: '', ...nobody, notTried: 3 }], { isInterrupted: true }))).toBe(
      'interrupted, 0 tenants moved by 0 revisions, 3 not tried',
    )
    expect(standingOf({ total: 0, groups: [], unusable: [], unread: [] })).toBe('no tenants')
  })
})
