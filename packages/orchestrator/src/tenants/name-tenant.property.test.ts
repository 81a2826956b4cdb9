import { quoteIdentifier } from '@drover/engine'
import { DroverError } from '@drover/history'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { nameTenant } from './name-tenant.ts'

/** Slugs as they should be, as they almost are, and anything at all. */
const slugs = fc.oneof(
  fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,70}$/),
  fc.string({ unit: fc.constantFrom('a', 'A', '_', '-', '"', "'", ';', '.', ' ', '\n', '\u0000', 'ä', '{slug}') }),
  fc.string({ unit: 'binary', maxLength: 80 }),
)
const templates = fc
  .tuple(fc.stringMatching(/^[a-z_][a-z0-9_-]{0,10}$/), fc.stringMatching(/^[a-z0-9_-]{0,10}$/))
  .map(([begin, end]) => `${begin}{slug}${end}`)

it('gives no two tenants the same name, and none that PostgreSQL would cut off or read as anything but a name', () => {
  fc.assert(
    fc.property(templates, fc.uniqueArray(slugs, { maxLength: 50 }), (name, all) => {
      const named = all.flatMap((slug) => nameIfAllowed(name, slug))

      expect(new Set(named.map(({ target }) => target)).size).toBe(named.length)
      for (const { slug, target } of named) {
        expect(Buffer.byteLength(target)).toBeLessThanOrEqual(63)
        expect(target).toMatch(/^[a-z0-9_-]+$/)
        expect(quoteIdentifier(target)).toBe(`"${target}"`)
        expect(target).toBe(name.replace('{slug}', slug))
      }
    }),
    { numRuns: 500 },
  )
})

it('refuses every slug with anything in it but lower-case letters, digits, "-" and "_"', () => {
  const hostile = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => /[^a-z0-9_-]/.test(text))
  fc.assert(
    fc.property(hostile, (slug) => {
      expect(nameIfAllowed('tenant_{slug}', slug)).toEqual([])
    }),
    { numRuns: 2000 },
  )
})

it('takes every other slug that leaves room for the rest of the name', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,55}$/), (slug) => {
      expect(nameTenant({ kind: 'schema', name: 'tenant_{slug}' }, { slug }).target).toBe(`tenant_${slug}`)
    }),
    { numRuns: 500 },
  )
})

function nameIfAllowed(name: string, slug: string) {
  try {
    return [nameTenant({ kind: 'database', name }, { slug })]
  } catch (error) {
    if (error instanceof DroverError && error.code === 'TENANT_INVALID') return []
    throw error
  }
}
