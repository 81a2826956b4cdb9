import { lineageBelow } from './branch.ts'
import { listRevisions } from './find-revision.ts'
import type { History } from './graph.ts'
import { type Problem, refuse } from './problem.ts'
import { nameRevision, type Revision } from './revision.ts'

/** The parents of a merge in run order, or every reason why there is none. */
export type MergeCheck =
  | { readonly ok: true; readonly parents: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/**
 * Decides whether revisions can be merged. Refused: fewer than two, one that is named twice, and one that another descends
 * from: a merge joins what is apart. That one depends on another is no hindrance: they are heads both.
 */
export function checkMerge(history: History, revisions: readonly Revision[]): MergeCheck {
  const distinct = new Set(revisions)
  const chosen = history.revisions.filter((revision) => distinct.has(revision))
  const problems = [...findRepeated(revisions), ...findRelated(history, chosen)]
  if (problems.length > 0) return { ok: false, problems }
  return chosen.length < 2
    ? { ok: false, problems: [tooFew(history, chosen)] }
    : { ok: true, parents: chosen.map((revision) => revision.id) }
}

function findRepeated(revisions: readonly Revision[]): readonly Problem[] {
  const repeated = new Set(revisions.filter((revision, index) => revisions.indexOf(revision) !== index))
  return [...repeated].map(
    (revision) =>
      refuse('USAGE', `${nameRevision(revision)} is named more than once`, 'name each revision to merge once').problem,
  )
}

function findRelated(history: History, chosen: readonly Revision[]): readonly Problem[] {
  return chosen.flatMap((upper) => {
    const lineage = lineageBelow(history, upper.id)
    return chosen
      .filter((lower) => lower !== upper && lineage.has(lower.id))
      .map((lower): Problem => {
        const reason = `${nameRevision(upper)} descends from ${nameRevision(lower)}`
        return {
          code: 'REVISIONS_RELATED',
          revision: lower.id,
          message: `cannot merge revisions of which one comes after another: ${reason}`,
          hint: `leave out ${lower.id}: it is merged with ${upper.id}`,
        }
      })
  })
}

function tooFew(history: History, chosen: readonly Revision[]): Problem {
  const given = chosen.length === 0 ? 'none is given' : `only ${nameRevision(chosen[0]!)} is given`
  const heads =
    history.heads.length < 2
      ? 'this history has no second head: there is nothing to merge'
      : `the heads are: ${listRevisions(history.heads)}`
  return refuse('USAGE', `a merge needs two revisions or more, and ${given}`, heads).problem
}
