import type { Problem } from '@drover/history'

import type { Host } from './host.ts'
import type { WorkItem } from './lane.ts'

/** At most so many names are part of a message. */
const mostNamed = 10

/** The first tenant that was compared, and how many have been like it, itself included. */
interface Expected {
  readonly slug: string
  readonly fingerprint: string
  alike: number
}

/**
 * Compares the schemas of tenants that have had the same revisions, as they are done, with the first of them. What differs was changed
 * by hand, or by a revision that does not do the same everywhere: no other should follow before somebody has looked.
 */
export class Gate {
  readonly server: string
  readonly #host: Host
  #done: WorkItem[] = []
  /** By the revision that they ended with. */
  readonly #expected = new Map<string, Expected>()

  constructor(host: Host) {
    this.server = host.name
    this.#host = host
  }

  add(item: WorkItem): void {
    this.#done.push(item)
  }

  /**
   * Compares what has been added since the last time.
   * @returns what is wrong, if anything is
   * @throws what keeps it from being compared, which it is the next time then
   */
  async pass(): Promise<Problem | undefined> {
    const done = this.#done
    this.#done = []
    try {
      return await this.#compare(done)
    } catch (error) {
      this.#done = [...done, ...this.#done]
      throw error
    }
  }

  async #compare(done: readonly WorkItem[]): Promise<Problem | undefined> {
    const odd = new Map<Expected, string[]>()
    const fingerprints = await this.#host.fingerprint(done.map(({ tenant }) => tenant))
    for (const { tenant, steps } of done) {
      const fingerprint = fingerprints.get(tenant.target)
      if (fingerprint === undefined) continue
      const last = steps.at(-1)
      const key = `${last?.direction}/${last?.revision.id}`
      const expected = this.#expected.get(key) ?? { slug: tenant.slug, fingerprint, alike: 0 }
      this.#expected.set(key, expected)
      if (expected.fingerprint === fingerprint) expected.alike += 1
      else odd.set(expected, [...(odd.get(expected) ?? []), tenant.slug])
    }
    const [first] = odd
    return first && describe(...first)
  }
}

function describe({ slug, alike }: Expected, others: readonly string[]): Problem {
  const [some, rest] = [others.slice(0, mostNamed).join(', '), others.length - mostNamed]
  const more = rest > 0 ? ` and ${rest} more` : ''
  // The first of all may be the one that was changed.
  const isFirstOdd = others.length > Math.max(alike, 1)
  return {
    code: 'TENANTS_DIFFER',
    message: isFirstOdd
      ? `${slug} is not like ${some}${more}, which have had the same revisions`
      : `${some}${more} ${others.length === 1 ? 'is' : 'are'} not like ${slug}, which has had the same revisions`,
    hint: `see what differs: pnpm migrate tenant verify --tenant ${[slug, ...others.slice(0, 2)].join(',')}; then run the same command again, or go on with --no-gate`,
    tenants: isFirstOdd ? [slug] : others,
  }
}
