import { nameRevision, type Problem } from '@drover/history'

import type { Connection } from '../connect/connection.ts'
import { leavesSomething } from '../source/outside-transaction.ts'
import type { Script } from '../source/script.ts'

/**
 * What keeps scripts from being run over a connection: outside a transaction, a statement that sets something for the ones
 * after it needs them to have the same session, and behind a pooler they may not. `undefined` where nothing does.
 */
export async function findPoolerObstacle(
  connection: Connection,
  scripts: readonly Script[],
): Promise<Problem | undefined> {
  const [found] = scripts.flatMap((script) => {
    const setting = findSessionChange(script)
    return setting === undefined ? [] : [{ script, setting }]
  })
  if (!found || !(await connection.isPooled())) return undefined
  const { revision, file } = found.script
  const { source } = connection.url
  const reason =
    revision.transaction === 'own' ? 'it has transactions of its own' : 'it changes its session outside a transaction'
  return {
    code: 'OUTSIDE_TRANSACTION',
    revision: revision.id,
    file,
    statement: found.setting,
    message: `${nameRevision(revision)} needs a direct connection: ${reason}, and ${source} leads to a pooler, which may give every statement another one`,
    hint: `put the URL of the server itself into ${source}, or write the statements of ${file} so that they need no session`,
  }
}

/** The first statement outside a transaction that means something for later ones only in the same session, if there is one. Pure. */
export function findSessionChange({
  revision,
  statements,
}: Pick<Script, 'revision' | 'statements'>): string | undefined {
  if (revision.transaction === undefined) return undefined
  const texts = statements.map(({ text }) => text)
  if (revision.transaction === 'own') return texts[0]
  return texts.find(leavesSomething)
}
