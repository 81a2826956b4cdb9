import type { DatabaseDeclaration, ExternalDatabaseDeclaration, SnapshotDatabaseDeclaration } from '@drover/config'
import { parseDatabaseConfig } from '@drover/config/parse'

import type { Database } from './discover.ts'

/** A database for tests, as its `database.ts` would declare it. */
export function exampleDatabase(
  name: string,
  declaration:
    | Omit<DatabaseDeclaration, 'name'>
    | Omit<ExternalDatabaseDeclaration, 'name'>
    | Omit<SnapshotDatabaseDeclaration, 'name'> = {},
): Database {
  const result = parseDatabaseConfig({ name, ...declaration })
  if (!result.ok) throw new Error(result.faults.join('\n'))
  return {
    name,
    folder: `databases/${name}`,
    migrations: `databases/${name}/migrations`,
    objects: `databases/${name}/objects`,
    snapshot: `databases/${name}/schema.sql`,
    config: result.config,
  }
}
