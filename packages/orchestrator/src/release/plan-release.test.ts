import { type Direction, DroverError, type HalfDone, parseTarget, type Target } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleMember } from './example-member.ts'
import type { Member } from './fleet.ts'
import { databasesOfTarget, type PlanOptions, planRelease } from './plan-release.ts'
import { statusOf } from './status.ts'

const line = { a: [], b: ['a'], c: ['b'] }

function settle(member: Member): Member {
  return { ...member, settled: statusOf(member) }
}

/** The same, and says so if anybody asks for its files. */
function unread(member: Member): Member {
  return {
    ...settle(member),
    get history(): never {
      throw new Error('its files were read')
    },
  }
}

describe('planRelease', () => {
  it('upgrades in the order of the databases, each from where it stands', () => {
    const members = [
      exampleMember('first', line),
      exampleMember('second', line, ['a', 'b']),
      exampleMember('third', {}),
    ]

    expect(stepsOf(members, 'up', 'head')).toEqual([['first', 'up a', 'up b', 'up c'], ['second', 'up c'], ['third']])
  })

  it('downgrades in the reverse order, each from where it stands', () => {
    const members = [exampleMember('first', line, ['a', 'b', 'c']), exampleMember('second', line, ['a'])]

    expect(stepsOf(members, 'down', '-1')).toEqual([
      ['second', 'down a'],
      ['first', 'down c'],
    ])
    expect(stepsOf(members, 'down', 'base')).toEqual([
      ['second', 'down a'],
      ['first', 'down c', 'down b', 'down a'],
    ])
  })

  it('leaves a database alone that has nothing left, without disturbing the others', () => {
    const members = [exampleMember('first', line), exampleMember('second', line, ['a'])]

    expect(stepsOf(members, 'down', '-1')).toEqual([['second', 'down a'], ['first']])
  })

  it('says with each plan where the database stands', () => {
    const [first] = plan([exampleMember('first', line, ['a'])], 'up', '+1')

    expect(first?.status).toEqual({ state: 'behind', current: ['a'], heads: ['c'], pending: ['b', 'c'] })
  })

  describe('of a database that is known to have had everything', () => {
    const forked = { a: [], b: ['a'], c: ['a'] }

    it('has nothing to do at its head, and does not ask for the files', () => {
      const [first, second] = plan(
        [unread(exampleMember('first', line, ['a', 'b', 'c'])), exampleMember('second', line, ['a', 'b'])],
        'up',
        'head',
        { fromSnapshot: { snapshots: new Map() } },
      )

      expect(first).toMatchObject({ steps: [], status: { state: 'up-to-date', current: ['c'], heads: ['c'] } })
      expect(second).toMatchObject({ steps: [{ revision: { id: 'c' } }] })
    })

    it('has nothing to do at its heads, and is refused where head would be one of several', () => {
      const settled = exampleMember('main', forked, ['a', 'b', 'c'])

      expect(stepsOf([unread(settled)], 'up', 'heads')).toEqual([['main']])
      expect(problemsOf([settle(settled)], 'up', 'head')).toEqual([['main', 'SEVERAL_HEADS', undefined]])
    })

    it('is planned as any other for another target, and downwards', () => {
      const members = [settle(exampleMember('main', { aaaa: [], bbbb: ['aaaa'] }, ['aaaa', 'bbbb']))]

      expect(stepsOf(members, 'up', 'aaaa')).toEqual([['main']])
      expect(problemsOf(members, 'up', 'cccc')).toEqual([['main', 'REVISION_UNKNOWN', undefined]])
      expect(stepsOf(members, 'down', '-1')).toEqual([['main', 'down bbbb']])
    })
  })

  it('collects the problems of all databases, each with its name, and plans nothing', () => {
    const members = [
      exampleMember('gone', line, ['a', 'x']),
      exampleMember('sound', line),
      exampleMember('gap', line, ['a', 'c']),
      exampleMember('forked', { a: [], b: ['a'], c: ['a'] }),
    ]

    expect(problemsOf(members, 'up', 'head')).toEqual([
      ['gone', 'APPLIED_UNKNOWN', 'x'],
      ['gap', 'APPLIED_GAP', 'b'],
      ['forked', 'SEVERAL_HEADS', undefined],
    ])
  })

  it('refuses an upgrade where a file was edited, together with what else is wrong', () => {
    const members = [exampleMember('main', line, ['a', 'c'])]
    const checksums = new Map([
      [
        'main',
        new Map([
          ['a', 'another checksum'],
          ['c', 'checksum of c'],
        ]),
      ],
    ])

    expect(problemsOf(members, 'up', 'head', checksums)).toEqual([
      ['main', 'APPLIED_GAP', 'b'],
      ['main', 'APPLIED_EDITED', 'a'],
    ])
  })

  it('keeps the checksums of databases apart', () => {
    const checksums = new Map([['other', new Map([['a', 'another checksum']])]])

    expect(problemsOf([exampleMember('main', line, ['a'])], 'up', 'head', checksums)).toEqual([])
  })

  it('refuses a downgrade where one database has an irreversible revision', () => {
    const members = [exampleMember('one-way', line, ['a', 'b', 'c'], ['b']), exampleMember('sound', line, ['a'])]

    expect(stepsOf(members, 'down', '-1')).toEqual([
      ['sound', 'down a'],
      ['one-way', 'down c'],
    ])
    expect(problemsOf(members, 'down', 'base')).toEqual([['one-way', 'IRREVERSIBLE', 'b']])
  })

  it('does not look for edits on the way down: reverting is how one is undone', () => {
    const checksums = new Map([['main', new Map([['a', 'another checksum']])]])

    expect(problemsOf([exampleMember('main', line, ['a'])], 'down', '-1', checksums)).toEqual([])
  })
})

