import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { ConnectionUrl, quoteIdentifier, quoteLiteral } from '@drover/engine'
import { expect, onTestFinished, test } from 'vitest'

import { createCanary } from './harness/canary.ts'
import { count, inBatches, sampleTexts } from './harness/hostile-text.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { query, queryColumn } from './harness/query.ts'
import { createWorkspace } from './harness/workspace.ts'

test.each(['on', 'off'])(
  '10,000 texts come back from the server as they were, with standard_conforming_strings %s',
  async (setting) => {
    await using database = await createCanary()
    const texts = sampleTexts()
    const sendable = texts.filter((text) => !text.includes('\0'))
    expect(sendable.length).toBeGreaterThan(count / 2)

    for (const text of texts.filter((one) => one.includes('\0'))) {
      expect(() => quoteLiteral(text)).toThrow('NUL character')
    }
    for (const some of inBatches(sendable)) {
      const values = some.map((text, index) => `(${index}, ${quoteLiteral(text)})`)
      const rows = await database.connection.send(
        `set local standard_conforming_strings = ${setting}; select value from (values ${values.join(', ')}) as list (index, value) order by index`,
      )
      expect(rows.map(({ value }) => value)).toEqual(some)
    }
    expect(await database.isWhole()).toBe(true)
  },
)

test('10,000 slugs make as many schemas, columns and roles with exactly their names, or are refused before anything is sent', async () => {
  await using database = await createCanary()
  const slugs = new Set(sampleTexts())
  const names = [...slugs].map((slug) => `tenant_${slug}`)
  const usable = names.filter((name) => !name.includes('\0') && Buffer.byteLength(name) <= 63)
  expect(usable.length).toBeGreaterThan(slugs.size / 2)
  expect(usable.length).toBeLessThan(slugs.size)

  for (const name of names) {
    if (!usable.includes(name))
      expect(() => quoteIdentifier(name)).toThrow(/NUL character|bytes, and PostgreSQL keeps 63/)
  }
  const { connection } = database
  for (const some of inBatches(usable)) {
    const quoted = some.map(quoteIdentifier)
    await connection.send(`begin;
${quoted.map((name) => `create schema ${name}; create role ${name};`).join('\n')}
create table columns (${quoted.map((name) => `${name} integer`).join(', ')})`)
    const rows = await connection.send(`select nspname as name from pg_namespace where starts_with(nspname, 'tenant_')
union all
select rolname from pg_roles where starts_with(rolname, 'tenant_')
union all
select attname from pg_attribute where attrelid = 'columns'::regclass and attnum > 0`)
    await connection.send('rollback')
    expect(rows.map(({ name }) => name).toSorted(compare)).toEqual([...some, ...some, ...some].toSorted(compare))
  }
  expect(await database.isWhole()).toBe(true)
})

test('10,000 users, passwords and names of databases are read from URLs as they were written, and no password is shown', () => {
  const [users, databases] = [sampleTexts(1), sampleTexts(2)]
  for (const [index, text] of sampleTexts().entries()) {
    const parts = { user: `u${users[index]}`, password: `pass-${text}-word`, database: `d${databases[index]}` }
    const [user, password, database] = Object.values(parts).map(encodeURIComponent)
    const written = `postgres://${user}:${password}@db.example.com:6432/${database}`
    if (Object.values(parts).some((part) => part.includes('\0'))) {
      expect(() => ConnectionUrl.parse(written, 'DATABASE_URL')).toThrow('NUL character')
      expect(() => ConnectionUrl.parse(written, 'DATABASE_URL')).not.toThrow('pass-')
      continue
    }
    const url = ConnectionUrl.parse(written, 'DATABASE_URL')

    expect({ user: url.user, password: url.revealPassword(), database: url.database, host: url.host }).toEqual({
      ...parts,
      host: 'db.example.com',
    })
    for (const shown of [String(url), JSON.stringify(url), inspect(url, { depth: 9, showHidden: true })]) {
      expect(shown).not.toContain('pass-')
      expect(shown).not.toContain('-word')
    }
  }
})

test('a password that nobody has percent-encoded is not shown, whatever is wrong with the URL', () => {
  let refused = 0
  for (const text of sampleTexts()) {
    try {
      const url = ConnectionUrl.parse(`postgres://user:pass-${text}-word@db.example.com/name`, 'DATABASE_URL')
      expect(inspect(url, { depth: 9 })).not.toContain(`pass-${text}-word`)
    } catch (error) {
      refused += 1
      expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`).not.toContain('pass-')
    }
  }
  expect(refused).toBeGreaterThan(count / 10)
})

test('10,000 texts in the messages of revisions come through JSON as they were', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main', { create: false })
  const texts = sampleTexts()
  const messages = Array.from({ length: count / 10 }, (_, index) => texts.slice(index * 10, index * 10 + 10).join(''))
  for (const [index, message] of messages.entries()) await workspace.addRevision('main', { id: idOf(index), message })

  const history = (await workspace.migrate('history', '--json')).json()

  const found = new Map(history.databases[0].revisions.map(({ id, message }: any) => [id, message]))
  expect(messages.map((_, index) => found.get(idOf(index)))).toEqual(messages)
})

test('messages of revisions do not get out of the comments of a script, nor of the record of a run', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await query(url, 'create table canary ()')
  const messages = sampleTexts().slice(0, 300)
  for (const [index, message] of messages.entries()) await workspace.addRevision('main', { id: idOf(index), message })
  const script = await workspace.migrate('upgrade', '--sql')

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(url, 'select count(*)::int from drover.applied')).toEqual([messages.length])
  expect(await workspace.migrate('downgrade', 'base')).toMatchObject({ exitCode: 0 })
  if (hasPsql) {
    expect(await runScript(url, script.stdout)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await queryColumn(url, 'select count(*)::int from drover.applied')).toEqual([messages.length])
  }
  expect(await queryColumn(url, `select to_regclass('canary') is not null`)).toEqual([true])
})

async function runScript(url: string, sql: string): ReturnType<typeof runPsql> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-names-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'script.sql'), sql)
  // That something is there already is no news.
  return runPsql(url, join(folder, 'script.sql'), { env: { PGOPTIONS: '-c client_min_messages=warning' } })
}

function idOf(index: number): string {
  return (0xa00000000000 + index).toString(16)
}

function compare(one: unknown, other: unknown): number {
  return String(one) < String(other) ? -1 : Number(String(one) > String(other))
}
