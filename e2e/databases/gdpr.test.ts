import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { upgradeWithData } from '@drover/testing'
import { beforeAll, describe, expect, inject, test } from 'vitest'

import { catalogOf, query } from '../harness/query.ts'
import { createRepositoryDatabases, repository } from '../harness/repository-databases.ts'
import { type Ended, startMigrate } from '../harness/workspace.ts'
import { insertPeople } from './gdpr-rows.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'
import { readColumns, readCommentedColumns, readEnums } from './schema-facts.ts'

/** What has to be held, and the columns by which services work with it. */
const tables: Readonly<Record<string, readonly string[]>> = {
  user_profiles: ['user_id', 'username', 'email', 'full_name', 'created_at', 'last_updated', 'metadata'],
  user_preferences: ['user_id', 'preferences', 'updated_at'],
  consent_records: [
    'consent_id',
    'user_id',
    'consent_type',
    'granted',
    'timestamp',
    'ip_address',
    'user_agent',
    'metadata',
    'legal_basis',
    'withdrawn_at',
  ],
  conversations: [
    'conversation_id',
    'user_id',
    'title',
    'messages',
    'created_at',
    'last_message_at',
    'archived',
    'metadata',
  ],
  audit_logs: [
    'log_id',
    'user_id',
    'action',
    'resource_type',
    'resource_id',
    'timestamp',
    'ip_address',
    'user_agent',
    'metadata',
    'archived_at',
    'sequence',
    'previous_hash',
    'hash',
    'actor_salt',
    'actor_digest',
    'resource_salt',
    'resource_digest',
  ],
  conversations_for_cleanup: ['conversation_id', 'user_id', 'title', 'created_at', 'last_message_at', 'age'],
  audit_logs_for_archival: ['log_id', 'user_id', 'action', 'timestamp', 'age'],
}

/** The columns that hold personal data: what says who somebody is, and what they have said, set or done. */
const personal = [
  'audit_logs.ip_address',
  'audit_logs.resource_id',
  'audit_logs.user_agent',
  'audit_logs.user_id',
  'consent_records.ip_address',
  'consent_records.user_agent',
  'consent_records.user_id',
  'conversations.messages',
  'conversations.title',
  'conversations.user_id',
  'user_preferences.preferences',
  'user_preferences.user_id',
  'user_profiles.email',
  'user_profiles.full_name',
  'user_profiles.metadata',
  'user_profiles.user_id',
  'user_profiles.username',
]

let gdpr: MigratedDatabase
beforeAll(async () => {
  gdpr = await migrateToHead('gdpr', insertPeople)
  return () => gdpr[Symbol.asyncDispose]()
})

describe('what services need is there', () => {
  test.each(Object.entries(tables))('%s', async (relation, columns) => {
    expect(await readColumns(gdpr.owner, relation)).toEqual(expect.arrayContaining([...columns]))
  })

  test('closed sets of values', async () => {
    expect(await readEnums(gdpr.owner)).toEqual({
      legal_basis: [
        'consent',
        'contract',
        'legal_obligation',
        'vital_interests',
        'public_task',
        'legitimate_interests',
      ],
    })
  })
})

