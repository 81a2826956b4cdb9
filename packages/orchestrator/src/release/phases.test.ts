import { buildHistory, type HalfDone, parseTarget, type Phase, phases, type Target } from '@drover/history'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleDatabase } from '../workspace/example-database.ts'
import { exampleMember } from './example-member.ts'
import type { Member } from './fleet.ts'
import type { Neighbour } from './interleave.ts'
import { planRelease, type PlanOptions, type ReleasePlan } from './plan-release.ts'
import { appliedIds } from './status.ts'

const line = { a: [], b: ['a'], c: ['b'], d: ['c'] }
const cycle = { a: 'expand', b: 'backfill', c: 'contract' } as const

describe('an upgrade with a phase', () => {
  it.each<[Phase, readonly string[], readonly string[]]>([
    ['expand', ['a'], ['b backfill']],
    ['backfill', ['a', 'b'], ['c contract']],
    ['contract', ['a', 'b', 'c', 'd'], []],
  ])('%s runs what is of it or before it, and says what it stops before', (phase, steps, held) => {
    const plan = planned([member('main', line, cycle)], { phase })

    expect(stepsOf(plan)).toEqual(steps.map((id) => `main/${id}`))
    expect(heldOf(plan)).toEqual(held.map((text) => `main/${text}`))
  })

  it('runs everything without one', () => {
    const plan = planned([member('main', line, cycle)])

    expect(stepsOf(plan)).toEqual(['main/a', 'main/b', 'main/c', 'main/d'])
    expect(heldOf(plan)).toEqual([])
  })

  it('goes on behind what was run with another phase before', () => {
    const plan = planned([member('main', line, cycle, ['a', 'b', 'c'])], { phase: 'expand' })

    expect(stepsOf(plan)).toEqual(['main/d'])
    expect(heldOf(plan)).toEqual([])
  })

  it('says nothing of what the target does not ask for', () => {
    const plan = planned(
      [member('main', { aaaa: [], bbbb: ['aaaa'] }, { bbbb: 'contract' })],
      { phase: 'expand' },
      'aaaa',
    )

    expect(stepsOf(plan)).toEqual(['main/aaaa'])
    expect(heldOf(plan)).toEqual([])
  })

  it('names the first of each arm', () => {
    const arms = { a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }
    const plan = planned([member('main', arms, { b: 'contract', c: 'backfill' })], { phase: 'expand' }, 'heads')

    expect(heldOf(plan)).toEqual(['main/b contract', 'main/c backfill'])
  })

  it('is a downgrade like any other', () => {
    const result = planRelease(
      [member('main', line, cycle, ['a', 'b', 'c'])],
      'down',
      targetOf('base'),
      new Map(),
      [],
      {
        phase: 'expand',
      },
    )

    expect(result.ok && stepsOf(result.plan)).toEqual(['main/c', 'main/b', 'main/a'])
  })
})

describe('what to type later', () => {
  it.each<[string, string]>([
    ['head', 'pnpm migrate upgrade --phase contract -d main'],
    ['heads', 'pnpm migrate upgrade heads --phase contract -d main'],
    ['main/bbbb', 'pnpm migrate upgrade bbbb --phase contract -d main'],
    // From where that one leads to, it would go on to another place.
    ['+2', 'pnpm migrate upgrade bbbb --phase contract -d main'],
  ])('is for the same target: %s', (target, command) => {
    const main = member('main', { aaaa: [], bbbb: ['aaaa'] }, { bbbb: 'contract' })
    const plan = planned([main], { phase: 'expand' }, target)

    expect(plan.databases[0]?.heldBack?.map(({ hint }) => hint)).toEqual([`run it after the deploy with: ${command}`])
  })

  it('is the revision of the other database where that holds it up', () => {
    const main = member('main', { a: [] }, {}, [], { a: ['credentials/c'] })
    const plan = planned([member('credentials', line, cycle), main], { phase: 'backfill' })

    expect(plan.databases[1]?.heldBack).toMatchObject([
      {
        phase: 'contract',
        waitsFor: { database: 'credentials', revision: 'c' },
        hint: 'after the deploy, run that first: pnpm migrate upgrade credentials/c --phase contract',
      },
    ])
  })
})

