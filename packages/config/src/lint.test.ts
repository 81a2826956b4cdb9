import { describe, expect, it } from 'vitest'

import { parseDatabaseConfig } from './define-database.ts'

/** What is made of a declaration, or what is wrong with it. */
function parse(lint: unknown, kind?: 'external') {
  const result = parseDatabaseConfig({ name: 'main', lint, ...(kind && { kind, managedBy: 'another' }) })
  return result.ok ? result.config.lint : result.faults
}

describe('lint', () => {
  it('says where to begin and which rules do not apply', () => {
    expect(parse({ after: '51b8e0a6f2cd', allow: ['ban-drop-table', 'renaming-column'] })).toEqual({
      after: '51b8e0a6f2cd',
      allow: ['ban-drop-table', 'renaming-column'],
    })
    expect(parse({})).toEqual({ allow: [] })
  })

  it('is missing from the configuration where nothing is declared', () => {
    expect(parseDatabaseConfig({ name: 'main' })).toMatchObject({
      ok: true,
      config: expect.not.objectContaining({ lint: expect.anything() }),
    })
  })

  it.each([
    [
      { allow: ['ban-drop-tabel'] },
      /^"lint\.allow\.0" must be a rule of lint \(.*ban-drop-table.*and is "ban-drop-tabel"$/,
    ],
    // It is known to squawk, and nothing that Drover asks it for.
    [{ allow: ['require-lock-timeout'] }, /^"lint\.allow\.0" must be a rule of lint/],
    [{ allow: 'ban-drop-table' }, /^"lint\.allow" must be a list of rules of lint, and is "ban-drop-table"$/],
    [{ after: 'head' }, /^"lint\.after" must be the id of a revision, 12 hex digits, and is "head"$/],
    [{ after: 7 }, /^"lint\.after" must be the id of a revision, and is 7$/],
    [{ allowed: [] }, /^"lint\.allowed" is not an option$/],
    ['strict', /^"lint" must hold "after", "allow" or both, and is "strict"$/],
  ])('refuses %j', (lint, fault) => {
    expect(parse(lint)).toEqual([expect.stringMatching(fault)])
  })

  it('is nothing for a database that has no revisions', () => {
    expect(parse({}, 'external')).toEqual(['"lint" is not an option'])
  })
})
