import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import { mainEnums, mainTables } from './main-tables.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'
import { readColumns, readEnums } from './schema-facts.ts'
import { acme, bolt, insertTenants } from './two-tenants.ts'

const user = acme.users

/** Another user of the first tenant, beside the one that every tenant has. */
const someoneElse = 'cccccccc-0000-4000-8000-000000000001'

let main: MigratedDatabase
beforeAll(async () => {
  main = await migrateToHead(
    'main',
    `${insertTenants};
set app.current_tenant_id = '${acme.id}';
insert into users (id, tenant_id, email, username, external_id)
values ('${someoneElse}', '${acme.id}', 'Grace@acme.example', 'Grace', 'idp|7');
insert into permissions (name, resource, action) values ('circle.update', 'circle', 'update');
insert into roles (id, name, display_name) values ('${user}', 'facilitator', 'Facilitator');
insert into roles (id, name, display_name) values ('${someoneElse}', 'treasurer', 'Treasurer');
insert into user_roles (user_id, role_id, is_primary) values ('${user}', '${user}', true);
insert into role_permissions (role_id, permission_id) select '${user}', id from permissions;
insert into role_audit_logs (user_id, role_id, role_name, action)
values ('${someoneElse}', '${someoneElse}', 'treasurer', 'assigned');
update tenants set api_key_hash = 'h1', stripe_customer_id = 'cus_1', stripe_subscription_id = 'sub_1'
where id = '${acme.id}';
update circle_memberships set stripe_subscription_id = 'sub_2' where tenant_id = '${acme.id}'`,
  )
  return () => main[Symbol.asyncDispose]()
})

describe.each(Object.entries(mainTables))('what %s need is there', (_, tables) => {
  test.each(Object.entries(tables))('%s', async (table, columns) => {
    expect(await readColumns(main.owner, table)).toEqual(expect.arrayContaining([...columns]))
  })
})

test('closed sets of values have these members', async () => {
  expect(await readEnums(main.owner)).toEqual(mainEnums)
  expect(mainEnums['action_type']).toHaveLength(24)
})

test('updated_at of every table that has one is the time of the last update, whatever the application says', async () => {
  const tables = await queryColumn(
    main.owner,
    `
select relname
from pg_class
join pg_attribute on attrelid = pg_class.oid
where relnamespace = 'public'::regnamespace and relkind = 'r' and attname = 'updated_at' and not attisdropped
order by 1`,
  )
  expect(tables).toHaveLength(19)

  for (const table of tables) {
    const touched = await query(
      main.owner,
      `
begin;
set local app.current_tenant_id = '${acme.id}';
update ${table} set updated_at = '2001-01-01';
select '${table}' as table, bool_and(updated_at = now()) as touched from ${table}`,
    )
    expect(touched).toEqual([{ table, touched: true }])
  }
})

test('every kind of action and every status of it can be logged, and no other', async () => {
  const all = log(`unnest(enum_range(null::action_type))`, `'success'`)
  expect(await query(main.owner, `begin; ${all} returning 1`)).toHaveLength(24)
  expect(await refusalOf(main.owner, log(`'email_send'`, `unnest(enum_range(null::action_status))`))).toBe('accepted')
  expect(await refusalOf(main.owner, log(`'coffee_make'`, `'success'`))).toBe('22P02')
  expect(await refusalOf(main.owner, log(`'email_send'`, `'maybe'`))).toBe('22P02')
})

test.each(['acme-2', '0', 'a--b', '-', 'x'.repeat(100)])('accepts the slug %s', async (slug) => {
  expect(await refusalOf(main.owner, tenant(`'${slug}'`))).toBe('accepted')
})

test.each(['', 'Acme', 'acme_2', 'a b', 'ä', "a''b", 'a.b', 'x'.repeat(101), 'a\nb', 'a\n'])(
  'refuses the slug %j',
  async (slug) => {
    expect(await refusalOf(main.owner, tenant(`'${slug}'`))).toBe('tenants_slug_check')
  },
)

test('a tenant starts with the basic tier and its limits', async () => {
  expect(
    await query(
      main.owner,
      `begin; ${tenant(`'fresh'`)} returning max_contexts, max_storage_mb, subscription_tier, is_active`,
    ),
  ).toEqual([{ max_contexts: 10_000, max_storage_mb: 1000, subscription_tier: 'basic', is_active: true }])
})

