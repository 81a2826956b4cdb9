import { describe, expect, it } from 'vitest'

import { checksum, checksumWithStatements } from './checksum.ts'
import { exampleHistory, exampleRevision } from './example-history.ts'
import { digestOf, judgeSnapshot } from './schema-snapshot.ts'

const history = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a']),
  exampleRevision('c', ['a']),
  exampleRevision('d', ['b', 'c']),
])
const sqlOf = (id: string) => `create table ${id} ();`
const checksums = new Map(['a', 'b', 'c', 'd'].map((id) => [id, checksumWithStatements(sqlOf(id), [sqlOf(id)])]))
const held = (...ids: readonly string[]) => ids.map((id) => ({ id, digest: digestOf(checksums.get(id)!) }))

describe('judgeSnapshot', () => {
  it('finds a snapshot of all revisions current, in whatever order it names them', () => {
    expect(judgeSnapshot(history, held('d', 'b', 'a', 'c'), checksums)).toEqual({ kind: 'current' })
  })

  it('says what comes after an older snapshot', () => {
    const verdict = judgeSnapshot(history, held('a', 'c'), checksums)

    expect(verdict).toMatchObject({ kind: 'behind', missing: [{ id: 'b' }, { id: 'd' }] })
  })

  it('refuses a snapshot with a revision that the history does not have', () => {
    const verdict = judgeSnapshot(history, [...held('a'), { id: 'gone', digest: 'x' }], checksums)

    expect(verdict).toEqual({ kind: 'unusable', reason: 'holds the revision gone, which is not in the history' })
  })

  it('refuses a snapshot that was made before one of its revisions was edited, and names it', () => {
    const edited = new Map(checksums).set('b', checksumWithStatements('drop table a;', ['drop table a']))

    expect(judgeSnapshot(history, held('a', 'b'), edited)).toEqual({
      kind: 'unusable',
      reason: 'was made before b "make b" was edited',
    })
  })

  it('refuses a snapshot below whose revisions another was put since', () => {
    expect(judgeSnapshot(history, held('a', 'b', 'd'), checksums)).toEqual({
      kind: 'unusable',
      reason: 'was made before c "make c" was put below d "make d"',
    })
  })
})

describe('digestOf', () => {
  it('does not tell comments and white space apart', () => {
    const one = checksumWithStatements('select 1; -- one', ['select 1'])
    const other = checksumWithStatements('-- two\nselect 1;', ['select 1'])

    expect(digestOf(one)).toBe(digestOf(other))
  })

  it('is that of the text where there are no statements', () => {
    expect(digestOf(checksum('export default {}'))).toBe(checksum('export default {}').slice('sha256:'.length))
  })
})
