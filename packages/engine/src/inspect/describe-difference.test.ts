import { describe, expect, it } from 'vitest'

import type { CatalogDifference } from './compare-catalogs.ts'
import { describeDifference } from './describe-difference.ts'

describe('describeDifference', () => {
  it.each<[says: string, of: Partial<CatalogDifference>]>([
    ['table app.users is missing', { kind: 'missing', expected: 'persistent\ncolumn id: integer' }],
    ['table app.users should not be there', { kind: 'unexpected', found: 'persistent' }],
    ['table app.users: column code is missing: text', { kind: 'missing', part: 'column code', expected: 'text' }],
    [
      'table app.users: column code should not be there: text',
      { kind: 'unexpected', part: 'column code', found: 'text' },
    ],
    [
      'table app.users: rule quiet is missing: CREATE RULE quiet AS …',
      { kind: 'missing', part: 'rule quiet', expected: 'CREATE RULE quiet AS\n  ON DELETE' },
    ],
    [
      'table app.users: column code is text, and should be integer not null',
      { part: 'column code', found: 'text', expected: 'integer not null' },
    ],
    ['table app.users is unlogged, and should be persistent', { found: 'unlogged', expected: 'persistent' }],
    [
      'table app.users: privileges are owner: select, and should be those of a new object',
      { kind: 'unexpected', part: 'privileges', found: 'owner: select' },
    ],
    [
      'table app.users: column id privileges are those of a new object, and should be public: select',
      { kind: 'missing', part: 'column id privileges', expected: 'public: select' },
    ],
    [
      'default privileges for role owner on tables are missing',
      { kind: 'missing', object: 'default privileges for role owner on tables' },
    ],
  ])('says: %s', (says, difference) => {
    expect(describeDifference({ ...common, ...difference })).toEqual([says])
  })

  it('puts two long texts below each other', () => {
    const index = `CREATE INDEX by_code ON app.users USING btree (lower(code)) WHERE (code IS NOT NULL)`

    expect(
      describeDifference({ ...common, part: 'index by_code', expected: index, found: `${index}, invalid` }),
    ).toEqual([
      'table app.users: index by_code is different',
      `  is:        ${index}, invalid`,
      `  should be: ${index}`,
    ])
  })

  it('shows of a definition the lines that differ, in their order', () => {
    const found = 'begin\n  a;\n  inserted;\n  b;\n  changed now;\nend'

    expect(
      describeDifference({
        ...common,
        object: 'function app.f()',
        expected: 'begin\n  a;\n  b;\n  changed;\nend',
        found,
      }),
    ).toEqual([
      'function app.f() is different (+ is there, - should be)',
      '  +   inserted;',
      '  -   changed;',
      '  +   changed now;',
    ])
  })

  it('shows ten lines of a definition that is another one altogether', () => {
    const expected = Array.from({ length: 9 }, (_, index) => `old ${index}`).join('\n')

    const said = describeDifference({ ...common, expected, found: expected.replaceAll('old', 'new') })

    expect(said).toHaveLength(12)
    expect(said.at(-1)).toBe('  and 8 more')
    expect(
      describeDifference({ ...common, expected, found: expected.replaceAll('old', 'new') }, Infinity),
    ).toHaveLength(19)
  })
})

const common: CatalogDifference = {
  object: 'table app.users',
  part: undefined,
  kind: 'different',
  expected: undefined,
  found: undefined,
}
