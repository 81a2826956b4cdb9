import { type Script, splitStatements } from '@drover/engine'
import type { Revision } from '@drover/history'

/** A script for tests, as it would be read from a file. */
export function exampleScript(
  sql: string,
  revision: Partial<Revision> = {},
  direction: Script['direction'] = 'up',
): Script {
  const folder = 'databases/main/migrations/20261120100000_change'
  return {
    revision: {
      id: 'a1a1a1a1a1a1',
      parents: [],
      dependsOn: [],
      labels: [],
      message: 'change',
      created: '2026-11-20T10:00:00Z',
      folder,
      reversible: true,
      ...revision,
    },
    direction,
    file: `${folder}/${direction === 'up' ? 'migration' : 'down'}.sql`,
    sql,
    statements: splitStatements(sql),
    checksum: '',
  }
}
