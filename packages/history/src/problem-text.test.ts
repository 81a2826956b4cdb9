import { describe, expect, it } from 'vitest'

import type { Problem } from './problem.ts'
import { problemText } from './problem-text.ts'

describe('problemText', () => {
  it('says what is wrong, where, what the server said, and what to do', () => {
    const problem: Problem = {
      code: 'TENANTS_FAILED',
      database: 'main',
      message: 'no such table',
      sqlstate: '42P01',
      serverNotes: ['detail: none\nhint: none'],
      hint: 'create it',
    }

    expect(problemText(problem)).toBe(
      'error: main: no such table [42P01]\n  detail: none\n  hint: none\n  next: create it',
    )
    expect(problemText({ code: 'TENANTS_FAILED', message: 'slow' }, undefined, 'warning')).toBe('warning: slow')
  })

  it('has nothing in it that a terminal obeys, but ends of lines', () => {
    const red = '\u001b[31mred\r\u009b'
    const blocker = {
      pid: 1,
      applicationName: red,
      user: red,
      state: 'active',
      locks: [],
      statement: red,
      hidden: false,
    }
    const problem: Problem = {
      code: 'TENANTS_FAILED',
      message: red,
      serverNotes: [red],
      hint: red,
      blockers: [blocker],
    }

    expect(problemText(problem)).not.toMatch(/[\p{Cc}--\n]/v)
    expect(problemText(problem)).toContain(String.raw`error: \u001b[31mred\u000d\u009b`)
  })
})
