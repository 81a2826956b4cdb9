import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRevision } from './example-history.ts'
import { base, by, head, heads, to } from './example-target.ts'
import type { History } from './graph.ts'
import {
  type Direction,
  findEdited,
  findGaps,
  findReformatted,
  findUnknown,
  type Plan,
  planDowngrade,
  planUpgrade,
  remainingSteps,
  type Step,
} from './plan.ts'
import type { Target } from './target.ts'

const line = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['b']),
  exampleRevision('d', ['c']),
])
/** `a`, then the arms `b` and `c`, joined by `d`. */
const diamond = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['a']),
  exampleRevision('d', ['b', 'c']),
])
/** Two lines, `a b` and `x y`, where `y` depends on `b`. */
const depending = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('x'),
  exampleRevision('y', ['x'], { dependsOn: ['b'] }),
])

describe('planUpgrade', () => {
  it('applies everything up to the head in run order', () => {
    expect(up(line, [], head)).toEqual(['up a', 'up b', 'up c', 'up d'])
  })

  it('applies only what is not applied', () => {
    expect(up(line, ['a', 'b'], head)).toEqual(['up c', 'up d'])
  })

  it('stops at the revision that is asked for', () => {
    expect(up(line, ['a'], to('c'))).toEqual(['up b', 'up c'])
  })

  it('does nothing at the head, past the target, towards the base and in an empty history', () => {
    expect(up(line, ['a', 'b', 'c', 'd'], head)).toEqual([])
    expect(up(line, ['a', 'b', 'c'], to('b'))).toEqual([])
    expect(up(line, ['a'], base)).toEqual([])
    expect(up(exampleHistory([]), [], head)).toEqual([])
  })

  it('walks a number of steps, and none at the end', () => {
    expect(up(line, ['a'], by(2))).toEqual(['up b', 'up c'])
    expect(up(line, ['a', 'b', 'c', 'd'], by(3))).toEqual([])
  })

  it('leaves other arms alone when one revision is asked for', () => {
    expect(up(diamond, ['a'], to('c'))).toEqual(['up c'])
  })

  it('brings in the other arm below a merge', () => {
    expect(up(diamond, ['a', 'b'], to('d'))).toEqual(['up c', 'up d'])
  })

  it('brings in what a revision depends on, and nothing else of that arm', () => {
    expect(up(depending, ['x'], to('y'))).toEqual(['up a', 'up b', 'up y'])
    expect(up(depending, [], to('x'))).toEqual(['up x'])
  })

  it('takes heads for all arms', () => {
    expect(up(depending, [], heads)).toEqual(['up a', 'up b', 'up x', 'up y'])
  })

  it('refuses head where there are several', () => {
    expect(planUpgrade(depending, new Set(), head)).toMatchObject({
      kind: 'refused',
      problems: [{ code: 'SEVERAL_HEADS' }],
    })
  })

  it('refuses to walk down, and tells the command that does', () => {
    expect(planUpgrade(line, new Set(['a']), { steps: -1, database: 'main' })).toMatchObject({
      kind: 'refused',
      problems: [
        {
          code: 'TARGET_INVALID',
          message: '"main/-1" walks the other way: upgrade cannot go there',
          hint: 'pnpm migrate downgrade main/-1',
        },
      ],
    })
  })

  it('gives every reason at once: the target, unknown revisions, gaps', () => {
    const plan = planUpgrade(line, new Set(['b', 'gone']), to('ffff'))

    expect(codesOf(plan)).toEqual(['REVISION_UNKNOWN', 'APPLIED_UNKNOWN', 'APPLIED_GAP'])
  })

  it('does not blame a walk when files and database disagree about where it starts', () => {
    expect(codesOf(planUpgrade(line, new Set(['a', 'c']), by(1)))).toEqual(['APPLIED_GAP'])
    expect(codesOf(planUpgrade(line, new Set(['a', 'gone']), by(9)))).toEqual(['APPLIED_UNKNOWN'])
  })
})

