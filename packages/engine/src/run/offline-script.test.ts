import { describe, expect, it } from 'vitest'

import { checksum } from '@drover/history'

import { splitStatements } from '../source/statements.ts'
import { exampleHistory, exampleId, exampleScripts } from './example-plan.ts'
import { findOfflineProblems, type OfflinePlan, writeOfflineScript } from './offline-script.ts'

const sources = [
  { up: 'create table one ();\n', down: 'drop table one;\n' },
  { up: "-- the second: it's open\ncreate table two () -- nothing behind this", down: 'drop table two' },
  { up: '-- nothing to do\n', down: '' },
]

function plan(direction: 'up' | 'down' = 'up', options: Partial<OfflinePlan> = {}): OfflinePlan {
  return {
    history: exampleHistory(3),
    name: 'main',
    direction,
    scripts: exampleScripts(sources, direction),
    release: '5c1c3c4e-0000-8000-8000-000000000000',
    version: '1.2.3',
    gitCommit: undefined,
    ...options,
  }
}

describe('writeOfflineScript', () => {
  it('is one transaction for the beginning, one for each revision, and one for the end', () => {
    const sql = writeOfflineScript(plan())

    expect(sql.match(/^begin;$/gm)).toHaveLength(5)
    expect(sql.match(/^commit;$/gm)).toHaveLength(5)
    expect(sql.match(/reset all; discard temp; set client_encoding = 'UTF8';/g)).toHaveLength(5)
  })

  it('is the same for the same plan', () => {
    expect(writeOfflineScript(plan())).toBe(writeOfflineScript(plan()))
  })

  it('ends what a file leaves open, behind its comment', () => {
    const statements = splitStatements(writeOfflineScript(plan())).map(({ text }) => text)

    expect(statements).toContain('create table one ()')
    expect(statements).toContain('create table two ()')
    expect(statements.filter((text) => text.startsWith('insert into drover.applied'))).toHaveLength(3)
  })

  it('makes the tables of Drover only where it may be the first to come', () => {
    const [first, ...others] = exampleScripts(sources)

    expect(writeOfflineScript(plan('up', { scripts: [first!] }))).toContain('create schema drover')
    expect(writeOfflineScript(plan('up', { scripts: others }))).not.toContain('create schema')
    expect(writeOfflineScript(plan('down'))).not.toContain('create schema')
  })

  it('lets nothing that a message holds out of its comment', () => {
    const [script] = exampleScripts(sources)
    const message = 'one\ndrop table x;\r\n\u2028-- two\u0085three'
    const scripts = [{ ...script!, revision: { ...script!.revision, message } }]

    const sql = writeOfflineScript(plan('up', { scripts }))

    expect(splitStatements(sql).map(({ text }) => text)).not.toContain('drop table x')
    expect(sql).toContain(`--   ${exampleId(1)} one drop table x; -- two three\n`)
  })

  it('says what has to be there in other databases', () => {
    const [script] = exampleScripts(sources)
    const dependsOnElsewhere = [{ database: 'credentials', revision: exampleId(7) }]
    const scripts = [{ ...script!, revision: { ...script!.revision, dependsOnElsewhere } }]

    expect(writeOfflineScript(plan('up', { scripts }))).toContain(`--   credentials/${exampleId(7)}\n`)
  })
})

describe('findOfflineProblems', () => {
  it.each(['select 1;\n\\! true\n', 'select 1 \\gexec\n', "select 'a'\\;\n"])(
    'finds a command to psql in %j',
    (sql) => {
      expect(findOfflineProblems(scriptOf(sql))).toMatchObject([
        { code: 'REVISION_INVALID', file: 'migrations/1/migration.sql' },
      ])
    },
  )

  it.each([
    String.raw`select '\d', E'\'\\', "a\b";`,
    String.raw`-- it's \d` + '\nselect 1;',
    String.raw`/* \d ' */ select 1;`,
    String.raw`do $$ begin raise notice '\'; end $$;`,
  ])('leaves a backslash in strings, names and comments alone: %s', (sql) => {
    expect(findOfflineProblems(scriptOf(sql))).toEqual([])
  })
})

function scriptOf(sql: string): ReturnType<typeof exampleScripts>[number] {
  const [script] = exampleScripts([{ up: sql }])
  return { ...script!, sql, statements: splitStatements(sql), checksum: checksum(sql) }
}
