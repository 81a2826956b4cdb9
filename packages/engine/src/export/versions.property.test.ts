import fc from 'fast-check'
import { expect, it } from 'vitest'

import { assignVersions } from './versions.ts'

const revision = fc
  .record({
    stamped: fc.boolean(),
    time: fc.date({
      min: new Date('2026-11-20T10:00:00Z'),
      max: new Date('2026-11-20T10:00:20Z'),
      noInvalidDate: true,
    }),
    count: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ stamped, time, count }) => {
    const created = time.toISOString()
    return { created, count, folder: stamped ? `m/${created.slice(0, 19).replaceAll(/[-:T]/g, '')}_x` : 'm/x' }
  })

it('versions sort as revisions run, whenever they were made', () => {
  fc.assert(
    fc.property(fc.array(revision, { maxLength: 30 }), (revisions) => {
      const versions = assignVersions(revisions).flat()

      expect(versions).toHaveLength(revisions.reduce((sum, { count }) => sum + count, 0))
      expect([...new Set(versions)].toSorted()).toEqual(versions)
      for (const version of versions) expect(version).toMatch(/^\d{14}$/)
    }),
  )
})

it('a revision that runs behind all others changes no version', () => {
  fc.assert(
    fc.property(fc.array(revision, { maxLength: 30 }), revision, (revisions, another) => {
      expect(assignVersions([...revisions, another]).slice(0, -1)).toEqual(assignVersions(revisions))
    }),
  )
})
