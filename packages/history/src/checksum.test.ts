import { describe, expect, it } from 'vitest'

import { checksum, checksumWithStatements, compareChecksums, fingerprintOf } from './checksum.ts'

describe('checksum', () => {
  it('is the SHA-256 of the text, with the algorithm in front', () => {
    expect(checksum('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(checksum('select 1;\n')).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('reads the text as UTF-8', () => {
    expect(checksum('ü')).toBe('sha256:607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f')
  })

  it('does not mind the line endings that git chose for the machine', () => {
    expect(checksum('select 1;\r\nselect 2;\r\n')).toBe(checksum('select 1;\nselect 2;\n'))
  })

  it('does not mind a byte-order mark in front', () => {
    expect(checksum('\uFEFFselect 1;')).toBe(checksum('select 1;'))
  })

  it('minds everything else, blanks and a last line ending included', () => {
    const texts = [
      'select 1;',
      'select 1;\n',
      'select 1; ',
      'select  1;',
      'SELECT 1;',
      'select1;',
      'select\r1;',
      'select 1;\uFEFF',
    ]

    expect(new Set(texts.map(checksum)).size).toBe(texts.length)
  })
})

describe('compareChecksums', () => {
  const old = checksumWithStatements('select 1; -- one\n', ['select 1'])

  it.each([
    ['the very same', 'select 1; -- one\n', ['select 1'], 'same'],
    ['other line endings', 'select 1; -- one\r\n', ['select 1'], 'same'],
    ['another comment', 'select 1; -- first\n', ['select 1'], 'reformatted'],
    ['another statement', 'select 2; -- one\n', ['select 2'], 'changed'],
    ['a statement more', 'select 1;select 1;\n', ['select 1', 'select 1'], 'changed'],
  ])('tells of %s', (_, sql, statements, outcome) => {
    expect(compareChecksums(old, checksumWithStatements(sql, statements))).toBe(outcome)
  })

  it('compares only texts where one side knows nothing of the statements', () => {
    const row = checksum('select 1; -- one\n')

    expect(compareChecksums(row, old)).toBe('same')
    expect(compareChecksums(row, checksumWithStatements('select 1;\n', ['select 1']))).toBe('changed')
    expect(compareChecksums(old, checksum('select 1;\n'))).toBe('changed')
    expect(compareChecksums(row, checksum('select 1;\n'))).toBe('changed')
  })

  it('does not take two statements for one', () => {
    expect(checksumWithStatements('', ['a', 'b'])).not.toBe(checksumWithStatements('', ['ab']))
  })
})

describe('fingerprintOf', () => {
  it('does not mind in which order revisions come, nor what is known of their statements', () => {
    const texts = new Map([
      ['bbbbbbbbbbbb', checksum('select 2;')],
      ['aaaaaaaaaaaa', checksum('select 1;')],
    ])
    const rows = new Map([
      ['aaaaaaaaaaaa', checksumWithStatements('select 1;', ['select 1'])],
      ['bbbbbbbbbbbb', checksum('select 2;')],
    ])

    expect(fingerprintOf(rows)).toBe(fingerprintOf(texts))
  })
})