describe('planDowngrade', () => {
  it('reverts what comes after the target, last first, and keeps the target', () => {
    expect(down(line, ['a', 'b', 'c', 'd'], to('b'))).toEqual(['down d', 'down c'])
  })

  it('reverts everything towards the base', () => {
    expect(down(diamond, ['a', 'b', 'c', 'd'], base)).toEqual(['down d', 'down c', 'down b', 'down a'])
  })

  it('reverts only what is applied', () => {
    expect(down(line, ['a', 'b'], base)).toEqual(['down b', 'down a'])
  })

  it('does nothing at the target, at the base and at the head', () => {
    expect(down(line, ['a', 'b'], to('b'))).toEqual([])
    expect(down(line, [], base)).toEqual([])
    expect(down(line, [], by(-1))).toEqual([])
    expect(down(line, ['a', 'b', 'c', 'd'], head)).toEqual([])
    expect(down(depending, ['a', 'b', 'x', 'y'], heads)).toEqual([])
  })

  it('walks a number of steps', () => {
    expect(down(line, ['a', 'b', 'c'], by(-2))).toEqual(['down c', 'down b'])
  })

  it('undoes a merge, and keeps both of its arms', () => {
    expect(down(diamond, ['a', 'b', 'c', 'd'], by(-1))).toEqual(['down d'])
  })

  it('keeps an arm that does not come after the target', () => {
    expect(down(diamond, ['a', 'b', 'c'], to('b'))).toEqual([])
    expect(down(diamond, ['a', 'b', 'c', 'd'], to('b'))).toEqual(['down d'])
  })

  it('reverts dependants in other arms', () => {
    expect(down(depending, ['a', 'b', 'x', 'y'], to('a'))).toEqual(['down y', 'down b'])
  })

  it('reverts the later of two revisions with a gap between them', () => {
    expect(down(line, ['a', 'b', 'd'], by(-1))).toEqual(['down d'])
  })

  it('keeps what merely depends on the target, which stays', () => {
    expect(down(depending, ['a', 'b', 'x', 'y'], to('b'))).toEqual([])
  })

  it('refuses a target that is not applied, and where to see what is', () => {
    expect(planDowngrade(line, new Set(['a']), to('c'))).toMatchObject({
      kind: 'refused',
      problems: [
        {
          code: 'NOT_APPLIED',
          revision: 'c',
          message: 'cannot downgrade to c "make c": it is not applied',
          hint: expect.stringContaining('pnpm migrate current'),
        },
      ],
    })
  })

  it('refuses a head that is not applied like any other revision', () => {
    expect(codesOf(planDowngrade(line, new Set(['a', 'b']), head))).toEqual(['NOT_APPLIED'])
    expect(codesOf(planDowngrade(depending, new Set(['a', 'b', 'x']), heads))).toEqual(['NOT_APPLIED'])
  })

  it('refuses steps without a down.sql, and names the file of each', () => {
    const history = exampleHistory([
      exampleRevision('a', [], { reversible: false }),
      exampleRevision('b', ['a'], { reversible: false }),
      exampleRevision('c', ['b']),
      exampleRevision('d', ['c'], { reversible: false }),
    ])

    const plan = planDowngrade(history, new Set(['a', 'b', 'c', 'd']), to('a'))

    expect(plan).toMatchObject({
      kind: 'refused',
      problems: [
        {
          code: 'IRREVERSIBLE',
          revision: 'b',
          file: 'databases/main/migrations/b/down.sql',
          hint: expect.stringContaining('databases/main/migrations/b/down.sql'),
        },
        { code: 'IRREVERSIBLE', revision: 'd', file: 'databases/main/migrations/d/down.sql' },
      ],
    })
  })

  it('does not mind an irreversible revision that it keeps or that is not applied', () => {
    const history = exampleHistory([
      exampleRevision('a', [], { reversible: false }),
      exampleRevision('b', ['a']),
      exampleRevision('c', ['b'], { reversible: false }),
    ])

    expect(down(history, ['a', 'b'], to('a'))).toEqual(['down b'])
  })

  it('refuses to walk up, and tells the command that does', () => {
    expect(planDowngrade(line, new Set(['a']), by(2))).toMatchObject({
      kind: 'refused',
      problems: [{ code: 'TARGET_INVALID', message: expect.stringContaining('"+2"'), hint: 'pnpm migrate upgrade +2' }],
    })
  })

  it('refuses where an applied revision has no folder, walks included', () => {
    expect(codesOf(planDowngrade(line, new Set(['a', 'gone']), base))).toEqual(['APPLIED_UNKNOWN'])
    expect(codesOf(planDowngrade(line, new Set(['a', 'gone']), by(-1)))).toEqual(['APPLIED_UNKNOWN'])
  })
})

