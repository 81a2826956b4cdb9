import { sql } from 'drizzle-orm'
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

/**
 * The people whose data is held here. Everything that belongs to one of them hangs off this row and is erased with it.
 *
 * A trigger sets `lastUpdated` on every update; what the application passes for it is overwritten.
 */
export const userProfiles = pgTable(
  'user_profiles',
  {
    userId: text('user_id').notNull(),
    username: text('username').notNull(),
    email: text('email'),
    fullName: text('full_name'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    lastUpdated: timestamp('last_updated', { withTimezone: true }).notNull().defaultNow(),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
  },
  (table) => [
    primaryKey({ name: 'user_profiles_pkey', columns: [table.userId] }),
    check('user_profiles_username_not_empty', sql`btrim(username) <> ''`),
    check('user_profiles_email_length', sql`char_length(email) between 3 and 320`),
    check('user_profiles_created_before_updated', sql`created_at <= last_updated`),
    check('user_profiles_metadata_is_object', sql`jsonb_typeof(metadata) = 'object'`),
    index('user_profiles_email_idx')
      .on(sql`lower(email)`)
      .where(sql`email is not null`),
    index('user_profiles_username_idx').on(table.username),
    index('user_profiles_created_at_idx').on(table.createdAt),
  ],
)

/**
 * What a person has set for themselves: one document per person.
 *
 * A trigger sets `updatedAt` on every update; what the application passes for it is overwritten.
 */
export const userPreferences = pgTable(
  'user_preferences',
  {
    userId: text('user_id').notNull(),
    preferences: jsonb('preferences').$type<Record<string, unknown>>().notNull().default({}),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: 'user_preferences_pkey', columns: [table.userId] }),
    foreignKey({
      name: 'user_preferences_user_id_fkey',
      columns: [table.userId],
      foreignColumns: [userProfiles.userId],
    }).onDelete('cascade'),
    check('user_preferences_preferences_is_object', sql`jsonb_typeof(preferences) = 'object'`),
    index('user_preferences_preferences_idx').using('gin', table.preferences),
    index('user_preferences_updated_at_idx').on(table.updatedAt),
  ],
)
