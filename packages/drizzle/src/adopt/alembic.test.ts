import { DroverError } from '@drover/history'
import { describe, expect, test } from 'vitest'

import { idOfAlembic, isAlembicFolder, readAlembicFolder } from './alembic.ts'
import { exampleFolder } from './example-folder.ts'

interface ScriptText {
  readonly message?: string
  readonly down?: string
  readonly labels?: string
  readonly depends?: string
  readonly created?: string | null
  readonly body?: string
}

/** A revision file as Alembic's template writes it. */
function script(revision: string, { message = 'create users', down = 'None', ...rest }: ScriptText = {}): string {
  const { labels = 'None', depends = 'None', created = '2026-11-20 13:52:49.904428', body = 'op.execute("x")' } = rest
  return `"""${message}

Revision ID: ${revision}
Revises: ${down}
${created === null ? '' : `Create Date: ${created}`}

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = '${revision}'
down_revision: Union[str, Sequence[str], None] = ${down}
branch_labels: Union[str, Sequence[str], None] = ${labels}
depends_on: Union[str, Sequence[str], None] = ${depends}


def upgrade() -> None:
    """Upgrade schema."""
    ${body}


def downgrade() -> None:
    """Downgrade schema."""
    ${body}
`
}

function problemsOf(files: Readonly<Record<string, string>>): readonly string[] {
  using example = exampleFolder(files)
  try {
    readAlembicFolder(example.folder)
  } catch (error) {
    if (error instanceof DroverError) return error.problems.map(({ message }) => message)
    throw error
  }
  return []
}

test('the graph is taken over: parents, merges, labels, dependencies, messages and times', () => {
  using example = exampleFolder({
    'versions/a.py': script('aaaaaaaaaaaa', { message: 'create "quoted" users' }),
    'versions/b.py': script('bbbbbbbbbbbb', { down: `'aaaaaaaaaaaa'`, labels: `('billing',)` }),
    'versions/c.py': script('cccccccccccc', { down: `'aaaaaaaaaaaa'`, depends: `'billing'` }),
    'versions/d.py': script('dddddddddddd', { down: `('bbbbbbbbbbbb', 'cccccccccccc')`, body: 'pass' }),
  })

  const { tool, revisions, warnings } = readAlembicFolder(example.folder)

  expect([tool, warnings]).toEqual(['Alembic', []])
  expect(revisions).toMatchObject([
    { id: 'aaaaaaaaaaaa', name: 'aaaaaaaaaaaa', parents: [], message: 'create "quoted" users' },
    { id: 'bbbbbbbbbbbb', parents: ['aaaaaaaaaaaa'], labels: ['billing'], dependsOn: [] },
    { id: 'cccccccccccc', parents: ['aaaaaaaaaaaa'], labels: [], dependsOn: ['bbbbbbbbbbbb'] },
    { id: 'dddddddddddd', parents: ['bbbbbbbbbbbb', 'cccccccccccc'] },
  ])
  expect(revisions[0]!.created.toISOString()).toBe('2026-11-20T13:52:49.904Z')
  expect(revisions[0]!.folderName).toBe('20261120135249_aaaaaaaaaaaa_create_quoted_users')
})

test('what a revision does is left to be filled in, with the command that prints it; what does nothing is complete', () => {
  using example = exampleFolder({
    'versions/a.py': script('aaaaaaaaaaaa'),
    'versions/b.py': script('bbbbbbbbbbbb', { down: `'aaaaaaaaaaaa'`, body: 'pass' }),
    'versions/c.py': script('cccccccccccc', { down: `'bbbbbbbbbbbb'`, body: 'pass; op.execute("x")' }),
  })

  const [first, second, third] = readAlembicFolder(example.folder).revisions

  expect(first!.files.up).toMatch(/^-- drover:unfilled: .*\ba\.py\b[^]*alembic upgrade aaaaaaaaaaaa --sql\n$/)
  expect(first!.files.down).toMatch(/^-- drover:unfilled: [^]*alembic downgrade aaaaaaaaaaaa:base --sql\n$/)
  expect(second!.files.up).toBe('-- Revision bbbbbbbbbbbb of Alembic changes nothing.\n')
  expect(third!.files.up).toContain('alembic upgrade bbbbbbbbbbbb:cccccccccccc --sql')
})