/** What a row may not say: the name of the rule, and the statement that it refuses. */
const refused: readonly (readonly [rule: string, statement: string])[] = [
  ['user_profiles_username_not_empty', `update user_profiles set username = ''`],
  ['user_profiles_username_not_empty', `update user_profiles set username = '   '`],
  ['user_profiles_email_length', `update user_profiles set email = 'a@'`],
  [
    'user_profiles_created_before_updated',
    `insert into user_profiles (user_id, username, created_at, last_updated) values ('x', 'x', now(), now() - interval '1 second')`,
  ],
  ['user_profiles_metadata_is_object', `update user_profiles set metadata = '[]'`],
  ['user_preferences_preferences_is_object', `update user_preferences set preferences = '"dark"'`],
  ['user_preferences_pkey', `insert into user_preferences (user_id) values ('ada')`],
  ['user_preferences_user_id_fkey', `insert into user_preferences (user_id) values ('nobody')`],
  [
    'consent_records_type_not_empty',
    `insert into consent_records (user_id, consent_type, granted) values ('ada', ' ', true)`,
  ],
  [
    'consent_records_user_id_fkey',
    `insert into consent_records (user_id, consent_type, granted) values ('nobody', 'mail', true)`,
  ],
  [
    'consent_records_metadata_is_object',
    `insert into consent_records (user_id, consent_type, granted, metadata) values ('ada', 'mail', true, 'null')`,
  ],
  ['consent_records_withdrawn_was_granted', `update consent_records set withdrawn_at = now() where not granted`],
  [
    'consent_records_withdrawn_after_granted',
    `update consent_records set withdrawn_at = timestamp - interval '1 second' where granted`,
  ],
  ['conversations_messages_is_array', `update conversations set messages = '{}'`],
  ['conversations_messages_is_array', `update conversations set messages = 'null'`],
  [
    'conversations_last_message_after_created',
    `update conversations set last_message_at = created_at - interval '1 second'`,
  ],
  ['conversations_user_id_fkey', `update conversations set user_id = 'nobody'`],
  ['conversations_metadata_is_object', `update conversations set metadata = '[]'`],
  ['audit_logs_action_not_empty', `insert into audit_logs (action) values ('')`],
  ['audit_logs_metadata_is_object', `insert into audit_logs (action, metadata) values ('x', '1')`],
  [
    'audit_logs_timestamp_not_future',
    `insert into audit_logs (action, timestamp) values ('x', now() + interval '5 minutes 1 second')`,
  ],
  ['audit_logs_archived_after_timestamp', `update audit_logs set archived_at = timestamp - interval '1 second'`],
]

test.each(refused)('%s refuses: %s', async (rule, statement) => {
  expect(await refusalOf(gdpr.owner, statement)).toBe(rule)
})

/** What is at the border and allowed. */
const allowed = [
  `insert into user_profiles (user_id, username, created_at, last_updated) values ('x', 'x', now(), now())`,
  `insert into user_profiles (user_id, username, email) values ('x', 'Ada', 'ADA@example.org')`,
  `update consent_records set withdrawn_at = timestamp where granted`,
  `update conversations set last_message_at = created_at`,
  `insert into audit_logs (action, timestamp) values ('x', now() + interval '5 minutes')`,
  `insert into audit_logs (action, user_id) values ('x', 'nobody that there ever was')`,
]

test.each(allowed)('accepts: %s', async (statement) => {
  expect(await refusalOf(gdpr.application, statement)).toBe('accepted')
})

test('the time of the last change is set with every update, whatever the application says', async () => {
  const [row] = await query(
    gdpr.application,
    `
begin;
insert into user_profiles (user_id, username, created_at, last_updated)
values ('old', 'Old', '2001-01-01', '2001-01-01'), ('early', 'Early', 'infinity', 'infinity');
insert into user_preferences (user_id, updated_at) values ('old', '2001-01-01');
update user_profiles set full_name = 'Someone', last_updated = '2001-01-02' where user_id in ('old', 'early');
update user_preferences set updated_at = '2001-01-02' where user_id = 'old';
select
  (select last_updated = now() from user_profiles where user_id = 'old') as profile,
  -- From a server whose clock was ahead: it stays editable.
  (select last_updated = created_at from user_profiles where user_id = 'early') as early,
  (select updated_at = now() from user_preferences where user_id = 'old') as preferences`,
  )

  expect(row).toEqual({ profile: true, early: true, preferences: true })
})

