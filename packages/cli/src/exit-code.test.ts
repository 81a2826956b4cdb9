import type { ProblemCode } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exitCodeOf } from './exit-code.ts'

const problem = (code: ProblemCode) => ({ code, message: code })

describe('exitCodeOf', () => {
  it.each<[number, ...ProblemCode[]]>([
    [2, 'USAGE', 'CONFIG_INVALID', 'DATABASE_UNKNOWN', 'TARGET_INVALID', 'REVISION_UNKNOWN', 'REVISION_AMBIGUOUS'],
    [2, 'URL_MISSING', 'URL_INVALID', 'WRITE_FAILED', 'REVISION_INVALID', 'DUPLICATE_ID', 'MISSING_PARENT', 'CYCLE'],
    [2, 'UNREACHABLE', 'AUTHENTICATION_FAILED', 'DATABASE_MISSING', 'PRIVILEGE_MISSING', 'SERVER_UNAVAILABLE'],
    [2, 'SAME_DATABASE'],
    [3, 'SEVERAL_HEADS', 'WALK_AMBIGUOUS', 'WALK_TOO_FAR', 'APPLIED_UNKNOWN', 'APPLIED_EDITED', 'APPLIED_GAP'],
    [3, 'UNFILLED', 'OWN_TRANSACTION', 'IRREVERSIBLE', 'NOT_APPLIED', 'LOCKED', 'STATE_MOVED', 'NOT_CONFIRMED'],
    [1, 'STATEMENT_FAILED', 'CONNECTION_LOST', 'LEASE_LOST', 'INTERNAL'],
    [4, 'NOT_UP_TO_DATE'],
    [130, 'INTERRUPTED'],
  ])('is %i for %s and its like', (exitCode, ...codes) => {
    expect(codes.map((code) => exitCodeOf([problem(code)]))).toEqual(codes.map(() => exitCode))
  })

  it.each<[number, ProblemCode, ProblemCode]>([
    [2, 'APPLIED_EDITED', 'URL_MISSING'],
    [3, 'INTERNAL', 'APPLIED_EDITED'],
    [130, 'URL_MISSING', 'INTERRUPTED'],
    [2, 'NOT_UP_TO_DATE', 'UNREACHABLE'],
  ])('is %i for %s and %s together, in any order: the most basic problem wins', (exitCode, first, second) => {
    expect(exitCodeOf([problem(first), problem(second)])).toBe(exitCode)
    expect(exitCodeOf([problem(second), problem(first)])).toBe(exitCode)
  })
})
