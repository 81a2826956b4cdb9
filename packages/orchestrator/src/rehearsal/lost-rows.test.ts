import { describe, expect, it } from 'vitest'

import { findLostRows } from './lost-rows.ts'

const counts = (entries: Readonly<Record<string, number>>) => new Map(Object.entries(entries))

describe('rows that a round trip loses', () => {
  it('are those that are missing of a table that is still there', () => {
    const before = counts({ 'public.users': 3, 'public.notes': 2, 'public.gone': 1 })

    expect(findLostRows(before, counts({ 'public.users': 3, 'public.notes': 0, 'public.new': 9 }), [])).toEqual([
      { table: 'public.notes', before: 2, after: 0 },
    ])
  })

  it('are none where there are more than before', () => {
    expect(findLostRows(counts({ 'public.users': 3 }), counts({ 'public.users': 4 }), [])).toEqual([])
  })

  it.each([
    ['public.notes', 'drop table notes'],
    ['public.notes', 'DROP TABLE IF EXISTS Public.Notes CASCADE'],
    ['app."My notes"', 'truncate app."My notes", other'],
    ['app."a""b"', 'delete from app."a"b"'],
    ['"my.app".notes', 'drop table "my.app".notes'],
  ])('of %s are declared by: %s', (table, statement) => {
    const [lost] = findLostRows(counts({ [table]: 1 }), counts({ [table]: 0 }), ['truncate others', statement])

    expect(lost!.declared).toBe(statement)
  })

  it.each(['drop table notes_archive', 'drop table my_notes', 'truncate other'])(
    'of public.notes are not declared by: %s',
    (statement) => {
      const [lost] = findLostRows(counts({ 'public.notes': 1 }), counts({ 'public.notes': 0 }), [statement])

      expect(lost).toEqual({ table: 'public.notes', before: 1, after: 0 })
    },
  )
})