describe('comments', () => {
  test('every column of personal data says on which ground it is held', async () => {
    const columns = await readCommentedColumns(gdpr.owner)
    const comments = columns.filter(({ name }) => personal.includes(name))

    expect(comments.map(({ name }) => name)).toEqual(personal)
    for (const { name, comment } of comments) {
      expect({ name, comment }).toEqual({
        name,
        comment: expect.stringMatching(/Basis: [^.]+, Article 6\(1\)\([a-f]\)/),
      })
    }
  })

  test('every column says what it is for and how long it is kept', async () => {
    for (const { name, comment } of await readCommentedColumns(gdpr.owner)) {
      expect({ name, comment }).toEqual({ name, comment: expect.stringMatching(/^\w[^]*\. Kept [^]+\.$/) })
    }
  })

  test('are those that the data map makes', async () => {
    const [{ columns }] = (await dataMap('--json')).json().databases
    const sql = (await dataMap('--sql')).stdout

    expect(
      columns
        .filter((column: { personal: boolean }) => column.personal)
        .map(({ table, column }: { table: string; column: string }) => `${table}.${column}`)
        .toSorted(),
    ).toEqual(personal)
    expect(await readFile(join(repository, 'databases/gdpr/objects/comments/columns.sql'), 'utf8')).toBe(sql)
  })

  test('every table and view says for how long, and every index what it is for', async () => {
    const described = await query(
      gdpr.owner,
      `
select relname as name, relkind as kind, coalesce(obj_description(pg_class.oid, 'pg_class'), '') as comment
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'i')
  and not exists (select from pg_constraint where conindid = pg_class.oid and contype = 'p')
order by 1`,
    )

    expect(described.length).toBe(5 + 2 + 22)
    for (const { name, kind, comment } of described) {
      const says = { r: /[Kk]ept|7 years/, v: /90 days/, i: /\.$/ }[kind as 'r' | 'v' | 'i']
      expect({ name, comment }).toEqual({ name, comment: expect.stringMatching(says) })
    }
  })
})

test('a consent recorded before withdrawals were has ended with the first refusal after it', async () => {
  const asTheyWere = 'select * from consent_records order by consent_id'
  let before: readonly unknown[] = []
  let given: readonly unknown[] = []
  await upgradeWithData('gdpr', {
    root: repository,
    server: inject('serverUrl'),
    as: 'owner',
    from: '25fb862334de',
    revision: 'f8321fa229ea',
    seed: async (sql) => {
      await sql.unsafe(`
insert into user_profiles (user_id, username) values ('ada', 'Ada'), ('grace', 'Grace');
insert into consent_records (user_id, consent_type, granted, timestamp) values
  ('ada', 'mail', true, '2026-01-01 00:00Z'),
  ('ada', 'mail', false, '2026-01-02 00:00Z'),
  ('ada', 'mail', false, '2026-01-03 00:00Z'),
  ('ada', 'mail', true, '2026-01-04 00:00Z'),
  ('ada', 'analytics', true, '2026-01-01 00:00Z'),
  ('grace', 'mail', true, '2026-01-01 00:00Z'),
  ('grace', 'analytics', true, '2026-01-05 00:00Z'),
  ('grace', 'analytics', false, '2026-01-05 00:00Z')`)
      before = [...(await sql.unsafe(asTheyWere))]
    },
    expect: async (sql) => {
      given = [
        ...(await sql`
select user_id as who, consent_type as what, extract(day from timestamp at time zone 'UTC')::integer as given,
  extract(day from withdrawn_at at time zone 'UTC')::integer as withdrawn, legal_basis
from consent_records
where granted
order by 1, 2, 3`),
      ]
      expect([...(await sql`select from consent_records where not granted and withdrawn_at is not null`)]).toEqual([])
    },
    expectAfterDown: async (sql) => {
      expect([...(await sql.unsafe(asTheyWere))]).toEqual(before)
    },
  })

  expect(before).toHaveLength(8)
  expect(given).toEqual([
    { who: 'ada', what: 'analytics', given: 1, withdrawn: null, legal_basis: 'consent' },
    { who: 'ada', what: 'mail', given: 1, withdrawn: 2, legal_basis: 'consent' },
    { who: 'ada', what: 'mail', given: 4, withdrawn: null, legal_basis: 'consent' },
    { who: 'grace', what: 'analytics', given: 5, withdrawn: 5, legal_basis: 'consent' },
    { who: 'grace', what: 'mail', given: 1, withdrawn: null, legal_basis: 'consent' },
  ])
})

test('test, which is made from a snapshot, has the catalog of gdpr, which is made by the history', async () => {
  await using databases = await createRepositoryDatabases({ ordinaryOwner: true })
  expect(await databases.migrate('upgrade', '-d', 'gdpr,test')).toMatchObject({ exitCode: 0 })

  const expected = await catalogOf(databases.urls.gdpr)
  const actual = await catalogOf(databases.urls.test)

  expect(expected.length).toBeGreaterThan(150)
  expect(actual).toEqual(expected)
})

function dataMap(option: string): Promise<Ended> {
  return startMigrate(['data-map', '-d', 'gdpr', '--quiet', option], { cwd: repository, env: {} }).ended
}
