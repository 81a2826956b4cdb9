import { findMissingTables, openConnection } from '@drover/engine'
import type { Problem } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import type { Database } from '../workspace/discover.ts'
import type { Located } from '../workspace/locate.ts'

/** What was found of the tables that an application cannot live without. */
export interface CriticalFindings {
  readonly database: Database
  /** As declared; empty where nothing is. */
  readonly critical: readonly string[]
  /** Which of them are not there. `undefined` where nobody could look. */
  readonly missing: readonly string[] | undefined
  /** Why nobody could. */
  readonly problems: readonly Problem[]
}

/** Looks for the critical tables of databases side by side, with one query each; of one that declares none, nothing is asked. */
export async function findCritical(located: readonly Located[]): Promise<readonly CriticalFindings[]> {
  return Promise.all(located.map(findIn))
}

async function findIn({ database, url }: Located): Promise<CriticalFindings> {
  const declared = database.config.critical ?? []
  const critical = declared.map(({ written }) => written)
  if (critical.length === 0) return { database, critical, missing: [], problems: [] }
  try {
    await using connection = openConnection(url)
    const missing = await findMissingTables(connection, declared)
    return { database, critical, missing: missing.map(({ written }) => written), problems: [] }
  } catch (error) {
    return { database, critical, missing: undefined, problems: problemsOf(error, database.name) }
  }
}
