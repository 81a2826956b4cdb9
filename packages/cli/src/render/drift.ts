import type { Drift, ShadowServer } from '@drover/drizzle'
import { describeDifference } from '@drover/engine'
import type { Problem } from '@drover/history'
import type { Database } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count } from './text.ts'

/**
 * How a database has drifted, in lines; without `drift` it could not be compared.
 * @param mostLines how many changed lines of a definition are shown. Default 10
 */
export function driftLines(
  { name }: Database,
  drift: Drift | undefined,
  style: Style,
  mostLines?: number,
): readonly string[] {
  const title = style.strong(name)
  if (!drift) return [`${title}: ${style.bad('cannot be compared')}`]
  const { differences, objects } = drift
  if (differences.length === 0) {
    return [`${title}: ${style.good('as its history builds it')} (${count(objects, 'object')} compared)`]
  }
  return [
    `${title}: ${style.bad(count(differences.length, 'difference'))}`,
    ...differences.flatMap((difference) => describeDifference(difference, mostLines)).map((line) => `  ${line}`),
  ]
}

/** Drift as a problem, if there is any. */
export function driftProblems({ name, folder }: Database, drift: Drift | undefined): readonly Problem[] {
  if (!drift || drift.differences.length === 0) return []
  return [
    {
      code: 'DRIFT',
      database: name,
      message: `${count(drift.differences.length, 'difference')} from what its history builds`,
      hint: `write a revision that makes them part of the history, undo them by hand, or declare as "foreign" in ${folder}/database.ts what is none of its business`,
    },
  ]
}

/** That differences may be none, because another version of PostgreSQL wrote the same definitions. */
export function versionWarnings(
  { name }: Database,
  drift: Drift | undefined,
  server: ShadowServer,
): readonly Problem[] {
  if (!drift || drift.differences.length === 0 || drift.version === server.version) return []
  return [
    {
      code: 'DRIFT',
      database: name,
      message: `its server is PostgreSQL ${drift.version} and that of the shadow PostgreSQL ${server.version}: the two may write the same definition differently`,
      hint: `set DROVER_SHADOW_URL to a server of PostgreSQL ${drift.version}`,
    },
  ]
}
