import type { ExternalDatabaseDeclaration } from '@drover/config'
import type { Direction, Step } from '@drover/history'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleDatabase } from '../workspace/example-database.ts'
import { exampleMember } from './example-member.ts'
import { interleave, type Neighbour } from './interleave.ts'
import type { DatabasePlan } from './plan-release.ts'
import { appliedIds, statusOf } from './status.ts'

type Elsewhere = Readonly<Record<string, readonly string[]>>

describe('interleave, with a database that migrates itself', () => {
  it('has its command run behind all of the databases before it, and before the first step of those after it', () => {
    const keycloak = external('keycloak', { after: ['main'], command: ['migrate'] })
    const after = database('billing', 2)
    const billing: DatabasePlan = {
      ...after,
      member: { ...after.member, database: exampleDatabase('billing', { after: ['keycloak'] }) },
    }

    // Given in another order than they come after each other.
    const { segments, problems } = interleave('up', [billing, keycloak, database('main', 2)], [])

    expect(problems).toEqual([])
    expect(segments.map(({ database: { member }, steps }) => [member.database.name, steps.length])).toEqual([
      ['main', 2],
      ['keycloak', 0],
      ['billing', 2],
    ])
  })

  it('has nothing run where there is no command', () => {
    expect(interleave('up', [external('keycloak', {})], []).segments).toEqual([])
  })

  it('refuses a revision before it that depends on one after it, and names the command', () => {
    const keycloak = external('keycloak', { after: ['main'], command: ['migrate'] })
    const plan = database('billing', 1)
    const billing: DatabasePlan = {
      ...plan,
      member: { ...plan.member, database: exampleDatabase('billing', { after: ['keycloak'] }) },
    }

    const { problems } = interleave('up', [database('main', 1, { a: ['billing/a'] }), keycloak, billing], [])

    expect(problems).toMatchObject([{ code: 'CYCLE', message: expect.stringContaining('keycloak/command') }])
  })
})

describe('interleave, going up', () => {
  it('does one database after the other where nothing else is asked for', () => {
    const order = up([database('credentials', 3), database('main', 2)])

    expect(order).toEqual(['credentials/a', 'credentials/b', 'credentials/c', 'main/a', 'main/b'])
  })

  it('goes back and forth where revisions depend on each other', () => {
    const order = up([database('credentials', 3, { b: ['main/a'] }), database('main', 2, { b: ['credentials/b'] })])

    expect(order).toEqual(['credentials/a', 'main/a', 'credentials/b', 'credentials/c', 'main/b'])
  })

  it('asks nothing of a dependency that is applied', () => {
    const credentials = database('credentials', 3, {}, ['a', 'b', 'c'])

    const { segments, problems } = interleave('up', [credentials, database('main', 1, { a: ['credentials/c'] })], [])

    expect(problems).toEqual([])
    expect(segments.map((segment) => segment.database.member.database.name)).toEqual(['main'])
  })

  it('refuses a dependency that is neither applied nor on its way, and says how to get it', () => {
    const credentials = { ...database('credentials', 2), steps: [] }

    const { problems } = interleave('up', [credentials, database('main', 1, { a: ['credentials/b'] })], [])

    expect(problems).toMatchObject([
      { code: 'ELSEWHERE_PENDING', database: 'main', revision: 'a', hint: 'pnpm migrate upgrade credentials/b' },
    ])
  })

  it.each([
    ['credentials/z', 'that database has no such revision'],
    ['nowhere/a', 'there is no such database'],
  ])('refuses a dependency on %s, because %s', (dependency, reason) => {
    const { problems } = interleave('up', [database('credentials', 1), database('main', 1, { a: [dependency] })], [])

    expect(problems).toMatchObject([{ code: 'ELSEWHERE_UNKNOWN', message: expect.stringContaining(reason) }])
  })

  it('refuses revisions that come after each other in a circle, and names them', () => {
    const databases = [database('credentials', 1, { a: ['main/a'] }), database('main', 1, { a: ['credentials/a'] })]

    const { problems } = interleave('up', databases, [])

    expect(problems).toMatchObject([{ code: 'CYCLE', message: expect.stringContaining('main/a after credentials/a') }])
  })

  it('looks at a database that is left alone', () => {
    const main = database('main', 1, { a: ['credentials/b'] })

    expect(interleave('up', [main], [neighbour('credentials', 2, ['a', 'b'])]).problems).toEqual([])
    expect(interleave('up', [main], [neighbour('credentials', 2, ['a'])]).problems).toMatchObject([
      { code: 'ELSEWHERE_PENDING' },
    ])
  })

  it('warns of what it could not look at', () => {
    const unread = { name: 'credentials', unread: 'CREDENTIALS_DATABASE_URL is not set' }

    const { problems, warnings } = interleave('up', [database('main', 1, { a: ['credentials/b'] })], [unread])

    expect(problems).toEqual([])
    expect(warnings).toMatchObject([
      { code: 'ELSEWHERE_UNCHECKED', message: expect.stringContaining('CREDENTIALS_DATABASE_URL is not set') },
    ])
  })
})

