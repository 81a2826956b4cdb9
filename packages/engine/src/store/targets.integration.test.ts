import { describe, expect, inject, it } from 'vitest'

import type { Connection } from '../connect/connection.ts'
import { type ExampleDatabase, exampleDatabase } from '../connect/example-database.ts'
import { exampleRun } from '../run/example-plan.ts'
import { recordEnd, recordStart } from './runs.ts'
import { ensureStore } from './tables.ts'
import {
  countTenantRows,
  dropTarget,
  groupTargets,
  listOtherTargets,
  readLastFailed,
  readSchemaSizes,
} from './targets.ts'

/** A database in which targets have had revisions, each written as its id and a state. */
async function withTargets(
  targets: Readonly<Record<string, readonly string[]>>,
): Promise<ExampleDatabase & { readonly connection: Connection }> {
  const database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  await ensureStore(connection)
  const run = exampleRun()
  await recordStart(connection, run, [])
  const rows = Object.entries(targets).flatMap(([target, revisions]) =>
    revisions.map((revision) => {
      const [id, checksum = 'sha256:1', state = 'applied'] = revision.split(' ')
      const progress = { revision: id, direction: 'up', done: 1, total: 2, run: run.id, checksum }
      const own = state === 'running' ? `'${JSON.stringify(progress)}'` : 'null'
      return `('main', '${target}', '${id}', '${checksum}', '${state}', ${own}, '${run.id}', 1)`
    }),
  )
  if (rows.length > 0) {
    await connection.send(
      `insert into drover.applied (history, target, revision, checksum, state, progress, run, duration_ms) values ${rows.join(', ')}`,
    )
  }
  return { ...database, connection }
}

/** The targets of each group, without what their states are called. */
async function groupsOf(connection: Connection, names: readonly string[]) {
  const groups = await groupTargets(connection, 'main', names)
  return groups.map(({ targets }) => targets).toSorted((a, b) => (a[0]! < b[0]! ? -1 : 1))
}

describe('groupTargets', () => {
  it('puts those together that have had the same, whatever the order, and those that have had nothing', async () => {
    await using database = await withTargets({ a: ['1', '2'], b: ['2', '1'], c: ['1'], other: ['1', '2'] })

    expect(await groupsOf(database.connection, ['a', 'b', 'c', 'd', 'e'])).toEqual([['a', 'b'], ['c'], ['d', 'e']])
    expect((await groupTargets(database.connection, 'main', ['d']))[0]).toEqual({
      key: '',
      state: { applied: [] },
      targets: ['d'],
    })
  })

  it('keeps apart what has another checksum, and everything that is half done', async () => {
    await using database = await withTargets({
      a: ['1'],
      b: ['1 sha256:2'],
      c: ['1', '2 sha256:1 running'],
      d: ['1', '2 sha256:1 running'],
    })

    expect(await groupsOf(database.connection, ['a', 'b', 'c', 'd'])).toEqual([['a'], ['b'], ['c'], ['d']])
  })

  it('reads what those that are together have had, with how far the one has come that is half done', async () => {
    await using database = await withTargets({
      a: ['1', '2 sha256:2'],
      b: ['1', '2 sha256:2'],
      c: ['1', '3 sha256:1 running'],
    })

    const groups = await groupTargets(database.connection, 'main', ['a', 'b', 'c'])

    const byTarget = new Map(groups.map(({ state, targets }) => [targets[0], state]))
    expect(byTarget.get('a')).toMatchObject({
      applied: [
        { id: '1', checksum: 'sha256:1' },
        { id: '2', checksum: 'sha256:2' },
      ],
    })
    expect(byTarget.get('a')).not.toHaveProperty('halfDone')
    expect(byTarget.get('c')).toMatchObject({
      applied: [{ id: '1' }],
      halfDone: { id: '3', done: 1, total: 2, held: false },
    })
  })

  it('finds the same for a thousand targets, of which all rows are read, as for one', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `t${index}`)
    await using database = await withTargets(Object.fromEntries(names.map((name) => [name, ['1', '2']])))

    const [group] = await groupTargets(database.connection, 'main', names)
    const [alone] = await groupTargets(database.connection, 'main', ['t7'])

    expect(group?.targets).toEqual(names)
    expect(alone?.key).toBe(group?.key)
  })

  it('knows nothing of any target where Drover has never been, nor of other histories', async () => {
    await using fresh = await exampleDatabase(inject('serverUrl'))
    await using database = await withTargets({ a: ['1'] })
    const nothing = { key: '', state: { applied: [] }, targets: ['a'] }

    expect(await groupTargets(fresh.connect(), 'main', ['a'])).toEqual([nothing])
    expect(await groupTargets(database.connection, 'gdpr', ['a'])).toEqual([nothing])
    expect(await groupTargets(database.connection, 'main', [])).toEqual([])
  })

  it('does not believe a schema drover that somebody else has made', async () => {
    await using database = await withTargets({ a: ['1'] })
    await database.connection.send('create role lying_targets; alter schema drover owner to lying_targets')
    try {
      await expect(groupTargets(database.connection, 'main', ['a'])).rejects.toMatchObject({
        code: 'PRIVILEGE_MISSING',
      })
    } finally {
      await database.connection.send('alter schema drover owner to current_user; drop role lying_targets')
    }
  })
})