describe('a revision that is half done', () => {
  const halfDone = { id: 'b', done: 1, total: 2, statement: 'vacuum', direction: 'up' } as const

  it('refuses its database, and nothing else is said of it', () => {
    const member = withHalfDone(exampleMember('main', line, ['a', 'x']), halfDone)

    expect(problemsOf([member], 'up', 'head')).toEqual([['main', 'HALF_DONE', 'b']])
    expect(problemsOf([member], 'down', '-1')).toEqual([['main', 'HALF_DONE', 'b']])
  })

  it('comes first when it is gone on with, whatever the target', () => {
    const forked = { aaaa: [], bbbb: ['aaaa'], cccc: ['aaaa'] }
    const member = withHalfDone(exampleMember('main', forked, ['aaaa']), { ...halfDone, id: 'cccc' })

    expect(stepsOf([member], 'up', 'heads', { resume: true })).toEqual([['main', 'up cccc', 'up bbbb']])
    expect(stepsOf([member], 'up', 'bbbb', { resume: true })).toEqual([['main', 'up cccc', 'up bbbb']])
    expect(stepsOf([member], 'up', 'aaaa', { resume: true })).toEqual([['main', 'up cccc']])
  })

  it('counts as a step of the way back that was asked for', () => {
    const member = withHalfDone(exampleMember('main', line, ['a']), { ...halfDone, direction: 'down' })

    expect(stepsOf([member], 'down', '-1', { resume: true })).toEqual([['main', 'down b']])
    expect(stepsOf([member], 'down', 'base', { resume: true })).toEqual([['main', 'down b', 'down a']])
  })

  it('is not gone on with the other way, nor while the server is still at it', () => {
    const member = exampleMember('main', line, ['a'])
    const working = { ...halfDone, left: { kind: 'working', pid: 1 } } as const

    for (const [one, direction] of [
      [halfDone, 'down'],
      [working, 'up'],
    ] as const) {
      expect(problemsOf([withHalfDone(member, one)], direction, 'base', undefined, { resume: true })).toEqual([
        ['main', 'HALF_DONE', 'b'],
      ])
    }
  })

  it('is planned like any other while another run holds the database, and may be at it', () => {
    const member = withHalfDone(exampleMember('main', line, ['a']), { ...halfDone, held: true })

    expect(stepsOf([member], 'up', 'head')).toEqual([['main', 'up b', 'up c']])
  })
})

describe('databasesOfTarget', () => {
  const selected = ['main', 'gdpr']

  it.each(['head', 'heads', 'base', '+1', '-1'])('gives %s to every selected database', (text) => {
    expect(databasesOfTarget(targetOf(text), selected, 'upgrade')).toEqual(selected)
  })

  it('gives a target to the database that it names', () => {
    expect(databasesOfTarget(targetOf('gdpr/3f9c'), selected, 'upgrade')).toEqual(['gdpr'])
    expect(databasesOfTarget(targetOf('gdpr/head'), selected, 'upgrade')).toEqual(['gdpr'])
  })

  it('gives a revision to the only selected database', () => {
    expect(databasesOfTarget(targetOf('3f9c'), ['gdpr'], 'upgrade')).toEqual(['gdpr'])
  })

  it('refuses a revision that could be for several, with what to type', () => {
    const error = errorOf(() => databasesOfTarget(targetOf('3f9c'), selected, 'downgrade'))

    expect(error.code).toBe('USAGE')
    expect(error.problems[0].hint).toBe('say which: pnpm migrate downgrade <database>/3f9c (main, gdpr)')
  })

  it('refuses a database that is not selected', () => {
    const error = errorOf(() => databasesOfTarget(targetOf('test/head'), selected, 'upgrade'))

    expect(error.code).toBe('DATABASE_UNKNOWN')
    expect(error.message).toBe('the target is for "test", which is not among: main, gdpr')
  })
})

type Checksums = ReadonlyMap<string, ReadonlyMap<string, string>>

function plan(members: readonly Member[], direction: Direction, target: string, options: PlanOptions = {}) {
  const result = planRelease(members, direction, targetOf(target), new Map(), [], options)
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'))
  return result.plan.databases
}

function stepsOf(members: readonly Member[], direction: Direction, target: string, options: PlanOptions = {}) {
  return plan(members, direction, target, options).map(({ member, steps }) => [
    member.database.name,
    ...steps.map((step) => `${step.direction} ${step.revision.id}`),
  ])
}

function problemsOf(
  members: readonly Member[],
  direction: Direction,
  target: string,
  checksums: Checksums = new Map(),
  options: PlanOptions = {},
) {
  const result = planRelease(members, direction, targetOf(target), checksums, [], options)
  return result.ok ? [] : result.problems.map(({ database, code, revision }) => [database, code, revision])
}

function withHalfDone(member: Member, halfDone: HalfDone): Member {
  return { ...member, state: { ...member.state, halfDone } }
}

function targetOf(text: string): Target {
  const result = parseTarget(text)
  if (!result.ok) throw new Error(result.problem.message)
  return result.target
}

function errorOf(work: () => unknown): DroverError {
  try {
    work()
  } catch (error) {
    if (error instanceof DroverError) return error
  }
  throw new Error('it did not refuse')
}
