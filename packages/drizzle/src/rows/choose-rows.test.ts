import { describe, expect, it } from 'vitest'

import { chooseRows } from './choose-rows.ts'

const name = ['Ada', '', 'Grace', null].map((value) => ({ name: value }))
const code = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((value) => ({ code: value }))

describe('chooseRows', () => {
  it('begins with the fullest row, then the emptiest, then a duplicate of the first', () => {
    const rows = chooseRows([name], [], 3).map(([best]) => best)

    expect(rows).toEqual([{ name: 'Ada' }, { name: null }, { name: 'Ada' }])
  })

  it('brings every value when there are rows enough', () => {
    const rows = chooseRows([name, code], [], 9).map(([best]) => best)

    expect(new Set(rows.map((row) => row?.['name']))).toEqual(new Set(['Ada', '', 'Grace', null]))
    expect(new Set(rows.map((row) => row?.['code'])).size).toBe(7)
  })

  it('changes a duplicate only where a unique key forbids it', () => {
    const [, , third] = chooseRows([name, code], [{ columns: ['code'], nullsDistinct: true }], 3).map(([best]) => best)

    expect(third).toEqual({ name: 'Ada', code: 'c' })
  })

  it('takes a null for a value like any other where the key says so', () => {
    const parts = [[{ code: null }, { code: 'a' }]]

    expect(chooseRows(parts, [{ columns: ['code'], nullsDistinct: true }], 4)).toHaveLength(4)
    expect(chooseRows(parts, [{ columns: ['code'], nullsDistinct: false }], 4)).toHaveLength(2)
  })

  it('tells rows apart by several columns together', () => {
    const first = ['1', '2'].map((value) => ({ first: value }))
    const second = ['1', '2'].map((value) => ({ second: value }))

    const rows = chooseRows([first, second], [{ columns: ['first', 'second'], nullsDistinct: true }], 6)

    expect(new Set(rows.map(([best]) => JSON.stringify(best))).size).toBe(4)
  })

  it('leaves out a column for which nothing fits', () => {
    expect(chooseRows([[], name], [], 1)[0]?.[0]).toEqual({ name: 'Ada' })
  })

  it('never chooses two rows alike in a unique key', () => {
    const keys = [
      { columns: ['code'], nullsDistinct: true },
      { columns: ['name', 'flag'], nullsDistinct: false },
    ]
    const flag = ['true', 'false'].map((value) => ({ flag: value }))

    const rows = chooseRows([name, code, flag], keys, 12).map(([best]) => best)

    expect(new Set(rows.map((row) => row?.['code'])).size).toBe(rows.length)
    expect(new Set(rows.map((row) => `${row?.['name']} ${row?.['flag']}`)).size).toBe(rows.length)
    expect(rows).toHaveLength(7)
  })
})
