import { nameRevision, type Revision, type Step } from '@drover/history'
import type { Database, HeldBack } from '@drover/orchestrator'

// Problems are told to whoever tests as well, who has no command line.
export { blockersText, duration, nameBlocker, problemText } from '@drover/history'

/** Lines in columns: every cell but the last of a line is padded to the width of its column. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)))
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd(),
  )
}

/** A whole number as people read it: `12,345`. By hand, because what Node brings for it takes 10 ms to load. */
export function grouped(number: number): string {
  return String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

/** A number of things in words: `1 revision`, `2 revisions`, `1,000 revisions`. */
export function count(number: number, thing: string): string {
  return `${grouped(number)} ${thing}${number === 1 ? '' : 's'}`
}

/** A step as progress and summaries name it. */
export function stepText({ revision }: Step): string {
  return `${revision.id} ${revision.message}`
}

/** What is to be known of how a revision runs, in words. */
export function marksOfRun({ phase, language, transaction, batch }: Revision): readonly string[] {
  return [
    ...(phase ? [phase] : []),
    ...(language === 'typescript' ? ['runs code'] : []),
    ...(transaction === 'none' ? ['outside a transaction'] : []),
    ...(transaction === 'own' ? ['own transaction'] : []),
    ...(batch ? ['in batches'] : []),
  ]
}

/** Where an upgrade stops because of its phase, and how to go on. */
export function heldBackText({ revision, phase, waitsFor, hint }: HeldBack): string {
  const reason = waitsFor ? `, which waits for ${waitsFor.database}/${waitsFor.revision}` : ''
  return `stops before ${nameRevision(revision)}${reason} (${phase}): ${hint}`
}

/** What an upgrade does with a database that migrates itself, in words; `undefined` for one with revisions. */
export function externalText({ config: { external } }: Database, verb: string): string | undefined {
  return external && (external.command ? `${verb} ${external.command.join(' ')}` : `managed by ${external.managedBy}`)
}
