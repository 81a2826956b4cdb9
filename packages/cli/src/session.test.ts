import type { Problem } from '@drover/history'
import { describe, expect, it } from 'vitest'

import type { CliIo } from './io.ts'
import { type CommonOptions, Session } from './session.ts'

describe('the command that a problem says to type', () => {
  const resume = 'go on with: pnpm migrate upgrade -d <database> --resume'

  it('names the database', () => {
    expect(hintOf(resume)).toBe('go on with: pnpm migrate upgrade -d main --resume')
  })

  it('keeps the phase that was asked for, unless it has one', () => {
    expect(hintOf(resume, { phase: 'expand' })).toBe('go on with: pnpm migrate upgrade -d main --resume --phase expand')
    expect(hintOf(`${resume} --phase backfill`, { phase: 'expand' })).toBe(
      'go on with: pnpm migrate upgrade -d main --resume --phase backfill',
    )
  })

  it('is left alone where it goes down, which knows no phases', () => {
    const hint = 'go on with: pnpm migrate downgrade -d main --resume'

    expect(hintOf(hint, { phase: 'expand' })).toBe(hint)
  })
})

describe('what is written on stderr for programs', () => {
  it('is one line for each thing, however many lines are in it, and has no colour', () => {
    const { session, written } = sessionWith({ log: 'json', color: 'always' })

    session.progress(session.err.bad('one\ntwo'), 'main')
    session.warn({ code: 'DRIFT', message: 'three\nfour' })
    session.finish({}, [{ code: 'USAGE', message: 'five', statement: 'select\n1' }])

    const lines = written().split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { level: 'info', event: 'progress', command: 'check', message: 'one\ntwo', database: 'main', target: '' },
      { level: 'warn', event: 'problem', code: 'DRIFT', message: 'three\nfour' },
      { level: 'error', event: 'problem', code: 'USAGE', message: 'five', statement: 'select\n1' },
      { level: 'error', event: 'ended', exitCode: 2 },
    ])
  })
})

function hintOf(hint: string, options: CommonOptions = {}): string | undefined {
  const { session, written } = sessionWith({ ...options, log: 'json' })
  session.warn({ code: 'HALF_DONE', message: 'half done', database: 'main', hint })
  const problem: Problem = JSON.parse(written())
  return problem.hint
}

function sessionWith(options: CommonOptions) {
  let stderr = ''
  const io: CliIo = {
    stdout: { write: () => {}, isTTY: false },
    stderr: { write: (text) => void (stderr += text), isTTY: true },
    env: {},
    cwd: '/',
    onSignal: () => () => {},
    become: () => Promise.reject(new Error('nothing is to be started')),
  }
  return { session: new Session('check', io, options), written: () => stderr }
}
