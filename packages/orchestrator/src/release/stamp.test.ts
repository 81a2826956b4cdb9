import { parseTarget, type Target } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleMember } from './example-member.ts'
import { isEmptyStamp, planStamps, targetsByDatabase } from './stamp.ts'

const line = { aaaa: [], bbbb: ['aaaa'], cccc: ['bbbb'] }

describe('targetsByDatabase', () => {
  it('gives each database its own targets, and those that are for all', () => {
    const [head, own, both] = [targetOf('head'), targetOf('gdpr/abcd'), targetOf('main/base')]

    expect(targetsByDatabase([own], ['main', 'gdpr'])).toEqual(new Map([['gdpr', [own]]]))
    expect(targetsByDatabase([head, own, both], ['main', 'gdpr'])).toEqual(
      new Map([
        ['main', [head, both]],
        ['gdpr', [head, own]],
      ]),
    )
  })

  it('keeps the order of the databases, whatever that of the targets', () => {
    const targets = [targetOf('gdpr/head'), targetOf('main/head')]

    expect([...targetsByDatabase(targets, ['main', 'gdpr']).keys()]).toEqual(['main', 'gdpr'])
  })

  it('refuses a revision that is given to several databases, and a database that is not selected', () => {
    expect(() => targetsByDatabase([targetOf('abcd')], ['main', 'gdpr'])).toThrow('belongs to one of them')
    expect(() => targetsByDatabase([targetOf('test/head')], ['main', 'gdpr'])).toThrow('which is not among: main, gdpr')
  })
})

describe('planStamps', () => {
  it('plans each database for its own targets', () => {
    const members = [exampleMember('main', line), exampleMember('gdpr', line, ['aaaa', 'bbbb'])]
    const targets = new Map([
      ['main', [targetOf('bbbb')]],
      ['gdpr', [targetOf('aaaa')]],
    ])

    const result = planStamps(members, targets, { purge: false })

    expect(shapeOf(result)).toEqual([
      { name: 'main', forget: [], record: ['aaaa', 'bbbb'] },
      { name: 'gdpr', forget: ['bbbb'], record: [] },
    ])
  })

  it('purges each database', () => {
    const members = [exampleMember('main', line, ['aaaa', 'bbbb', 'zzzz'])]

    const result = planStamps(members, new Map([['main', [targetOf('aaaa')]]]), { purge: true })

    expect(shapeOf(result)).toEqual([{ name: 'main', forget: ['zzzz', 'bbbb', 'aaaa'], record: ['aaaa'] }])
  })

  it('refuses all when one is refused, with every problem and its database', () => {
    const members = [exampleMember('main', line), exampleMember('gdpr', line), exampleMember('test', line)]
    const targets = new Map([
      ['main', [targetOf('head')]],
      ['gdpr', [targetOf('ffff')]],
      ['test', [targetOf('+1')]],
    ])

    expect(planStamps(members, targets, { purge: false })).toMatchObject({
      ok: false,
      problems: [
        { code: 'REVISION_UNKNOWN', database: 'gdpr' },
        { code: 'TARGET_INVALID', database: 'test' },
      ],
    })
  })
})

describe('isEmptyStamp', () => {
  it('is one that neither forgets nor records', () => {
    const stamps = [[], ['aaaa', 'bbbb'], ['aaaa', 'bbbb', 'cccc']].map((applied) => {
      const result = planStamps([exampleMember('main', line, applied)], new Map([['main', [targetOf('bbbb')]]]), {
        purge: false,
      })
      return result.ok && isEmptyStamp(result.stamps[0]!)
    })

    expect(stamps).toEqual([false, true, false])
  })
})

function targetOf(text: string): Target {
  const parsed = parseTarget(text)
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.target
}

function shapeOf(result: ReturnType<typeof planStamps>): unknown {
  if (!result.ok) return result.problems
  return result.stamps.map(({ member, forget, record }) => ({
    name: member.database.name,
    forget,
    record: record.map(({ id }) => id),
  }))
}
