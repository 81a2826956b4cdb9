import { describe, expect, it } from 'vitest'

import type { Lane } from './lane.ts'
import { pickCanaries } from './pick-canaries.ts'

const lane = (name: string) => ({ host: { name } }) as Lane

function waiting(on: Lane, ...slugs: readonly string[]): Parameters<typeof pickCanaries>[0] {
  return slugs.map((slug) => ({ lane: on, item: { tenant: { slug, target: slug }, steps: [], isNew: false } }))
}

describe('pickCanaries', () => {
  it('takes the first ones of each server by their slugs, in whatever order they come', async () => {
    const [eu, us] = [lane('eu'), lane('us')]
    const work = [...waiting(eu, 'd', 'a', 'c'), ...waiting(us, 'e', 'b')]

    const picked = await pickCanaries(work, 2)

    expect(picked.map(({ item }) => item.tenant.slug)).toEqual(['a', 'c', 'b', 'e'])
  })

  it('takes all where there are fewer', async () => {
    expect(await pickCanaries(waiting(lane(''), 'b', 'a'), 10)).toHaveLength(2)
  })
})
