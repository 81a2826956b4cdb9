import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'
import { users } from './users.ts'

export const teamRole = pgEnum('team_role', ['owner', 'admin', 'member', 'viewer'])

export const teams = pgTable(
  'teams',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'teams_tenant_id_fkey', onDelete: 'cascade' }),
    name: text('name').notNull(),
    description: text('description'),
    createdBy: uuid('created_by'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('teams_tenant_id_id_key').on(t.tenantId, t.id),
    foreignKey({
      name: 'teams_created_by_fkey',
      columns: [t.tenantId, t.createdBy],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('set null'),
    check('teams_name_check', sql`char_length(name) between 1 and 200`),
    uniqueIndex('teams_tenant_id_name_key').on(t.tenantId, sql`lower(name)`),
    index('teams_created_by_idx')
      .on(t.createdBy)
      .where(sql`created_by is not null`),
  ],
)

export const teamMembers = pgTable(
  'team_members',
  {
    tenantId: uuid('tenant_id').notNull(),
    teamId: uuid('team_id').notNull(),
    userId: uuid('user_id').notNull(),
    role: teamRole('role').notNull().default('member'),
    joinedAt: timestamp('joined_at', { withTimezone: true }).notNull().defaultNow(),
    updatedAt: updatedAt(),
  },
  (t) => [
    primaryKey({ name: 'team_members_pkey', columns: [t.teamId, t.userId] }),
    foreignKey({
      name: 'team_members_team_id_fkey',
      columns: [t.tenantId, t.teamId],
      foreignColumns: [teams.tenantId, teams.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'team_members_user_id_fkey',
      columns: [t.tenantId, t.userId],
      foreignColumns: [users.tenantId, users.id],
    }).onDelete('cascade'),
    index('team_members_user_id_joined_at_idx').on(t.userId, t.joinedAt.desc().nullsFirst()),
    index('team_members_team_id_role_idx').on(t.teamId, t.role),
  ],
)