describe('across databases', () => {
  it('holds back what depends on something of a later phase, and what comes after that', () => {
    const credentials = member('credentials', line, cycle)
    const main = member('main', { a: [], b: ['a'], c: ['b'] }, {}, [], { b: ['credentials/d'] })

    const plan = planned([credentials, main], { phase: 'backfill' })

    expect(stepsOf(plan)).toEqual(['credentials/a', 'credentials/b', 'main/a'])
    expect(heldOf(plan)).toEqual(['credentials/c contract', 'main/b contract'])
  })

  it('asks nothing of a contract that is applied', () => {
    const credentials = member('credentials', line, cycle, ['a', 'b', 'c', 'd'])
    const main = member('main', { a: [] }, {}, [], { a: ['credentials/c'] })

    expect(stepsOf(planned([credentials, main], { phase: 'expand' }))).toEqual(['main/a'])
  })

  it('looks at a database that is left alone', () => {
    const main = member('main', { a: [], b: ['a'] }, {}, [], { b: ['credentials/c'] })

    const plan = planned([main], { phase: 'expand' }, 'head', [neighbour(member('credentials', line, cycle))])

    expect(stepsOf(plan)).toEqual(['main/a'])
    expect(heldOf(plan)).toEqual(['main/b contract'])
  })

  it('runs the command of a database that migrates itself, behind what is taken of those before it', () => {
    const keycloak: Member = {
      ...exampleMember('keycloak', {}),
      database: exampleDatabase('keycloak', { kind: 'external', after: ['main'], command: ['migrate'] }),
    }

    const plan = planned([member('main', line, cycle), keycloak], { phase: 'expand' })

    expect(plan.segments.map(({ database, steps }) => [database.member.database.name, steps.length])).toEqual([
      ['main', 1],
      ['keycloak', 0],
    ])
  })

  it('refuses, as without a phase, what depends on something that could be run now and is not part of it', () => {
    const main = member('main', { a: [] }, {}, [], { a: ['credentials/a'] })
    const others = [neighbour(member('credentials', line, cycle))]

    const result = planRelease([main], 'up', targetOf('head'), new Map(), others, { phase: 'expand' })

    expect(result).toMatchObject({ ok: false, problems: [{ code: 'ELSEWHERE_PENDING' }] })
  })

  it('never takes a step that comes after what is neither applied nor taken, and takes more with each phase', () => {
    fc.assert(
      fc.property(fleets, ({ members }) => {
        const all = phases.map((phase) => stepsOf(planned(members, { phase }, 'heads')))
        for (const [at, phase] of phases.entries()) {
          const done = new Set(
            members.flatMap(({ database, state }) => state.applied.map(({ id }) => `${database.name}/${id}`)),
          )
          for (const key of all[at]!) {
            const { revision, before } = lookUp(members, key)
            expect(before.filter((one) => !done.has(one))).toEqual([])
            expect(phases.indexOf(revision.phase ?? 'expand')).toBeLessThanOrEqual(phases.indexOf(phase))
            done.add(key)
          }
          expect(all[at]).toEqual(expect.arrayContaining([...(all[at - 1] ?? [])]))
        }
        // With the last phase, it is the upgrade that it is without one.
        expect(all[2]).toEqual(stepsOf(planned(members, {}, 'heads')))
      }),
    )
  })

  it('holds back no more than it has to, and says something of every database that it stops', () => {
    fc.assert(
      fc.property(fleets, fc.constantFrom(...phases), ({ members }, phase) => {
        const plan = planned(members, { phase }, 'heads')
        const taken = new Set(stepsOf(plan))
        const everything = stepsOf(planned(members, {}, 'heads'))
        const left = everything.filter((key) => !taken.has(key))
        for (const key of left) {
          const { revision, before } = lookUp(members, key)
          const isLate = phases.indexOf(revision.phase ?? 'expand') > phases.indexOf(phase)
          expect(isLate || before.some((one) => left.includes(one))).toBe(true)
        }
        const stopped = plan.databases.filter(({ heldBack = [] }) => heldBack.length > 0)
        expect(stopped.map(({ member: { database } }) => database.name).toSorted()).toEqual(
          [...new Set(left.map((key) => key.slice(0, key.indexOf('/'))))].toSorted(),
        )
      }),
    )
  })
})

describe('a backfill that is half done', () => {
  const halfDone: HalfDone = { id: 'b', direction: 'up', done: 1, total: 2 }
  const main = withHalfDone(member('main', line, cycle, ['a']), halfDone)

  it('keeps a contract that comes after it from being planned, by a message of its own', () => {
    expect(problemsOf(main)).toEqual(['HALF_DONE b', 'BACKFILL_UNFINISHED c'])
    expect(problemsOf(main, { phase: 'contract' })).toEqual(['HALF_DONE b', 'BACKFILL_UNFINISHED c'])
  })

  it('is all there is to say where no contract is asked for', () => {
    expect(problemsOf(main, { phase: 'backfill' })).toEqual(['HALF_DONE b'])
    expect(problemsOf(withHalfDone(member('main', line, { b: 'backfill' }, ['a']), halfDone))).toEqual(['HALF_DONE b'])
  })

  it('comes first when it is gone on with, and the contract stays for its phase', () => {
    const plan = planned([main], { phase: 'backfill', resume: true })

    expect(stepsOf(plan)).toEqual(['main/b'])
    expect(heldOf(plan)).toEqual(['main/c contract'])
  })

  it('is gone on with whatever the phase, as nothing else can be run before it', () => {
    expect(stepsOf(planned([main], { phase: 'expand', resume: true }))).toEqual(['main/b'])
  })
})

