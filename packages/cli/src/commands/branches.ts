import type { ExitCode } from '../exit-code.ts'
import { branchesJson, describeBranches, findBranchPoints } from '../render/branches.ts'
import type { Session } from '../session.ts'
import { readAll } from './history.ts'

/** Lists where each history branches. Needs no server. */
export async function branches(session: Session): Promise<ExitCode> {
  const { read, problems } = await readAll(session)
  const found = read.map(({ database, graph }) => ({ name: database.name, points: findBranchPoints(graph) }))
  session.print(...found.flatMap(({ name, points }) => describeBranches(name, points, session.out)))
  return session.finish({ databases: found.map(({ name, points }) => branchesJson(name, points)) }, problems)
}
