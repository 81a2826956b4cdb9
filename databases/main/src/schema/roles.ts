import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  index,
  inet,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const permissions = pgTable(
  'permissions',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull().unique('permissions_name_key'),
    resource: text('resource').notNull(),
    action: text('action').notNull(),
    description: text('description'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('permissions_resource_action_key').on(t.resource, t.action),
    check('permissions_name_check', sql`name ~ '^[a-z][a-z0-9_]*([.:][a-z][a-z0-9_]*)*$' and char_length(name) <= 100`),
    check('permissions_resource_check', sql`char_length(resource) between 1 and 100`),
    check('permissions_action_check', sql`char_length(action) between 1 and 50`),
  ],
)

export const roles = pgTable(
  'roles',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull().unique('roles_name_key'),
    displayName: text('display_name').notNull(),
    description: text('description'),
    priority: integer('priority').notNull().default(0),
    isSystem: boolean('is_system').notNull().default(false),
    isAssignable: boolean('is_assignable').notNull().default(true),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    check('roles_name_check', sql`name ~ '^[a-z][a-z0-9_]*$' and char_length(name) <= 100`),
    check('roles_display_name_check', sql`char_length(display_name) between 1 and 100`),
    index('roles_assignable_idx')
      .on(t.priority.desc().nullsFirst(), t.name)
      .where(sql`is_assignable`),
  ],
)

export const rolePermissions = pgTable(
  'role_permissions',
  {
    roleId: uuid('role_id')
      .notNull()
      .references(() => roles.id, { name: 'role_permissions_role_id_fkey', onDelete: 'cascade' }),
    permissionId: uuid('permission_id')
      .notNull()
      .references(() => permissions.id, { name: 'role_permissions_permission_id_fkey', onDelete: 'cascade' }),
    grantedBy: uuid('granted_by').references(() => users.id, {
      name: 'role_permissions_granted_by_fkey',
      onDelete: 'set null',
    }),
    grantedAt: timestamp('granted_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ name: 'role_permissions_pkey', columns: [t.roleId, t.permissionId] }),
    index('role_permissions_permission_id_idx').on(t.permissionId),
    index('role_permissions_granted_by_idx')
      .on(t.grantedBy)
      .where(sql`granted_by is not null`),
  ],
)

export const userRoles = pgTable(
  'user_roles',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { name: 'user_roles_user_id_fkey', onDelete: 'cascade' }),
    // No action: a role that somebody still has cannot be deleted by accident.
    roleId: uuid('role_id')
      .notNull()
      .references(() => roles.id, { name: 'user_roles_role_id_fkey' }),
    isPrimary: boolean('is_primary').notNull().default(false),
    assignedBy: uuid('assigned_by').references(() => users.id, {
      name: 'user_roles_assigned_by_fkey',
      onDelete: 'set null',
    }),
    assignedAt: timestamp('assigned_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
  },
  (t) => [
    primaryKey({ name: 'user_roles_pkey', columns: [t.userId, t.roleId] }),
    check('user_roles_expires_at_check', sql`expires_at > assigned_at`),
    uniqueIndex('user_roles_primary_key')
      .on(t.userId)
      .where(sql`is_primary`),
    index('user_roles_role_id_idx').on(t.roleId),
    index('user_roles_assigned_by_idx')
      .on(t.assignedBy)
      .where(sql`assigned_by is not null`),
    index('user_roles_expires_at_idx')
      .on(t.expiresAt)
      .where(sql`expires_at is not null`),
  ],
)

export const roleAuditLogs = pgTable(
  'role_audit_logs',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: uuid('user_id').references(() => users.id, { name: 'role_audit_logs_user_id_fkey', onDelete: 'set null' }),
    roleId: uuid('role_id').references(() => roles.id, { name: 'role_audit_logs_role_id_fkey', onDelete: 'set null' }),
    roleName: text('role_name').notNull(),
    action: text('action', {
      enum: ['assigned', 'revoked', 'expired', 'made_primary', 'permission_granted', 'permission_revoked'],
    }).notNull(),
    performedBy: uuid('performed_by').references(() => users.id, {
      name: 'role_audit_logs_performed_by_fkey',
      onDelete: 'set null',
    }),
    reason: text('reason'),
    changes: jsonb('changes').$type<Record<string, unknown>>().notNull().default({}),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent'),
    createdAt: createdAt(),
  },
  (t) => [
    check(
      'role_audit_logs_action_check',
      sql`action in ('assigned', 'revoked', 'expired', 'made_primary', 'permission_granted', 'permission_revoked')`,
    ),
    check('role_audit_logs_changes_check', sql`jsonb_typeof(changes) = 'object'`),
    index('role_audit_logs_user_id_created_at_idx').on(t.userId, t.createdAt.desc().nullsFirst()),
    index('role_audit_logs_role_id_created_at_idx').on(t.roleId, t.createdAt.desc().nullsFirst()),
    index('role_audit_logs_performed_by_idx')
      .on(t.performedBy)
      .where(sql`performed_by is not null`),
    index('role_audit_logs_created_at_idx').on(t.createdAt.desc().nullsFirst()),
  ],
)