/** Databases with revisions one after the other, phases and applied revisions by chance, and dependencies without circles. */
const fleets = fc
  .record({
    databases: fc.array(
      fc.record({
        phases: fc.array(fc.option(fc.constantFrom(...phases), { nil: undefined }), { minLength: 1, maxLength: 6 }),
        applied: fc.nat(6),
      }),
      { minLength: 2, maxLength: 4 },
    ),
    edges: fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(5), fc.nat(5)), { maxLength: 12 }),
  })
  .map(({ databases, edges }) => {
    // A dependency goes to a revision with a smaller or equal place in an earlier database.
    const ordered = edges
      .map(([one, other, i, j]) => ({ from: Math.max(one, other), to: Math.min(one, other), i, j: Math.min(i, j) }))
      .filter(({ from, to }) => from !== to && from < databases.length)
      .filter(({ from, to, i, j }) => i < databases[from]!.phases.length && j < databases[to]!.phases.length)
    return {
      members: databases.map(({ phases: own, applied }, at) => {
        const ids = own.map((_, place) => letter(place))
        const elsewhere: Record<string, string[]> = {}
        for (const { from, to, i, j } of ordered) {
          if (from === at) (elsewhere[letter(i)] ??= []).push(`db${to}/${letter(j)}`)
        }
        // What an applied revision needs in another database is applied as well, or nobody would know what was meant.
        const most = ordered.reduce(
          (sum, { from, to, i, j }) => (from === at && j >= databases[to]!.applied ? Math.min(sum, i) : sum),
          applied,
        )
        return member(
          `db${at}`,
          Object.fromEntries(ids.map((id, place) => [id, place === 0 ? [] : [letter(place - 1)]])),
          Object.fromEntries(own.flatMap((phase, place) => (phase ? [[letter(place), phase]] : []))),
          ids.slice(0, most),
          elsewhere,
        )
      }),
    }
  })

function member(
  name: string,
  parents: Readonly<Record<string, readonly string[]>>,
  phaseOf: Readonly<Record<string, Phase>>,
  applied: readonly string[] = [],
  elsewhere: Readonly<Record<string, readonly string[]>> = {},
): Member {
  const plain = exampleMember(name, parents, applied, [], elsewhere)
  const built = buildHistory(
    plain.history.revisions.map((revision) => {
      const phase = phaseOf[revision.id]
      return { ...revision, ...(phase && { phase }) }
    }),
  )
  if (!built.ok) throw new Error('phases change nothing in a history')
  return { ...plain, history: built.history }
}

function withHalfDone(one: Member, halfDone: HalfDone): Member {
  return { ...one, state: { ...one.state, halfDone } }
}

function neighbour({ database, history, state }: Member): Neighbour {
  return { name: database.name, history, applied: appliedIds(state) }
}

function planned(
  members: readonly Member[],
  options: PlanOptions = {},
  target = 'head',
  neighbours: readonly Neighbour[] = [],
): ReleasePlan {
  const result = planRelease(members, 'up', targetOf(target), new Map(), neighbours, options)
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'))
  return result.plan
}

function problemsOf(one: Member, options: PlanOptions = {}): readonly string[] {
  const result = planRelease([one], 'up', targetOf('head'), new Map(), [], options)
  return result.ok ? [] : result.problems.map(({ code, revision }) => `${code} ${revision}`)
}

/** The steps of all databases in the order in which they run. */
function stepsOf({ segments }: ReleasePlan): readonly string[] {
  return segments.flatMap(({ database, steps }) =>
    steps.map(({ revision }) => `${database.member.database.name}/${revision.id}`),
  )
}

function heldOf({ databases }: ReleasePlan): readonly string[] {
  return databases.flatMap(({ member: { database }, heldBack = [] }) =>
    heldBack.map(({ revision, phase }) => `${database.name}/${revision.id} ${phase}`),
  )
}

/** A revision, and what it directly comes after in all databases. */
function lookUp(members: readonly Member[], key: string) {
  const [name, id] = key.split('/')
  const { history } = members.find(({ database }) => database.name === name)!
  const revision = history.byId.get(id!)!
  const before = [
    ...revision.parents.map((parent) => `${name}/${parent}`),
    ...revision.dependsOnElsewhere!.map((one) => `${one.database}/${one.revision}`),
  ]
  return { revision, before }
}

function targetOf(text: string): Target {
  const result = parseTarget(text)
  if (!result.ok) throw new Error(result.problem.message)
  return result.target
}

function letter(at: number): string {
  return String.fromCodePoint(97 + at)
}
