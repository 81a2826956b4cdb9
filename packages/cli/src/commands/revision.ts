import { readHistory, scriptFile, writeEmptyRevision } from '@drover/engine'
import { DroverError, severalHeads } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import type { CommonOptions, Session } from '../session.ts'

interface RevisionOptions extends CommonOptions {
  readonly empty?: boolean
}

/** Makes a new revision after the head of one database. */
export async function revision(session: Session, options: RevisionOptions, message = ''): Promise<ExitCode> {
  if (message.trim() === '') {
    throw new DroverError({
      code: 'USAGE',
      message: 'the message is empty',
      hint: 'say what the revision does: pnpm migrate revision "add circle capacity" --empty',
    })
  }
  const { workspace, selected } = await session.workspace()
  const [database, ...others] = selected
  const names = selected.map((one) => one.name).join(', ')
  if (!database || others.length > 0) {
    throw new DroverError({
      code: 'USAGE',
      message: 'a new revision belongs to one database',
      hint: `say which with --database: ${names}`,
    })
  }
  if (!options.empty) {
    throw new DroverError({
      code: 'USAGE',
      message: 'this version does not write revisions from the Drizzle schema',
      hint: `pnpm migrate revision ${JSON.stringify(message)} --database ${database.name} --empty`,
    })
  }
  const source = { root: workspace.root, folder: database.migrations }
  const history = readHistory(source)
  if (history.heads.length > 1) throw new DroverError({ ...severalHeads(history), database: database.name })
  const parents = history.heads.map((head) => head.id)
  const written = writeEmptyRevision(source, history, { message: message.trim(), parents, created: new Date() })
  const files = [scriptFile(written, 'up'), scriptFile(written, 'down')]
  session.print(
    `${database.name}: made revision ${written.id}, after ${parents.join(', ') || 'nothing: it is the first'}`,
  )
  session.print(...files.map((file) => `  fill in ${file}`))
  return session.finish({
    databases: [
      {
        name: database.name,
        revisions: [
          {
            id: written.id,
            parents,
            message: written.message,
            created: written.created,
            folder: written.folder,
            files,
          },
        ],
      },
    ],
  })
}
