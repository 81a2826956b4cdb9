import type { ExitCode } from '../exit-code.ts'
import type { Session } from '../session.ts'
import type { RevisionOptions, StartedKit } from './make-revision.ts'

type MakeRevisions = (session: Session, options: RevisionOptions, message?: string) => Promise<ExitCode>

/**
 * Begins to make revisions: starts drizzle-kit, which takes longer to load than everything else, before that is loaded.
 * @returns what makes them
 */
export async function beginRevision(options: RevisionOptions): Promise<MakeRevisions> {
  if (options.empty || options.adopt) return (session, given, message) => make(session, given, message)
  const { startKit } = await import('@drover/drizzle/kit')
  let root = ''
  const kit = startKit(() => root)
  const onRoot = (found: string) => void (root = found)
  return async (session, given, message) => {
    await using _kit = kit
    return await make(session, given, message, { kit, onRoot })
  }
}

async function make(
  session: Session,
  options: RevisionOptions,
  message: string | undefined,
  started?: StartedKit,
): Promise<ExitCode> {
  const { revision } = await import('./make-revision.ts')
  return revision(session, options, message, started)
}
