import { describe, expect, test } from 'vitest'

import { readPythonModule } from './python.ts'

const read = (source: string) => readPythonModule(source, ['revision', 'down_revision', 'depends_on'])
const valueOf = (expression: string) => read(`revision = ${expression}\n`).values.get('revision')

describe('what a Python file assigns is read without running it', () => {
  test.each([
    [`'3f9c'`, '3f9c'],
    [`"3f9c"`, '3f9c'],
    [`"""3f9c"""`, '3f9c'],
    [`r'3\\f'`, '3\\f'],
    [`'it\\'s'`, `it's`],
    [`u'3f9c'  # the first`, '3f9c'],
    [`('3f9c')`, '3f9c'],
    [`'3f' '9c'`, '3f9c'],
    ['None', null],
    [`('3f9c', 'a1b2')`, ['3f9c', 'a1b2']],
    [`'3f9c', 'a1b2'`, ['3f9c', 'a1b2']],
    [`('3f9c',)`, ['3f9c']],
    [`['3f9c']`, ['3f9c']],
    [`{'3f9c', 'a1b2'}`, ['3f9c', 'a1b2']],
    [`(\n    '3f9c',  # one\n    'a1b2',\n)`, ['3f9c', 'a1b2']],
    ['()', []],
    ['[]', []],
  ])('%s', (expression, value) => {
    expect(valueOf(expression)).toEqual(value)
  })

  test.each([
    `f'{x}'`,
    'make_id()',
    `'a' + 'b'`,
    `'%s' % x`,
    'other',
    `('a', other)`,
    `os.environ['x']`,
    `('a',, 'b')`,
  ])('%s is left to Python', (expression) => {
    const { values } = read(`revision = ${expression}\n`)
    expect([...values]).toEqual([['revision', undefined]])
  })

  test('with types, with Windows line ends, and with a byte-order mark', () => {
    const source = `\uFEFFrevision: str = '3f9c'\r\ndown_revision: Union[str, Sequence[str], None] = None\r\n`
    expect([...read(source).values]).toEqual([
      ['revision', '3f9c'],
      ['down_revision', null],
    ])
  })

  test('what is said in functions, strings, comments and conditions does not count', () => {
    const source = `"""says

revision = 'docstring'
"""
# revision = 'comment'
if True:
    revision = 'condition'

text = """
revision = 'string'
"""

def upgrade():
    op.execute("""
revision = 'body'
""")
    revision = 'local'

call(
revision = 'argument',
)
revision == 'comparison'
other_revision = 'other'
`
    expect(read(source)).toEqual({ docstring: `says\n\nrevision = 'docstring'\n`, values: new Map() })
  })

  test('the last assignment counts, as in Python', () => {
    expect(read(`revision = 'a'\nrevision = 'b'\n`).values.get('revision')).toBe('b')
  })

  test('only the first statement is the docstring', () => {
    expect(read(`# a comment\n\n'''says it'''\nrevision = 'a'\n`).docstring).toBe('says it')
    expect(read(`import os\n'''says it'''\n`).docstring).toBeUndefined()
  })

  test.each(['', '\n', "revision = '", 'revision =', '"""', "revision = ('a'", 'revision = \\'])(
    'an unfinished file is read to its end: %j',
    (source) => {
      expect(read(source).values.get('revision')).toBeUndefined()
    },
  )
})
