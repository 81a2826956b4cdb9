import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { createExampleFolder } from '../kit/example-schemas.ts'
import { startKit } from '../kit/kit.ts'
import { allCases } from './all-cases.ts'
import { formatResults, type KindResults } from './format-results.ts'
import { type ChangeResult, tryChange, type Workbench } from './try-change.ts'

const opened = new AsyncDisposableStack()
const results = new Map<string, ChangeResult>()
let bench: Workbench

beforeAll(async () => {
  const folder = opened.use(await createExampleFolder())
  bench = { folder, kit: opened.use(startKit(folder.root)), server: inject('serverUrl') }
})

afterAll(async () => {
  const kinds = allCases.map(({ kind, cases }): KindResults => ({
    kind,
    results: cases.flatMap(({ name }) => {
      const result = results.get(`${kind}: ${name}`)
      return result ? [{ name, ...result }] : []
    }),
  }))
  process.stdout.write(`${formatResults(kinds)}\n`)
  await opened.disposeAsync()
})

describe.concurrent.each(allCases)('$kind', ({ kind, cases }) => {
  it.concurrent.each(cases)('$name: $expect', async (change) => {
    const key = `${kind}: ${change.name}`

    const result = await tryChange(bench, key.replaceAll(/\W+/g, '-'), change)

    results.set(key, result)
    // Compared as a whole, so that a failure shows the reason.
    expect(result).toEqual({ outcome: change.expect, reason: result.reason, faults: [] })
  })
})

describe('the table of schema changes', () => {
  it('refuses at most one change in twenty', () => {
    const all = allCases.flatMap(({ cases }) => cases)
    expect(all.length).toBeGreaterThanOrEqual(120)
    expect(all.filter((change) => change.expect === 'refused').length / all.length).toBeLessThanOrEqual(0.05)
  })

  it('names each change once', () => {
    const names = allCases.flatMap(({ kind, cases }) => cases.map(({ name }) => `${kind}: ${name}`))
    expect(new Set(names).size).toBe(names.length)
  })
})
