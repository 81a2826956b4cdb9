import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { isLeftover, type Made, nameDatabase, nameTemplate, parseDatabaseName } from './database-name.ts'

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length })
const made: fc.Arbitrary<Made> = fc.record({
  maker: fc.record({ place: hex(6), pid: fc.integer({ min: 1, max: 4_194_304 }), birth: hex(6) }),
  at: fc.integer({ min: 1_700_000_000, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000)),
})

describe('the name of a database', () => {
  test('says who made it and when, whatever the database is called, in the 63 bytes that PostgreSQL keeps', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), made, hex(6), (database, facts, random) => {
        const name = nameDatabase(database, facts, random)
        expect(name).toMatch(/^[a-z0-9_]{1,63}$/)
        expect(parseDatabaseName(name)).toEqual(facts)
      }),
    )
  })

  test.each([
    'gdpr',
    'drover_test_0123456789ab',
    'drover_template_gdpr_0123456789abcdef',
    'drover_shadow_0123456789ab',
  ])('that somebody else gave it says nothing: %s', (name) => {
    expect(parseDatabaseName(name)).toBeUndefined()
  })

  test('that is a template has its key in it, and no other database begins like it', () => {
    expect(nameTemplate('gdpr', '0123456789abcdef0123')).toBe('drover_template_gdpr_0123456789abcdef')
    expect(nameTemplate('x'.repeat(63), 'f'.repeat(64))).toHaveLength(53)
  })
})

describe('a database is left over', () => {
  const at = new Date('2026-11-01T12:00:00Z')
  const remnant = (place: string, sessions = 0) => ({
    made: { maker: { place, pid: 7, birth: 'abcdef' }, at },
    sessions,
  })
  const hours = (number: number) => new Date(at.getTime() + number * 60 * 60 * 1000)

  test('when its maker on this machine is gone, at once and whoever is connected', () => {
    const onlooker = { place: '000001', now: at, lives: () => false }

    expect(isLeftover(remnant('000001', 3), onlooker)).toBe(true)
    expect(isLeftover(remnant('000001'), { ...onlooker, now: hours(100), lives: () => true })).toBe(false)
  })

  test('of another machine when it is a day old and nobody is connected', () => {
    const onlooker = { place: '000002', now: hours(25), lives: () => false }

    expect(isLeftover(remnant('000001'), onlooker)).toBe(true)
    expect(isLeftover(remnant('000001', 1), onlooker)).toBe(false)
    expect(isLeftover(remnant('000001'), { ...onlooker, now: hours(23) })).toBe(false)
  })
})
