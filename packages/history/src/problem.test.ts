import { describe, expect, it } from 'vitest'

import { DroverError, type Problem, throwProblems } from './problem.ts'

const cycle: Problem = { code: 'CYCLE', message: 'a after b after a', revision: 'a' }
const gap: Problem = { code: 'APPLIED_GAP', message: 'b is not applied', hint: 'apply b' }

describe('DroverError', () => {
  it('takes its code and message from the problem it carries', () => {
    const error = new DroverError(cycle)

    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'DroverError', code: 'CYCLE', message: 'a after b after a', problems: [cycle] })
  })

  it('takes its code from the first of several problems, and says all of them, a line each', () => {
    const error = new DroverError([gap, cycle])

    expect(error.code).toBe('APPLIED_GAP')
    expect(error.message).toBe('b is not applied\na after b after a')
    expect(error.problems).toEqual([gap, cycle])
  })

  it('keeps the error that it was translated from', () => {
    const cause = new Error('connection reset')

    expect(new DroverError(cycle, { cause }).cause).toBe(cause)
    expect('cause' in new DroverError(cycle)).toBe(false)
  })
})

describe('throwProblems', () => {
  it('does nothing without problems', () => {
    expect(() => throwProblems([])).not.toThrow()
  })

  it('throws all the problems in one error, in their order', () => {
    expect(() => throwProblems([cycle, gap])).toThrow(new DroverError([cycle, gap]))
  })
})
