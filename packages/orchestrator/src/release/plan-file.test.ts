import type { Script } from '@drover/engine'
import { parseTarget, type Step } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleMember } from './example-member.ts'
import { decodePlanFile, describePlanFile, digestOfApplied, encodePlanFile, type PlanFile } from './plan-file.ts'
import { planRelease, type ReleasePlan } from './plan-release.ts'

const checksum = `sha256:${'0'.repeat(64)}`
const [one, two] = ['1'.repeat(12), '2'.repeat(12)]

const example: PlanFile = {
  formatVersion: 1,
  direction: 'up',
  target: 'head',
  allowOutOfOrder: false,
  scope: 'some',
  databases: [{ name: 'main', current: [one], applied: checksum }],
  steps: [{ database: 'main', revision: two, message: 'größe "of" things', checksum: `${checksum}/${'f'.repeat(64)}` }],
}

describe('describePlanFile', () => {
  it('has the steps in the order in which they run, databases in between each other', () => {
    const members = [
      exampleMember('credentials', { [one]: [], [two]: [one] }, [], [], { [two]: [`main/${one}`] }),
      exampleMember('main', { [one]: [], [two]: [one] }, [], [], { [two]: [`credentials/${two}`] }),
    ]
    const plan = planOf(members)

    const file = describePlanFile(plan, { target: 'head', allowOutOfOrder: false, scope: 'all' }, scriptsOf(plan))

    expect(file.steps.map((step) => `${step.database}/${step.revision[0]}`)).toEqual([
      'credentials/1',
      'main/1',
      'credentials/2',
      'main/2',
    ])
    expect(file.databases.map(({ name, current }) => [name, current])).toEqual([
      ['credentials', []],
      ['main', []],
    ])
    expect(decodePlanFile(encodePlanFile(file), 'plan.json')).toEqual(file)
  })
})

describe('decodePlanFile', () => {
  it('reads what was written', () => {
    expect(decodePlanFile(encodePlanFile(example), 'plan.json')).toEqual(example)
    expect(decodePlanFile(`\uFEFF${encodePlanFile(example)}`, 'plan.json')).toEqual(example)
    const expanding: PlanFile = { ...example, phase: 'expand' }
    expect(decodePlanFile(encodePlanFile(expanding), 'plan.json')).toEqual(expanding)
  })

  it.each<[string, (plan: any) => unknown, string]>([
    ['a field that is missing', (plan) => without(plan, 'target'), '"target" is missing'],
    ['a field that it does not know', (plan) => ({ ...plan, force: true }), '"force" is not a field of a plan'],
    ['another direction', (plan) => ({ ...plan, direction: 'left' }), '"direction" must be "up" or "down"'],
    ['another phase', (plan) => ({ ...plan, phase: 'late' }), '"phase" must be "expand", "backfill" or "contract"'],
    ['no version', (plan) => without(plan, 'formatVersion'), '"formatVersion" is missing'],
    ['a version of another kind', (plan) => ({ ...plan, formatVersion: '1' }), '"formatVersion" must be 1'],
    ['another version', (plan) => ({ ...plan, formatVersion: 2, more: 1 }), 'plan.json has format 2'],
    ['a short id', (plan) => withStep(plan, { revision: 'abc' }), '"steps.0.revision" must be 12 hex digits'],
    ['a checksum of nothing', (plan) => withStep(plan, { checksum: '' }), '"steps.0.checksum" must be the checksum'],
    ['a field of a step', (plan) => withStep(plan, { sql: 'x' }), '"steps.0.sql" is not a field of a plan'],
    ['a step of no database', (plan) => withStep(plan, { database: 'gdpr' }), 'a database that is not among'],
    ['a step twice', (plan) => ({ ...plan, steps: [...plan.steps, ...plan.steps] }), 'names a revision twice'],
    [
      'a database twice',
      (plan) => ({ ...plan, databases: [...plan.databases, ...plan.databases] }),
      'one of them twice',
    ],
    ['a list', () => [], '"formatVersion" is missing'],
    ['nothing', () => null, 'must be an object'],
  ])('refuses %s', (_, change, message) => {
    expect(() => decodePlanFile(JSON.stringify(change(structuredClone(example))), 'plan.json')).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', message: expect.stringContaining(message) }),
    )
  })

  it('refuses what is not JSON, and names the file', () => {
    expect(() => decodePlanFile('{', 'out/plan.json')).toThrow(/^out\/plan\.json is not a plan: it is not JSON/)
  })
})

describe('digestOfApplied', () => {
  const rows = [
    { id: one, checksum: 'a' },
    { id: two, checksum: 'b' },
  ]

  it('is the same in any order', () => {
    expect(digestOfApplied(rows)).toBe(digestOfApplied(rows.toReversed()))
  })

  it('is another for another revision, other SQL, or less', () => {
    const others = [rows.slice(1), [], [rows[0]!, { id: two, checksum: 'c' }], [rows[0]!, { id: one, checksum: 'b' }]]

    expect(new Set([rows, ...others].map((applied) => digestOfApplied(applied))).size).toBe(others.length + 1)
  })
})

function without(plan: PlanFile, field: string): unknown {
  return Object.fromEntries(Object.entries(plan).filter(([name]) => name !== field))
}

function withStep(plan: PlanFile, change: object): unknown {
  return { ...plan, steps: plan.steps.map((step) => ({ ...step, ...change })) }
}

function planOf(members: Parameters<typeof planRelease>[0]): ReleasePlan {
  const parsed = parseTarget('head')
  const result = parsed.ok ? planRelease(members, 'up', parsed.target, new Map()) : undefined
  if (!result?.ok) throw new Error('these can be planned')
  return result.plan
}

function scriptsOf(plan: ReleasePlan): ReadonlyMap<Step, Script> {
  return new Map(
    plan.segments.flatMap(({ steps }) =>
      steps.map((step) => [step, { ...step, file: '', sql: '', statements: [], checksum }] as const),
    ),
  )
}
