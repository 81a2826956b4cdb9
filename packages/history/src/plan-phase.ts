import { closureOf } from './graph.ts'
import type { Node } from './order.ts'
import { isLaterPhase, type Phase, phases } from './phase.ts'

/** What deciding about phases needs to know of a revision that is not applied. */
export interface PhasedNode extends Node {
  /** Runs with any phase when it is missing. */
  readonly phase?: Phase
}

/**
 * Finds what does not run with a phase: revisions of a later one, and whatever comes after one of those, directly or
 * not. What is left can be run, as far as it is among the nodes.
 * @param nodes everything that is not applied; edges to what is not in the list are ignored
 * @returns for each of them the phase with which it runs: the latest of its own and of those that it comes after
 */
export function findHeldBack(nodes: readonly PhasedNode[], phase: Phase): ReadonlyMap<string, Phase> {
  const followers = new Map<string, string[]>(nodes.map(({ id }) => [id, []]))
  for (const { id, after } of nodes) for (const before of after) followers.get(before)?.push(id)
  const held = new Map<string, Phase>()
  // The latest phase first: what comes after several waits for the latest of them.
  for (const later of phases.filter((one) => isLaterPhase(one, phase)).toReversed()) {
    const own = nodes.filter((node) => node.phase === later).map(({ id }) => id)
    for (const id of closureOf(own, (one) => followers.get(one))) if (!held.has(id)) held.set(id, later)
  }
  return held
}
