import { beforeAll, expect, test } from 'vitest'

import { queryColumn } from '../harness/query.ts'
import { type MigratedDatabase, migrateToHead } from './migrated-database.ts'
import { acme, insertTenants } from './two-tenants.ts'

const mine = `user_id = '${acme.users}'`
const ofTenant = `tenant_id = '${acme.id}'`

/** What dashboards and services show, the latest first; the rest of a query after `select *`. */
const lists: Readonly<Record<string, string>> = {
  'my tasks': `from tasks where ${mine} order by created_at desc`,
  'my open tasks': `from tasks where ${mine} and status in ('todo', 'in_progress') order by created_at desc`,
  'the tasks of a team': `from tasks where team_id = '${acme.teams}' order by created_at desc`,
  'the tasks that changed last': `from tasks where ${ofTenant} order by updated_at desc`,
  'what is shared with me': `from task_shares where ${mine} order by created_at desc`,
  'my teams': `from team_members where ${mine} order by joined_at desc`,
  'my conversations': `from conversations where ${mine} order by updated_at desc`,
  'the conversations of a tenant': `from conversations where ${ofTenant} order by created_at desc`,
  'the messages of a conversation': `from messages where conversation_id = '${acme.conversations}' order by created_at desc`,
  'the users of a tenant': `from users where ${ofTenant} order by created_at desc`,
  'my circles': `from circle_memberships where ${mine} order by joined_at desc`,
  'the active circles': `from circles where ${ofTenant} and status = 'active' order by created_at desc`,
  'who has not paid': `from circle_memberships where ${ofTenant} and payment_status in ('pending', 'overdue') and left_at is null order by updated_at desc`,
  'the meetings of a circle': `from meetings where circle_id = '${acme.circles}' order by scheduled_at desc`,
  'the next meetings': `from meetings where ${ofTenant} and status = 'scheduled' order by scheduled_at`,
  'the events of a tenant': `from events where ${ofTenant} order by starts_at desc`,
  'open transfer requests': `from transfer_requests where ${ofTenant} and status = 'pending' order by created_at desc`,
  'the trail of a tenant': `from audit_logs where ${ofTenant} order by occurred_at desc`,
  'the trail of a user': `from audit_logs where ${mine} order by occurred_at desc`,
  'what failed': `from action_logs where ${ofTenant} and status in ('failure', 'timeout') order by created_at desc`,
  'what is still open': `from action_logs where ${ofTenant} and status in ('pending', 'retry') order by created_at`,
  'the actions of one kind': `from action_logs where ${ofTenant} and action_type = 'email_send' order by created_at desc`,
  'the runs of a workflow': `from workflow_runs where workflow_id = '${acme.workflows}' order by created_at desc`,
}

let main: MigratedDatabase
beforeAll(async () => {
  main = await migrateToHead('main', insertTenants)
  return () => main[Symbol.asyncDispose]()
})

test.each(Object.entries(lists))('an index has %s in their order', async (_, list) => {
  const plan = await queryColumn(
    main.application,
    `
set app.current_tenant_id = '${acme.id}';
set enable_seqscan = off;
set enable_bitmapscan = off;
explain select * ${list} limit 20`,
  )

  expect(plan.join('\n')).toContain('Index Scan')
  expect(plan.join('\n')).not.toContain('Sort')
})
