import { type CriticalFindings, findCritical } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { criticalJson, criticalLines, criticalProblems } from '../render/critical.ts'
import type { CommonOptions, Session } from '../session.ts'

/** Says whether the tables are there that the application cannot live without. Changes nothing. */
export async function validate(session: Session, _options: CommonOptions): Promise<ExitCode> {
  const findings = await readCritical(session)
  session.print(...criticalLines(findings, session.out))
  return session.finish({ databases: findings.map(criticalJson) }, criticalProblems(findings))
}

/** Looks for the critical tables of all databases that a call is about. */
export async function readCritical(session: Session): Promise<readonly CriticalFindings[]> {
  const { workspace, selected } = await session.workspace({ external: true, tenants: false })
  return findCritical(await session.locate(workspace, selected))
}