/** What may not be there twice: the name of the rule, and the second one. */
const unique: readonly (readonly [rule: string, statement: string])[] = [
  ['tenants_slug_key', tenant(`'acme'`)],
  ['tenants_api_key_hash_key', `update tenants set api_key_hash = 'h1'`],
  ['tenants_stripe_customer_id_key', `update tenants set stripe_customer_id = 'cus_1'`],
  ['tenants_stripe_subscription_id_key', `update tenants set stripe_subscription_id = 'sub_1'`],
  ['users_tenant_id_email_key', person(acme.id, { email: 'ada@acme.example' })],
  // The same address and the same name, whatever their case.
  ['users_tenant_id_email_key', person(acme.id, { email: 'ADA@Acme.Example' })],
  ['users_tenant_id_username_key', person(acme.id, { email: 'x@acme.example', username: 'GRACE' })],
  ['users_tenant_id_external_id_key', person(acme.id, { email: 'x@acme.example', external_id: 'idp|7' })],
  ['permissions_name_key', `insert into permissions (name, resource, action) values ('circle.update', 'x', 'y')`],
  [
    'permissions_resource_action_key',
    `insert into permissions (name, resource, action) values ('x', 'circle', 'update')`,
  ],
  ['roles_name_key', `insert into roles (name, display_name) values ('facilitator', 'x')`],
  ['role_permissions_pkey', 'insert into role_permissions select * from role_permissions'],
  ['user_roles_pkey', 'insert into user_roles select * from user_roles'],
  [
    'user_roles_primary_key',
    `insert into user_roles (user_id, role_id, is_primary) values ('${user}', '${someoneElse}', true)`,
  ],
  ['teams_tenant_id_name_key', `insert into teams (tenant_id, name) values ('${acme.id}', 'THE TEAM OF ACME')`],
  ['team_members_pkey', 'insert into team_members select * from team_members'],
  ['task_shares_pkey', 'insert into task_shares select * from task_shares'],
  [
    'circle_memberships_circle_id_user_id_key',
    'insert into circle_memberships (tenant_id, circle_id, user_id) select tenant_id, circle_id, user_id from circle_memberships',
  ],
  ['circle_memberships_stripe_subscription_id_key', `update circle_memberships set stripe_subscription_id = 'sub_2'`],
  ['meeting_attendance_pkey', 'insert into meeting_attendance select * from meeting_attendance'],
  [
    'transfer_requests_pending_key',
    'insert into transfer_requests (tenant_id, user_id, from_circle_id, to_circle_id) select tenant_id, user_id, from_circle_id, to_circle_id from transfer_requests',
  ],
  ['idempotency_keys_pkey', 'insert into idempotency_keys select * from idempotency_keys'],
  ['workflows_tenant_id_name_version_key', `insert into workflows (tenant_id, name) values ('${acme.id}', 'Remind')`],
  [
    'workflow_steps_run_id_position_key',
    'insert into workflow_steps (tenant_id, run_id, position, name) select tenant_id, run_id, position, name from workflow_steps',
  ],
]

test.each(unique)('%s refuses: %s', async (rule, statement) => {
  expect(await refusalOf(main.owner, `set local app.current_tenant_id = '${acme.id}';\n${statement}`)).toBe(rule)
})

test('what is unique within a tenant may be there again in another', async () => {
  const statements = [
    person(bolt.id, { email: 'Grace@acme.example', username: 'Grace', external_id: 'idp|7' }),
    `insert into teams (tenant_id, name) values ('${bolt.id}', 'The team of acme')`,
    `set local app.current_tenant_id = '${bolt.id}'`,
    `insert into idempotency_keys (tenant_id, key, expires_at) values ('${bolt.id}', 'k2', 'infinity')`,
    `set local app.current_tenant_id = '${acme.id}'`,
    `insert into idempotency_keys (tenant_id, key, expires_at) values ('${acme.id}', 'k2', 'infinity')`,
  ]

  expect(await refusalOf(main.owner, statements.join(';\n'))).toBe('accepted')
})

test('a member may ask for a transfer again once the request before is decided', async () => {
  const again = `insert into transfer_requests (tenant_id, user_id, from_circle_id, to_circle_id)
select tenant_id, user_id, from_circle_id, to_circle_id from transfer_requests where tenant_id = '${acme.id}'`
  const decide = `update transfer_requests set status = 'denied', decided_at = now(), decided_by = '${someoneElse}'
where tenant_id = '${acme.id}'`

  expect(await refusalOf(main.owner, `${decide};\n${again}`)).toBe('accepted')
  expect(await refusalOf(main.owner, `update transfer_requests set status = 'approved'`)).toBe(
    'transfer_requests_decided_at_check',
  )
})

