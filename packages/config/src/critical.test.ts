import { describe, expect, it } from 'vitest'

import { parseDatabaseConfig } from './define-database.ts'

/** What is made of a list, or what is wrong with it. */
function parse(critical: unknown, kind?: 'external') {
  const result = parseDatabaseConfig({ name: 'main', critical, ...(kind && { kind }) })
  return result.ok ? result.config.critical : result.faults
}

describe('critical', () => {
  it('names tables as SQL does, in the schema public where it names no other', () => {
    expect(parse(['users', 'audit.logs', '"Order"', 'shop."Order ""7"""', '"a.b"', '"a.b"."c.d"'])).toEqual([
      { schema: 'public', table: 'users', written: 'users' },
      { schema: 'audit', table: 'logs', written: 'audit.logs' },
      { schema: 'public', table: 'Order', written: '"Order"' },
      { schema: 'shop', table: 'Order "7"', written: 'shop."Order ""7"""' },
      { schema: 'public', table: 'a.b', written: '"a.b"' },
      { schema: 'a.b', table: 'c.d', written: '"a.b"."c.d"' },
    ])
  })

  it('is missing from the configuration where nothing is declared', () => {
    expect(parseDatabaseConfig({ name: 'main' })).toMatchObject({
      ok: true,
      config: expect.not.objectContaining({ critical: expect.anything() }),
    })
  })

  it('may be declared for a database that migrates itself', () => {
    expect(parse(['realm'], 'external')).toEqual([{ schema: 'public', table: 'realm', written: 'realm' }])
  })

  it.each([
    ['Users', /^"critical\.0" must be a table as SQL names it, .*, and is "Users"$/],
    ['a.b.c', /^"critical\.0" must be a table as SQL names it/],
    ['', /^"critical\.0" must be a table as SQL names it/],
    ['"', /^"critical\.0" must be a table as SQL names it/],
    ['users;', /^"critical\.0" must be a table as SQL names it/],
    ['a"b', /^"critical\.0" must be a table as SQL names it/],
    [7, /^"critical\.0" must be the name of a table, and is 7$/],
    ['ä'.repeat(32), /^"critical\.0" must be a table as SQL names it/],
    [`"${'ä'.repeat(32)}"`, /^"critical\.0" must be made of names of at most 63 bytes/],
  ])('refuses %j', (name, fault) => {
    expect(parse([name])).toEqual([expect.stringMatching(fault)])
  })

  it('refuses what is no list, and a table that is named twice', () => {
    expect(parse('users')).toEqual(['"critical" must be a list of tables, and is "users"'])
    expect(parse(['users', 'logs', 'public.users', '"users"'])).toEqual([
      '"critical" names the same table twice: users and public.users and "users"',
    ])
  })

  it('does not repeat what may be a password', () => {
    expect(JSON.stringify(parse(['postgres://me:secret@host/db']))).not.toContain('secret')
  })
})
