import { expect, it } from 'vitest'

import type { Script } from '../source/script.ts'
import { splitStatements } from '../source/statements.ts'
import { timeStatements } from './statement-times.ts'

const scripts = ['select 1;\n\nselect 2;\n', '', 'select 3;\n'].map(scriptOf)

it('tells when each statement began in its revision, and how long it took', () => {
  expect(timeStatements(scripts, [100, 103, 110, 200, 300, 301])).toEqual([
    [
      { statement: 1, line: 1, offsetMs: 0, durationMs: 3 },
      { statement: 2, line: 3, offsetMs: 3, durationMs: 7 },
    ],
    [],
    [{ statement: 1, line: 1, offsetMs: 0, durationMs: 1 }],
  ])
})

it('tells of no statement that was not done', () => {
  expect(timeStatements(scripts, [100, 103])).toEqual([[{ statement: 1, line: 1, offsetMs: 0, durationMs: 3 }], [], []])
  expect(timeStatements(scripts, [])).toEqual([[], [], []])
})

it('takes a clock that is put back for one that stood still', () => {
  expect(timeStatements(scripts, [100, 90, 95])[0]).toEqual([
    { statement: 1, line: 1, offsetMs: 0, durationMs: 0 },
    { statement: 2, line: 3, offsetMs: 0, durationMs: 5 },
  ])
})

function scriptOf(sql: string): Script {
  const revision = {
    id: '000000000001',
    parents: [],
    message: 'm',
    folder: 'f',
    reversible: true,
    created: '',
    labels: [],
    dependsOn: [],
  }
  return { revision, direction: 'up', file: 'f/migration.sql', sql, statements: splitStatements(sql), checksum: '' }
}
