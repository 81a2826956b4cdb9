import { type Drift, findDrift, readShadowServer, type ShadowServer } from '@drover/drizzle'
import { readChecksums } from '@drover/engine'
import { findEdited, findUnknown, type Problem } from '@drover/history'
import { appliedIds, type Database, type Member, problemsOf, type Workspace } from '@drover/orchestrator'

import { declaredExtensions, declaredRoles } from '../declared-roles.ts'
import type { ExitCode } from '../exit-code.ts'
import { driftLines, driftProblems, versionWarnings } from '../render/drift.ts'
import type { CommonOptions, Session } from '../session.ts'

/** What was found of one database: how it has drifted, or what kept it from being compared. */
interface Findings {
  readonly database: Database
  readonly problems: readonly Problem[]
  readonly drift?: Drift
}

/** Compares each database with a shadow that is built from what is applied in it. Writes nothing to any of them. */
export async function drift(session: Session, options: CommonOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ tenants: false })
  await using fleet = await session.fleet(workspace, selected)
  const server = await readShadowServer(await session.shadowServer(workspace))
  const read = await Promise.all(fleet.members.map((member) => compare(workspace, member, server)))
  const findings = selected.flatMap((database) =>
    [...read, ...fleet.unread].filter((finding): finding is Findings => finding.database === database),
  )

  const mostLines = options.verbose ? Infinity : undefined
  for (const { database, drift: found } of findings) {
    session.print(...driftLines(database, found, session.out, mostLines))
    for (const warning of versionWarnings(database, found, server)) session.warn(warning)
  }
  const problems = findings.flatMap((finding) => [
    ...finding.problems,
    ...driftProblems(finding.database, finding.drift),
  ])
  const databases = findings.map((finding) => ({
    name: finding.database.name,
    problems: finding.problems,
    ...(finding.drift && { objects: finding.drift.objects, differences: finding.drift.differences }),
  }))
  return session.finish({ databases }, problems, problems.length === 0 ? 0 : 4)
}

async function compare(workspace: Workspace, member: Member, server: ShadowServer): Promise<Findings> {
  const { database, history, state, connection } = member
  const applied = appliedIds(state)
  try {
    const known = history.revisions.filter((revision) => applied.has(revision.id))
    const checksums = await readChecksums(workspace.root, known, state.applied)
    const disagreement = [...findUnknown(history, applied), ...findEdited(history, state.applied, checksums)]
    if (disagreement.length > 0) {
      return { database, problems: disagreement.map((problem) => ({ ...problem, database: database.name })) }
    }
    const { root } = workspace
    const foreign = [...database.config.foreign, ...declaredExtensions(database)]
    const roles = declaredRoles(database)
    const found = await findDrift({ live: connection, server, root, history, applied, foreign, roles })
    return { database, problems: [], drift: found }
  } catch (error) {
    return { database, problems: problemsOf(error, database.name) }
  }
}
