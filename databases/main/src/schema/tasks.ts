import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgEnum, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'

import { teams } from './teams.ts'
import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const taskStatus = pgEnum('task_status', ['todo', 'in_progress', 'done', 'cancelled'])

export const taskPermission = pgEnum('task_permission', ['view', 'edit'])

export const tasks = pgTable(
  'tasks',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'tasks_tenant_id_fkey', onDelete: 'cascade' }),
    userId: uuid('user_id').notNull(),
    teamId: uuid('team_id'),
    title: text('title').notNull(),
    description: text('description'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
    status: taskStatus('status').notNull().default('todo'),
  },
  (t) => [
    unique('tasks_tenant_id_id_key').on(t.tenantId, t.id),
    foreignKey({
      name: 'tasks_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'tasks_team_id_fkey',
      columns: [t.tenantId, t.teamId],
      foreignColumns: [teams.tenantId, teams.id],
    }).onDelete('set null'),
    check('tasks_title_check', sql`char_length(title) between 1 and 200`),
    index('tasks_user_id_created_at_idx').on(t.userId, t.createdAt.desc().nullsFirst()),
    index('tasks_team_id_created_at_idx')
      .on(t.teamId, t.createdAt.desc().nullsFirst())
      .where(sql`team_id is not null`),
    index('tasks_tenant_id_updated_at_idx').on(t.tenantId, t.updatedAt.desc().nullsFirst()),
    index('tasks_user_id_open_idx')
      .on(t.userId, t.createdAt.desc().nullsFirst())
      .where(sql`status in ('todo', 'in_progress')`),
    index('tasks_tenant_id_status_idx').on(t.tenantId, t.status),
  ],
)

export const taskShares = pgTable(
  'task_shares',
  {
    tenantId: uuid('tenant_id').notNull(),
    taskId: uuid('task_id').notNull(),
    userId: uuid('user_id').notNull(),
    permission: taskPermission('permission').notNull().default('view'),
    sharedBy: uuid('shared_by'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'task_shares_pkey', columns: [t.taskId, t.userId] }),
    foreignKey({
      name: 'task_shares_task_id_fkey',
      columns: [t.tenantId, t.taskId],
      foreignColumns: [tasks.tenantId, tasks.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'task_shares_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'task_shares_shared_by_fkey',
      columns: [t.tenantId, t.sharedBy],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    index('task_shares_user_id_created_at_idx').on(t.userId, t.createdAt.desc().nullsFirst()),
    index('task_shares_shared_by_idx')
      .on(t.sharedBy)
      .where(sql`shared_by is not null`),
  ],
)
