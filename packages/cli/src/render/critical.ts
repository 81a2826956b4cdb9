import type { Problem } from '@drover/history'
import type { CriticalFindings } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count } from './text.ts'

/** What was found, a line for each database. */
export function criticalLines(findings: readonly CriticalFindings[], style: Style): readonly string[] {
  return findings.map(({ database, critical, missing }) => {
    if (critical.length === 0) return `${database.name}: declares no critical tables`
    if (!missing) return `${database.name}: ${style.bad('cannot be read')}`
    const all = count(critical.length, 'critical table')
    if (missing.length === 0) return `${database.name}: ${all}, ${style.good('nothing missing')}`
    return `${database.name}: ${all}, ${style.bad(`${missing.length} missing`)}`
  })
}

/** What is missing, and what could not be looked at, as problems. */
export function criticalProblems(findings: readonly CriticalFindings[]): readonly Problem[] {
  return findings.flatMap(({ database, missing = [], problems }): readonly Problem[] => {
    if (missing.length === 0) return problems
    return [
      {
        code: 'TABLE_MISSING',
        database: database.name,
        message: `the application cannot live without ${missing.join(', ')}, and ${missing.length === 1 ? 'it is' : 'they are'} not there`,
        hint: hintFor(database.config.external !== undefined),
      },
    ]
  })
}

function hintFor(isExternal: boolean): string {
  const correct = 'correct "critical" in its database.ts'
  return isExternal
    ? `have the program make them that the database belongs to, or ${correct}`
    : `pnpm migrate upgrade -d <database> applies what is missing, pnpm migrate drift -d <database> shows what is gone; or ${correct}`
}

/** What was found, as data. */
export function criticalJson({ database, critical, missing }: CriticalFindings): Readonly<Record<string, unknown>> {
  return { name: database.name, critical, ...(missing && { missing }) }
}
