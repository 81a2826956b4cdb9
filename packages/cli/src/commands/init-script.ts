import { wantedAccess, writeProvisioningScript } from '@drover/access'
import { DroverError } from '@drover/history'
import { isNamed } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { allDeclared, declaredAccess } from '../provisioning.ts'
import type { Session } from '../session.ts'

/** Prints what makes databases, roles and grants as a script for psql. Asks no server. */
export async function writeInitScript(session: Session): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ external: true })
  const declaring = selected.filter(({ config }) => config.access)
  if (declaring.length === 0) throw noRolesDeclared()
  const environment = session.environment(workspace)
  const named = declaring.filter((database) => isNamed(database, environment))
  const located = named.length === 0 ? [] : await session.locate(workspace, named)
  const scripts = declaring.map((database) => {
    const url = located.find((one) => one.database === database)?.url
    const name = url?.database ?? database.config.database
    const wanted = wantedAccess(declaredAccess(database, workspace)!, name, allDeclared(workspace))
    return { database: database.name, file: null, revisions: [], sql: writeProvisioningScript(wanted) }
  })
  session.print(...scripts.map(({ sql }) => sql))
  return session.finish({ databases: [], scripts })
}

/** For commands that are about roles. */
export function noRolesDeclared(): DroverError {
  return new DroverError({
    code: 'USAGE',
    message: 'none of these databases declares roles',
    hint: 'declare them in its database.ts; "access: {}" takes all the defaults',
  })
}
