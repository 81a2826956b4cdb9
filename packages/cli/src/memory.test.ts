import { execFileSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

describe('boundYoungSpace', () => {
  it('keeps the room for young objects from growing with what a run goes through', () => {
    const bounded = sizesAfter('boundYoungSpace()')
    const grown = sizesAfter('')

    expect(new Set(bounded.slice(1)).size).toBe(1)
    expect(grown.at(-1)).toBeGreaterThan(bounded.at(-1)!)
  })
})

/** How large that room is, in bytes, each time that as much again has come and gone, of which some was kept for a while. */
function sizesAfter(first: string): readonly number[] {
  const program = `
    import { setTimeout } from 'node:timers/promises'
    import { getHeapSpaceStatistics } from 'node:v8'
    const { boundYoungSpace } = await import(process.argv[1])
    const size = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size
    ${first}
    let kept = []
    const sizes = []
    for (let part = 0; part < 4; part += 1) {
      // Until it has grown to where it is bounded, others have their turn now and then.
      do {
        for (let at = 0; at < 20_000; at += 1) kept.push({ at, text: String(at) })
        if (kept.length >= 100_000) kept = []
        await setTimeout(1)
      } while (size() < 16 * 1024 * 1024)
      await setTimeout(200)
      for (let at = 0; at < 1_000_000; at += 1) {
        kept.push({ at, text: String(at) })
        if (kept.length >= 100_000) kept = []
      }
      sizes.push(size())
    }
    console.log(JSON.stringify(sizes))`
  const door = new URL('memory.ts', import.meta.url).href
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', program, door], { encoding: 'utf8' }))
}