describe('listOtherTargets', () => {
  it('lists what something is recorded of and is not among the known ones', async () => {
    await using database = await withTargets({ a: ['1', '2'], b: ['1'], '': ['1'] })

    expect(await listOtherTargets(database.connection, 'main', ['a'])).toEqual(['b'])
    expect(await listOtherTargets(database.connection, 'main', [])).toEqual(['a', 'b'])
  })
})

describe('readLastFailed', () => {
  it('reads the tenants of the last run, and passes over those that make or drop one', async () => {
    await using database = await withTargets({})
    const record = async (command: string, tenants?: readonly string[]) => {
      const run = exampleRun(command)
      await recordStart(database.connection, run, [])
      await recordEnd(
        database.connection,
        run,
        tenants ? 'failed' : 'succeeded',
        tenants && { code: 'TENANTS_FAILED', message: 'x', tenants },
      )
    }

    expect(await readLastFailed(database.connection, 'main')).toEqual([])
    await record('tenant upgrade', ['b', 'a'])
    await record('tenant create c')
    expect(await readLastFailed(database.connection, 'main')).toEqual(['a', 'b'])
    await record('tenant upgrade')
    expect(await readLastFailed(database.connection, 'main')).toEqual([])
  })
})

describe('recordStart, of a run that others run beside', () => {
  it('leaves those that are running alone', async () => {
    await using database = await withTargets({})
    await recordStart(database.connection, exampleRun('another'), [], { isShared: true })

    expect(await database.connection.send('select outcome from drover.run')).toEqual([
      { outcome: 'running' },
      { outcome: 'running' },
    ])
  })
})

describe('dropTarget', () => {
  it('takes the schema, its records and its role, and may be repeated', async () => {
    await using database = await withTargets({ 'ten-"ant': ['1'], other: ['1'] })
    const { connection } = database
    await connection.send(
      `create schema "ten-""ant"; create table "ten-""ant".t (); create role drop_target; grant usage on schema "ten-""ant" to drop_target`,
    )

    await dropTarget(connection, 'main', 'ten-"ant', 'drop_target')
    await dropTarget(connection, 'main', 'ten-"ant', 'drop_target')

    expect(await connection.send(`select nspname from pg_namespace where nspname like 'ten-%'`)).toEqual([])
    expect(await connection.send(`select rolname from pg_roles where rolname = 'drop_target'`)).toEqual([])
    expect(await connection.send('select target from drover.applied')).toEqual([{ target: 'other' }])
  })

  it('refuses while a revision is being applied to it', async () => {
    await using database = await withTargets({ a: ['1'] })
    const other = database.connect()
    await database.connection.send('create schema a')
    await other.send(`begin; select pg_advisory_xact_lock(hashtextextended('drover/main/a', 0))`)

    await expect(dropTarget(database.connection, 'main', 'a', undefined)).rejects.toThrow(
      'a revision is being applied to a',
    )

    expect(await countTenantRows(database.connection, 'a')).toEqual([])
  })
})

describe('countTenantRows and readSchemaSizes', () => {
  it('tell of each table of a schema, and of one that is not there', async () => {
    await using database = await exampleDatabase(inject('serverUrl'))
    const connection = database.connect()
    await connection.send('create schema a; create table a.t as select generate_series(1, 3); create table a."T 2" ()')

    expect(await countTenantRows(connection, 'a')).toEqual([
      { name: 'T 2', rows: 0 },
      { name: 't', rows: 3 },
    ])
    expect(await countTenantRows(connection, 'b')).toBeUndefined()
    expect([...(await readSchemaSizes(connection, ['a', 'b'])).keys()]).toEqual(['a'])
  })
})
