/**
 * The phases of a change that running code must survive, in the order in which they run: `expand` adds what the next
 * version of the code needs, `backfill` moves the data over, `contract` takes away what only the last version needed.
 */
export const phases = ['expand', 'backfill', 'contract'] as const

/** One of them. */
export type Phase = (typeof phases)[number]

/** Whether a phase runs after another one. A revision without a phase runs with the first. */
export function isLaterPhase(phase: Phase | undefined, than: Phase): boolean {
  return phase !== undefined && phases.indexOf(phase) > phases.indexOf(than)
}
