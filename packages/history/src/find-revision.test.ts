import { describe, expect, it } from 'vitest'

import { branchOf } from './branch.ts'
import { exampleHistory, exampleRevision } from './example-history.ts'
import { findRevision, listRevisions } from './find-revision.ts'

describe('listRevisions', () => {
  it('names what a person may read, and counts the rest', () => {
    const many = Array.from({ length: 23 }, (_, number) => exampleRevision(`r${number}`))

    expect(listRevisions(many.slice(0, 2))).toBe('r0 "make r0", r1 "make r1"')
    expect(listRevisions(many)).toMatch(/, r19 "make r19", and 3 more$/)
  })
})

describe('findRevision', () => {
  const history = exampleHistory([
    exampleRevision('3f9c1a7be204'),
    exampleRevision('3f9c2b000000'),
    exampleRevision('77aa00000000'),
  ])

  it('finds a revision by its id, and by a beginning that no other has', () => {
    expect(findRevision(history, '3f9c1a7be204')).toMatchObject({ ok: true, revision: { id: '3f9c1a7be204' } })
    expect(findRevision(history, '3f9c1')).toMatchObject({ ok: true, revision: { id: '3f9c1a7be204' } })
    expect(findRevision(history, '77aa')).toMatchObject({ ok: true, revision: { id: '77aa00000000' } })
  })

  it('prefers a whole id to longer ones that begin with it', () => {
    const nested = exampleHistory([exampleRevision('abcd'), exampleRevision('abcdef')])

    expect(findRevision(nested, 'abcd')).toMatchObject({ ok: true, revision: { id: 'abcd' } })
  })

  it('lists the candidates of an ambiguous beginning', () => {
    const result = findRevision(history, '3f9c')

    expect(result).toMatchObject({
      ok: false,
      problem: { code: 'REVISION_AMBIGUOUS', hint: expect.stringContaining('more characters') },
    })
    expect(result.ok || result.problem.message).toContain(
      '"3f9c" could be any of 3f9c1a7be204 "make 3f9c1a7be204", 3f9c2b000000',
    )
  })

  it('finds a revision by its label, with capitals as they are written', () => {
    const labelled = exampleHistory([exampleRevision('77aa00000000', [], { labels: ['Billing'] })])

    expect(findRevision(labelled, 'Billing')).toMatchObject({ ok: true, revision: { id: '77aa00000000' } })
    expect(findRevision(labelled, 'billing')).toMatchObject({
      ok: false,
      problem: {
        code: 'REVISION_UNKNOWN',
        message: 'no revision has the label "billing"',
        hint: expect.stringContaining('the labels are: Billing'),
      },
    })
  })

  it('does not mind capitals in an id', () => {
    expect(findRevision(history, '3F9C1A')).toMatchObject({ ok: true, revision: { id: '3f9c1a7be204' } })
  })

  it('takes the only candidate in a branch, and the only one at all', () => {
    const arms = exampleHistory([
      exampleRevision('3f9c1a7be204'),
      exampleRevision('3f9c2b000000'),
      exampleRevision('3f9c2c000000', ['3f9c2b000000']),
    ])
    const branch = branchOf(arms, arms.byId.get('3f9c1a7be204')!, '3f9c1')

    expect(findRevision(arms, '3f9c', branch)).toMatchObject({ ok: true, revision: { id: '3f9c1a7be204' } })
    expect(findRevision(arms, '3f9c2b', branch)).toMatchObject({ ok: true, revision: { id: '3f9c2b000000' } })
    expect(findRevision(arms, '3f9c2', branch)).toMatchObject({ ok: false, problem: { code: 'REVISION_AMBIGUOUS' } })
  })

  it('says that no revision begins like that, and where to see them', () => {
    expect(findRevision(history, '0000')).toMatchObject({
      ok: false,
      problem: {
        code: 'REVISION_UNKNOWN',
        message: expect.stringContaining('"0000"'),
        hint: expect.stringContaining('pnpm migrate history'),
      },
    })
  })

  it('does not find a part of an id that is not its beginning', () => {
    expect(findRevision(history, '9c1a')).toMatchObject({ ok: false, problem: { code: 'REVISION_UNKNOWN' } })
  })
})
