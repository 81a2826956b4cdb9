import type { Branch } from './branch.ts'
import type { History } from './graph.ts'
import { type Refusal, refuse } from './problem.ts'
import { nameRevision, type Revision } from './revision.ts'
import { shortestPrefix } from './target.ts'

/** One revision that a name stands for, or why it stands for none. */
export type Found = { readonly ok: true; readonly revision: Revision } | Refusal

/**
 * Finds the revision that a label, an id or an abbreviated id names. An abbreviation that several ids share may still
 * name the only one of them in the branch. Unknown and ambiguous are different problems, the latter with its candidates.
 */
export function findRevision(history: History, name: string, branch?: Branch): Found {
  const id = name.toLowerCase()
  const exact = history.byId.get(id) ?? history.byLabel.get(name)
  if (exact) return { ok: true, revision: exact }
  const looksLikeId = /^[0-9a-f]+$/.test(id) && id.length >= shortestPrefix
  const matching = looksLikeId ? history.revisions.filter((revision) => revision.id.startsWith(id)) : []
  const inBranch = branch ? matching.filter((revision) => branch.lineage.has(revision.id)) : []
  const candidates = inBranch.length > 0 ? inBranch : matching
  const [only, ...others] = candidates
  if (only && others.length === 0) return { ok: true, revision: only }
  if (only) {
    return refuse(
      'REVISION_AMBIGUOUS',
      `"${name}" could be any of ${listRevisions(candidates)}`,
      'give more characters of the id',
    )
  }
  const labels = [...history.byLabel.keys()]
  const known = labels.length > 0 ? `; the labels are: ${labels.join(', ')}` : ''
  return refuse(
    'REVISION_UNKNOWN',
    looksLikeId ? `no revision has an id that starts with "${name}"` : `no revision has the label "${name}"`,
    `see the revisions with: pnpm migrate history${looksLikeId ? '' : known}`,
  )
}

/** Revisions as messages list them: each with its id, message and labels; of very many only the first. */
export function listRevisions(revisions: readonly Revision[]): string {
  const named = revisions
    .slice(0, longestList)
    .map((revision) => nameRevision(revision) + (revision.labels.length > 0 ? ` (${revision.labels.join(', ')})` : ''))
  const left = revisions.length - named.length
  return named.join(', ') + (left > 0 ? `, and ${left} more` : '')
}

const longestList = 20
