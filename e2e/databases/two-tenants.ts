/** A tenant of the main database, the ids of its rows, and one row (two circles) for every table that holds rows of tenants. */
export interface Tenant {
  readonly id: string
  readonly slug: string
  readonly users: string
  readonly teams: string
  readonly circles: string
  readonly meetings: string
  readonly tasks: string
  readonly conversations: string
  readonly action_logs: string
  readonly workflows: string
  readonly workflow_runs: string
  /** By table, in the order in which they refer to each other. Values are as they would be written in a string of SQL. */
  readonly rows: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>
}

export const acme = describeTenant('acme', 1)
export const bolt = describeTenant('bolt', 2)

/** SQL that fills the main database with everything of both tenants. */
export const insertTenants = [acme, bolt]
  .flatMap((tenant) => [
    `set app.current_tenant_id = '${tenant.id}'`,
    `insert into tenants (id, name, slug) values ('${tenant.id}', '${tenant.slug}', '${tenant.slug}')`,
    ...Object.keys(tenant.rows).map((table) => insertRow(table, tenant)),
  ])
  .join(';\n')

/** SQL that inserts a tenant's rows of one table. */
export function insertRow(table: string, tenant: Tenant): string {
  return (tenant.rows[table] ?? [])
    .map((row) => {
      const columns = Object.keys(row).join(', ')
      const values = Object.values(row).map((value) => `'${value}'`)
      return `insert into ${table} (${columns}) values (${values.join(', ')})`
    })
    .join(';\n')
}

function describeTenant(slug: string, place: number): Tenant {
  const id = (number: number) => `0000000${place}-0000-4000-8000-${String(number).padStart(12, '0')}`
  const ids = {
    id: id(0),
    users: id(1),
    teams: id(2),
    circles: id(3),
    meetings: id(4),
    tasks: id(5),
    conversations: id(6),
    action_logs: id(7),
    workflows: id(8),
    workflow_runs: id(9),
  }
  const other = { circles: id(33) }
  const tenant_id = ids.id
  const user_id = ids.users
  return {
    ...ids,
    slug,
    rows: {
      users: [{ id: user_id, tenant_id, email: `ada@${slug}.example` }],
      teams: [{ id: ids.teams, tenant_id, name: `The team of ${slug}`, created_by: user_id }],
      team_members: [{ tenant_id, team_id: ids.teams, user_id }],
      circles: [
        { id: ids.circles, tenant_id, name: 'Mondays', facilitator_id: user_id },
        { id: other.circles, tenant_id, name: 'Tuesdays', facilitator_id: user_id },
      ],
      circle_memberships: [{ tenant_id, circle_id: ids.circles, user_id }],
      meetings: [{ id: ids.meetings, tenant_id, circle_id: ids.circles, title: 'First', scheduled_at: '2026-12-01' }],
      meeting_attendance: [{ tenant_id, meeting_id: ids.meetings, user_id }],
      events: [{ tenant_id, circle_id: ids.circles, organizer_id: user_id, title: 'Walk', starts_at: '2026-12-02' }],
      transfer_requests: [{ tenant_id, user_id, from_circle_id: ids.circles, to_circle_id: other.circles }],
      tasks: [{ id: ids.tasks, tenant_id, user_id, team_id: ids.teams, title: 'Buy chairs' }],
      task_shares: [{ tenant_id, task_id: ids.tasks, user_id, shared_by: user_id }],
      conversations: [{ id: ids.conversations, tenant_id, user_id }],
      messages: [{ tenant_id, conversation_id: ids.conversations, role: 'user', content: 'Hello' }],
      action_logs: [{ id: ids.action_logs, tenant_id, action_type: 'email_send', provider: 'smtp' }],
      audit_logs: [{ tenant_id, user_id, action: 'circle.created' }],
      idempotency_keys: [{ tenant_id, key: 'k1', expires_at: '2100-01-01' }],
      workflows: [{ id: ids.workflows, tenant_id, name: 'Remind', created_by: user_id }],
      workflow_runs: [{ id: ids.workflow_runs, tenant_id, workflow_id: ids.workflows, triggered_by: user_id }],
      // Not the same position for all, so that a step of one would fit into a run of another.
      workflow_steps: [
        { tenant_id, run_id: ids.workflow_runs, position: `${place}`, name: 'Send', action_log_id: ids.action_logs },
      ],
    },
  }
}
