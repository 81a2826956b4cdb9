import { blockedBy, describeDifference, type ObservedStatement, type TakenLock } from '@drover/engine'
import { nameRevision, type Problem } from '@drover/history'
import type {
  ClonedDatabase,
  CloneOrigin,
  DatabaseRehearsal,
  LostRows,
  PassName,
  RehearsedPass,
  RehearsedStep,
} from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count, duration, stepText } from './text.ts'

/** How the rehearsal of one database went, and on what. */
export interface Rehearsed extends DatabaseRehearsal {
  readonly origin: CloneOrigin
}

/** Puts what was found out beside what it was found out on. */
export function withOrigins(
  rehearsals: readonly DatabaseRehearsal[],
  clones: readonly ClonedDatabase[],
): readonly Rehearsed[] {
  return rehearsals.map((rehearsal) => ({
    ...rehearsal,
    origin: clones.find(({ located }) => located.database.name === rehearsal.member.database.name)!.origin,
  }))
}

/** How it went, in lines. @param verbose whether every statement is shown, or those that somebody should know of */
export function rehearsalLines(rehearsed: Rehearsed, style: Style, verbose: boolean): readonly string[] {
  const { member, origin, passes } = rehearsed
  return [
    `${style.strong(member.database.name)}: ${verdictText(rehearsed, style)} on ${originText(origin)}`,
    ...passes.flatMap((pass) => passLines(pass, style, verbose)).map((line) => `  ${line}`),
    ...findings(rehearsed).map((line) => `  ${line}`),
  ]
}

/** What is wrong, as problems. */
export function rehearsalProblems(rehearsed: Rehearsed): readonly Problem[] {
  const { member, verdict, passes, afterDown, afterAgain, lostRows } = rehearsed
  const { name, folder } = member.database
  const failures = passes.flatMap(({ pass, failed }) =>
    failed ? [{ ...failed.problem, message: `${failed.problem.message} (in the rehearsal, ${passTexts[pass]})` }] : [],
  )
  if (verdict !== 'different') return failures
  const undeclared = lostRows.filter(({ declared }) => declared === undefined)
  const parts = [
    ...(afterDown.length > 0 ? [`${count(afterDown.length, 'difference')} after the way back`] : []),
    ...(afterAgain.length > 0 ? [`${count(afterAgain.length, 'difference')} after the second way up`] : []),
    ...(undeclared.length > 0
      ? [`rows of ${undeclared.map(({ table }) => table).join(', ')} are lost, and no statement says so`]
      : []),
  ]
  return [
    {
      code: 'REHEARSAL_DIFFERS',
      database: name,
      message: `its revisions do not lead back to where they began: ${parts.join('; ')}`,
      hint: `correct the way back in ${folder}, or delete it where there is none; then run the same command again`,
    },
  ]
}

/** What a pass is, in words. */
export const passTexts: Readonly<Record<PassName, string>> = { up: 'up', down: 'down', again: 'up again' }

/** What a database was rehearsed on, in words. */
export function originText({ kind, reason }: CloneOrigin): string {
  switch (kind) {
    case 'copy':
      return 'a copy of it'
    case 'replay':
      return `a replay of what is applied in it, without rows (no copy: ${reason})`
    case 'template':
      return 'a copy of the template'
    case 'dump':
      return 'a copy from the dump'
    case 'branch':
      return 'the branch'
  }
}

/** What the comparisons have found, in lines. */
export function findings(rehearsed: Rehearsed): readonly string[] {
  const { passes, stayed, irreversible, afterDown, afterAgain, lostRows, objects } = rehearsed
  const hasCome = (pass: PassName) => passes.some((one) => one.pass === pass && !one.failed)
  const differences = (what: string, found: Rehearsed['afterDown']) =>
    found.length === 0
      ? []
      : [`${what}:`, ...found.flatMap((difference) => describeDifference(difference)).map((line) => `  ${line}`)]
  const isSame = hasCome('again') && afterDown.length === 0 && afterAgain.length === 0
  return [
    ...(stayed.length > 0 ? [stayedText(stayed.length, irreversible)] : []),
    ...differences('after down, otherwise than before', afterDown),
    ...differences('after up again, otherwise than the first time', afterAgain),
    ...(isSame ? [`down leads back, and up again to the same (${count(objects, 'object')} compared)`] : []),
    ...lostRows.map(lostRowsText),
  ]
}

