import { findRevision } from './find-revision.ts'
import { ancestorsOf, type History } from './graph.ts'
import { type Problem, type Refusal, refuse } from './problem.ts'
import { resolvePlace, severalHeads } from './resolve.ts'
import { nameRevision } from './revision.ts'
import { faultOfLabel, formatTarget, type Target } from './target.ts'

/** How a new revision is to hang in the graph. */
export interface DraftOptions {
  /** What it comes after. The one head by default; `base` makes a new base. */
  readonly head?: Target
  /** Whether it may come after a revision that is no head, and so start a branch. */
  readonly splice?: boolean
  readonly labels?: readonly string[]
  /** Names of revisions that it depends on: labels, ids, abbreviated ids. */
  readonly dependsOn?: readonly string[]
}

/** Where a new revision hangs in the graph, or every reason why it must not be written. */
export type Draft =
  | {
      readonly ok: true
      readonly parents: readonly string[]
      readonly dependsOn: readonly string[]
      readonly labels: readonly string[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Decides where a new revision hangs, before anything of it is written. Refused: several heads where none is chosen, a
 * parent that is no head unless it is spliced, labels that are taken or cannot be used in a target, and dependencies
 * that cannot be found or are below it anyway.
 */
export function draftRevision(history: History, options: DraftOptions = {}): Draft {
  const { labels = [], dependsOn = [] } = options
  const parents = chooseParents(history, options)
  const below = ancestorsOf(history, parents.ok ? parents.ids : [])
  const dependencies = dependsOn.map((name) => chooseDependency(history, name, below))
  const problems = [
    ...(parents.ok ? [] : [parents.problem]),
    ...findUnusableLabels(history, labels),
    ...dependencies.flatMap((dependency) => (dependency.ok ? [] : [dependency.problem])),
  ]
  if (!parents.ok || problems.length > 0) return { ok: false, problems }
  const ids = dependencies.flatMap((dependency) => (dependency.ok ? [dependency.id] : []))
  return { ok: true, parents: parents.ids, dependsOn: [...new Set(ids)], labels: [...new Set(labels)] }
}

interface Parents {
  readonly ok: true
  readonly ids: readonly string[]
}

const heads = { anchor: { kind: 'heads' }, steps: 0 } as const

function chooseParents(history: History, { head = heads, splice = false }: DraftOptions): Parents | Refusal {
  // With one head the two words mean the same, and with several the answer is to choose one.
  const isHead = head.anchor?.kind === 'head' && head.steps === 0
  const place = resolvePlace(history, isHead ? { ...head, anchor: heads.anchor } : head)
  if (!place.ok) return place
  const { ids, branch } = place
  if (ids.length > 1) {
    const several = severalHeads(
      ids.map((id) => history.byId.get(id)!),
      branch?.name,
    )
    const hint = `choose the one to continue with --head, or join them with: pnpm migrate merge ${ids.join(' ')} -d <database>`
    return { ok: false, problem: { ...several, hint } }
  }
  const [parent] = ids.map((id) => history.byId.get(id)!)
  if (!parent && branch) {
    const reason = `"${formatTarget(head)}": a new base belongs to no branch`
    return refuse('TARGET_INVALID', reason, 'leave the branch out: --head base')
  }
  if (!parent || splice || history.heads.includes(parent)) return { ok: true, ids }
  return refuse(
    'NOT_A_HEAD',
    `${nameRevision(parent)} is not a head: a revision after it starts a branch`,
    `add --splice if that is meant, or name a head: ${history.heads.map((one) => one.id).join(', ')}`,
  )
}

function findUnusableLabels(history: History, labels: readonly string[]): readonly Problem[] {
  return [...new Set(labels)].flatMap((label): readonly Problem[] => {
    const fault = faultOfLabel(label)
    if (fault !== undefined) return [refuse('USAGE', `the label "${label}" ${fault}`, 'choose another label').problem]
    const owner = history.byLabel.get(label)
    if (!owner) return []
    const taken = `the label "${label}" is taken by ${nameRevision(owner)}`
    const hint = `choose another label; to continue that branch: --head ${label}@head`
    return [{ ...refuse('DUPLICATE_LABEL', taken, hint).problem, file: `${owner.folder}/revision.json` }]
  })
}

function chooseDependency(
  history: History,
  name: string,
  below: ReadonlySet<string>,
): { readonly ok: true; readonly id: string } | Refusal {
  const found = findRevision(history, name)
  if (!found.ok) return found
  const { id } = found.revision
  if (!below.has(id)) return { ok: true, id }
  return refuse(
    'USAGE',
    `the new revision comes after ${nameRevision(found.revision)} anyway`,
    `leave out: --depends-on ${name}`,
  )
}
