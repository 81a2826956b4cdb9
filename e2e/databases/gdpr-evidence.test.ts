import postgres from 'postgres'
import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import { createRepositoryDatabases } from '../harness/repository-databases.ts'
import { insertPeople } from './gdpr-rows.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'

let gdpr: MigratedDatabase
beforeAll(async () => {
  gdpr = await migrateToHead('gdpr', insertPeople)
  return () => gdpr[Symbol.asyncDispose]()
})

/** What the triggers refuse. */
const refused = '23000'

describe('consents', () => {
  const changes = [
    `update consent_records set granted = not granted`,
    `update consent_records set timestamp = timestamp - interval '1 day'`,
    `update consent_records set withdrawn_at = now(), metadata = '{"text": 2}' where granted`,
    `delete from consent_records`,
    `truncate consent_records`,
    `truncate user_profiles cascade`,
    `delete from user_profiles where user_id = 'ada'`,
    `insert into consent_records select * from consent_records on conflict (consent_id) do update set granted = true`,
    `update consent_records set withdrawn_at = now() where granted;
     update consent_records set withdrawn_at = now() + interval '1 day' where granted`,
    `update consent_records set withdrawn_at = now() where granted;
     update consent_records set withdrawn_at = null where granted`,
  ]

  test.each(changes)('are not changed even by the owner: %s', async (statement) => {
    expect(await refusalOf(gdpr.owner, statement)).toBe(refused)
  })

  test.each(changes.filter((statement) => !statement.startsWith('truncate')))(
    'are not changed by the application: %s',
    async (statement) => {
      expect(await refusalOf(gdpr.application, statement)).toBe(refused)
    },
  )

  test('are not deleted by an application that says it is the erasure', async () => {
    const pretend = `set local gdpr.erasing = 'ada'`

    expect(await refusalOf(gdpr.application, `${pretend}; delete from consent_records where user_id = 'ada'`)).toBe(
      refused,
    )
    // The foreign key deletes as the owner of the table.
    expect(await refusalOf(gdpr.application, `${pretend}; delete from user_profiles where user_id = 'ada'`)).toBe(
      refused,
    )
  })

  test('are withdrawn by a row of their own, which ends the one before', async () => {
    const withdrawal = `
insert into consent_records (user_id, consent_type, granted) values ('ada', 'analytics', false);
update consent_records set withdrawn_at = now() where user_id = 'ada' and granted and withdrawn_at is null`

    expect(await refusalOf(gdpr.application, withdrawal)).toBe('accepted')
  })
})

