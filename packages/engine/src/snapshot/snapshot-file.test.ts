import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseSnapshot, readSnapshot, type SchemaSnapshot, writeSnapshot } from './snapshot-file.ts'

const revisions = [
  { id: 'c71ebdd033e5', digest: 'a'.repeat(64) },
  { id: '93b59974a6b1', digest: 'b'.repeat(64) },
]
const text = writeSnapshot({
  migrations: 'databases/gdpr/migrations',
  heads: ['93b59974a6b1'],
  revisions,
  body: 'create table a ();\n\n-- b\ncreate table b ();\n',
  command: 'pnpm migrate snapshot -d test',
})

/** What a script may be made of, that a head is made of as well. */
const pieces = fc.constantFrom(
  '\n',
  '\r\n',
  '\n\n',
  '--',
  ' ',
  "'",
  ';',
  'select 1',
  '-- content: ',
  '-- revisions: 9',
  '\uFEFF',
  '🦉',
)

function parsed(sql: string): SchemaSnapshot {
  const reading = parseSnapshot('databases/test/schema.sql', sql)
  if (reading.kind !== 'read') throw new Error(JSON.stringify(reading))
  return reading.snapshot
}

describe('parseSnapshot', () => {
  it('reads what was written', () => {
    const snapshot = parsed(text)

    expect(snapshot.revisions).toEqual(revisions)
    expect(snapshot.statements.map((statement) => statement.text)).toEqual(['create table a ()', 'create table b ()'])
    expect(snapshot.sql).toBe(text)
  })

  it('tells whether it is of a tenant', () => {
    const common = { migrations: 'm', heads: [], revisions, body: 'select 1;\n', command: 'c' }

    expect(parsed(text).isOfTenant).toBe(false)
    expect(parsed(writeSnapshot(common)).isOfTenant).toBe(false)
    expect(parsed(writeSnapshot({ ...common, isOfTenant: true })).isOfTenant).toBe(true)
  })

  it('reads what git has given other line ends', () => {
    expect(parsed(text.replaceAll('\n', '\r\n')).content).toBe(parsed(text).content)
  })

  it.each([
    ['a statement was changed', text.replace('table b', 'table c'), 'was edited by hand, or merged'],
    ['a comment was changed', text.replace('-- b', '-- c'), 'was edited by hand, or merged'],
    ['a revision was taken out', text.replace(/--   93b.*\n/, ''), 'was edited by hand, or merged'],
    ['a conflict was left', text.replace('-- content', '<<<<<<< HEAD\n-- content'), 'was edited by hand, or merged'],
    ['two heads were merged', text.replace(/(-- content.*\n)/, '$1$1'), 'was edited by hand, or merged'],
    ['it is cut off', text.slice(0, text.indexOf('create table a')), 'was edited by hand, or merged'],
    ['it is empty', '', 'is not a snapshot that Drover has written'],
    ['it is any other dump', 'create table a ();\n', 'is not a snapshot that Drover has written'],
    [
      'it is of a later version',
      text.replace('format 1', 'format 2'),
      'has format 2, and this version of Drover knows format 1',
    ],
  ])('says so when %s', (_, sql, reason) => {
    expect(parseSnapshot('databases/test/schema.sql', sql)).toEqual({ kind: 'damaged', reason })
  })

  it('takes the head apart from whatever the script holds', () => {
    fc.assert(
      fc.property(
        fc.array(pieces).map((found) => found.join('')),
        (body) => {
          const written = writeSnapshot({ migrations: 'm', heads: [], revisions, body, command: 'c' })
          const reading = parseSnapshot('schema.sql', written)

          expect(reading).toMatchObject({ kind: 'read', snapshot: { revisions } })
        },
      ),
    )
  })
})

describe('readSnapshot', () => {
  it('tells a missing file from one that cannot be read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-snapshot-'))
    try {
      writeFileSync(join(folder, 'schema.sql'), text)

      expect(readSnapshot(folder, 'schema.sql').kind).toBe('read')
      expect(readSnapshot(folder, 'other.sql')).toEqual({ kind: 'missing' })
      expect(readSnapshot(folder, '.')).toEqual({ kind: 'damaged', reason: 'cannot be read (EISDIR)' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