describe('interleave, going down', () => {
  it('reverts what depends on a revision before that revision', () => {
    const main = database('main', 2, { b: ['credentials/b'] }, ['a', 'b'])
    const credentials = database('credentials', 2, {}, ['a', 'b'])

    expect(down([credentials, main])).toEqual(['main/b', 'credentials/b', 'credentials/a', 'main/a'])
  })

  it('refuses to revert what an applied revision of another database needs', () => {
    const main = { ...database('main', 1, { a: ['credentials/b'] }, ['a']), steps: [] }

    const credentials = reverse(database('credentials', 2, {}, ['a', 'b']))

    const { problems } = interleave('down', [credentials, main], [])

    expect(problems).toMatchObject([
      { code: 'ELSEWHERE_NEEDED', database: 'credentials', revision: 'b', hint: expect.stringContaining('main/a-1') },
    ])
  })

  it('lets go what nobody needs any more', () => {
    const main = database('main', 1, { a: ['credentials/b'] }, [])

    expect(down([database('credentials', 1, {}, ['a']), main])).toEqual(['credentials/a'])
  })
})

it('keeps the order of each database, and every dependency, whatever the databases are like', () => {
  const plans = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 4 }).chain((lengths) =>
    fc.tuple(
      fc.constant(lengths),
      // A dependency goes to a revision with a smaller or equal place in an earlier database: no circles.
      fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(5), fc.nat(5)), { maxLength: 12 }),
    ),
  )
  fc.assert(
    fc.property(plans, ([lengths, raw]) => {
      const edges = raw
        .map(([a, b, i, j]) => ({ from: Math.max(a, b), to: Math.min(a, b), i, j: Math.min(i, j) }))
        .filter(({ from, to, i, j }) => from !== to && from < lengths.length && i < lengths[from]! && j < lengths[to]!)
      const databases = lengths.map((length, at) => {
        const elsewhere: Record<string, string[]> = {}
        for (const edge of edges.filter(({ from }) => from === at)) {
          ;(elsewhere[letter(edge.i)] ??= []).push(`db${edge.to}/${letter(edge.j)}`)
        }
        return database(`db${at}`, length, elsewhere)
      })

      // Whichever database comes first, the dependencies decide.
      const order = up(databases.toReversed())

      expect(order.length).toBe(lengths.reduce((sum, length) => sum + length, 0))
      for (const [at, length] of lengths.entries()) {
        for (let i = 1; i < length; i += 1) {
          expect(order.indexOf(`db${at}/${letter(i - 1)}`)).toBeLessThan(order.indexOf(`db${at}/${letter(i)}`))
        }
      }
      for (const { from, to, i, j } of edges) {
        expect(order.indexOf(`db${to}/${letter(j)}`)).toBeLessThan(order.indexOf(`db${from}/${letter(i)}`))
      }
    }),
  )
})

function up(databases: readonly DatabasePlan[]): readonly string[] {
  return orderOf('up', databases)
}

function down(databases: readonly DatabasePlan[]): readonly string[] {
  return orderOf('down', databases.map(reverse))
}

function orderOf(direction: Direction, databases: readonly DatabasePlan[]): readonly string[] {
  const { segments, problems } = interleave(direction, databases, [])
  expect(problems).toEqual([])
  return segments.flatMap(({ database: { member }, steps }) =>
    steps.map((step) => `${member.database.name}/${step.revision.id}`),
  )
}

/** A database with the revisions a, b, c, … one after the other; planned are those that are not applied. */
function database(
  name: string,
  length: number,
  elsewhere: Elsewhere = {},
  applied: readonly string[] = [],
): DatabasePlan {
  const ids = Array.from({ length }, (_, at) => letter(at))
  const parents = Object.fromEntries(ids.map((id, at) => [id, at === 0 ? [] : [letter(at - 1)]]))
  const member = exampleMember(name, parents, applied, [], elsewhere)
  const steps = member.history.revisions
    .filter((revision) => !applied.includes(revision.id))
    .map((revision): Step => ({ direction: 'up', revision }))
  return { member, status: statusOf(member), steps }
}

/** The plan that takes back everything a database has had. */
function reverse(plan: DatabasePlan): DatabasePlan {
  const applied = appliedIds(plan.member.state)
  const steps = plan.member.history.revisions
    .filter((revision) => applied.has(revision.id))
    .map((revision): Step => ({ direction: 'down', revision }))
  return { ...plan, steps: steps.toReversed() }
}

function neighbour(name: string, length: number, applied: readonly string[]): Neighbour {
  const { member } = database(name, length, {}, applied)
  return { name, history: member.history, applied: appliedIds(member.state) }
}

function letter(at: number): string {
  return String.fromCodePoint(97 + at)
}

function external(name: string, declared: Omit<ExternalDatabaseDeclaration, 'name' | 'kind'>): DatabasePlan {
  const member = { ...exampleMember(name, {}), database: exampleDatabase(name, { kind: 'external', ...declared }) }
  return { member, status: statusOf(member), steps: [] }
}
