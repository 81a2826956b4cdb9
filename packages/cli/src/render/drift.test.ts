import type { Drift } from '@drover/drizzle'
import { describe, expect, it } from 'vitest'

import { driftLines, driftProblems, versionWarnings } from './drift.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})
const shadow = { url: 'postgres://me:secret@db/postgres', version: 18 }
const database = {
  name: 'main',
  folder: 'databases/main',
  migrations: 'databases/main/migrations',
  objects: 'databases/main/objects',
  snapshot: 'databases/main/schema.sql',
  config: {
    name: 'main',
    aliases: [],
    after: [],
    schema: 'schema.ts',
    url: [],
    database: 'main',
    migrations: 'migrations',
    objects: 'objects',
    protected: false,
    foreign: [],
  },
}
const none: Drift = { differences: [], objects: 1, version: 18 }
const some: Drift = {
  ...none,
  differences: [
    { object: 'table app.users', part: 'column code', kind: 'different', expected: 'integer', found: 'text' },
    { object: 'view app.old', part: undefined, kind: 'unexpected', expected: undefined, found: 'persistent' },
  ],
}

describe('driftLines', () => {
  it('says that there is no drift, and how much was compared', () => {
    expect(driftLines(database, none, plain)).toEqual(['main: as its history builds it (1 object compared)'])
  })

  it('names every difference', () => {
    expect(driftLines(database, some, plain)).toEqual([
      'main: 2 differences',
      '  table app.users: column code is text, and should be integer',
      '  view app.old should not be there',
    ])
  })

  it('says that there was nothing to compare with', () => {
    expect(driftLines(database, undefined, plain)).toEqual(['main: cannot be compared'])
  })
})

describe('driftProblems', () => {
  it('makes one problem of all differences, and none where there are none', () => {
    expect(driftProblems(database, some)).toMatchObject([
      { code: 'DRIFT', database: 'main', message: '2 differences from what its history builds' },
    ])
    expect(driftProblems(database, none)).toEqual([])
    expect(driftProblems(database, undefined)).toEqual([])
  })
})

describe('versionWarnings', () => {
  it('warns of differences between servers of two versions, and names the version that the shadow should have', () => {
    expect(versionWarnings(database, { ...some, version: 16 }, shadow)).toMatchObject([
      { code: 'DRIFT', database: 'main', hint: 'set DROVER_SHADOW_URL to a server of PostgreSQL 16' },
    ])
  })

  it('is silent where the versions are the same, or nothing differs', () => {
    expect(versionWarnings(database, some, shadow)).toEqual([])
    expect(versionWarnings(database, { ...none, version: 16 }, shadow)).toEqual([])
    expect(versionWarnings(database, undefined, shadow)).toEqual([])
  })
})
