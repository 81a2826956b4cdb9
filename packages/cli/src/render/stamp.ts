import { appliedIds, type DatabaseStamp, isEmptyStamp, type StampOutcome } from '@drover/orchestrator'
import { currentOf } from '@drover/history'

import { type DatabaseJson, memberJson, type StepJson } from './json.ts'
import type { Style } from './style.ts'
import { columns, count } from './text.ts'

/** What stamps change in the records of databases: before they are carried out, or with `--dry-run`. */
export function describeStamps(
  stamps: readonly DatabaseStamp[],
  tense: 'will' | 'would',
  style: Style,
): readonly string[] {
  return stamps.flatMap((stamp) => {
    const name = style.strong(stamp.member.database.name)
    const { forget, record } = stamp
    if (isEmptyStamp(stamp)) return tense === 'would' ? [`${name}: ${standing(stamp)}`] : []
    const lines = (verb: string, ids: readonly string[], without: string): readonly string[] =>
      ids.length === 0
        ? []
        : [
            `${name}: ${tense} ${verb} ${count(ids.length, 'revision')}, without ${without}`,
            ...ids.map((id) => `  ${id} ${stamp.member.history.byId.get(id)?.message ?? '(its folder is missing)'}`),
          ]
    return [
      ...lines('forget', forget, 'reverting'),
      ...lines(
        'record',
        record.map(({ id }) => id),
        'running',
      ),
    ]
  })
}

/** How it went: one line a database. */
export function describeStampOutcomes(outcomes: readonly StampOutcome[], style: Style): readonly string[] {
  const lines = columns(outcomes.map((outcome) => [outcome.stamp.member.database.name, outcomeWords(outcome)]))
  return lines.map((line, at) => paint(outcomes[at]!, line, style))
}

/** What would be changed, for programs. */
export function stampPlanJson(stamp: DatabaseStamp): DatabaseJson {
  return memberJson(stamp.member, stepsOf(stamp, 'planned', 'planned'))
}

/** What was changed, and where the database stands now, for programs. */
export function stampOutcomeJson({ stamp, end }: StampOutcome): DatabaseJson {
  switch (end) {
    case 'nothing-to-do':
    case 'done': {
      const applied = [...appliedAfter(stamp)].map((id) => ({ id, checksum: '', appliedAt: '' }))
      const { member } = stamp
      return memberJson({ ...member, state: { ...member.state, applied } }, stepsOf(stamp, 'forgotten', 'recorded'))
    }
    case 'failed':
      return memberJson(stamp.member, stepsOf(stamp, 'failed', 'failed'))
    case 'not-tried':
      return memberJson(stamp.member, stepsOf(stamp, 'skipped', 'skipped'))
  }
}

function stepsOf(
  { member, forget, record }: DatabaseStamp,
  forgotten: StepJson['status'],
  recorded: StepJson['status'],
): readonly StepJson[] {
  const message = (revision: string): string => member.history.byId.get(revision)?.message ?? ''
  return [
    ...forget.map((revision) => ({
      direction: 'down' as const,
      revision,
      message: message(revision),
      status: forgotten,
    })),
    ...record.map(({ id, message: text }) => ({
      direction: 'up' as const,
      revision: id,
      message: text,
      status: recorded,
    })),
  ]
}

function outcomeWords({ stamp, end }: StampOutcome): string {
  switch (end) {
    case 'nothing-to-do':
      return standing(stamp)
    case 'done': {
      const parts = [
        ...(stamp.forget.length > 0 ? [`${count(stamp.forget.length, 'revision')} forgotten`] : []),
        ...(stamp.record.length > 0 ? [`${count(stamp.record.length, 'revision')} recorded`] : []),
      ]
      return `${parts.join(', ')}, now at ${placeOf(stamp)}`
    }
    case 'failed':
      return 'failed: nothing was recorded'
    case 'not-tried':
      return 'not tried'
  }
}

function standing(stamp: DatabaseStamp): string {
  return `nothing to change, at ${placeOf(stamp)}`
}

function placeOf(stamp: DatabaseStamp): string {
  return currentOf(stamp.member.history, appliedAfter(stamp)).join(', ') || 'base'
}

function appliedAfter({ member, forget, record }: DatabaseStamp): ReadonlySet<string> {
  const applied = new Set(appliedIds(member.state))
  for (const id of forget) applied.delete(id)
  for (const { id } of record) applied.add(id)
  return applied
}

function paint({ end }: StampOutcome, line: string, style: Style): string {
  if (end === 'failed') return style.bad(line)
  return end === 'not-tried' ? style.warn(line) : line
}
