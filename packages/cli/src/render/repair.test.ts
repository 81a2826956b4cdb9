import { describe, expect, it } from 'vitest'

import { describeRepair, repairJson } from './repair.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})
const revision = {
  id: '0123456789ab',
  parents: [],
  dependsOn: [],
  labels: [],
  message: 'add users',
  created: '2026-11-20T14:30:00Z',
  folder: 'databases/main/migrations/20261120143000_add_users',
  reversible: true,
}
const member = { database: { name: 'main' } }

describe('describeRepair', () => {
  it('says of each database which files it remembers now, or would', () => {
    expect(describeRepair({ member, revisions: [revision] }, 'repaired', plain)).toEqual([
      'main: now remembers 1 file as it is',
      '  0123456789ab add users',
    ])
    expect(describeRepair({ member, revisions: [revision, revision] }, 'planned', plain)[0]).toBe(
      'main: would remember 2 files as they are',
    )
  })

  it('says so when there is nothing to repair', () => {
    expect(describeRepair({ member, revisions: [] }, 'repaired', plain)).toEqual(['main: nothing to repair'])
  })
})

describe('repairJson', () => {
  it('names the revision and its file, and whether it was done', () => {
    expect(repairJson({ member, revisions: [revision] }, 'planned')).toEqual({
      name: 'main',
      repairs: [
        {
          revision: '0123456789ab',
          message: 'add users',
          file: 'databases/main/migrations/20261120143000_add_users/migration.sql',
          status: 'planned',
        },
      ],
    })
  })
})
