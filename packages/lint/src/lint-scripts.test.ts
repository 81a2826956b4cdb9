import { placeAt } from '@drover/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleScript } from './example-script.ts'
import { lintScripts } from './lint-scripts.ts'
import type { advice } from './rules.ts'

/** A statement for each rule that nothing else is to be said about. */
const examples: Readonly<Record<keyof typeof advice, string>> = {
  'adding-field-with-default': 'alter table a add column b uuid default gen_random_uuid()',
  'adding-foreign-key-constraint': 'alter table a add constraint f foreign key (b) references c (d)',
  'adding-not-nullable-field': 'alter table a alter column b set not null',
  'adding-required-field': 'alter table a add column b text not null',
  'adding-serial-primary-key-field': 'alter table a add primary key (b)',
  'ban-alter-domain-with-add-constraint': 'alter domain a add constraint b check (value > 0)',
  'ban-create-domain-with-constraint': 'create domain a as int check (value > 0)',
  'ban-drop-column': 'alter table a drop column b',
  'ban-drop-database': 'drop database a',
  'ban-drop-not-null': 'alter table a alter column b drop not null',
  'ban-drop-table': 'drop table a',
  'ban-truncate-cascade': 'truncate a cascade',
  'changing-column-type': 'alter table a alter column b type bigint',
  'constraint-missing-not-valid': 'alter table a add constraint c check (b > 0)',
  'disallowed-unique-constraint': 'alter table a add constraint c unique (b)',
  'identifier-too-long': `create table ${'a'.repeat(64)} ()`,
  'renaming-column': 'alter table a rename column b to c',
  'renaming-table': 'alter table a rename to b',
  'require-concurrent-index-creation': 'create index i on a (b)',
  'require-concurrent-index-deletion': 'drop index i',
  'require-concurrent-partition-detach': 'alter table a detach partition b',
  'require-concurrent-reindex': 'reindex table a',
}

/** The rules, with lines and columns, by which a script is judged. */
async function rulesOf(...args: Parameters<typeof exampleScript>): Promise<readonly string[]> {
  const [linted] = await lintScripts([exampleScript(...args)], [])
  return linted!.findings.map(({ rule, line, column }) => `${line}:${column} ${rule}`)
}

describe('each rule', () => {
  it('finds what it is about, and no other finds it again', async () => {
    const entries = Object.entries(examples)

    const linted = await lintScripts(
      entries.map(([, sql]) => exampleScript(sql)),
      [],
    )

    expect(linted.map(({ findings, notes }) => [...findings.map(({ rule }) => rule), ...notes])).toEqual(
      entries.map(([rule]) => [rule]),
    )
  })

  it('is not asked where database.ts allows it', async () => {
    const linted = await lintScripts([exampleScript('drop table a; drop index i;')], ['ban-drop-table'])

    expect(linted[0]!.findings.map(({ rule }) => rule)).toEqual(['require-concurrent-index-deletion'])
  })
})

describe('what is safe', () => {
  it.each([
    [
      'a new table with all that belongs to it',
      'create table a (b int primary key, c int references d); create index i on a (b); alter table a add constraint u unique (b); alter table a alter b set not null; alter table a rename b to e',
    ],
    ['a column that may be null', 'alter table a add column b text'],
    ['a column with a constant default', `alter table a add column b text not null default 'x'`],
    ['a constraint that is checked later', 'alter table a add constraint c check (b > 0) not valid'],
    ['the check of it', 'alter table a validate constraint c'],
    ['rows', 'update a set b = 1; delete from a; truncate a'],
    // Drover sets both for each statement.
    ['what has no timeout of its own', 'alter table a add column b text; comment on table a is $$x$$'],
  ])('is no finding: %s', async (_, sql) => {
    expect(await rulesOf(sql)).toEqual([])
  })

  it('is to build indexes outside of transactions', async () => {
    const sql = 'create index concurrently i on a (b);\ndrop index concurrently j;\n'

    expect(await rulesOf(sql, { transaction: 'none' })).toEqual([])
  })

  it('is to take away in a contract revision what the old code used, but not to rename', async () => {
    const sql = `alter table a drop column b, alter column c drop not null;\ndrop table d;\nalter table e rename to f;\n`

    expect(await rulesOf(sql)).toEqual([
      '1:15 ban-drop-column',
      '1:45 ban-drop-not-null',
      '2:1 ban-drop-table',
      '3:15 renaming-table',
    ])
    expect(await rulesOf(sql, { phase: 'contract' })).toEqual(['3:15 renaming-table'])
    expect(await rulesOf(sql, { phase: 'expand' })).toHaveLength(4)
  })

  it('is to take away on the way back what the way up has brought, but not to keep others waiting', async () => {
    expect(await rulesOf('drop table a;\ncreate index i on b (c);\n', {}, 'down')).toEqual([
      '2:1 require-concurrent-index-creation',
    ])
  })
})

