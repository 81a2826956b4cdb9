import { sql } from 'drizzle-orm'
import { boolean, check, index, jsonb, pgTable, text, timestamp, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'

import { tenants } from './tenants.ts'
import { createdAt, updatedAt } from './timestamps.ts'

export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    tenantId: uuid('tenant_id')
      .notNull()
      .references(() => tenants.id, { name: 'users_tenant_id_fkey', onDelete: 'cascade' }),
    email: text('email').notNull(),
    externalId: text('external_id'),
    username: text('username'),
    firstName: text('first_name'),
    lastName: text('last_name'),
    fullName: text('full_name'),
    phone: text('phone'),
    bio: text('bio'),
    imageUrl: text('image_url'),
    isActive: boolean('is_active').notNull().default(true),
    isAdmin: boolean('is_admin').notNull().default(false),
    isVerified: boolean('is_verified').notNull().default(false),
    emailVerified: boolean('email_verified').notNull().default(false),
    phoneVerified: boolean('phone_verified').notNull().default(false),
    preferences: jsonb('preferences').$type<Record<string, unknown>>().notNull().default({}),
    timezone: text('timezone').notNull().default('UTC'),
    language: text('language').notNull().default('en'),
    lastLoginAt: timestamp('last_login_at', { withTimezone: true }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    // What other tables point to, so that a row refers to users of its own tenant only. Where such a key is emptied on
    // delete, the migration names the one column to empty (`set null (created_by)`), which Drizzle cannot say.
    unique('users_tenant_id_id_key').on(t.tenantId, t.id),
    check('users_email_check', sql`email like '%_@_%' and char_length(email) <= 320`),
    check('users_username_check', sql`char_length(username) between 1 and 100`),
    check('users_full_name_check', sql`char_length(full_name) <= 255`),
    check('users_phone_check', sql`phone ~ '^\\+?[0-9 ()./-]{4,32}$'`),
    check('users_bio_check', sql`char_length(bio) <= 2000`),
    check('users_preferences_check', sql`jsonb_typeof(preferences) = 'object'`),
    check('users_language_check', sql`language ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'`),
    uniqueIndex('users_tenant_id_email_key').on(t.tenantId, sql`lower(email)`),
    uniqueIndex('users_tenant_id_username_key').on(t.tenantId, sql`lower(username)`),
    uniqueIndex('users_tenant_id_external_id_key').on(t.tenantId, t.externalId),
    // Signing in begins with an address and no tenant.
    index('users_email_idx').on(sql`lower(email)`),
    index('users_tenant_id_created_at_idx').on(t.tenantId, t.createdAt.desc().nullsFirst()),
    index('users_tenant_id_last_login_at_idx')
      .on(t.tenantId, t.lastLoginAt.desc().nullsLast())
      .where(sql`is_active`),
    index('users_preferences_idx').using('gin', t.preferences.op('jsonb_path_ops')),
  ],
)
