import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

import { actionLogs, actionType } from './action-logs.ts'
import { openPolicy, tenantPolicies } from './tenant-policies.ts'
import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const workflowStatus = pgEnum('workflow_status', ['draft', 'active', 'paused', 'archived'])

export const workflowRunStatus = pgEnum('workflow_run_status', [
  'pending',
  'running',
  'succeeded',
  'failed',
  'cancelled',
])

export const workflowStepStatus = pgEnum('workflow_step_status', [
  'pending',
  'running',
  'succeeded',
  'failed',
  'skipped',
])

export const workflows = pgTable.withRLS(
  'workflows',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'workflows_tenant_id_fkey', onDelete: 'cascade' }),
    name: text('name').notNull(),
    version: integer('version').notNull().default(1),
    description: text('description'),
    definition: jsonb('definition').$type<Record<string, unknown>>().notNull().default({}),
    status: workflowStatus('status').notNull().default('draft'),
    createdBy: uuid('created_by'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('workflows_tenant_id_id_key').on(t.tenantId, t.id),
    unique('workflows_tenant_id_name_version_key').on(t.tenantId, t.name, t.version),
    foreignKey({
      name: 'workflows_created_by_fkey',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    check('workflows_name_check', sql`char_length(name) between 1 and 200`),
    check('workflows_version_check', sql`version > 0`),
    check('workflows_definition_check', sql`jsonb_typeof(definition) = 'object'`),
    index('workflows_active_idx')
      .on(t.tenantId, t.name)
      .where(sql`status = 'active'`),
    index('workflows_created_by_idx')
      .on(t.createdBy)
      .where(sql`created_by is not null`),
    openPolicy('workflows'),
    ...tenantPolicies('workflows'),
  ],
)

export const workflowRuns = pgTable.withRLS(
  'workflow_runs',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id').notNull(),
    workflowId: uuid('workflow_id').notNull(),
    triggeredBy: uuid('triggered_by'),
    status: workflowRunStatus('status').notNull().default('pending'),
    input: jsonb('input').$type<Record<string, unknown>>().notNull().default({}),
    output: jsonb('output'),
    error: text('error'),
    startedAt: timestamp('started_at', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('workflow_runs_tenant_id_id_key').on(t.tenantId, t.id),
    foreignKey({
      name: 'workflow_runs_workflow_id_fkey',
      columns: [t.tenantId, t.workflowId],
      foreignColumns: [workflows.tenantId, workflows.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'workflow_runs_triggered_by_fkey',
      columns: [t.tenantId, t.triggeredBy],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    check('workflow_runs_input_check', sql`jsonb_typeof(input) = 'object'`),
    check('workflow_runs_finished_at_check', sql`finished_at >= started_at`),
    index('workflow_runs_workflow_id_created_at_idx').on(t.workflowId, t.createdAt.desc().nullsFirst()),
    index('workflow_runs_tenant_id_created_at_idx').on(t.tenantId, t.createdAt.desc().nullsFirst()),
    index('workflow_runs_open_idx')
      .on(t.tenantId, t.createdAt)
      .where(sql`status in ('pending', 'running')`),
    index('workflow_runs_triggered_by_idx')
      .on(t.triggeredBy)
      .where(sql`triggered_by is not null`),
    openPolicy('workflow_runs'),
    ...tenantPolicies('workflow_runs'),
  ],
)

export const workflowSteps = pgTable.withRLS(
  'workflow_steps',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id').notNull(),
    runId: uuid('run_id').notNull(),
    position: integer('position').notNull(),
    name: text('name').notNull(),
    actionType: actionType('action_type'),
    actionLogId: uuid('action_log_id'),
    status: workflowStepStatus('status').notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    input: jsonb('input').$type<Record<string, unknown>>().notNull().default({}),
    output: jsonb('output'),
    error: text('error'),
    startedAt: timestamp('started_at', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('workflow_steps_run_id_position_key').on(t.runId, t.position),
    foreignKey({
      name: 'workflow_steps_run_id_fkey',
      columns: [t.tenantId, t.runId],
      foreignColumns: [workflowRuns.tenantId, workflowRuns.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'workflow_steps_action_log_id_fkey',
      columns: [t.tenantId, t.actionLogId],
      foreignColumns: [actionLogs.tenantId, actionLogs.id],
    }).onDelete('set null'),
    check('workflow_steps_position_check', sql`position > 0`),
    check('workflow_steps_name_check', sql`char_length(name) between 1 and 200`),
    check('workflow_steps_attempts_check', sql`attempts >= 0`),
    check('workflow_steps_input_check', sql`jsonb_typeof(input) = 'object'`),
    check('workflow_steps_finished_at_check', sql`finished_at >= started_at`),
    index('workflow_steps_failed_idx')
      .on(t.tenantId, t.createdAt.desc().nullsFirst())
      .where(sql`status = 'failed'`),
    index('workflow_steps_action_log_id_idx')
      .on(t.actionLogId)
      .where(sql`action_log_id is not null`),
    openPolicy('workflow_steps'),
    ...tenantPolicies('workflow_steps'),
  ],
)
