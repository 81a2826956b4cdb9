import { blockedBy, type TakenLock } from '@drover/engine'
import type { RehearsedPass, RehearsedStep } from '@drover/orchestrator'

import { code, escape } from './markdown.ts'
import { findings, isBlocking, originText, passTexts, type Rehearsed } from './rehearsal.ts'
import { duration } from './text.ts'

/**
 * A rehearsal as Markdown for a comment on a pull request: a table for each database, and under it the statements that keep an
 * application waiting.
 */
export function rehearsalMarkdown(rehearsals: readonly Rehearsed[], target: string): string {
  const busy = rehearsals.filter(({ verdict }) => verdict !== 'nothing-to-do')
  return [
    `### Rehearsal of the upgrade to ${code(target)}`,
    ...(busy.length === 0 ? ['Nothing to rehearse.'] : []),
    ...busy.map(describeDatabase),
  ].join('\n\n')
}

function describeDatabase(rehearsed: Rehearsed): string {
  const { member, origin, verdict, passes } = rehearsed
  const rows = passes.flatMap(passRows)
  const blocking = passes.filter(({ pass }) => pass !== 'again').flatMap(describeBlocking)
  const found = findings(rehearsed).map((line) => `${line.startsWith('  ') ? '  ' : ''}- ${escape(line.trim())}`)
  return [
    `#### ${member.database.name}: ${verdicts[verdict]}`,
    '',
    `On ${escape(originText(origin))}.`,
    ...(rows.length > 0 ? ['', '| | revision | | time | blocks |', '| --- | --- | --- | ---: | --- |', ...rows] : []),
    ...(blocking.length > 0 ? ['', ...blocking] : []),
    ...(found.length > 0 ? ['', ...found] : []),
  ].join('\n')
}

const verdicts: Readonly<Record<Rehearsed['verdict'], string>> = {
  rehearsed: 'rehearsed',
  different: '**does not lead back**',
  failed: '**failed**',
  'not-tried': '**not tried**',
  'nothing-to-do': 'nothing to rehearse',
}

function passRows({ pass, steps, failed }: RehearsedPass): readonly string[] {
  const rows = steps.map(({ revision, durationMs, observation }) => [
    passTexts[pass],
    code(revision.id),
    escape(revision.message),
    duration(durationMs),
    (observation?.locks ?? []).filter(isBlocking).map(describeLock).join('<br>'),
  ])
  const { observation, problem } = failed ?? {}
  const id = observation?.revision.id ?? problem?.revision
  const failure = problem
    ? [[passTexts[pass], id === undefined ? '' : code(id), `**${escape(problem.message)}**`, '', '']]
    : []
  return [...rows, ...failure].map((cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |'))
}

function describeLock({ relation, mode, heldMs }: TakenLock): string {
  const held = heldMs === undefined ? '' : ` for ${duration(heldMs)}`
  return `${blockedBy(mode)} of ${code(relation)}${held}`
}

function describeBlocking({ pass, steps }: RehearsedPass): readonly string[] {
  return steps.flatMap((step: RehearsedStep) =>
    (step.observation?.statements ?? [])
      .filter(({ locks }) => locks.some(isBlocking))
      .map(({ line, text, locks }) => {
        const taken = locks.filter(isBlocking).map(({ mode, relation }) => `${mode} on ${code(relation)}`)
        return `- ${passTexts[pass]} ${code(step.revision.id)}, line ${line}: ${code(text)}: ${taken.join(', ')}`
      }),
  )
}