test('ids of another form get ids of ours, the same everywhere; the message keeps the old one', () => {
  using example = exampleFolder({
    'versions/1.py': script('0001'),
    'versions/2.py': script('0002', { down: `'0001'`, depends: `['00']`.replace('00', '0001') }),
  })

  const [first, second] = readAlembicFolder(example.folder).revisions

  expect(first).toMatchObject({ id: idOfAlembic('0001'), name: '0001', message: 'create users (0001)' })
  expect(first!.id).toMatch(/^[0-9a-f]{12}$/)
  expect(second).toMatchObject({ parents: [first!.id], dependsOn: [first!.id] })
  expect(idOfAlembic('ae1027a6acf0')).toBe('ae1027a6acf0')
})

test('without a date a revision comes a second after its parents; a date may have a zone', () => {
  using example = exampleFolder({
    'versions/a.py': script('aaaaaaaaaaaa', { created: '2026-11-20 13:52:49+01:00' }),
    'versions/b.py': script('bbbbbbbbbbbb', { down: `'aaaaaaaaaaaa'`, created: null }),
  })

  expect(readAlembicFolder(example.folder).revisions.map(({ created }) => created.toISOString())).toEqual([
    '2026-11-20T12:52:49.000Z',
    '2026-11-20T12:52:50.000Z',
  ])
})

describe('where the files are', () => {
  test.each([
    ['in the folder itself', { 'a.py': script('aaaaaaaaaaaa') }],
    ['in versions, beside env.py', { 'env.py': '', 'versions/a.py': script('aaaaaaaaaaaa') }],
    [
      'where alembic.ini says',
      {
        'alembic.ini': '[alembic]\nscript_location = %(here)s/db/migrations\n',
        'db/migrations/versions/a.py': script('aaaaaaaaaaaa'),
      },
    ],
    [
      'in several places',
      {
        'alembic.ini': '[alembic]\nscript_location = db\nversion_locations = %(here)s/one %(here)s/two\n',
        'one/a.py': script('aaaaaaaaaaaa'),
        'two/__init__.py': '',
      },
    ],
  ])('%s', (_, files) => {
    using example = exampleFolder(files)
    expect(isAlembicFolder(example.folder)).toBe(true)
    expect(readAlembicFolder(example.folder).revisions.map(({ id }) => id)).toEqual(['aaaaaaaaaaaa'])
  })

  test('Python without revisions is none of Alembic', () => {
    using example = exampleFolder({ 'setup.py': 'import os\n' })
    expect(isAlembicFolder(example.folder)).toBe(false)
  })
})

describe('an irregularity is named', () => {
  test.each([
    [
      'two files with one revision',
      { 'versions/a.py': script('aaaaaaaaaaaa'), 'versions/b.py': script('aaaaaaaaaaaa') },
      'legacy/versions/a.py and legacy/versions/b.py are both revision aaaaaaaaaaaa',
    ],
    [
      'a parent without a file',
      { 'versions/b.py': script('bbbbbbbbbbbb', { down: `'aaaaaaaaaaaa'` }) },
      'legacy/versions/b.py comes after revision aaaaaaaaaaaa, and no file is that revision',
    ],
    [
      'a dependency without a file',
      { 'versions/b.py': script('bbbbbbbbbbbb', { depends: `'billing'` }) },
      'legacy/versions/b.py depends on "billing"',
    ],
    [
      'a file that says no revision',
      { 'versions/a.py': script('aaaaaaaaaaaa'), 'versions/b.py': 'import os\n' },
      'legacy/versions/b.py does not say its revision',
    ],
    [
      'a value that only Python knows',
      { 'versions/a.py': script('aaaaaaaaaaaa', { down: 'latest()' }) },
      'legacy/versions/a.py: down_revision is worked out by Python',
    ],
    [
      'a circle',
      {
        'versions/a.py': script('aaaaaaaaaaaa', { down: `'bbbbbbbbbbbb'` }),
        'versions/b.py': script('bbbbbbbbbbbb', { down: `'aaaaaaaaaaaa'` }),
      },
      'legacy: these revisions come after each other in a circle',
    ],
  ])('%s', (_, files, message) => {
    expect(problemsOf(files)).toEqual([expect.stringContaining(message)])
  })

  test('a label that no target could name is left out', () => {
    using example = exampleFolder({ 'versions/a.py': script('aaaaaaaaaaaa', { labels: `('head', 'billing')` }) })
    const { revisions, warnings } = readAlembicFolder(example.folder)
    expect(revisions[0]!.labels).toEqual(['billing'])
    expect(warnings).toMatchObject([{ message: expect.stringContaining('legacy/versions/a.py: the label "head"') }])
  })
})
