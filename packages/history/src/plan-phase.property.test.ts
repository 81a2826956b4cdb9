import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { difference, union } from './example-run.ts'
import { type GeneratedState, generatedState } from './generated-history.ts'
import { ancestorsOf, comesAfter } from './graph.ts'
import { isLaterPhase, type Phase, phases } from './phase.ts'
import { findHeldBack, type PhasedNode } from './plan-phase.ts'

const somePhase = fc.constantFrom(...phases)

/** A state, and what is not applied in it, with phases. */
const phasedState = fc
  .tuple(generatedState(), fc.array(fc.option(somePhase, { nil: undefined }), { minLength: 1, maxLength: 60 }))
  .map(([state, chosen]) => ({ ...state, nodes: nodesOf(state, chosen) }))

describe('what is taken with a phase', () => {
  it('comes after nothing but what is applied or taken, and is of no later phase', () => {
    fc.assert(
      fc.property(phasedState, somePhase, ({ history, applied, nodes }, phase) => {
        const taken = takenOf(nodes, phase)
        const reached = union(applied, taken)

        expect(ancestorsOf(history, reached)).toEqual(reached)
        expect(nodes.filter((node) => taken.has(node.id) && isLaterPhase(node.phase, phase))).toEqual([])
      }),
    )
  })

  it('is all that it can be: whatever is held back has something of a later phase below it, or is it', () => {
    fc.assert(
      fc.property(phasedState, somePhase, ({ history, nodes }, phase) => {
        const phaseOf = new Map(nodes.map((node) => [node.id, node.phase]))
        for (const [id, needed] of findHeldBack(nodes, phase)) {
          const below = [...ancestorsOf(history, [id])].map((one) => phaseOf.get(one))
          expect(below).toContain(needed)
          expect(below.filter((one) => isLaterPhase(one, needed))).toEqual([])
          expect(isLaterPhase(needed, phase)).toBe(true)
        }
      }),
    )
  })

  it('is taken with every later phase too, and with the last phase everything is', () => {
    fc.assert(
      fc.property(phasedState, ({ nodes }) => {
        const [expand, backfill, contract] = phases.map((phase) => takenOf(nodes, phase))

        expect(difference(expand!, backfill!)).toEqual(new Set())
        expect(difference(backfill!, contract!)).toEqual(new Set())
        expect(contract).toEqual(new Set(nodes.map(({ id }) => id)))
      }),
    )
  })

  it('is the same one phase after the other as at once', () => {
    fc.assert(
      fc.property(phasedState, ({ nodes }) => {
        const first = takenOf(nodes, 'expand')
        const left = nodes.filter(({ id }) => !first.has(id))

        expect(union(first, takenOf(left, 'backfill'))).toEqual(takenOf(nodes, 'backfill'))
      }),
    )
  })
})

function takenOf(nodes: readonly PhasedNode[], phase: Phase): ReadonlySet<string> {
  const held = findHeldBack(nodes, phase)
  return new Set(nodes.map(({ id }) => id).filter((id) => !held.has(id)))
}

function nodesOf({ history, applied }: GeneratedState, chosen: readonly (Phase | undefined)[]): readonly PhasedNode[] {
  return history.revisions
    .map((revision, index) => ({ revision, phase: chosen[index % chosen.length] }))
    .filter(({ revision }) => !applied.has(revision.id))
    .map(({ revision, phase }) => ({ id: revision.id, after: comesAfter(revision), ...(phase && { phase }) }))
}
