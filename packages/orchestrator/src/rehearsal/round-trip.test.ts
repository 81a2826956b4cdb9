import type { ElsewhereDependency, Revision, Step } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { planRoundTrip } from './round-trip.ts'

/** A step up: `a1!` has no way back, `b1>a/a2` depends on a revision of another database. */
function step(text: string): Step {
  const [head, dependency] = text.split('>')
  const id = head!.replace('!', '')
  const elsewhere = dependency?.split('/')
  const dependsOnElsewhere: ElsewhereDependency[] = elsewhere
    ? [{ database: elsewhere[0]!, revision: elsewhere[1]! }]
    : []
  const revision: Revision = {
    id,
    parents: [],
    dependsOn: [],
    labels: [],
    message: id,
    created: '2026-11-20T00:00:00.000Z',
    folder: id,
    reversible: !head!.includes('!'),
    dependsOnElsewhere,
  }
  return { direction: 'up', revision }
}

function idsOf(steps: readonly Step[]): string {
  return steps.map(({ revision }) => revision.id).join(' ')
}

/** `{ a: 'a1 a2' }` → what goes back of each, as text. */
function backOf(databases: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const planned = Object.entries(databases).map(([name, steps]) => ({
    name,
    steps: steps === '' ? [] : steps.split(' ').map(step),
  }))
  return Object.fromEntries(
    planRoundTrip(planned).map(({ name, oneWay, back }) => {
      return [name, `${idsOf(oneWay)} | ${idsOf(back)}`]
    }),
  )
}

describe('a rehearsal goes back', () => {
  it('over all steps that have a way back', () => {
    expect(backOf({ a: 'a1 a2', b: 'b1' })).toEqual({ a: ' | a1 a2', b: ' | b1' })
  })

  it('as far as the last revision that has none', () => {
    expect(backOf({ a: 'a1 a2! a3 a4', b: 'b1!' })).toEqual({ a: 'a1 a2 | a3 a4', b: 'b1 | ' })
  })

  it('not over what the staying revision of another database depends on, nor what comes before that', () => {
    expect(backOf({ a: 'a1 a2 a3', b: 'b1! b2>a/a3', c: 'c1>a/a2 c2!' })).toEqual({
      a: 'a1 a2 | a3',
      b: 'b1 | b2',
      c: 'c1 c2 | ',
    })
  })

  it('not over what stays because of something that stays because of something else', () => {
    expect(backOf({ a: 'a1 a2', b: 'b1>a/a1 b2', c: 'c1>b/b2 c2!' })).toEqual({
      a: 'a1 | a2',
      b: 'b1 b2 | ',
      c: 'c1 c2 | ',
    })
  })

  it('says which revision it cannot go beyond', () => {
    const [trip] = planRoundTrip([{ name: 'a', steps: ['a1!', 'a2!', 'a3'].map(step) }])

    expect(trip!.irreversible?.id).toBe('a2')
  })

  it('takes dependencies on what is no part of it for settled', () => {
    expect(backOf({ a: 'a1', b: 'b1>c/c1 b2! b3' })).toEqual({ a: ' | a1', b: 'b1 b2 | b3' })
  })
})
