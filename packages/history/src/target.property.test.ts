import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { generatedId } from './generated-history.ts'
import { formatTarget, parseTarget, type Target } from './target.ts'

const point = fc.oneof(
  fc.constantFrom<Target>({ kind: 'head' }, { kind: 'heads' }, { kind: 'base' }),
  fc
    .maxSafeInteger()
    .filter((steps) => steps !== 0)
    .map((steps): Target => ({ kind: 'steps', steps })),
  fc
    .tuple(generatedId, fc.integer({ min: 4, max: 12 }))
    .map(([id, length]): Target => ({ kind: 'revision', prefix: id.slice(0, length) })),
)
const target = fc
  .tuple(point, fc.option(fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/), { nil: undefined }))
  .map(([at, database]): Target => Object.assign({}, at, database !== undefined && { database }))

describe('parseTarget', () => {
  it('reads every target that formatTarget writes', () => {
    fc.assert(
      fc.property(target, (written) => {
        expect(parseTarget(formatTarget(written))).toEqual({ ok: true, target: written })
      }),
    )
  })

  it('answers every text, and names it when it is no target', () => {
    const nearlyTargets = fc.string({
      unit: fc.constantFrom('+', '-', '/', '0', '1', 'a', 'b', 'd', 'e', 'h', 's', '@', '.', ' '),
    })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearlyTargets), (text) => {
        const result = parseTarget(text)

        expect(result.ok ? parseTarget(formatTarget(result.target)) : result).toEqual(result)
        if (!result.ok) expect(result.problem.message).toContain(`"${text}"`)
      }),
    )
  })
})
