import { parseTarget } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleMember } from './example-member.ts'
import type { PlanFile } from './plan-file.ts'
import { planRelease, type ReleasePlan } from './plan-release.ts'
import { databasesOfPlan, findOtherSteps } from './plan-staleness.ts'

const all = ['credentials', 'main', 'gdpr']

describe('databasesOfPlan', () => {
  it.each<[string, PlanFile['scope'], readonly string[], readonly string[], readonly string[]]>([
    ['a plan of all, of all', 'all', all, all, all],
    ['a plan of one, without a word', 'some', ['main'], all, ['main']],
    ['a plan of one, of that one', 'some', ['main'], ['main'], ['main']],
    ['a plan of two, in any order', 'some', ['gdpr', 'main'], ['main', 'gdpr'], ['gdpr', 'main']],
  ])('takes %s', (_, scope, own, selected, names) => {
    expect(databasesOfPlan(planFile(scope, own), use(selected))).toEqual({ ok: true, names })
  })

  it.each<[string, PlanFile['scope'], readonly string[], readonly string[], string]>([
    ['of all, for one', 'all', all, ['main'], 'credentials, gdpr are not among the databases of this command'],
    ['of one, for another', 'some', ['main'], ['gdpr'], 'it says nothing of gdpr, and main is not among'],
    ['of all, before there was another', 'all', ['credentials', 'main'], all, 'it says nothing of gdpr'],
    ['of one that is gone', 'some', ['test'], all, 'test is not among the databases of this command'],
  ])('refuses a plan %s', (_, scope, own, selected, message) => {
    expect(databasesOfPlan(planFile(scope, own), use(selected))).toMatchObject({
      ok: false,
      problems: [
        {
          code: 'PLAN_STALE',
          message: expect.stringContaining(message),
          hint: expect.stringMatching(/^make a new plan: pnpm migrate plan head/),
        },
      ],
    })
  })

  it('refuses a plan of the other direction, and says which command it is for', () => {
    expect(databasesOfPlan(planFile('all', all), { ...use(all), direction: 'down' })).toMatchObject({
      ok: false,
      problems: [{ code: 'PLAN_STALE', hint: 'pnpm migrate upgrade --plan plan.json' }],
    })
  })
})

describe('findOtherSteps', () => {
  const now = planOf({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] })

  it('finds nothing when the steps are the same', () => {
    expect(findOtherSteps(planned('a', 'b', 'c', 'd'), now, 'plan.json')).toEqual([])
  })

  it('names what would be done as well, and what would not be done', () => {
    expect(messagesOf(planned('a', 'b', 'c'))).toEqual([
      'main: "head" has moved since plan.json was made: d "make d" would be applied as well',
    ])
    expect(messagesOf(planned('a', 'b', 'c', 'd', 'e'))).toEqual([
      'main: "head" has moved since plan.json was made: e "make e" would not be applied',
    ])
  })

  it('says from where on the order is another', () => {
    expect(messagesOf(planned('a', 'c', 'b', 'd'))).toEqual([
      'the order of the revisions has changed since plan.json was made, from step 2 on',
    ])
  })

  it('asks for a new plan of the same phase', () => {
    expect(findOtherSteps({ ...planned('a'), phase: 'expand' }, now, 'plan.json')).toContainEqual(
      expect.objectContaining({
        hint: 'make a new plan: pnpm migrate plan head --phase expand --out plan.json',
      }),
    )
  })

  function messagesOf(plan: PlanFile): readonly string[] {
    return findOtherSteps(plan, now, 'plan.json').map(({ database, message }) =>
      database === undefined ? message : `${database}: ${message}`,
    )
  }
})

function planFile(scope: PlanFile['scope'], names: readonly string[]): PlanFile {
  const databases = names.map((name) => ({ name, current: [], applied: '' }))
  return { formatVersion: 1, direction: 'up', target: 'head', allowOutOfOrder: false, scope, databases, steps: [] }
}

function planned(...ids: readonly string[]): PlanFile {
  const steps = ids.map((revision) => ({ database: 'main', revision, message: `make ${revision}`, checksum: '' }))
  return { ...planFile('all', ['main']), steps }
}

function use(selected: readonly string[]): Parameters<typeof databasesOfPlan>[1] {
  return { path: 'plan.json', direction: 'up', selected, workspace: all }
}

function planOf(parents: Readonly<Record<string, readonly string[]>>): ReleasePlan {
  const parsed = parseTarget('head')
  const result = parsed.ok ? planRelease([exampleMember('main', parents)], 'up', parsed.target, new Map()) : undefined
  if (!result?.ok) throw new Error('this can be planned')
  return result.plan
}
