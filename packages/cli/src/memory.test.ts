import { execFileSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

describe('spareMemory', () => {
  it('keeps the room for young objects from growing with what a run goes through', () => {
    const body = `
      const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8')
      let kept = []
      for (let at = 0; at < 3_000_000; at += 1) {
        kept.push({ at, text: String(at) })
        if (kept.length >= 100_000) kept = []
      }
      console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size)`

    expect(Number(run(`spareMemory()\n${body}`))).toBeLessThan(Number(run(body)) / 2)
  })

  it('leaves V8 as it was when the process ends, so that compiled code can be kept', () => {
    const [before, meanwhile, after] = JSON.parse(
      run(`
        const { cachedDataVersionTag } = process.getBuiltinModule('node:v8')
        const tags = [cachedDataVersionTag()]
        process.once('exit', () => console.log(JSON.stringify([...tags, cachedDataVersionTag()])))
        spareMemory()
        tags.push(cachedDataVersionTag())`),
    ) as readonly number[]

    expect(meanwhile).not.toBe(before)
    expect(after).toBe(before)
  })
})

/** Runs a program in a process of its own, and returns what that prints. */
function run(body: string): string {
  const program = `const { spareMemory } = await import(process.argv[1])\n${body}`
  const door = new URL('memory.ts', import.meta.url).href
  return execFileSync(process.execPath, ['--input-type=module', '-e', program, door], { encoding: 'utf8' })
}
