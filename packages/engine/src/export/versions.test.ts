import { describe, expect, it } from 'vitest'

import { assignVersions, nameOf } from './versions.ts'

const created = '2026-11-20T10:00:00Z'
const versionsOf = (...folders: readonly (readonly [folder: string, count?: number, created?: string])[]) =>
  assignVersions(folders.map(([folder, count = 1, time = created]) => ({ folder, count, created: time })))

describe('assignVersions', () => {
  it('takes the time that a folder begins with', () => {
    expect(versionsOf(['databases/main/migrations/20261005081500_users'], ['m/20261012094000'])).toEqual([
      ['20261005081500'],
      ['20261012094000'],
    ])
  })

  it.each(['0007_users', '20261399081500_users', '2026100508150012_users', 'users'])(
    'takes the time at which it was made where the folder "%s" begins with none',
    (folder) => {
      expect(versionsOf([folder])).toEqual([['20261120100000']])
    },
  )

  it('takes the second after the version before for what was made earlier, or at the same time', () => {
    expect(versionsOf(['20261231235959_a'], ['20261231235959_b'], ['20261005081500_c'], ['20270101000005_d'])).toEqual([
      ['20261231235959'],
      ['20270101000000'],
      ['20270101000001'],
      ['20270101000005'],
    ])
  })

  it('gives a revision of several files as many versions', () => {
    expect(versionsOf(['20261005081500_a', 3], ['20261005081501_b'])).toEqual([
      ['20261005081500', '20261005081501', '20261005081502'],
      ['20261005081503'],
    ])
  })
})

describe('nameOf', () => {
  it.each([
    ['m/20261005081500_add_users', 'add_users'],
    ['m/0007_Add-Users (2)', 'add_users_2'],
    ['m/20261005081500_größe', 'gr_e'],
    [`m/20261005081500_${'x'.repeat(300)}`, 'x'.repeat(100)],
    ['m/20261005081500', '00000000000a'],
    ['m/20261005081500_数据', '00000000000a'],
  ])('calls %s %s', (folder, name) => {
    expect(nameOf({ folder, id: '00000000000a' })).toBe(name)
  })
})