/** What a row may not say: the name of the rule, and the statement that breaks it. */
const wrong: readonly (readonly [rule: string, statement: string])[] = [
  ['tenants_max_contexts_check', 'update tenants set max_contexts = 0'],
  ['tenants_max_storage_mb_check', 'update tenants set max_storage_mb = -1'],
  ['tenants_subscription_tier_check', `update tenants set subscription_tier = 'platinum'`],
  ['tenants_name_check', `update tenants set name = repeat('x', 256)`],
  ['tenants_settings_check', `update tenants set settings = '[]'`],
  ['users_email_check', `update users set email = 'nobody'`],
  ['users_language_check', `update users set language = 'english'`],
  ['teams_name_check', `update teams set name = ''`],
  ['circles_capacity_check', 'update circles set capacity_min = 9, capacity_max = 8'],
  ['circles_capacity_check', 'update circles set capacity_min = 0'],
  ['circle_memberships_left_at_check', `update circle_memberships set left_at = joined_at - interval '1 day'`],
  ['meetings_agenda_check', `update meetings set agenda = '{}'`],
  ['events_ends_at_check', 'update events set ends_at = starts_at'],
  ['transfer_requests_circles_check', 'update transfer_requests set to_circle_id = from_circle_id'],
  ['tasks_title_check', `update tasks set title = repeat('x', 201)`],
  ['messages_content_check', `update messages set content = repeat('x', 10001)`],
  ['messages_content_check', `update messages set content = ''`],
  ['action_logs_execution_time_ms_check', 'update action_logs set execution_time_ms = -1'],
  ['idempotency_keys_expires_at_check', 'update idempotency_keys set expires_at = created_at'],
  ['user_roles_expires_at_check', 'update user_roles set expires_at = assigned_at'],
]

test.each(wrong)('%s refuses: %s', async (rule, statement) => {
  expect(await refusalOf(main.owner, `set local app.current_tenant_id = '${acme.id}';\n${statement}`)).toBe(rule)
})

test('the longest title and the longest message fit', async () => {
  const statements = `
update tasks set title = repeat('ä', 200);
insert into messages (tenant_id, conversation_id, role, content)
values ('${acme.id}', '${acme.conversations}', 'assistant', repeat('ä', 10000))`

  expect(await refusalOf(main.owner, statements)).toBe('accepted')
})

test('a role that somebody has, and a facilitator with a circle, are not deleted by accident', async () => {
  expect(await refusalOf(main.owner, `delete from roles where name = 'facilitator'`)).toBe('user_roles_role_id_fkey')
  expect(await refusalOf(main.owner, `delete from users where id = '${user}'`)).toBe('circles_facilitator_id_fkey')
})

test('the record of who had which role stays when the user and the role are gone', async () => {
  const trail = await query(
    main.owner,
    `
begin;
delete from users where id = '${someoneElse}';
delete from roles where id = '${someoneElse}';
select user_id, role_id, role_name, action from role_audit_logs`,
  )

  expect(trail).toEqual([{ user_id: null, role_id: null, role_name: 'treasurer', action: 'assigned' }])
})

test('a team that goes leaves its tasks to their users', async () => {
  const tasks = `select tenant_id, team_id from tasks where tenant_id = '${acme.id}'`

  expect(await query(main.owner, `begin; delete from teams; ${tasks}`)).toEqual([{ tenant_id: acme.id, team_id: null }])
})

test('every foreign key has an index that finds the rows that refer', async () => {
  // A key of several columns is found by the last of them, which is not the tenant.
  const bare = await queryColumn(
    main.owner,
    `
select conname
from pg_constraint
where contype = 'f'
  and connamespace = 'public'::regnamespace
  and not exists (
    select from pg_index where indrelid = conrelid and indkey[0] = conkey[cardinality(conkey)]
  )`,
  )

  expect(bare).toEqual([])
})

test('every table says what it is for', async () => {
  const silent = await queryColumn(
    main.owner,
    `
select relname
from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and obj_description(oid, 'pg_class') is null`,
  )

  expect(silent).toEqual([])
})

/** SQL that logs actions; kind and status as SQL. */
function log(type: string, status: string): string {
  return `set local app.current_tenant_id = '${acme.id}';
insert into action_logs (tenant_id, provider, action_type, status) values ('${acme.id}', 'smtp', ${type}, ${status})`
}

/** SQL that inserts a tenant; `slug` as SQL. */
function tenant(slug: string): string {
  return `insert into tenants (name, slug) values ('Some', ${slug})`
}

/** SQL that inserts a user. */
function person(tenantId: string, columns: Readonly<Record<string, string>>): string {
  const values = Object.values(columns).map((value) => `'${value}'`)
  return `insert into users (tenant_id, ${Object.keys(columns).join(', ')}) values ('${tenantId}', ${values.join(', ')})`
}