it('counts characters where the linter counts bytes', async () => {
  expect(await rulesOf(`select 'é😀'; drop table a;\r\n/* ü */ drop table b;`)).toEqual([
    '1:14 ban-drop-table',
    '2:9 ban-drop-table',
  ])
})

it('finds places whatever stands before them', async () => {
  const before = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }).map((text) => `/* ${text.replaceAll(/[*/]/g, '')} */`),
      fc.string({ unit: 'grapheme' }).map((text) => `select '${text.replaceAll(/['\0]/g, '')}';`),
      fc.constantFrom('\n', '\r\n', '\t'),
    ),
  )
  const texts = fc.sample(before, 300).map((parts) => parts.join(''))

  const linted = await lintScripts(
    texts.map((text) => exampleScript(`${text}drop table a;`)),
    [],
  )

  expect(linted.map(({ findings }) => findings.map(({ at, line, column }) => ({ at, line, column })))).toEqual(
    texts.map((text) => [{ at: text.length, ...placeAt(text, text.length) }]),
  )
})

it('looks at both when a constraint is added beside another that is said better', async () => {
  const sql = 'alter table a add constraint u unique (b), add constraint c check (b > 0), add column d int primary key'

  expect(await rulesOf(sql)).toEqual([
    '1:19 disallowed-unique-constraint',
    '1:44 constraint-missing-not-valid',
    '1:93 adding-serial-primary-key-field',
  ])
})

it('sees a constraint that is checked in the transaction that adds it', async () => {
  const sql = 'alter table a add constraint c check (b > 0) not valid;\nalter table a validate constraint c;\n'

  expect(await rulesOf(sql)).toEqual(['2:15 constraint-missing-not-valid'])
  expect(await rulesOf(sql, { transaction: 'none' })).toEqual([])
})

it('reads a statement that is repeated, with its places for keys', async () => {
  const sql = 'drop table x; update a set b = 1\nwhere id > :from and id <= :to'
  const batch = { range: { key: 'a.id', size: 10 }, pauseMs: 0 }
  const [linted] = await lintScripts([exampleScript(sql.slice(14), { batch })], [])

  expect(linted).toMatchObject({ findings: [], notes: [] })
  expect((await lintScripts([exampleScript(sql)], []))[0]!.notes).toHaveLength(1)
})

it('leaves out a statement that the linter cannot read, says so, and finds what is around it', async () => {
  const sql = 'drop table a;\nselect no sql at all from;\ndrop table b;\n\nselec;\ndrop table c;\n'
  const [linted] = await lintScripts([exampleScript(sql)], [])

  expect(linted!.findings.map(({ line }) => line)).toEqual([1, 3, 6])
  expect(linted!.notes).toEqual(
    [2, 5].map((line) =>
      expect.stringMatching(new RegExp(`migration\\.sql:${line}: the linter cannot read the statement`)),
    ),
  )
})

it('obeys comments of ours and of the linter, and says which of ours are for nothing', async () => {
  const sql = `-- drover:allow ban-drop-table because nobody reads it
drop table a;
-- squawk-ignore ban-drop-table
drop table b;
-- drover:allow ban-drop-column because it says something else
drop table c;
`
  const [linted] = await lintScripts([exampleScript(sql)], [])

  expect(linted!.findings.map(({ line }) => line)).toEqual([6])
  expect(linted!.notes).toEqual([
    expect.stringContaining('migration.sql:5: allows ban-drop-column, which is not found'),
  ])
})

it('has nothing to say about nothing', async () => {
  expect(await lintScripts([], [])).toEqual([])
  expect(await rulesOf('')).toEqual([])
  expect(await rulesOf('-- only a comment')).toEqual([])
})
