import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import { insertPeople } from './gdpr-rows.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'

let gdpr: MigratedDatabase
beforeAll(async () => {
  gdpr = await migrateToHead('gdpr', insertPeople)
  return () => gdpr[Symbol.asyncDispose]()
})

describe('retention', () => {
  const conversations = `
begin;
delete from conversations;
insert into conversations (user_id, title, archived, created_at, last_message_at) values
  ('ada', 'quiet for 91 days', false, now() - interval '200 days', now() - interval '91 days'),
  ('ada', 'quiet for 89 days', false, now() - interval '200 days', now() - interval '89 days'),
  ('ada', 'quiet for exactly 90 days', false, now() - interval '200 days', now() - interval '90 days'),
  ('ada', 'quiet for 91 days and kept', true, now() - interval '200 days', now() - interval '91 days'),
  ('ada', 'without a message since 100 days', false, now() - interval '100 days', null),
  ('ada', 'without a message since 10 days', false, now() - interval '10 days', null),
  ('ada', 'without a message since 100 days, and kept', true, now() - interval '100 days', null)`
  const trail = `
begin;
insert into audit_logs (action, timestamp, archived_at) values
  ('91 days ago', now() - interval '91 days', null),
  ('89 days ago', now() - interval '89 days', null),
  ('exactly 90 days ago', now() - interval '90 days', null),
  ('91 days ago and copied', now() - interval '91 days', now()),
  ('6 years ago', now() - interval '6 years', null),
  ('exactly 7 years ago', now() - interval '7 years', null),
  ('7 years and a day ago', now() - interval '7 years 1 day', null)`

  test('conversations_for_cleanup has what is quiet for over 90 days and not archived, the oldest first', async () => {
    expect(
      await query(
        gdpr.application,
        `${conversations}; select title, round(extract(epoch from age) / 86400)::integer as days from conversations_for_cleanup`,
      ),
    ).toEqual([
      { title: 'without a message since 100 days', days: 100 },
      { title: 'quiet for 91 days', days: 91 },
    ])
  })

  test('audit_logs_for_archival has what is past 90 days, within 7 years and not copied yet, the oldest first', async () => {
    expect(await queryColumn(gdpr.application, `${trail}; select action from audit_logs_for_archival`)).toEqual([
      'exactly 7 years ago',
      '6 years ago',
      '91 days ago',
    ])
  })

  test('what was cleaned up or copied is not offered again', async () => {
    const clean = `delete from conversations where conversation_id in (select conversation_id from conversations_for_cleanup)`
    const copy = `update audit_logs set archived_at = now() where log_id in (select log_id from audit_logs_for_archival)`

    expect(
      await query(gdpr.application, `${conversations}; ${clean}; select * from conversations_for_cleanup`),
    ).toEqual([])
    expect(
      await queryColumn(gdpr.application, `${conversations}; ${clean}; select count(*)::integer from conversations`),
    ).toEqual([5])
    expect(await query(gdpr.application, `${trail}; ${copy}; select * from audit_logs_for_archival`)).toEqual([])
  })

  test('a view shows nobody more than its table does', async () => {
    await using copy = await gdpr.copy()
    const application = new URL(copy.application).username
    await query(copy.owner, `revoke select on conversations, audit_logs from ${application}`)

    expect(await refusalOf(copy.application, 'select * from conversations_for_cleanup')).toBe('42501')
    expect(await refusalOf(copy.application, 'select * from audit_logs_for_archival')).toBe('42501')
  })

  test.each([
    ['conversations_retention_idx', 'conversations_for_cleanup'],
    ['audit_logs_retention_idx', 'audit_logs_for_archival'],
  ])('%s answers %s', async (index, view) => {
    expect(await planOf(`select * from ${view}`)).toContain(index)
  })
})

test.each([
  ['user_preferences_preferences_idx', `select * from user_preferences where preferences @> '{"language": "de"}'`],
  ['user_preferences_preferences_idx', `select * from user_preferences where preferences ? 'mail'`],
  ['user_profiles_email_idx', `select * from user_profiles where lower(email) = 'ada@example.org'`],
  [
    'conversations_user_id_last_message_at_idx',
    `select * from conversations where user_id = 'ada' order by last_message_at desc nulls last limit 1`,
  ],
  [
    'consent_records_user_id_consent_type_idx',
    `select * from consent_records where user_id = 'ada' and consent_type = 'analytics' order by timestamp desc limit 1`,
  ],
  ['audit_logs_resource_idx', `select * from audit_logs where resource_type = 'profile' and resource_id = 'ada'`],
])('%s answers: %s', async (index, statement) => {
  expect(await planOf(statement)).toContain(index)
})

test('what preferences contain is found', async () => {
  expect(await whoPrefers(`preferences @> '{"language": "de"}'`)).toEqual(['grace'])
  expect(await whoPrefers(`preferences ? 'language' order by user_id`)).toEqual(['ada', 'grace'])
})

test('there are 26 indexes, of the kinds that the lists and searches need, and one for the chain of the trail', async () => {
  const indexes = await query(
    gdpr.owner,
    `
select
  count(*)::integer as all,
  count(*) filter (where indpred is not null)::integer as partial,
  count(*) filter (where amname = 'gin')::integer as gin,
  count(*) filter (where pg_get_indexdef(indexrelid) like '% DESC NULLS LAST%')::integer as nulls_last
from pg_index
join pg_class on pg_class.oid = indexrelid
join pg_am on pg_am.oid = relam
where relnamespace = 'public'::regnamespace`,
  )

  expect(indexes).toEqual([{ all: 27, partial: 7, gin: 1, nulls_last: 3 }])
})

/** How a statement would be answered were the tables too large to read. */
async function planOf(statement: string): Promise<string> {
  const lines = await queryColumn(
    gdpr.application,
    `set enable_seqscan = off; set enable_sort = off; explain ${statement}`,
  )
  return lines.join('\n')
}

/** The people whose preferences meet a condition, found by index. */
function whoPrefers(condition: string): Promise<readonly string[]> {
  return queryColumn(
    gdpr.application,
    `set enable_seqscan = off; select user_id from user_preferences where ${condition}`,
  )
}
