import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'libpg-query'
import { describe, expect, it } from 'vitest'

import { normalizeStatement, splitStatements } from './statements.ts'

const tricky = {
  'a body in the standard form': `create function f() returns int language sql begin atomic
  select case when true then 1 else 2 end;
  select 2;
end; select 1`,
  'a procedure that is replaced': `create or replace procedure p() language sql begin atomic select 1; end; select 2`,
  'a body in dollar quotes': `create function g() returns trigger language plpgsql as $body$ begin return new; end $body$; select 1`,
  'dollar quotes inside dollar quotes': `do $a$ begin perform $b$ ; $b$; end $a$; select $$ ; $$`,
  'a rule of several statements': `create rule r as on insert to t do also (insert into a values (1); insert into b values (2)); select 1`,
  'comments inside comments': `/* ; /* ; */ ; */ select 1; -- ;\nselect 2`,
  'strings that go on in the next line': `select 'a;'\n  'b;'; select E'a\\';'\n 'b\\';'; select 2`,
  'names and identifiers with odd characters': `select "a;""b", été$x$, U&"d\\0061t;a" from t; select 1`,
  'a transaction begun by its own word': `begin; select 1; end`,
  'a column called case or end': `create table t (a int default case when true then 1 else 2 end); select 1`,
}

describe('splitStatements beside the parser of PostgreSQL', () => {
  it.each(Object.entries(tricky))('agrees on %s', async (_, sql) => {
    expect(splitStatements(sql).map((statement) => statement.text)).toEqual(await parsed(sql))
  })

  it.each(ownMigrations())('agrees on %s', async (_, sql) => {
    expect(splitStatements(sql).map((statement) => statement.text)).toEqual(await parsed(sql))
  })
})

describe('normalizeStatement beside the parser of PostgreSQL', () => {
  it.each([...Object.entries(tricky), ...ownMigrations()])('keeps the meaning of %s', async (_, sql) => {
    for (const { text } of splitStatements(sql)) {
      expect(await meaningOf(normalizeStatement(text))).toBe(await meaningOf(text))
    }
  })
})

/** The tree of a statement, without the places in its text. */
async function meaningOf(sql: string): Promise<string> {
  const places = new Set([
    'location',
    'stmt_location',
    'stmt_len',
    'list_start',
    'list_end',
    'rexpr_list_start',
    'rexpr_list_end',
  ])
  return JSON.stringify(await parse(sql), (key, value: unknown) => (places.has(key) ? undefined : value))
}

/** The statements as PostgreSQL's own parser cuts them. It counts bytes, and leaves blanks and comments in front. */
async function parsed(sql: string): Promise<readonly string[]> {
  const bytes = Buffer.from(sql)
  const { stmts = [] } = await parse(sql)
  return stmts.map(({ stmt_location: start = 0, stmt_len: length }) => {
    const text = bytes.subarray(start, length === undefined ? undefined : start + length).toString('utf8')
    return withoutMargins(text)
  })
}

function withoutMargins(text: string): string {
  const margin = /^(?:\s|--[^\n]*(?:\n|$)|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*)|\/\*(?:[^*]|\*(?!\/))*\*\/)*\*\/)+/
  return text.replace(margin, '').replace(/(?:\s|--[^\n]*)+$/, '')
}

/** Every SQL file of this repository's own databases. */
function ownMigrations(): readonly (readonly [string, string])[] {
  const databases = join(import.meta.dirname, '..', '..', '..', '..', 'databases')
  return readdirSync(databases, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql') && !path.includes('node_modules'))
    .map((path) => [path, readFileSync(join(databases, path), 'utf8')] as const)
}
