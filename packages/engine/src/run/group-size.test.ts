import { describe, expect, it } from 'vitest'

import { exampleScripts } from './example-plan.ts'
import { nextSize, takeGroup } from './group-size.ts'

describe('takeGroup', () => {
  it('takes what is plain and goes in one direction, as many as may be', () => {
    const sources = [{ up: 'select 1' }, { up: 'select 2' }, { up: 'select 3' }]
    const [one, two, three] = exampleScripts(sources)
    const down = exampleScripts(sources, 'down')

    expect(takeGroup([one!, two!, three!], 0, 2)).toEqual([one, two])
    expect(takeGroup([one!, two!, three!], 1, 8)).toEqual([two, three])
    expect(takeGroup([one!, two!, ...down], 0, 8)).toEqual([one, two])
  })
})

describe('nextSize', () => {
  it('grows eightfold as long as the server is quick, up to 128', () => {
    const sizes = [1]
    while (sizes.length < 6) sizes.push(nextSize(sizes.at(-1)!, { count: sizes.at(-1)!, spentMs: 5 }))

    expect(sizes).toEqual([1, 8, 64, 128, 128, 128])
  })

  it('is what the server does in a second', () => {
    expect(nextSize(64, { count: 64, spentMs: 4000 })).toBe(16)
    expect(nextSize(64, { count: 64, spentMs: 100_000 })).toBe(1)
  })

  it('goes by those that were run, where fewer were to be had than allowed', () => {
    expect(nextSize(64, { count: 1, spentMs: 1000 })).toBe(1)
    expect(nextSize(64, { count: 2, spentMs: 100 })).toBe(20)
  })
})
