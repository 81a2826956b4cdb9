import { posix } from 'node:path'

import type { Database } from '@drover/orchestrator'

/** The Drizzle schema of a database, as a path from the root; missing when it has none. */
export function schemaFileOf({ folder, config }: Database): string | undefined {
  return config.schema === undefined ? undefined : posix.join(folder, config.schema)
}
