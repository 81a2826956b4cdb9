import { timestamp } from 'drizzle-orm/pg-core'

export const createdAt = () => timestamp('created_at', { withTimezone: true }).notNull().defaultNow()

/** The trigger `<table>_touch_updated_at` keeps this column; a value that an application writes is overwritten. */
export const updatedAt = () => timestamp('updated_at', { withTimezone: true }).notNull().defaultNow()
