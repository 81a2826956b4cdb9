import { describe, expect, it } from 'vitest'

import { parseDatabaseConfig } from './define-database.ts'
import { parseWorkspaceConfig } from './define-workspace.ts'

describe('the hooks of a database', () => {
  it('are lists, whether one file is declared or several', () => {
    const hooks = { before: './a.sql', after: ['./b.sql', './c.ts'] } as const

    expect(parseDatabaseConfig({ name: 'main', hooks })).toMatchObject({
      ok: true,
      config: { hooks: { before: ['./a.sql'], after: ['./b.sql', './c.ts'], onFailure: [] } },
    })
  })

  it('are nothing where none is declared', () => {
    const result = parseDatabaseConfig({ name: 'main' })

    expect(result.ok && 'hooks' in result.config).toBe(false)
  })

  it.each([
    [{ before: './a.sh' }, '"hooks.before" must be the path of a file of SQL or TypeScript, and is "./a.sh"'],
    [{ before: 1 }, '"hooks.before" must be the path of a file of SQL or TypeScript, or a list of such, and is 1'],
    [{ after: ['./a.sql', ''] }, '"hooks.after.1" must be the path of a file of SQL or TypeScript, and is ""'],
    [{ onfailure: './a.sql' }, '"hooks.onfailure" is not an option'],
    ['./a.sql', '"hooks" must be the hooks: before, after, onFailure, and is "./a.sql"'],
  ])('say what is wrong with %j', (hooks, fault) => {
    expect(parseDatabaseConfig({ name: 'main', hooks })).toEqual({ ok: false, faults: [fault] })
  })

  it('are none of a database that migrates itself', () => {
    expect(parseDatabaseConfig({ kind: 'external', name: 'jobs', hooks: {} })).toEqual({
      ok: false,
      faults: ['"hooks" is not an option'],
    })
  })
})

describe('drover.config.ts', () => {
  it('may declare nothing', () => {
    expect(parseWorkspaceConfig({})).toEqual({
      ok: true,
      config: { hooks: { before: [], after: [], onFailure: [] } },
    })
  })

  it.each([
    [undefined, 'the default export must be defineWorkspace({ … }), and is undefined'],
    [{ hooks: { before: './a.sql' } }, '"hooks.before" must be the path of a file of TypeScript, and is "./a.sql"'],
    [{ hook: {} }, '"hook" is not an option'],
  ])('says what is wrong with %j', (exported, fault) => {
    expect(parseWorkspaceConfig(exported)).toEqual({ ok: false, faults: [fault] })
  })
})
