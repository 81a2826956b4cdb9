import { describe, expect, it } from 'vitest'

import { nextSize } from './group-size.ts'

describe('nextSize', () => {
  it('grows fourfold as long as the server is quick, up to 128', () => {
    const sizes = [1]
    while (sizes.length < 6) sizes.push(nextSize(sizes.at(-1)!, { count: sizes.at(-1)!, spentMs: 5 }))

    expect(sizes).toEqual([1, 4, 16, 64, 128, 128])
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
