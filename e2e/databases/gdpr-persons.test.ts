import { setTimeout } from 'node:timers/promises'

import postgres from 'postgres'
import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import { repository } from '../harness/repository-databases.ts'
import { startMigrate } from '../harness/workspace.ts'
import { insertPeople } from './gdpr-rows.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'

/** Every column of personal data of Ada says so; what others did to her is in the trail as well. */
const insertEverything = `
${insertPeople};
update user_profiles set full_name = 'Ada Lovelace', metadata = '{"plan": "free"}' where user_id = 'ada';
update conversations set title = 'A greeting' where user_id = 'ada';
insert into consent_records (user_id, consent_type, granted, timestamp, ip_address, user_agent) values
  ('ada', 'mail', false, '2026-01-01T00:00:00Z', '192.0.2.1', 'Browser of Ada');
insert into audit_logs (user_id, action, resource_type, resource_id, ip_address, user_agent, metadata) values
  ('ada', 'profile.update', 'profile', 'ada', '192.0.2.1', 'Browser of Ada', '{"trace": "t1"}'),
  ('grace', 'profile.lock', 'profile', 'ada', '192.0.2.2', 'Browser of Grace', '{"trace": "t2"}'),
  ('grace', 'profile.update', 'profile', 'grace', '192.0.2.2', 'Browser of Grace', '{}')`

const tables = ['user_profiles', 'user_preferences', 'consent_records', 'conversations']

let gdpr: MigratedDatabase
beforeAll(async () => {
  gdpr = await migrateToHead('gdpr', insertEverything)
  return () => gdpr[Symbol.asyncDispose]()
})

const erase = (person: string) => `select erase_person('${person}', 'request of 20 November') as result`

describe('export_person', () => {
  test('has every row of the person with all its columns, and nothing of others', async () => {
    const [exported] = await queryColumn(gdpr.application, `select export_person('ada')`)
    const rowsOf = (table: string) =>
      queryColumn(
        gdpr.application,
        `set timezone = 'UTC'; select to_jsonb(row) from ${table} as row where user_id = 'ada'`,
      )

    expect([exported.profile]).toEqual(await rowsOf('user_profiles'))
    expect([exported.preferences]).toEqual(await rowsOf('user_preferences'))
    expect(exported.consents).toHaveLength(2)
    expect(exported.consents).toEqual(expect.arrayContaining([...(await rowsOf('consent_records'))]))
    expect(exported.conversations).toEqual(await rowsOf('conversations'))
    expect(JSON.stringify(exported)).not.toMatch(/grace/i)
    expect(JSON.stringify(exported)).not.toContain('192.0.2.2')
  })

  test('has every column that the data map calls personal', async () => {
    const map = await startMigrate(['data-map', '-d', 'gdpr', '--json'], { cwd: repository, env: {} }).ended
    const [exported] = await queryColumn(gdpr.application, `select export_person('ada')`)
    const found: Readonly<Record<string, readonly object[]>> = {
      user_profiles: [exported.profile],
      user_preferences: [exported.preferences],
      consent_records: exported.consents,
      conversations: exported.conversations,
      audit_logs: exported.audit_logs,
    }

    const personal = map.json().databases[0].columns.filter((column: { personal: boolean }) => column.personal)
    expect(personal.length).toBeGreaterThan(10)
    for (const { table, column } of personal) {
      const values = found[table]!.flatMap((row) => Object.entries(row)).filter(([name]) => name === column)
      expect({ table, column, values }).toEqual({
        table,
        column,
        values: expect.arrayContaining([[column, expect.anything()]]),
      })
    }
  })

  test('tells what others did to the person, and not who they are', async () => {
    const [{ audit_logs: entries }] = await queryColumn(gdpr.application, `select export_person('ada')`)

    expect(entries).toMatchObject([
      { action: 'profile.export', user_id: 'ada' },
      {
        action: 'profile.update',
        user_id: 'ada',
        resource_id: 'ada',
        ip_address: '192.0.2.1',
        metadata: { trace: 't1' },
      },
      { action: 'profile.lock', resource_type: 'profile', resource_id: 'ada' },
    ])
    expect(Object.keys(entries[2]).toSorted()).toEqual([
      'action',
      'log_id',
      'resource_id',
      'resource_type',
      'timestamp',
    ])
  })

  test('is the same in every time zone, and changes nothing', async () => {
    const [here] = await queryColumn(gdpr.application, `select export_person('ada')`)

    expect(
      await queryColumn(
        gdpr.application,
        `set timezone = 'Asia/Kathmandu'; begin read only; select export_person('ada')`,
      ),
    ).toEqual([here])
  })

  test('of nobody is empty', async () => {
    expect(await queryColumn(gdpr.application, `select export_person('nobody')`)).toEqual([
      { user_id: 'nobody', profile: null, preferences: null, consents: [], conversations: [], audit_logs: [] },
    ])
  })
})

