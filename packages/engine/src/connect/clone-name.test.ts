import { describe, expect, it } from 'vitest'

import { isLeftover, nameClone } from './clone-name.ts'

const maker = { host: 'one', pid: 4711, now: Date.UTC(2026, 10, 20) }
const name = nameClone(maker, 'abc123')
const dead = () => false
const alive = () => true
const hour = 3_600_000

describe('the name of a clone', () => {
  it('fits what PostgreSQL keeps of a name, for the longest process id there is', () => {
    expect(nameClone({ ...maker, pid: 4_194_304 }, 'abcdef012345').length).toBeLessThanOrEqual(63)
  })
})

describe('a clone', () => {
  it('is not left over while its process runs', () => {
    expect(isLeftover(name, { ...maker, pid: 1, now: maker.now + hour }, alive)).toBe(false)
  })

  it('is left over when its process is gone', () => {
    expect(isLeftover(name, { ...maker, pid: 1 }, dead)).toBe(true)
  })

  it('of another machine is left alone for a day', () => {
    const other = { host: 'two', pid: 1 }

    expect(isLeftover(name, { ...other, now: maker.now + 23 * hour }, dead)).toBe(false)
    expect(isLeftover(name, { ...other, now: maker.now + 25 * hour }, dead)).toBe(true)
  })

  it.each([
    'main',
    'drover_rehearsal',
    'drover_rehearsal_notes',
    'drover_rehearsal_1_2_3_4',
    `my_${name}`,
    `${name}_x`,
    'drover_test_0123456789ab',
  ])('is not what %s is, which is never left over', (other) => {
    expect(isLeftover(other, { ...maker, now: maker.now + 99 * hour }, dead)).toBe(false)
  })
})
