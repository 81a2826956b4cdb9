import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DroverError } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { formatRecordedObjects, readRecordedObjects, recordedObjects } from './recorded-objects.ts'

interface Revision {
  readonly parents?: readonly string[]
  /** The text of its `objects.json`, or what is in it. */
  readonly objects?: string | Readonly<Record<string, string>>
}

/** What is declared after the last of some revisions, which have their ids for folders. */
function read(revisions: Readonly<Record<string, Revision>>): Readonly<Record<string, string>> {
  using root = mkdtempDisposableSync(join(tmpdir(), 'recorded-'))
  for (const [folder, { objects }] of Object.entries(revisions)) {
    mkdirSync(join(root.path, folder))
    const text = typeof objects === 'string' ? objects : JSON.stringify(objects)
    if (text !== undefined) writeFileSync(join(root.path, folder, 'objects.json'), text)
  }
  const lineage = Object.entries(revisions).map(([id, { parents = [] }]) => ({ id, parents, folder: id }))
  return Object.fromEntries(readRecordedObjects(root.path, lineage).map(({ file, sql }) => [file, sql]))
}

function problemOf(revisions: Readonly<Record<string, Revision>>) {
  try {
    read(revisions)
  } catch (error) {
    if (error instanceof DroverError) return error.problems[0]
    throw error
  }
  throw new Error('it did not refuse')
}

describe('readRecordedObjects', () => {
  it('finds nothing where nothing was recorded', () => {
    expect(read({ a: {}, b: { parents: ['a'] } })).toEqual({})
  })

  it('takes what the last revision recorded, or what was so before it', () => {
    const a = { objects: { 'v.sql': 'one', 'w.sql': 'w' } }
    const b = { parents: ['a'], objects: { 'v.sql': 'two' } }

    expect(read({ a, b })).toEqual({ 'v.sql': 'two' })
    expect(read({ a, b, c: { parents: ['b'] } })).toEqual({ 'v.sql': 'two' })
    expect(read({ a, b: { parents: ['a'], objects: {} } })).toEqual({})
  })

  it('joins branches: each file is as the branch that changed it left it', () => {
    const objects = { 'same.sql': 's', 'one.sql': 'before', 'other.sql': 'before', 'gone.sql': 'g' }
    const branches = {
      a: { objects },
      b: { parents: ['a'], objects: { 'same.sql': 's', 'one.sql': 'after', 'other.sql': 'before', 'new.sql': 'n' } },
      c: { parents: ['a'], objects: { ...objects, 'other.sql': 'after' } },
    }
    const joined = { 'same.sql': 's', 'one.sql': 'after', 'other.sql': 'after', 'new.sql': 'n' }

    expect(read(branches)).toEqual(joined)
    expect(read({ ...branches, d: { parents: ['b', 'c'] } })).toEqual(joined)
    expect(read({ ...branches, d: { parents: ['b', 'c'], objects: {} } })).toEqual({})
  })

  it('joins branches that grew from nothing', () => {
    expect(read({ a: { objects: { 'a.sql': 'a' } }, b: { objects: { 'b.sql': 'b' } } })).toEqual({
      'a.sql': 'a',
      'b.sql': 'b',
    })
  })

  it('refuses to guess when branches changed the same file', () => {
    const branches = {
      a: { objects: { 'v.sql': 'before' } },
      b: { parents: ['a'], objects: { 'v.sql': 'one' } },
      c: { parents: ['a'], objects: { 'v.sql': 'other' } },
    }

    expect(problemOf(branches)).toMatchObject({
      code: 'BRANCHES_CONFLICT',
      message: 'both branches change the object that v.sql declares',
    })
    expect(read({ ...branches, d: { parents: ['b', 'c'], objects: { 'v.sql': 'both' } } })).toEqual({ 'v.sql': 'both' })
  })

  it.each([
    ['cut off', '{"v.sql": ', /^a\/objects.json cannot be read: /],
    ['a list', '[]', /^a\/objects.json is not an object of files and their SQL$/],
    ['of something else', '{"v.sql": 1}', /^a\/objects.json is not an object of files and their SQL$/],
  ])('refuses a file that is %s', (_, objects, message) => {
    expect(problemOf({ a: { objects } })).toMatchObject({
      code: 'SNAPSHOT_INVALID',
      file: 'a/objects.json',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })
})

describe('formatRecordedObjects', () => {
  it('writes what readRecordedObjects reads, in the order of the files', () => {
    const objects = formatRecordedObjects([
      { file: 'b.sql', sql: 'select "é"\n' },
      { file: 'a.sql', sql: 'select 1' },
    ])

    expect(objects).toBe('{\n  "a.sql": "select 1",\n  "b.sql": "select \\"é\\"\\n"\n}\n')
    expect(read({ a: { objects } })).toEqual({ 'a.sql': 'select 1', 'b.sql': 'select "é"\n' })
  })
})

describe('recordedObjects', () => {
  it('records nothing when nothing is declared', () => {
    expect(recordedObjects([])).toEqual({})
    expect(recordedObjects([{ file: 'a.sql', sql: 'a' }])).toEqual({ objects: '{\n  "a.sql": "a"\n}\n' })
  })
})
