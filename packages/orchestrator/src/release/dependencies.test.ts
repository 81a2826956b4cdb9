import { describe, expect, it } from 'vitest'

import { findBrokenDependencies, type NamedHistory } from './dependencies.ts'
import { exampleMember } from './example-member.ts'

describe('findBrokenDependencies', () => {
  it('finds nothing where every dependency exists and none leads back', () => {
    expect(findBrokenDependencies([history('credentials'), history('main', { b: ['credentials/a'] })])).toEqual([])
  })

  it('names the revision and its file when a dependency does not exist', () => {
    expect(findBrokenDependencies([history('credentials'), history('main', { b: ['credentials/z'] })])).toMatchObject([
      { code: 'ELSEWHERE_UNKNOWN', database: 'main', revision: 'b', file: 'databases/main/migrations/b/revision.json' },
    ])
  })

  it('does not judge a dependency on a database whose files could not be read', () => {
    const main = history('main', { b: ['credentials/z'] })

    expect(findBrokenDependencies([main], new Set(['credentials']))).toEqual([])
    expect(findBrokenDependencies([main])).toMatchObject([{ code: 'ELSEWHERE_UNKNOWN' }])
  })

  it('finds a circle that goes through the parents of both databases', () => {
    const credentials = history('credentials', { a: ['main/b'] })
    const main = history('main', { a: ['credentials/b'] })

    expect(findBrokenDependencies([credentials, main])).toMatchObject([
      { code: 'CYCLE', message: expect.stringContaining('credentials/a after main/b') },
    ])
  })
})

/** The revisions a and b, one after the other. */
function history(name: string, elsewhere: Readonly<Record<string, readonly string[]>> = {}): NamedHistory {
  return { name, history: exampleMember(name, { a: [], b: ['a'] }, [], [], elsewhere).history }
}
