import { timestamp } from 'drizzle-orm/pg-core'

/** Declares a moment in time: `timestamp with time zone`, read and written as a `Date`. */
export function timestamptz(name: string) {
  return timestamp(name, { withTimezone: true })
}
