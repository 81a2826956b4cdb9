import type { Connection } from '@drover/engine'

import { tableName } from './candidates.ts'
import { selectTables } from './read-tables.ts'

/**
 * Does something while no table forces its policies on its owner, who would not see or write all rows. Changes nothing for
 * those who pass row-level security anyway.
 */
export async function withoutForcedSecurity<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  const forced = await connection.send(`
    select schema, name
    from (${selectTables}) as tables
    where forced and not (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
    order by schema, name`)
  if (forced.length === 0) return work()
  const tables = forced.map((row) => tableName({ schema: String(row['schema']), name: String(row['name']) }))
  const change = (to: string) => tables.map((table) => `alter table ${table} ${to} row level security`).join(';\n')
  await connection.send(change('no force'))
  try {
    return await work()
  } finally {
    await connection.send(change('force'))
  }
}