/** Which statements are worth a person's while: those that keep an application waiting, or take long. In milliseconds. */
const slowMs = 100

function passLines({ pass, steps, failed }: RehearsedPass, style: Style, verbose: boolean): readonly string[] {
  const title = passTexts[pass].padEnd(passTexts.again.length)
  const lines = steps.flatMap((step) => [
    `${title}  ${stepText(step)}  ${style.dim(duration(step.durationMs))}`,
    // Of the second time, there is nothing new to say.
    ...(pass === 'again' && !verbose ? [] : stepLines(step, style, verbose)).map((line) => `  ${line}`),
  ])
  if (!failed) return lines
  const { problem, observation } = failed
  const name = observation ? stepText(observation) : (problem.revision ?? '')
  return [...lines, `${title}  ${name}  ${style.bad('failed')}`]
}

function stepLines({ observation, losses }: RehearsedStep, style: Style, verbose: boolean): readonly string[] {
  const { statements = [], locks = [], sampled = false } = observation ?? {}
  const shown = statements.filter((statement) => verbose || isRemarkable(statement))
  const rest = statements.length - shown.length
  return [
    ...shown.flatMap(({ line, text, durationMs, locks: own, sampled: isSampled }) => [
      `line ${line}  ${style.dim(duration(durationMs))}  ${shorten(text)}`,
      ...own.filter((lock) => verbose || isBlocking(lock)).map((lock) => `  ${lockText(lock, isSampled, style)}`),
    ]),
    ...(shown.length > 0 && rest > 0 ? [style.dim(`and ${count(rest, 'more statement')}`)] : []),
    ...(statements.length === 0 ? locks.map((lock) => lockText(lock, sampled, style)) : []),
    ...losses.map((loss) => `${style.bad('loses data:')} ${shorten(loss)}`),
  ]
}

function isRemarkable({ durationMs, locks }: ObservedStatement): boolean {
  return durationMs >= slowMs || locks.some(isBlocking)
}

/** Whether an application has to wait for it. */
export function isBlocking({ mode }: TakenLock): boolean {
  return blockedBy(mode) !== 'nothing'
}

function lockText(lock: TakenLock, sampled: boolean, style: Style): string {
  const blocked = blockedBy(lock.mode)
  const held = lock.heldMs === undefined ? '' : ` for ${duration(lock.heldMs)}`
  const blocks = blocked === 'nothing' ? 'blocks nothing of an application' : style.warn(`blocks ${blocked}`)
  const how = sampled ? style.dim(' (as seen from outside; there may be others)') : ''
  return `${lock.relation}: ${lock.mode}${held}, ${blocks}${how}`
}

function verdictText({ verdict }: Rehearsed, style: Style): string {
  switch (verdict) {
    case 'rehearsed':
      return style.good('rehearsed')
    case 'different':
      return style.bad('does not lead back')
    case 'failed':
      return style.bad('failed')
    case 'not-tried':
      return style.warn('not tried to the end, because of another database,')
    case 'nothing-to-do':
      return 'nothing to rehearse'
  }
}

function stayedText(stayed: number, irreversible: Rehearsed['irreversible']): string {
  const what = stayed === 1 ? '1 revision was' : `${stayed} revisions were`
  return irreversible
    ? `${what} not reverted: ${irreversible.id} (${nameRevision(irreversible)}) cannot be`
    : `${what} not reverted: what stays in another database depends on it`
}

function lostRowsText({ table, before, after, declared }: LostRows): string {
  const lost = `rows of ${table}: ${before} before, ${after} after down`
  return declared === undefined ? `${lost}, and no statement says so` : `${lost}, as it says: ${shorten(declared)}`
}

/** As much of a statement as it takes to recognise it, on one line. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  const most = 100
  return line.length > most ? `${line.slice(0, most)} …` : line
}