describe('planUpgrade out of order', () => {
  const allow = { allowOutOfOrder: true } as const

  it('applies what was put below an applied revision, when that is allowed', () => {
    const plan = planUpgrade(line, new Set(['a', 'c']), head, allow)

    expect(plan).toMatchObject({ kind: 'steps', steps: [{ revision: { id: 'b' } }, { revision: { id: 'd' } }] })
    expect(codesOf(planUpgrade(line, new Set(['a', 'c']), head))).toEqual(['APPLIED_GAP'])
  })

  it('applies only what the target needs', () => {
    const plan = planUpgrade(line, new Set(['a', 'c']), to('b'), allow)

    expect(plan).toMatchObject({ kind: 'steps', steps: [{ revision: { id: 'b' } }] })
  })

  it('still refuses applied revisions without a folder', () => {
    expect(codesOf(planUpgrade(line, new Set(['a', 'c', 'gone']), head, allow))).toEqual(['APPLIED_UNKNOWN'])
  })
})

describe('findUnknown', () => {
  it('names each applied revision without a folder, in alphabetical order', () => {
    expect(findUnknown(line, new Set(['late', 'a', 'gone']))).toMatchObject([
      { code: 'APPLIED_UNKNOWN', revision: 'gone', message: expect.stringContaining('gone is applied') },
      { code: 'APPLIED_UNKNOWN', revision: 'late' },
    ])
    expect(findUnknown(line, new Set(['a']))).toEqual([])
  })
})

describe('findGaps', () => {
  it('finds none in a closed set, nor around ids that the history does not know', () => {
    expect(findGaps(line, new Set())).toEqual([])
    expect(findGaps(line, new Set(['a', 'b']))).toEqual([])
    expect(findGaps(line, new Set(['gone']))).toEqual([])
  })

  it('names the revision that is missing, its file, and the one above it that is applied', () => {
    expect(findGaps(line, new Set(['a', 'c']))).toMatchObject([
      {
        code: 'APPLIED_GAP',
        revision: 'b',
        file: 'databases/main/migrations/b/revision.json',
        message: 'b "make b" is not applied, although c "make c", which comes after it, is',
      },
    ])
  })

  it('never calls a revision applied that is missing as well', () => {
    const gaps = findGaps(line, new Set(['d']))

    expect(gaps.map((gap) => gap.revision)).toEqual(['a', 'b', 'c'])
    for (const gap of gaps) expect(gap.message).toContain('although d "make d"')
  })

  it('names the nearest of several that are applied above a gap', () => {
    const [gap] = findGaps(line, new Set(['b', 'c', 'd']))

    expect(gap).toMatchObject({ revision: 'a', message: expect.stringContaining('although b "make b"') })
  })

  it('finds a dependency that was added to an applied revision', () => {
    expect(findGaps(depending, new Set(['a', 'x', 'y']))).toMatchObject([
      { code: 'APPLIED_GAP', revision: 'b', message: expect.stringContaining('although y "make y"') },
    ])
  })
})

describe('findReformatted', () => {
  it('names the file of each revision whose text differs and whose statements do not, and how to have it remembered', () => {
    const applied = ['a', 'b', 'c', 'd'].map((id) => ({
      id,
      checksum: id === 'd' ? 'sha256:old' : 'sha256:old/same',
      appliedAt: '2026-11-20T10:00:00Z',
    }))
    const files = new Map([
      ['a', 'sha256:new/same'],
      ['b', 'sha256:new/other'],
      ['c', 'sha256:old/same'],
      ['d', 'sha256:new/same'],
    ])

    expect(findReformatted(line, applied, files)).toMatchObject([
      {
        code: 'APPLIED_REFORMATTED',
        revision: 'a',
        file: 'databases/main/migrations/a/migration.sql',
        message: expect.stringContaining('its statements are the same'),
        hint: expect.stringContaining('pnpm migrate repair'),
      },
    ])
    expect(findEdited(line, applied, files).map((problem) => problem.revision)).toEqual(['b', 'd'])
  })
})

