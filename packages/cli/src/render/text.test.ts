import type { Blocker } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { styleFor } from './style.ts'
import { blockersText, columns, count, duration, grouped, problemText } from './text.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

describe('columns', () => {
  it('pads every cell but the last of a line to the width of its column', () => {
    expect(
      columns([
        ['a', 'bbb', 'c'],
        ['aaaa', 'b', 'cc'],
      ]),
    ).toEqual(['a     bbb  c', 'aaaa  b    cc'])
  })

  it('takes lines of different length, and leaves no blanks at their ends', () => {
    expect(columns([['aaa'], ['a', 'b'], ['a', '']])).toEqual(['aaa', 'a    b', 'a'])
    expect(columns([])).toEqual([])
  })
})

describe('count', () => {
  it.each([
    [0, '0 revisions'],
    [1, '1 revision'],
    [2, '2 revisions'],
    [1000, '1,000 revisions'],
  ])('of %i is %s', (number, text) => {
    expect(count(number, 'revision')).toBe(text)
  })
})

describe('grouped', () => {
  it.each([0, 7, 12, 999, 1000, 12_345, 999_999, 1_000_000, 1_234_567_890])('writes %i as English does', (number) => {
    expect(grouped(number)).toBe(number.toLocaleString('en-US'))
  })
})

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [0.4, '0 ms'],
    [17.6, '18 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1000, '1.0 s'],
    [12_340, '12.3 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [60_000, '1 min 0 s'],
    [119_600, '2 min 0 s'],
    [185_000, '3 min 5 s'],
  ])('of %d ms reads %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })
})

describe('problemText', () => {
  it('says what is wrong, the statement, what the server added, and what to do, in this order', () => {
    const text = problemText(
      {
        code: 'STATEMENT_FAILED',
        message: 'a.sql:3: duplicate key',
        database: 'main',
        statement: 'insert into t\nvalues (1)',
        sqlstate: '23505',
        serverNotes: ['DETAIL: Key (id)=(1) already exists.', 'CONTEXT: one\ntwo'],
        hint: 'correct a.sql',
      },
      plain,
    )

    expect(text).toBe(`error: main: a.sql:3: duplicate key [23505]
    insert into t
    values (1)
  DETAIL: Key (id)=(1) already exists.
  CONTEXT: one
  two
  next: correct a.sql`)
  })

  it('shows the place in the file instead of the statement, and who is in the way', () => {
    const text = problemText(
      {
        code: 'STATEMENT_FAILED',
        message: 'a.sql:2:3: canceling statement due to lock timeout',
        statement: 'alter table t\n  add b int',
        excerpt: ['1 | alter table t', '2 |   add b int;', '  |   ^'],
        sqlstate: '55P03',
        blockers: [
          {
            pid: 7,
            user: 'app',
            applicationName: 'web',
            backendType: 'client backend',
            state: 'idle in transaction',
            stateAgeMs: 61_000,
            transactionAgeMs: 62_000,
            queryStart: '2026-11-20T10:00:00.000Z',
            queryAgeMs: 61_500,
            statement: 'select * from t',
            hidden: false,
            locks: [
              { relation: 'public.t', mode: 'AccessShareLock', granted: true },
              { relation: 'public.t', mode: 'ShareLock', granted: false },
            ],
          },
        ],
        hint: 'wait',
      },
      plain,
    )

    expect(text).toBe(`error: a.sql:2:3: canceling statement due to lock timeout [55P03]
    1 | alter table t
    2 |   add b int;
      |   ^
  in the way: process 7 "web" of user "app", idle in transaction for 1 min 1 s, in a transaction for 1 min 2 s
    holds AccessShareLock on public.t
    waits for ShareLock on public.t
    its last query, since 2026-11-20T10:00:00.000Z (1 min 2 s ago): select * from t
  next: wait`)
  })

  it('leaves out what a problem does not have', () => {
    expect(problemText({ code: 'INTERNAL', message: 'it broke' }, plain)).toBe('error: it broke')
  })

  it('quotes no more of a statement than it takes to recognise it', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `line ${index + 1}`)
    const textOf = (most: number) =>
      problemText({ code: 'STATEMENT_FAILED', message: 'no', statement: lines.slice(0, most).join('\n') }, plain)

    expect(textOf(6).split('\n').at(-1)).toBe('    line 6')
    expect(textOf(9).split('\n').slice(-2)).toEqual(['    line 6', '    … 3 more lines'])
  })
})

describe('blockersText', () => {
  it.each<[what: string, blocker: Blocker, text: string]>([
    [
      'a prepared transaction',
      { prepared: "order 7's", user: 'app', transactionAgeMs: 3_600_000, hidden: false, locks: [] },
      `in the way: the prepared transaction "order 7's" of user "app", in a transaction for 60 min 0 s
  it belongs to no session and outlives the server: rollback prepared 'order 7''s'`,
    ],
    [
      'autovacuum',
      {
        pid: 7,
        backendType: 'autovacuum worker',
        state: 'active',
        statement: 'autovacuum: VACUUM t',
        hidden: false,
        locks: [],
      },
      `in the way: process 7, autovacuum, active
  its query: autovacuum: VACUUM t
  it gives way to whoever waits longer than deadlock_timeout: --lock-timeout 2s`,
    ],
    [
      'autovacuum that does not give way',
      {
        pid: 7,
        backendType: 'autovacuum worker',
        statement: 'autovacuum: VACUUM t (to prevent wraparound)',
        hidden: false,
        locks: [],
      },
      `in the way: process 7, autovacuum
  its last query: autovacuum: VACUUM t (to prevent wraparound)
  it works against the wraparound of transaction ids and does not give way: wait for it`,
    ],
    [
      'another session of Drover',
      { pid: 7, user: 'app', applicationName: 'drover', backendType: 'client backend', hidden: false, locks: [] },
      'in the way: process 7 "drover" of user "app", a session of Drover',
    ],
    [
      'a session that shows nothing',
      { pid: 7, user: 'app', applicationName: '', hidden: true, locks: [] },
      `in the way: process 7 of user "app"
  its state and its query are hidden from this user: grant pg_monitor to it`,
    ],
  ])('names %s', (_, blocker, text) => {
    expect(blockersText([blocker]).join('\n')).toBe(text)
  })

  it('names five of them', () => {
    const crowd = Array.from({ length: 7 }, (_, pid) => ({ pid, hidden: false, locks: [] }))

    expect(blockersText(crowd.slice(0, 5)).at(-1)).toBe('in the way: process 4')
    expect(blockersText(crowd).slice(4)).toEqual(['in the way: process 4', 'in the way: 2 more'])
  })
})
