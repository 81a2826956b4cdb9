import type { Problem } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { judgeOutcome, judgeProblem } from './judge.ts'

const failing = (problem: Partial<Problem>): Problem => ({ code: 'STATEMENT_FAILED', message: 'it failed', ...problem })

describe('a job', () => {
  it.each([
    ['a lock that is not to be had', { sqlstate: '55P03' }],
    ['a deadlock', { sqlstate: '40P01' }],
    ['another run', { code: 'LOCKED' }],
    ['a lost connection', { code: 'CONNECTION_LOST' }],
    ['a server that cannot be reached', { code: 'UNREACHABLE' }],
    ['a server with too many connections', { sqlstate: '53300' }],
    ['a server that shuts down', { sqlstate: '57P01' }],
    ['a tenant that somebody else has changed', { code: 'STATE_MOVED' }],
  ] as const)('is put back for %s', (_, problem) => {
    expect(judgeProblem(failing(problem))).toEqual({ kind: 'again', problem: failing(problem) })
  })

  it.each([
    ['a statement that fails', { sqlstate: '42P07' }],
    ['a history that disagrees', { code: 'APPLIED_EDITED' }],
    ['a missing privilege', { code: 'PRIVILEGE_MISSING', sqlstate: '42501' }],
    ['a cancelled statement', { sqlstate: '57014' }],
    ['a revision that is half done', { code: 'HALF_DONE' }],
  ] as const)('fails for %s', (_, problem) => {
    expect(judgeProblem(failing(problem))).toEqual({ kind: 'failed', problem: failing(problem) })
  })

  it('is put back when its run was interrupted, and done when that succeeded', () => {
    expect(judgeOutcome({ end: { kind: 'interrupted' }, finished: [], notTried: [] })).toMatchObject({ kind: 'again' })
    expect(judgeOutcome({ end: { kind: 'succeeded' }, finished: [], notTried: [] })).toEqual({ kind: 'done' })
  })
})
