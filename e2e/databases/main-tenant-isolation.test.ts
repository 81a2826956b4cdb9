import { auditLogs, createClient, withTenant } from '@databases/main'
import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'
import { acme, bolt, insertRow, insertTenants, type Tenant } from './two-tenants.ts'

/** The tables under row-level security. */
const guarded = [
  'action_logs',
  'audit_logs',
  'idempotency_keys',
  'workflows',
  'workflow_runs',
  'workflow_steps',
] as const

/** Every column by which a row of one tenant refers to another row of a tenant, and the table it refers to. */
const references = [
  ['teams', 'created_by', 'users'],
  ['team_members', 'team_id', 'teams'],
  ['team_members', 'user_id', 'users'],
  ['circles', 'facilitator_id', 'users'],
  ['circle_memberships', 'circle_id', 'circles'],
  ['circle_memberships', 'user_id', 'users'],
  ['meetings', 'circle_id', 'circles'],
  ['meeting_attendance', 'meeting_id', 'meetings'],
  ['meeting_attendance', 'user_id', 'users'],
  ['events', 'circle_id', 'circles'],
  ['events', 'organizer_id', 'users'],
  ['transfer_requests', 'user_id', 'users'],
  ['transfer_requests', 'from_circle_id', 'circles'],
  ['transfer_requests', 'to_circle_id', 'circles'],
  ['transfer_requests', 'decided_by', 'users'],
  ['tasks', 'user_id', 'users'],
  ['tasks', 'team_id', 'teams'],
  ['task_shares', 'task_id', 'tasks'],
  ['task_shares', 'user_id', 'users'],
  ['task_shares', 'shared_by', 'users'],
  ['conversations', 'user_id', 'users'],
  ['messages', 'conversation_id', 'conversations'],
  ['audit_logs', 'user_id', 'users'],
  ['workflows', 'created_by', 'users'],
  ['workflow_runs', 'workflow_id', 'workflows'],
  ['workflow_runs', 'triggered_by', 'users'],
  ['workflow_steps', 'run_id', 'workflow_runs'],
  ['workflow_steps', 'action_log_id', 'action_logs'],
] as const

const deniedByPolicy = '42501'

let main: MigratedDatabase
beforeAll(async () => {
  main = await migrateToHead('main', insertTenants)
  return () => main[Symbol.asyncDispose]()
})

test('row-level security is enabled and forced on the tables of services, and on no other', async () => {
  const found = await query(
    main.owner,
    `
select relname as table, relrowsecurity as enabled, relforcerowsecurity as forced
from pg_class
where relnamespace = 'public'::regnamespace and (relrowsecurity or relforcerowsecurity)
order by 1`,
  )

  expect(found).toEqual(guarded.toSorted().map((table) => ({ table, enabled: true, forced: true })))
})

describe.each(['application', 'owner'] as const)('logged in as the %s', (login) => {
  describe.each(guarded)('%s', (table) => {
    test('has no row for a session that names no tenant, and takes none', async () => {
      expect(await query(main[login], `select * from ${table}`)).toEqual([])
      expect(await query(main[login], `set app.current_tenant_id = ''; select * from ${table}`)).toEqual([])
      expect(await refusalOf(main[login], insertRow(table, acme))).toBe(deniedByPolicy)
    })

    test('has the rows of the tenant that a session names, and no others', async () => {
      const owners = `select tenant_id from ${table} group by tenant_id`

      expect(await queryColumn(main[login], as(acme, owners))).toEqual([acme.id])
      expect(await queryColumn(main[login], as(bolt, owners))).toEqual([bolt.id])
    })

    test('refuses a row for another tenant', async () => {
      expect(await refusalOf(main[login], as(acme, insertRow(table, bolt)))).toBe(deniedByPolicy)
    })

    test("finds no row of another tenant to update or to delete, and none of one's own to give away", async () => {
      const update = `update ${table} set tenant_id = tenant_id where tenant_id = '${bolt.id}' returning 1`
      const remove = `delete from ${table} where tenant_id = '${bolt.id}' returning 1`
      const giveAway = `update ${table} set tenant_id = '${bolt.id}'`

      expect(await query(main[login], as(acme, update))).toEqual([])
      expect(await query(main[login], as(acme, remove))).toEqual([])
      if (table === 'audit_logs') {
        expect(await query(main[login], as(acme, `${giveAway} returning 1`))).toEqual([])
      } else {
        expect(await refusalOf(main[login], as(acme, giveAway))).toBe(deniedByPolicy)
      }
    })

    test('fails for a tenant that is not an id, instead of showing all rows', async () => {
      expect(await refusalOf(main[login], `set app.current_tenant_id = 'acme'; select * from ${table}`)).toBe('22P02')
    })
  })

  test('audit_logs cannot be rewritten, only added to and purged, each by its own tenant', async () => {
    const rewrite = `update audit_logs set action = 'nothing happened' returning 1`
    const append = `insert into audit_logs (tenant_id, action) values ('${acme.id}', 'circle.closed')`

    expect(await query(main[login], as(acme, rewrite))).toEqual([])
    expect(await query(main[login], as(acme, `begin; ${append}; delete from audit_logs returning tenant_id`))).toEqual([
      { tenant_id: acme.id },
      { tenant_id: acme.id },
    ])
    expect(await queryColumn(main[login], as(acme, 'select action from audit_logs'))).toEqual(['circle.created'])
  })
})

