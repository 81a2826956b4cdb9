import { describeDone, nameRevision, type Problem, scriptFile } from '@drover/history'
import type { Abandonment, AbandonmentOutcome } from '@drover/orchestrator'

import { type DatabaseJson, memberJson, type StepJson } from './json.ts'
import type { Style } from './style.ts'
import { count } from './text.ts'

/** What is forgotten, what is dropped, and what stays. */
export function describeAbandonments(
  abandonments: readonly Abandonment[],
  tense: 'will' | 'would',
  style: Style,
): readonly string[] {
  return abandonments.flatMap((abandonment) => {
    const { member, begun, invalidIndex } = abandonment
    const isUp = begun.halfDone.direction === 'up'
    return [
      `${style.strong(member.database.name)}: ${tense} abandon ${nameOf(abandonment)}, which then counts as ${isUp ? 'not applied' : 'applied'}`,
      ...(invalidIndex === undefined ? [] : [`  ${style.bad('drops')} the invalid index ${invalidIndex}`]),
      ...keptLines(abandonment),
    ]
  })
}

/** What stays of an abandoned revision: its statements that are done, each on a line. */
function keptLines({ done, kept, begun }: Abandonment): readonly string[] {
  const { total, statement, own, batch } = begun.halfDone
  if (own) return [`  ${describeDone(begun.halfDone)}`]
  if (batch) return [`  ${describeDone(begun.halfDone)}${done === 0 ? '' : ', which stay'}`]
  if (done === 0) return [`  none of its ${count(total, 'statement')} is done`]
  const some = `${done} of ${count(total, 'statement')} ${done === 1 ? 'is' : 'are'} done and ${done === 1 ? 'stays' : 'stay'}`
  return [
    `  ${some}${kept ? ':' : ', which its file no longer tells: it is gone, or was edited since'}`,
    ...(kept ?? []).map((text) => `    ${onOneLine(text)}`),
    // Of the others the catalogue tells nothing.
    ...(statement !== undefined && done === begun.halfDone.done ? [`  not done: ${onOneLine(statement)}`] : []),
  ]
}

function onOneLine(statement: string): string {
  return statement.replaceAll(/\s+/g, ' ')
}

/** How it went: one line a database, and what it did. */
export function describeAbandonOutcomes(outcomes: readonly AbandonmentOutcome[], style: Style): readonly string[] {
  return outcomes.flatMap(({ abandonment, end, dropped }) => {
    const name = style.strong(abandonment.member.database.name)
    switch (end) {
      case 'failed':
        return [style.bad(`${name}: ${nameOf(abandonment)} was not abandoned`)]
      case 'not-tried':
        return [style.warn(`${name}: not tried`)]
      case 'done': {
        const isUp = abandonment.begun.halfDone.direction === 'up'
        return [
          `${name}: ${style.good('abandoned')} ${nameOf(abandonment)}, which counts as ${isUp ? 'not applied' : 'applied'} now`,
          ...(dropped === undefined ? [] : [`  the invalid index ${dropped} was dropped`]),
          ...keptLines(abandonment),
        ]
      }
    }
  })
}

/** What somebody has to see to after a revision was abandoned of which something stays. */
export function findRemainder(abandonment: Abandonment): Problem | undefined {
  const { member, begun, revision, done } = abandonment
  const { id, direction, total, own, batch } = begun.halfDone
  if (done === 0 && !own) return undefined
  const isUp = direction === 'up'
  const file = revision && scriptFile(revision, direction)
  const again = `pnpm migrate ${isUp ? 'upgrade' : 'downgrade'} -d <database>`
  const about = {
    code: 'HALF_DONE',
    database: member.database.name,
    revision: id,
    ...(file !== undefined && { file }),
  } as const
  if (batch) {
    return {
      ...about,
      message: `the data is between two revisions: of ${nameOf(abandonment)}, ${describeDone(begun.halfDone)}`,
      hint: `undo by hand what stays, or see to it that the statement may run on the same rows again; then: ${again}`,
    }
  }
  return {
    ...about,
    message: own
      ? `the database may be between two revisions: what ${nameOf(abandonment)} has committed stays`
      : `the schema is between two revisions: ${done} of ${count(total, 'statement')} of ${nameOf(abandonment)} ${done === 1 ? 'stays' : 'stay'}`,
    hint: `see the difference with: pnpm migrate drift -d <database>; undo by hand what stays${file === undefined ? '' : `, or take it out of ${file}`}; then: ${again}`,
  }
}

function nameOf({ begun, revision }: Abandonment): string {
  return revision ? nameRevision(revision) : `${begun.halfDone.id} (its folder is missing)`
}

/** What would be abandoned, or was not, for programs. */
export function abandonmentJson(abandonment: Abandonment, status: 'planned' | 'failed' | 'skipped'): DatabaseJson {
  return memberJson(abandonment.member, [stepOf(abandonment, status)])
}

/** What was abandoned, and where the database stands now, for programs. */
export function abandonmentOutcomeJson({ abandonment, end }: AbandonmentOutcome): DatabaseJson {
  if (end !== 'done') return abandonmentJson(abandonment, end === 'failed' ? 'failed' : 'skipped')
  const { member, begun } = abandonment
  const { halfDone: _, ...state } = member.state
  const row = { id: begun.halfDone.id, checksum: '', appliedAt: '' }
  const applied = begun.halfDone.direction === 'up' ? state.applied : [...state.applied, row]
  return memberJson({ ...member, state: { ...state, applied } }, [stepOf(abandonment, 'abandoned')])
}

function stepOf({ begun, revision, kept }: Abandonment, status: StepJson['status']): StepJson {
  const { id, direction } = begun.halfDone
  return {
    direction,
    revision: id,
    message: revision?.message ?? '',
    ...(revision?.phase && { phase: revision.phase }),
    status,
    ...(kept && { kept }),
  }
}
