import { type Place, proveAccess, readSecrets, roleKinds, type Subject } from '@drover/access'
import { DroverError } from '@drover/history'
import { type Database, isNamed, type Located, type Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { declaredAccess, findAdministrator, findPasswords } from '../provisioning.ts'
import { accessJson, accessLines, accessProblems } from '../render/access.ts'
import { type CommonOptions, roleSecretsFile, type Session } from '../session.ts'
import { noRolesDeclared } from './init-script.ts'

/** Tries every role of the workspace on every database, and compares with what the roles are for. Changes nothing. */
export async function access(session: Session, _options: CommonOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ external: true, tenants: false })
  const declaring = selected.filter(({ config }) => config.access)
  if (declaring.length === 0) throw noRolesDeclared()
  const located = await session.locate(workspace, declaring)
  const development = located.some((one) => one.development)
  const administrator = development ? await session.developmentServer(workspace) : undefined
  const places = located.map(({ database, url }): Place => {
    const login = administrator ?? findAdministrator(database, url, session.environment(workspace))
    return { name: database.name, url, ...(login && { administrator: login.withDatabase(url.database) }) }
  })
  const generated = administrator
    ? (await readSecrets(roleSecretsFile(workspace.root), administrator.revealPassword())).passwords
    : new Map<string, string>()

  const subjects = await findSubjects(session, workspace, located, generated)
  const proofs = await proveAccess(subjects, places)

  session.print(...accessLines(proofs, session.out))
  const databases = accessJson(proofs)
  return session.finish({ databases }, accessProblems(proofs))
}

/** The roles of all databases, also of those that are not asked for: it is strangers that must not come in. */
async function findSubjects(
  session: Session,
  workspace: Workspace,
  located: readonly Located[],
  generated: ReadonlyMap<string, string>,
): Promise<readonly Subject[]> {
  const environment = session.environment(workspace)
  const known = new Map<Database, Located>(located.map((one) => [one.database, one]))
  const others = workspace.databases.filter((database) => !known.has(database) && isNamed(database, environment))
  for (const database of others) {
    try {
      for (const one of await session.locate(workspace, [database])) known.set(database, one)
    } catch (error) {
      // A database that is not asked about need not be reachable: its owner is tried as one whose password is not known.
      if (!(error instanceof DroverError)) throw error
    }
  }
  return workspace.databases.flatMap((database) => {
    const declared = declaredAccess(database, workspace)
    if (!declared) return []
    const passwords = findPasswords(database, known.get(database)?.url, environment)
    return roleKinds.map((kind): Subject => {
      const role = declared.roles[kind]
      const password = generated.get(role) ?? passwords[kind]
      return { role, kind, of: database.name, ...(password !== undefined && { password }) }
    })
  })
}
