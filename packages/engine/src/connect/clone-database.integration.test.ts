import { createHash } from 'node:crypto'
import { hostname } from 'node:os'

import { expect, inject, test } from 'vitest'

import { createClone, readSessions } from './clone-database.ts'
import { nameClone } from './clone-name.ts'
import { openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'
import { exampleDatabase } from './example-database.ts'

const maker = ConnectionUrl.parse(inject('serverUrl'), 'the server of the tests')

async function databasesLike(name: string): Promise<readonly string[]> {
  await using connection = openConnection(maker)
  const rows = await connection.send(`select datname from pg_database where datname = '${name}'`)
  return rows.map((row) => String(row['datname']))
}

test('a clone has the rows and the settings of its template, lets nobody else in, and goes', async () => {
  await using source = await exampleDatabase(inject('serverUrl'))
  const template = source.url.database
  {
    await using connection = openConnection(source.url)
    await connection.send(`create table notes as select 1 as one;
alter database "${template}" set search_path = app, public;
alter database "${template}" set app.tenant = 'it''s';
alter role current_user in database "${template}" set work_mem = '5MB'`)
  }
  const clone = await createClone({ maker, template })

  {
    await using connection = openConnection(clone.url)
    expect(
      await connection.send(`select one, current_setting('search_path') as path, current_setting('app.tenant') as tenant,
  current_setting('work_mem') as memory, has_database_privilege('pg_monitor', current_database(), 'connect') as open from notes`),
    ).toEqual([{ one: 1, path: 'app, public', tenant: "it's", memory: '5MB', open: false }])
  }
  await clone[Symbol.asyncDispose]()

  expect(await databasesLike(clone.url.database)).toEqual([])
})

test('a template that somebody is connected to is not copied, and says who they are', async () => {
  await using source = await exampleDatabase(inject('serverUrl'))
  const other = source.connect()
  await other.send(`set application_name = 'a shop'`)
  await using maintenance = openConnection(maker)

  expect(await readSessions(maintenance, source.url.database)).toEqual([{ application: 'a shop', sessions: 1 }])
  await expect(createClone({ maker, template: source.url.database })).rejects.toMatchObject({ code: '55006' })
})

test('what a rehearsal has left behind that was killed is dropped by the next one, and nothing else is', async () => {
  const now = Date.now()
  // No process has so high an id.
  const dead = nameClone({ host: hostname(), pid: 99_999_999, now }, 'abc')
  const elsewhere = nameClone({ host: createHash('md5').update(hostname()).digest('hex'), pid: 99_999_999, now }, 'abc')
  await using maintenance = openConnection(maker)
  for (const name of [dead, elsewhere]) await maintenance.send(`create database ${name}`)

  await using clone = await createClone({ maker })

  expect(await databasesLike(dead)).toEqual([])
  expect(await databasesLike(elsewhere)).toEqual([elsewhere])
  expect(await databasesLike(clone.url.database)).toEqual([clone.url.database])
  await maintenance.send(`drop database ${elsewhere}`)
})
