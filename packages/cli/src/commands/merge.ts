import { readHistory, writeMergeRevision } from '@drover/engine'
import { checkMerge, type History, type Problem, resolvePlace, type Revision, type Target } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import { describeMade, madeJson } from '../render/revision.ts'
import type { CommonOptions, Session } from '../session.ts'
import { onlyDatabase, readTargets } from '../targets.ts'

interface MergeOptions extends CommonOptions {
  readonly message?: string
}

/** Joins revisions of one database, by default all its heads, with a new one that changes nothing itself. */
export async function merge(session: Session, options: MergeOptions, ...texts: readonly string[]): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ mirrors: false })
  const targets = readTargets(workspace, texts)
  const database = onlyDatabase(workspace, selected, 'a merge', targets)
  const { name } = database
  const source = { root: workspace.root, folder: database.migrations }
  const history = readHistory(source)
  const chosen = chooseParents(history, targets)
  if ('problems' in chosen) {
    return session.finish(
      { databases: [] },
      chosen.problems.map((problem) => ({ ...problem, database: name })),
    )
  }
  const { parents } = chosen
  const message = options.message?.trim() || `merge ${parents.map((id) => shortNameOf(history, id)).join(' and ')}`
  // Loaded here, because drizzle-kit's room is large.
  const { keepSchema } = await import('@drover/drizzle')
  const { id, files } = await keepSchema(source, history, parents)
  const draft = { message, parents, created: new Date(), ...(id !== undefined && { id }) }
  const written = writeMergeRevision(source, history, draft, files)
  session.print(...describeMade(name, written, history.heads.length))
  session.print(`  it joins branches and changes nothing itself: apply it with pnpm migrate upgrade -d ${name}`)
  return session.finish({ databases: [{ name, revisions: [madeJson(written)] }] })
}

function chooseParents(
  history: History,
  targets: readonly Target[],
): { readonly parents: readonly string[] } | { readonly problems: readonly Problem[] } {
  if (targets.length === 0 && history.heads.length < 2) return { problems: [nothingToMerge(history)] }
  const places = targets.map((target) => resolvePlace(history, target))
  const unresolved = places.flatMap((place) => (place.ok ? [] : [place.problem]))
  if (unresolved.length > 0) return { problems: unresolved }
  const named = places.flatMap((place) => (place.ok ? place.ids.map((id) => history.byId.get(id)!) : []))
  const check = checkMerge(history, targets.length === 0 ? history.heads : named)
  return check.ok ? { parents: check.parents } : { problems: check.problems }
}

function nothingToMerge({ heads: [head] }: History): Problem {
  return {
    code: 'USAGE',
    message: head
      ? `there is nothing to merge: ${head.id} "${head.message}" is the only head`
      : 'there is nothing to merge: there are no revisions',
    hint: 'see the history with: pnpm migrate history',
  }
}

function shortNameOf(history: History, id: string): string {
  const { labels }: Revision = history.byId.get(id)!
  return labels[0] ?? id
}
