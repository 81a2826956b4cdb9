import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

import { createdAt, updatedAt } from './timestamps.ts'

export const tenants = pgTable(
  'tenants',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull(),
    slug: text('slug').notNull().unique('tenants_slug_key'),
    description: text('description'),
    isActive: boolean('is_active').notNull().default(true),
    settings: jsonb('settings').$type<Record<string, unknown>>().notNull().default({}),
    providerConfigs: jsonb('provider_configs').$type<Record<string, unknown>>().notNull().default({}),
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull().default({}),
    apiKeyHash: text('api_key_hash').unique('tenants_api_key_hash_key'),
    maxContexts: integer('max_contexts').notNull().default(10_000),
    maxStorageMb: integer('max_storage_mb').notNull().default(1000),
    subscriptionTier: text('subscription_tier', { enum: ['free', 'basic', 'professional', 'enterprise'] })
      .notNull()
      .default('basic'),
    subscriptionExpiresAt: timestamp('subscription_expires_at', { withTimezone: true }),
    stripeCustomerId: text('stripe_customer_id').unique('tenants_stripe_customer_id_key'),
    stripeSubscriptionId: text('stripe_subscription_id').unique('tenants_stripe_subscription_id_key'),
    billingEmail: text('billing_email'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    check('tenants_name_check', sql`char_length(name) between 1 and 255`),
    check('tenants_slug_check', sql`slug ~ '^[a-z0-9-]+$' and char_length(slug) <= 100`),
    check('tenants_settings_check', sql`jsonb_typeof(settings) = 'object'`),
    check('tenants_provider_configs_check', sql`jsonb_typeof(provider_configs) = 'object'`),
    check('tenants_metadata_check', sql`jsonb_typeof(metadata) = 'object'`),
    check('tenants_max_contexts_check', sql`max_contexts > 0`),
    check('tenants_max_storage_mb_check', sql`max_storage_mb > 0`),
    check('tenants_subscription_tier_check', sql`subscription_tier in ('free', 'basic', 'professional', 'enterprise')`),
    check('tenants_billing_email_check', sql`billing_email like '%_@_%' and char_length(billing_email) <= 320`),
    index('tenants_active_idx')
      .on(t.createdAt.desc().nullsFirst())
      .where(sql`is_active`),
    index('tenants_subscription_expires_at_idx')
      .on(t.subscriptionExpiresAt)
      .where(sql`subscription_expires_at is not null`),
  ],
)