test('a permissive policy of a later revision opens nothing of another tenant', async () => {
  await using copy = await main.copy()
  await query(
    copy.owner,
    guarded.map((table) => `create policy later on ${table} for all using (true) with check (true)`).join(';\n'),
  )

  for (const login of ['application', 'owner'] as const) {
    for (const table of guarded) {
      expect(await query(copy[login], `select * from ${table}`)).toEqual([])
      expect(await queryColumn(copy[login], as(acme, `select distinct tenant_id from ${table}`))).toEqual([acme.id])
      expect(await refusalOf(copy[login], as(acme, insertRow(table, bolt)))).toBe(deniedByPolicy)
      expect(await refusalOf(copy[login], as(acme, `update ${table} set tenant_id = '${bolt.id}'`))).toBe(
        deniedByPolicy,
      )
    }
  }
})

test('the application has no way around: it cannot switch row-level security off, nor become the owner', async () => {
  const owner = new URL(main.owner).username

  expect(await refusalOf(main.application, 'alter table audit_logs disable row level security')).toBe(deniedByPolicy)
  expect(await refusalOf(main.application, 'alter table audit_logs no force row level security')).toBe(deniedByPolicy)
  expect(await refusalOf(main.application, 'drop policy audit_logs_tenant_select on audit_logs')).toBe(deniedByPolicy)
  expect(await refusalOf(main.application, 'truncate audit_logs')).toBe(deniedByPolicy)
  expect(await refusalOf(main.application, `set role ${owner}`)).toBe(deniedByPolicy)
  // It asks to see everything or fail; without it, what is hidden is hidden in silence.
  expect(await refusalOf(main.application, 'set row_security = off; select * from audit_logs')).toBe(deniedByPolicy)
})

test.each(references)('%s.%s cannot refer to a row of another tenant', async (table, column, target) => {
  const theirs = bolt[target]
  const statement =
    table === 'audit_logs'
      ? `insert into audit_logs (tenant_id, ${column}, action) values ('${acme.id}', '${theirs}', 'x')`
      : `update ${table} set ${column} = '${theirs}' where tenant_id = '${acme.id}'`

  expect(await refusalOf(main.owner, as(acme, statement))).toBe(`${table}_${column}_fkey`)
})

test('there is no other column by which rows of tenants refer to each other', async () => {
  const found = await queryColumn(
    main.owner,
    `
select format('%s.%s -> %s', conrelid::regclass, attribute.attname, confrelid::regclass) as reference
from pg_constraint
join pg_attribute as attribute on attribute.attrelid = conrelid and attribute.attnum = any (conkey)
where contype = 'f'
  and confrelid <> 'tenants'::regclass
  and attribute.attname <> 'tenant_id'
  and (select count(*) from pg_attribute where attrelid in (conrelid, confrelid) and attname = 'tenant_id') = 2
order by 1`,
  )

  expect(found).toEqual(references.map(([table, column, target]) => `${table}.${column} -> ${target}`).toSorted())
})

test('a user who goes leaves the audit trail and the work of others, without the name', async () => {
  await using copy = await main.copy()
  // No one else facilitates the circles.
  await query(copy.owner, `delete from circles where tenant_id = '${acme.id}'`)

  await query(copy.application, `delete from users where id = '${acme.users}'`)

  const trail = as(acme, 'select action, user_id from audit_logs')
  expect(await query(copy.owner, trail)).toEqual([{ action: 'circle.created', user_id: null }])
  const left = `select created_by, triggered_by from workflows join workflow_runs on workflow_id = workflows.id`
  expect(await query(copy.owner, as(acme, left))).toEqual([{ created_by: null, triggered_by: null }])
  const gone = `select id::text from tasks where tenant_id = '${acme.id}' union all select name from teams where created_by is not null`
  expect(await queryColumn(copy.owner, gone)).toEqual(['The team of bolt'])
})

test('a tenant is deleted only once its trail is gone, and takes along everything of its own and nothing else', async () => {
  await using copy = await main.copy()
  const remove = `delete from tenants where id = '${acme.id}'`
  expect(await refusalOf(copy.application, remove)).toBe('audit_logs_tenant_id_fkey')

  await query(copy.application, as(acme, 'delete from audit_logs'))
  await query(copy.application, remove)

  for (const table of Object.keys(acme.rows)) {
    const owners = `select distinct tenant_id from ${table}`
    expect(await queryColumn(copy.owner, as(acme, `${owners} where tenant_id = '${acme.id}'`))).toEqual([])
    expect(await queryColumn(copy.owner, as(bolt, owners))).toEqual([bolt.id])
  }
})

test('withTenant names the tenant for one transaction, and not for the next user of the connection', async () => {
  const client = createClient(main.application, { max: 1 })
  try {
    const during = await withTenant(client, acme.id, (transaction) => transaction.select().from(auditLogs))
    const after = await client.select().from(auditLogs)

    expect(during).toEqual([expect.objectContaining({ tenantId: acme.id, action: 'circle.created' })])
    expect(after).toEqual([])
  } finally {
    await client.$client.end()
  }
})

/** Statements of a session that names a tenant. */
function as(tenant: Tenant, statements: string): string {
  return `set app.current_tenant_id = '${tenant.id}';\n${statements}`
}