describe('the audit trail', () => {
  test.each([
    `update audit_logs set action = 'other'`,
    `update audit_logs set user_id = 'grace'`,
    `update audit_logs set ip_address = null, actor_salt = null, user_id = 'erased:1'`,
    `update audit_logs set archived_at = now(), metadata = '{"a": 1}'`,
    `update audit_logs set sequence = sequence + 10`,
    `update audit_logs set hash = previous_hash`,
    `delete from audit_logs`,
    `delete from audit_logs where action = 'retention.run'`,
    `set local gdpr.erasing = 'grace'; delete from audit_logs where user_id = 'grace'`,
    `truncate audit_logs`,
  ])('is not changed even by the owner: %s', async (statement) => {
    expect(await refusalOf(gdpr.owner, statement)).toBe(refused)
  })

  test('is not pseudonymised by an application that says it is the erasure', async () => {
    expect(
      await refusalOf(gdpr.application, `set local gdpr.erasing = 'ada'; update audit_logs set user_id = 'erased:1'`),
    ).toBe(refused)
  })

  test('is numbered from 1 on, whatever the application says', async () => {
    const lie = `insert into audit_logs (action, sequence, hash, previous_hash, actor_digest) values ('x', 99, 'h', 'p', 'd')`

    expect(
      await queryColumn(gdpr.application, `begin; ${lie}; select sequence::integer from audit_logs order by sequence`),
    ).toEqual([1, 2, 3, 4])
    expect(await query(gdpr.application, `begin; ${lie}; select * from verify_audit_logs()`)).toEqual([])
  })

  test('is whole after archival, and in any time zone', async () => {
    const archive = `update audit_logs set archived_at = now() where user_id = 'ada'`

    expect(await query(gdpr.application, 'select * from verify_audit_logs()')).toEqual([])
    expect(await query(gdpr.application, `begin; ${archive}; select * from verify_audit_logs()`)).toEqual([])
    expect(
      await query(
        gdpr.application,
        `set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'; select * from verify_audit_logs()`,
      ),
    ).toEqual([])
  })

  test.each<[string, string, { action: string; fault: string } | undefined]>([
    ['nothing', 'select 1', undefined],
    ['an action', `update audit_logs set action = 'x' where sequence = 2`, { action: 'x', fault: 'it was changed' }],
    [
      'a time, by a microsecond',
      `update audit_logs set timestamp = timestamp - interval '1 microsecond' where sequence = 2`,
      { action: 'profile.export', fault: 'it was changed' },
    ],
    [
      'who acted',
      `update audit_logs set user_id = 'ada' where sequence = 2`,
      { action: 'profile.export', fault: 'who acted was changed' },
    ],
    [
      'an address',
      `update audit_logs set ip_address = '192.0.2.1' where sequence = 3`,
      { action: 'retention.run', fault: 'who acted was changed' },
    ],
    [
      'who acted, with digest and salt',
      `update audit_logs set user_id = 'ada', actor_digest = audit_log_digest(actor_salt, array['ada', null, null]) where sequence = 2`,
      { action: 'profile.export', fault: 'it was changed' },
    ],
    [
      'who acted, as if erased',
      `update audit_logs set user_id = 'erased:1', actor_salt = null where sequence = 2`,
      { action: 'profile.export', fault: 'who acted was changed' },
    ],
    [
      'what it was done to',
      `update audit_logs set resource_id = '7' where sequence = 2`,
      { action: 'profile.export', fault: 'what it was done to was changed' },
    ],
    [
      'an action and its hash',
      `update audit_logs set action = 'x' where sequence = 2;
       update audit_logs set hash = audit_log_hash(audit_logs) where sequence = 2`,
      { action: 'retention.run', fault: 'it does not follow the entry before it' },
    ],
    [
      'an entry that is gone',
      `delete from audit_logs where sequence = 2`,
      { action: 'retention.run', fault: 'entries before it are missing' },
    ],
    [
      'an entry that is gone, with a number that hides it',
      `delete from audit_logs where sequence = 2; update audit_logs set sequence = 2 where sequence = 3`,
      { action: 'retention.run', fault: 'it does not follow the entry before it' },
    ],
    [
      'the order',
      `update audit_logs set sequence = 9 where sequence = 1; update audit_logs set sequence = 1 where sequence = 2;
       update audit_logs set sequence = 2 where sequence = 9`,
      { action: 'profile.export', fault: 'it does not follow the entry before it' },
    ],
    [
      'the first entry, gone with its number',
      `delete from audit_logs where sequence = 1; update audit_logs set sequence = sequence - 1`,
      { action: 'profile.export', fault: 'it does not follow the entry before it' },
    ],
  ])('shows what was changed around the triggers: %s', async (_, statement, expected) => {
    const around = `alter table audit_logs disable trigger user`
    const found = await query(
      gdpr.owner,
      `begin; ${around}; ${statement}; select action, fault from verify_audit_logs() join audit_logs using (log_id)`,
    )

    expect(found).toEqual(expected ? [expected] : [])
  })

  test('loses entries from the oldest on when their 7 years are over, and is whole without them', async () => {
    const old = `
begin;
alter table audit_logs disable trigger audit_logs_keep;
delete from audit_logs;
alter table audit_logs enable trigger audit_logs_keep;
insert into audit_logs (action, timestamp) values
  ('1', now() - interval '8 years'),
  ('2', now() - interval '7 years 1 day'),
  ('3', now() - interval '6 years'),
  ('4', now() - interval '8 years'),
  ('5', now());`
    const left = `select string_agg(action, ',' order by sequence) as left, (select count(*)::integer from verify_audit_logs()) as faults from audit_logs`

    expect(await query(gdpr.owner, `${old} delete from audit_logs where action in ('2', '1'); ${left}`)).toEqual([
      { left: '3,4,5', faults: 0 },
    ])
    await expect(query(gdpr.owner, `${old} delete from audit_logs where action = '3'`)).rejects.toThrow('7 years')
    await expect(query(gdpr.owner, `${old} delete from audit_logs where action = '4'`)).rejects.toThrow('7 years')
  })

  test('stays one chain when many write at once', async () => {
    await using copy = await gdpr.copy()
    const writers = Array.from({ length: 8 }, () => postgres(copy.application, { max: 1, onnotice: () => {} }))
    try {
      await Promise.all(
        writers.map(async (sql, writer) => {
          for (let turn = 0; turn < 10; turn += 1) {
            await sql.begin(async (transaction) => {
              await transaction`insert into audit_logs (action) select 'turn' from generate_series(1, 3)`
              await transaction`insert into audit_logs (user_id, action) values (${`writer ${writer}`}, 'turn')`
            })
          }
        }),
      )
    } finally {
      await Promise.all(writers.map((sql) => sql.end()))
    }

    expect(await query(copy.application, 'select * from verify_audit_logs()')).toEqual([])
    expect(await query(copy.application, 'select count(*)::integer, max(sequence)::integer from audit_logs')).toEqual([
      { count: 3 + 8 * 10 * 4, max: 3 + 8 * 10 * 4 },
    ])
  })

  test('refuses the entry of a transaction that cannot see the end of the chain', async () => {
    await using copy = await gdpr.copy()
    const slow = postgres(copy.application, { max: 1 })
    try {
      const late = slow.begin('isolation level repeatable read', async (transaction) => {
        await transaction`select from audit_logs`
        await query(copy.application, `insert into audit_logs (action) values ('first')`)
        await transaction`insert into audit_logs (action) values ('second')`
      })

      await expect(late).rejects.toMatchObject({ code: '23505', constraint_name: 'audit_logs_sequence_key' })
      expect(await query(copy.application, 'select * from verify_audit_logs()')).toEqual([])
    } finally {
      await slow.end()
    }
  })

  test('is written by who may add to it and not read it', async () => {
    await using copy = await gdpr.copy()
    await query(copy.owner, `revoke select on audit_logs from ${new URL(copy.application).username}`)
    await query(copy.application, `insert into audit_logs (action) values ('last')`)

    expect(await refusalOf(copy.application, 'select from audit_logs')).toBe('42501')
    expect(await queryColumn(copy.owner, 'select action from audit_logs where sequence = 4')).toEqual(['last'])
    expect(await query(copy.owner, 'select * from verify_audit_logs()')).toEqual([])
  })

  test('begins with the entries that were there before it was a chain, in the order of their times', async () => {
    await using databases = await createRepositoryDatabases({ ordinaryOwner: true })
    const url = databases.urls.gdpr
    expect(await databases.migrate('upgrade', 'a3bc3cbe4dfe', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })
    await query(
      url,
      `insert into audit_logs (user_id, action, resource_id, timestamp, ip_address) values
        ('ada', '2', 'x', '2026-01-02', '192.0.2.1'), (null, '3', null, '2026-01-03', null), ('ada', '1', 'y', '2026-01-01', null)`,
    )
    const before = await query(url, 'select * from audit_logs order by timestamp')

    expect(await databases.migrate('upgrade', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })

    await query(url, `insert into audit_logs (action) values ('4')`)
    expect(await queryColumn(url, 'select action from audit_logs order by sequence')).toEqual(['1', '2', '3', '4'])
    expect(await query(url, 'select * from verify_audit_logs()')).toEqual([])
    expect(await databases.migrate('downgrade', 'a3bc3cbe4dfe', '-d', 'gdpr')).toMatchObject({ exitCode: 0 })
    expect(await query(url, `select * from audit_logs where action <> '4' order by timestamp`)).toEqual(before)
  })
})
