import { readHistory, writeCodeRevision, writeEmptyRevision } from '@drover/engine'
import type { Kit } from '@drover/drizzle'
import { DroverError, type Phase, type Target } from '@drover/history'
import type { Database, Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { type PlacementOptions, placeRevision } from '../placement.ts'
import { describeMade, filesOf, madeJson } from '../render/revision.ts'
import type { CommonOptions, Session } from '../session.ts'
import { onlyDatabase, readTargets } from '../targets.ts'

/** What `revision` understands. */
export interface RevisionOptions extends CommonOptions {
  readonly empty?: boolean
  /** Whether what is to be filled in is TypeScript. */
  readonly ts?: boolean
  /** What it comes after. */
  readonly head?: string
  readonly splice?: boolean
  readonly branchLabel?: readonly string[]
  readonly dependsOn?: readonly string[]
  readonly phase?: Phase
  /** Values of `--rename`. */
  readonly renames?: readonly string[]
  /** Whether what is new is new. */
  readonly allNew?: boolean
  /** Missing means yes. */
  readonly proof?: boolean
  readonly concurrently?: boolean
  /** Whether to take over what drizzle-kit has written. */
  readonly adopt?: boolean
}

/** drizzle-kit, on its way. */
export interface StartedKit {
  readonly kit: Kit
  /** To be told where the workspace is. */
  readonly onRoot: (root: string) => void
}

/**
 * Makes new revisions: from the Drizzle schemas, one for each database whose schema has changed; or with `--empty` one of
 * one database, to fill in.
 * @param started missing with `--empty` and `--adopt`, which start drizzle-kit when they need it
 */
export async function revision(
  session: Session,
  options: RevisionOptions,
  message = '',
  started?: StartedKit,
): Promise<ExitCode> {
  if (options.adopt) {
    const { adoptKitRevisions } = await import('./adopt-kit-revisions.ts')
    return adoptKitRevisions(session, options)
  }
  if (message.trim() === '') {
    throw new DroverError({
      code: 'USAGE',
      message: 'the message is missing',
      hint: 'say what the revision does: pnpm migrate revision "add circle capacity"',
    })
  }
  const { workspace, selected } = await session.workspace({ mirrors: false })
  started?.onRoot(workspace.root)
  const [head] = readTargets(workspace, options.head === undefined ? [] : [options.head])
  const placement: PlacementOptions = {
    head,
    splice: options.splice === true,
    labels: options.branchLabel ?? [],
    dependsOn: readTargets(workspace, options.dependsOn ?? []),
  }
  const isPlaced = head !== undefined || placement.labels.length + placement.dependsOn.length > 0
  const databases =
    options.empty || isPlaced ? [onlyDatabase(workspace, selected, 'a new revision', targetsOf(head))] : selected
  if (started) {
    const { kit } = started
    const { generateRevisions } = await import('./generate-revisions.ts')
    return await generateRevisions(session, options, { kit, workspace, databases, placement, message: message.trim() })
  }
  return makeEmpty(session, options, workspace, databases[0]!, placement, message.trim())
}

function targetsOf(head: Target | undefined): readonly Target[] {
  return head ? [head] : []
}

async function makeEmpty(
  session: Session,
  { phase, ts }: RevisionOptions,
  workspace: Workspace,
  database: Database,
  place: PlacementOptions,
  message: string,
): Promise<ExitCode> {
  const { name } = database
  const source = { root: workspace.root, folder: database.migrations }
  const history = readHistory(source)
  const placement = placeRevision(workspace, database, history, place)
  const { keepSchema } = await import('@drover/drizzle')
  const { id, files } = await keepSchema(source, history, placement.parents)
  const created = new Date()
  const draft = { ...placement, message, created, ...(phase && { phase }), ...(id !== undefined && { id }) }
  const write = ts ? writeCodeRevision : writeEmptyRevision
  const written = write(source, history, draft, files)
  session.print(...describeMade(name, written, history.heads.length))
  session.print(...filesOf(written).map((file) => `  fill in ${file}`))
  return session.finish({ databases: [{ name, revisions: [madeJson(written)] }] })
}