describe('erase_person', () => {
  test('leaves no trace of the person in any table, and everything of others', async () => {
    await using copy = await gdpr.copy()
    const others = (table: string) =>
      query(copy.owner, `select * from ${table} where user_id is distinct from 'ada' order by ${table}::text`)
    const before = await Promise.all(tables.map(others))

    const [result] = await queryColumn(copy.application, erase('ada'))

    expect(result).toEqual({
      pseudonym: expect.stringMatching(/^erased:[0-9a-f-]{36}$/),
      erased: { user_profiles: 1, user_preferences: 1, consent_records: 2, conversations: 1, audit_logs: 3 },
    })
    expect(await Promise.all(tables.map(others))).toEqual(before)
    for (const table of [...tables, 'audit_logs']) {
      const texts = await queryColumn(copy.owner, `select ${table}::text from ${table}`)
      expect(texts.filter((text) => /\bada\b|Ada|192\.0\.2\.1\b|A greeting/.test(text))).toEqual([])
    }
    expect(await queryColumn(copy.owner, `select export_person('ada') ->> 'profile'`)).toEqual([null])
  })

  test('puts one pseudonym in the place of the person in the trail, and keeps it whole', async () => {
    await using copy = await gdpr.copy()
    const [{ pseudonym }] = await queryColumn(copy.application, erase('ada'))

    expect(
      await query(
        copy.application,
        `select user_id, action, resource_id, host(ip_address) as ip, user_agent from audit_logs order by sequence`,
      ),
    ).toEqual([
      { user_id: pseudonym, action: 'profile.export', resource_id: null, ip: null, user_agent: null },
      { user_id: 'grace', action: 'profile.export', resource_id: null, ip: null, user_agent: null },
      { user_id: null, action: 'retention.run', resource_id: null, ip: null, user_agent: null },
      { user_id: pseudonym, action: 'profile.update', resource_id: pseudonym, ip: null, user_agent: null },
      {
        user_id: 'grace',
        action: 'profile.lock',
        resource_id: pseudonym,
        ip: '192.0.2.2',
        user_agent: 'Browser of Grace',
      },
      {
        user_id: 'grace',
        action: 'profile.update',
        resource_id: 'grace',
        ip: '192.0.2.2',
        user_agent: 'Browser of Grace',
      },
      { user_id: null, action: 'person.erase', resource_id: pseudonym, ip: null, user_agent: null },
    ])
    expect(await query(copy.application, 'select * from verify_audit_logs()')).toEqual([])
    // Another person, whose entries name the first.
    await query(copy.application, erase('grace'))
    expect(await query(copy.application, 'select * from verify_audit_logs()')).toEqual([])
  })

  test('keeps which decisions there were as evidence, with the reason', async () => {
    await using copy = await gdpr.copy()
    await query(copy.application, erase('ada'))

    expect(await queryColumn(copy.owner, `select metadata from audit_logs where action = 'person.erase'`)).toEqual([
      {
        reason: 'request of 20 November',
        by: new URL(copy.application).username,
        erased: { user_profiles: 1, user_preferences: 1, consent_records: 2, conversations: 1, audit_logs: 3 },
        consents: [
          {
            consent_type: 'mail',
            granted: false,
            timestamp: '2026-01-01T00:00:00+00:00',
            legal_basis: 'consent',
            withdrawn_at: null,
          },
          expect.objectContaining({ consent_type: 'analytics', granted: true }),
        ],
      },
    ])
  })

  test('done again finds nobody, and writes nothing', async () => {
    await using copy = await gdpr.copy()
    await query(copy.application, erase('ada'))
    const trail = await query(copy.owner, 'select * from audit_logs order by sequence')
    const nothing = { user_profiles: 0, user_preferences: 0, consent_records: 0, conversations: 0, audit_logs: 0 }

    expect(await queryColumn(copy.application, erase('ada'))).toEqual([{ pseudonym: null, erased: nothing }])
    expect(await queryColumn(copy.application, erase('nobody'))).toEqual([{ pseudonym: null, erased: nothing }])
    expect(await query(copy.owner, 'select * from audit_logs order by sequence')).toEqual(trail)
  })

  test('erases what came after an erasure under another pseudonym', async () => {
    await using copy = await gdpr.copy()
    const [first] = await queryColumn(copy.application, erase('ada'))
    await query(copy.application, `insert into audit_logs (user_id, action) values ('ada', 'sign-in.refused')`)

    const [second] = await queryColumn(copy.application, erase('ada'))

    expect(second).toMatchObject({ erased: { user_profiles: 0, audit_logs: 1 } })
    expect(second.pseudonym).not.toBe(first.pseudonym)
    expect(await query(copy.application, 'select * from verify_audit_logs()')).toEqual([])
  })

  test('waits for entries that are being written, and finds the person in them', async () => {
    await using copy = await gdpr.copy()
    const writer = postgres(copy.application, { max: 1, onnotice: () => {} })
    try {
      const erased = await writer.begin(async (transaction) => {
        await transaction`insert into audit_logs (user_id, action) values ('ada', 'profile.view')`
        const erasing = queryColumn(copy.application, erase('ada'))
        await waitForWaiting(copy.owner)
        return { erasing }
      })

      expect(await erased.erasing).toMatchObject([{ erased: { audit_logs: 4 } }])
      expect(await query(copy.owner, 'select * from verify_audit_logs()')).toEqual([])
    } finally {
      await writer.end()
    }
  })

  test('is undone with its transaction', async () => {
    await using copy = await gdpr.copy()
    const before = await queryColumn(copy.owner, `select export_person('ada')`)

    await query(copy.application, `begin; ${erase('ada')}; rollback`)

    expect(await queryColumn(copy.owner, `select export_person('ada')`)).toEqual(before)
  })

  test('lets nothing else be deleted afterwards in the same transaction', async () => {
    expect(await refusalOf(gdpr.owner, `${erase('ada')}; delete from consent_records where user_id = 'grace'`)).toBe(
      '23000',
    )
    expect(await queryColumn(gdpr.owner, `begin; ${erase('ada')}; select current_setting('gdpr.erasing')`)).toEqual([
      '',
    ])
  })

  test('needs a person and a reason', async () => {
    expect(await refusalOf(gdpr.application, `select erase_person('ada', ' ')`)).toBe('22023')
    expect(await refusalOf(gdpr.application, `select erase_person('ada', null)`)).toBe('22023')
    expect(await refusalOf(gdpr.application, `select erase_person('', 'request')`)).toBe('22023')
  })

  test('is not for those who may not delete a profile', async () => {
    await using copy = await gdpr.copy()
    await query(copy.owner, `revoke delete on user_profiles from ${new URL(copy.application).username}`)

    expect(await refusalOf(copy.application, erase('ada'))).toBe('42501')
  })

  test('runs nothing of its caller as the owner', async () => {
    await using copy = await gdpr.copy()
    await query(copy.owner, `grant temporary on database ${new URL(copy.owner).pathname.slice(1)} to public`)
    const traps = `
create function pg_temp.spring(anything anyelement) returns boolean language plpgsql as $$ begin raise exception 'sprung'; end $$;
create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.spring(value));
create domain pg_temp.text as pg_catalog.text check (pg_temp.spring(value));
create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.spring(value));
create temporary table audit_logs (like public.audit_logs);
create temporary table user_profiles (like public.user_profiles);
set search_path = pg_temp, public`

    const call = `${traps}; select public.erase_person('ada', 'request')`

    expect(await refusalOf(copy.application, call)).toBe('accepted')
    // They are traps: an empty path has temporary types before those of PostgreSQL.
    await query(copy.owner, `alter function erase_person(text, text) set search_path = ''`)
    expect(await refusalOf(copy.application, call)).toBe('P0001')
  })
})

/** Resolves when somebody waits for a lock of the trail in this database. */
async function waitForWaiting(url: string): Promise<void> {
  const waiting = `
select exists (
  select from pg_locks
  join pg_database on pg_database.oid = pg_locks.database
  where datname = current_database() and locktype = 'advisory' and not granted
)`
  while (!(await queryColumn(url, waiting))[0]) await setTimeout(20)
}
