import { hostname } from 'node:os'

import type { LeaseStatus } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { exampleMember } from '../release/example-member.ts'
import { judgeHistory, judgeLease } from './examine-database.ts'

const line = { a: [], b: ['a'] }
const alive = () => true
const dead = () => false
const levels = (...args: Parameters<typeof exampleMember>) =>
  judgeHistory(exampleMember(...args)).map(({ check, level, message }) => `${level} ${check}: ${message}`)

describe('of a history', () => {
  it('says how much of it is applied', () => {
    expect(levels('main', line, ['a', 'b'])).toEqual([
      'ok history: 2 revisions, with one head at most',
      'ok applied: up-to-date',
    ])
    expect(levels('main', line, ['a'])[1]).toBe('ok applied: 1 revision still to be applied')
  })

  it('warns of several heads', () => {
    expect(levels('main', { ...line, c: ['a'] })[0]).toBe('warning history: 2 heads: b, c')
  })

  it('finds what is applied and has no file, and what is missing below something applied', () => {
    expect(levels('main', line, ['x'])[1]).toMatch(/^wrong applied: /)
    expect(levels('main', line, ['b'])[1]).toMatch(/^wrong applied: /)
  })
})

describe('of a lease', () => {
  const holder = { osUser: 'me', host: hostname(), pid: 4711, command: 'upgrade', since: '2026-11-20T11:00:00.000Z' }
  const held: LeaseStatus = {
    state: 'held',
    holder,
    databaseUser: 'me',
    run: 'r',
    heartbeatAgeMs: 1,
    expiresInMs: 9000,
  }

  it.each<[what: string, level: string, lease: LeaseStatus, isAlive: () => boolean]>([
    ['nobody has', 'ok', { state: 'free' }, dead],
    ['a run holds', 'ok', held, alive],
    ['a run of another machine holds', 'ok', { ...held, holder: { ...holder, host: 'elsewhere' } }, dead],
    ['has expired', 'ok', { ...held, state: 'expired', expiresInMs: 0 }, dead],
    ['a run of this machine holds that is gone', 'warning', held, dead],
  ])('that %s: %s', (_, level, lease, isAlive) => {
    expect(judgeLease(lease, 'main', isAlive).level).toBe(level)
  })

  it('says what to type when its holder is gone', () => {
    expect(judgeLease(held, 'main', dead).hint).toContain('pnpm migrate lock release -d main')
  })
})
