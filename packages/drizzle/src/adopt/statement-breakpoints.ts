import { lineAt, splitStatements } from '@drover/engine'

/** What drizzle-kit writes between statements, and drizzle-orm takes files apart at. */
const breakpoint = '--> statement-breakpoint'

/**
 * The line, from 1, of a statement that only a breakpoint ends: without the breakpoint, which is a comment to PostgreSQL, it
 * would run into the next one.
 */
export function findOpenStatement(sql: string): number | undefined {
  const open = splitStatements(sql).find(({ text }) => text.includes(breakpoint))
  return open && lineAt(sql, open.start)
}