describe('findEdited', () => {
  it('names the file of each revision whose checksum differs from the applied one, and when it was applied', () => {
    const applied = ['a', 'b'].map((id) => ({ id, checksum: 'sha256:old', appliedAt: '2026-11-20T10:00:00Z' }))
    const files = new Map([
      ['a', 'sha256:old'],
      ['b', 'sha256:new'],
    ])

    expect(findEdited(line, applied, files)).toMatchObject([
      {
        code: 'APPLIED_EDITED',
        revision: 'b',
        file: 'databases/main/migrations/b/migration.sql',
        message: expect.stringContaining('2026-11-20T10:00:00Z'),
        hint: expect.stringContaining('new revision'),
      },
    ])
  })

  it('says nothing of revisions whose file nobody has read', () => {
    expect(
      findEdited(line, [{ id: 'a', checksum: 'sha256:old', appliedAt: '2026-11-20T10:00:00Z' }], new Map()),
    ).toEqual([])
  })
})

describe('remainingSteps', () => {
  it('is the whole plan when nobody was there', () => {
    const steps = stepsOf('up', 'c', 'd')

    expect(remainingSteps(line, steps, new Set(['a', 'b']))).toEqual({ kind: 'steps', steps })
  })

  it('leaves out what somebody else has done, and gives the very steps that are left', () => {
    const [first, second] = stepsOf('up', 'c', 'd')
    const result = remainingSteps(line, [first!, second!], new Set(['a', 'b', 'c']))

    expect(result).toEqual({ kind: 'steps', steps: [second] })
    expect(result.kind === 'steps' && result.steps[0]).toBe(second)
  })

  it('is nothing when somebody else has done it all', () => {
    expect(remainingSteps(line, stepsOf('up', 'c', 'd'), new Set(['a', 'b', 'c', 'd']))).toEqual({
      kind: 'steps',
      steps: [],
    })
    expect(remainingSteps(line, stepsOf('down', 'd', 'c'), new Set(['a', 'b']))).toEqual({ kind: 'steps', steps: [] })
  })

  it('has moved when somebody has reverted what the next step stands on', () => {
    expect(remainingSteps(line, stepsOf('up', 'c', 'd'), new Set(['a']))).toMatchObject({
      kind: 'moved',
      step: { direction: 'up', revision: { id: 'c' } },
    })
  })

  it('has moved when somebody has applied something on top of what is to be reverted', () => {
    expect(remainingSteps(line, stepsOf('down', 'c', 'b'), new Set(['a', 'b', 'c', 'd']))).toMatchObject({
      kind: 'moved',
      step: { direction: 'down', revision: { id: 'c' } },
    })
  })

  it('does not mind what somebody has applied elsewhere', () => {
    expect(remainingSteps(diamond, stepsOf('up', 'b'), new Set(['a', 'c']))).toMatchObject({
      kind: 'steps',
      steps: [{ revision: { id: 'b' } }],
    })
  })

  it('leaves the set of applied revisions as it was', () => {
    const applied = new Set(['a'])

    remainingSteps(line, stepsOf('up', 'b', 'c'), applied)

    expect(applied).toEqual(new Set(['a']))
  })
})

function up(history: History, applied: readonly string[], target: Target): readonly string[] {
  return describeSteps(planUpgrade(history, new Set(applied), target))
}

function down(history: History, applied: readonly string[], target: Target): readonly string[] {
  return describeSteps(planDowngrade(history, new Set(applied), target))
}

function describeSteps(plan: Plan): readonly string[] {
  if (plan.kind === 'refused') return plan.problems.map((problem) => `refused: ${problem.message}`)
  return plan.steps.map((step) => `${step.direction} ${step.revision.id}`)
}

function codesOf(plan: Plan): readonly string[] {
  return plan.kind === 'refused' ? plan.problems.map((problem) => problem.code) : []
}

function stepsOf(direction: Direction, ...ids: readonly string[]): readonly Step[] {
  return ids.map((id) => ({ direction, revision: line.byId.get(id)! }))
}
