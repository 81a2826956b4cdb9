import { describe, expect, it } from 'vitest'

import { check, exampleState, index, other, pgEnum, pgSchema, table } from './example-state.ts'
import type { KitHint } from './kit/hints.ts'
import type { SchemaState } from './kit/state.ts'
import { parseRename, type RenameOption } from './rename-option.ts'
import {
  answerQuestions,
  describeQuestions,
  findLosses,
  findValueQuestions,
  resolveRenames,
  reverseHints,
} from './renames.ts'

describe('resolveRenames', () => {
  it('finds a column, with and without its schema', () => {
    const before = exampleState(table('users', 'id', 'name'))
    const after = exampleState(table('users', 'id', 'full_name'))

    for (const text of ['users.name=users.full_name', 'public.users.name=public.users.full_name']) {
      const resolved = resolveRenames(options(text), before, after)

      expect(resolved.problems).toEqual([])
      expect(resolved.hints).toEqual([rename('column', ['public', 'users', 'name'], ['public', 'users', 'full_name'])])
      expect(resolved.renames).toEqual([{ from: ['public', 'users', 'name'], to: ['public', 'users', 'full_name'] }])
    }
  })

  it('carries a column over into a renamed table in a renamed schema, whichever names are given', () => {
    const before = exampleState(pgSchema('app'), table('app.users', 'id', 'name'))
    const after = exampleState(pgSchema('core'), table('core.people', 'id', 'title'))
    const expected = [
      rename('schema', ['app'], ['core']),
      rename('table', ['core', 'users'], ['core', 'people']),
      rename('column', ['core', 'people', 'name'], ['core', 'people', 'title']),
    ]

    for (const column of [
      'app.users.name=core.people.title',
      'users.name=people.title',
      'users.name=users.title',
      'people.name=people.title',
    ]) {
      const resolved = resolveRenames(options(column, 'app.users=core.people', 'app=core'), before, after)

      expect(resolved.hints).toEqual(expected)
      expect(resolved.renames).toEqual([
        { from: ['app', 'users'], to: ['core', 'people'] },
        { from: ['app', 'users', 'name'], to: ['core', 'people', 'title'] },
      ])
    }
  })

  it('follows the tables of a renamed schema', () => {
    const before = exampleState(pgSchema('app'), table('app.users', 'id'))
    const after = exampleState(pgSchema('core'), table('core.users', 'id'))

    expect(resolveRenames(options('app=core'), before, after)).toMatchObject({
      hints: [rename('schema', ['app'], ['core'])],
      renames: [{ from: ['app', 'users'], to: ['core', 'users'] }],
    })
  })

  it('tells a table in a schema from a column of a table by what is there', () => {
    const tableBefore = exampleState(pgSchema('users'), table('users.name', 'id'))
    const tableAfter = exampleState(pgSchema('users'), table('users.title', 'id'))
    expect(resolveRenames(options('users.name=users.title'), tableBefore, tableAfter).hints).toEqual([
      rename('table', ['users', 'name'], ['users', 'title']),
    ])

    const columnBefore = exampleState(pgSchema('users'), table('users', 'name'))
    const columnAfter = exampleState(pgSchema('users'), table('users', 'title'))
    expect(resolveRenames(options('users.name=users.title'), columnBefore, columnAfter).hints).toEqual([
      rename('column', ['public', 'users', 'name'], ['public', 'users', 'title']),
    ])
  })

  it('finds enums, sequences and views by their names', () => {
    const before = exampleState(
      pgEnum('mood', 'a'),
      other('sequences', 'counter', '1'),
      other('views', 'v', 'select 1'),
    )
    const after = exampleState(pgEnum('state', 'a'), other('sequences', 'total', '1'), other('views', 'w', 'select 2'))

    expect(resolveRenames(options('mood=state', 'v=w', 'counter=total'), before, after).hints).toEqual([
      rename('enum', ['public', 'mood'], ['public', 'state']),
      rename('sequence', ['public', 'counter'], ['public', 'total']),
      rename('view', ['public', 'v'], ['public', 'w']),
    ])
  })

  it('finds a constraint with and without its table', () => {
    const before = exampleState(table('users', 'id'), check('users', 'positive', 'id > 0'))
    const after = exampleState(table('users', 'id'), check('users', 'above_one', 'id > 1'))

    for (const text of ['positive=above_one', 'users.positive=users.above_one']) {
      expect(resolveRenames(options(text), before, after).hints).toEqual([
        rename('check', ['public', 'users', 'positive'], ['public', 'users', 'above_one']),
      ])
    }
  })

  it('takes values of enums apart from the hints, under the name that the enum had', () => {
    const before = exampleState(pgEnum('mood', 'sad', 'ok'))
    const after = exampleState(pgEnum('state', 'blue', 'ok'))

    const resolved = resolveRenames(options('mood=state', 'mood.sad=state.blue'), before, after)

    expect(resolved.enumValues).toEqual([{ schema: 'public', name: 'mood', from: 'sad', to: 'blue' }])
    expect(resolved.hints).toEqual([rename('enum', ['public', 'mood'], ['public', 'state'])])
  })

  it('keeps constraints, indexes and views that have only another name, and asks nothing about those that differ', () => {
    const before = exampleState(
      table('users', 'id', 'name'),
      check('users', 'positive', 'id > 0'),
      index('users', 'by_name', ['name']),
    )
    const after = exampleState(
      table('users', 'id', 'title'),
      check('users', 'above_one', 'id > 1'),
      index('users', 'by_title', ['title']),
    )

    expect(resolveRenames(options('users.name=users.title'), before, after).hints).toEqual([
      rename('column', ['public', 'users', 'name'], ['public', 'users', 'title']),
      create('check', ['public', 'users', 'above_one']),
      rename('index', ['public', 'users', 'by_name'], ['public', 'users', 'by_title']),
    ])
  })

  it('leaves indexes alone that got their names by themselves, because drizzle-kit keeps those names', () => {
    const before = exampleState(table('users', 'id'), index('users', 'users_id_index', ['id'], { named: false }))
    const after = exampleState(table('people', 'id'), index('people', 'people_id_index', ['id'], { named: false }))

    expect(resolveRenames(options('users=people'), before, after).hints).toEqual([
      rename('table', ['public', 'users'], ['public', 'people']),
    ])
  })

  it('says that what is left over is new, when nothing is left that it could have been', () => {
    const before = exampleState(table('users', 'id', 'name'))
    const after = exampleState(table('users', 'id', 'full_name', 'age'))

    expect(resolveRenames(options('users.name=users.full_name'), before, after).hints).toEqual([
      rename('column', ['public', 'users', 'name'], ['public', 'users', 'full_name']),
      create('column', ['public', 'users', 'age']),
    ])
  })

  it.each([
    ['users.nam=users.full_name', 'there was no users.nam'],
    ['users.id=users.full_name', 'users.id is still there'],
    ['users.name=users.title', 'the schema has no users.title'],
    ['users.name=users.id', 'users.id was there before'],
    ['users.name=people', 'column "name" of table "users" cannot become table "people"'],
  ])('refuses %s, and offers what can be renamed', (text, reason) => {
    const before = exampleState(table('users', 'id', 'name'))
    const after = exampleState(table('users', 'id', 'full_name'), table('people'))

    const { problems, unresolved } = resolveRenames(options(text), before, after)

    expect(unresolved.map((option) => option.text)).toEqual([text])
    expect(problems).toEqual([
      {
        code: 'RENAME_UNKNOWN',
        message: `--rename "${text}" names no rename: ${reason}`,
        hint: 'what could be a rename: --rename users.name=users.full_name',
      },
    ])
  })

  it('refuses a second new name for the same thing', () => {
    const before = exampleState(table('users', 'name'))
    const after = exampleState(table('users', 'title', 'full_name'))

    const { problems } = resolveRenames(options('users.name=users.title', 'users.name=users.full_name'), before, after)

    expect(problems).toMatchObject([{ message: expect.stringContaining('another option renames column "name"') }])
  })

  it('takes the same option twice as one', () => {
    const before = exampleState(table('users', 'name'))
    const after = exampleState(table('users', 'title'))

    expect(resolveRenames(options('users.name=users.title', 'users.name=users.title'), before, after)).toMatchObject({
      problems: [],
      hints: [{ type: 'rename' }],
    })
  })

  it('wants the schema of a table whose name stands in several', () => {
    const before = exampleState(pgSchema('a'), pgSchema('b'), table('a.users', 'id'), table('b.users', 'id'))
    const after = exampleState(pgSchema('a'), pgSchema('b'), table('a.people', 'id'), table('b.people', 'id'))

    expect(resolveRenames(options('users=people'), before, after).problems).toMatchObject([
      { code: 'RENAME_AMBIGUOUS', hint: expect.stringContaining('--rename a.users=a.people') },
    ])
    expect(resolveRenames(options('a.users=a.people', 'b.users=b.people'), before, after).problems).toEqual([])
  })
})

describe('describeQuestions', () => {
  it('lists what may have been renamed with the option to add, the most alike first', () => {
    const before = exampleState(table('logs', 'at'), table('users', 'id', 'name', 'age:integer'))
    const after = exampleState(table('people', 'id', 'name', 'age:integer'))

    expect(describeQuestions([{ kind: 'table', entity: ['public', 'people'] }], before, after)).toEqual([
      {
        question: { kind: 'table', entity: ['public', 'people'] },
        added: 'table "people"',
        candidates: [
          { removed: 'table "users"', text: 'users=people', option: '--rename users=people' },
          { removed: 'table "logs"', text: 'logs=people', option: '--rename logs=people' },
        ],
      },
    ])
  })

  it('looks for columns in their own table only, under its old name when it is renamed', () => {
    const before = exampleState(table('users', 'age:integer', 'name'), table('posts', 'title'))
    const after = exampleState(table('people', 'full_name'), table('posts'))
    const { hints } = resolveRenames(options('users=people'), before, after)

    const [ambiguity] = describeQuestions(
      [{ kind: 'column', entity: ['public', 'people', 'full_name'] }],
      before,
      after,
      { hints, enumValues: [] },
    )

    expect(ambiguity?.added).toBe('column "full_name" of table "people"')
    expect(ambiguity?.candidates.map(({ option }) => option)).toEqual([
      '--rename users.name=people.full_name',
      '--rename users.age=people.full_name',
    ])
  })

  it('names the schema where its name could be taken for a table', () => {
    const before = exampleState(pgSchema('users'), table('users', 'name'), table('users.name', 'id'))
    const after = exampleState(pgSchema('users'), table('users', 'title'), table('users.title', 'id'))

    const [ambiguity] = describeQuestions([{ kind: 'column', entity: ['public', 'users', 'title'] }], before, after)

    expect(ambiguity?.candidates[0]?.text).toBe('public.users.name=public.users.title')
  })
})

describe('answerQuestions', () => {
  const questions = [
    { kind: 'column', entity: ['public', 'users', 'full_name'] },
    { kind: 'table', entity: ['public', 'people'] },
  ] as const

  it('leaves open what no hint answers', () => {
    const hints = [rename('table', ['public', 'users'], ['public', 'people'])]
    expect(answerQuestions(questions, hints, { noRename: false })).toEqual({ answers: [], unanswered: [questions[0]] })
  })

  it('takes everything for new that is not said to be renamed', () => {
    expect(answerQuestions(questions, [], { noRename: true })).toEqual({
      answers: [create('column', ['public', 'users', 'full_name']), create('table', ['public', 'people'])],
      unanswered: [],
    })
  })
})

describe('reverseHints', () => {
  it('gives back the names of schemas, tables and columns', () => {
    const hints = [
      rename('schema', ['app'], ['core']),
      rename('table', ['core', 'users'], ['core', 'people']),
      rename('column', ['core', 'people', 'name'], ['core', 'people', 'title']),
      rename('index', ['core', 'people', 'by_name'], ['core', 'people', 'by_title']),
      rename('column', ['core', 'posts', 'body'], ['core', 'posts', 'text']),
      create('column', ['core', 'people', 'age']),
    ]

    expect(reverseHints(hints)).toEqual([
      rename('schema', ['core'], ['app']),
      rename('table', ['app', 'people'], ['app', 'users']),
      rename('column', ['app', 'users', 'title'], ['app', 'users', 'name']),
      rename('index', ['app', 'users', 'by_title'], ['app', 'users', 'by_name']),
      rename('column', ['app', 'posts', 'text'], ['app', 'posts', 'body']),
    ])
  })

  it('brings a table back into the schema that it came from', () => {
    expect(reverseHints([rename('table', ['public', 'users'], ['app', 'people'])])).toEqual([
      rename('table', ['app', 'people'], ['public', 'users']),
    ])
  })
})

describe('findLosses', () => {
  it('names tables and columns that go, and those of a table that goes with it', () => {
    const before = exampleState(table('users', 'id', 'name', 'age'), table('logs', 'at'), table('posts', 'id'))
    const after = exampleState(table('people', 'id', 'title'), table('posts', 'id'))

    const { renames } = resolveRenames(options('users=people', 'users.name=people.title'), before, after)
    expect(findLosses(before, after, renames)).toEqual([
      'column "age" of table "users" is dropped with all that is in it',
      'table "logs" is dropped with all that is in it',
    ])
    expect(findLosses(before, after, [])).toEqual([
      'table "users" is dropped with all that is in it',
      'table "logs" is dropped with all that is in it',
    ])
  })

  it('says what another type cuts off, also of a renamed column', () => {
    const before = exampleState(table('users', 'name:varchar(40)', 'age:integer'))
    const after = exampleState(table('users', 'title:varchar(3)', 'age:bigint'))

    const { renames } = resolveRenames(options('users.name=users.title'), before, after)
    expect(findLosses(before, after, renames)).toEqual([
      'column "name" of table "users" becomes varchar(3): what is longer than 3 characters is cut off',
    ])
  })

  it('finds none where nothing goes', () => {
    const state = exampleState(table('users', 'id'))
    expect(findLosses(state, state, [])).toEqual([])
    expect(findLosses(exampleState(), state, [])).toEqual([])
  })
})

function options(...texts: readonly string[]): readonly RenameOption[] {
  return texts.map((text) => {
    const result = parseRename(text)
    if (!result.ok) throw new Error(result.problem.message)
    return result.option
  })
}

function rename(kind: KitHint['kind'], from: readonly string[], to: readonly string[]): KitHint {
  return { type: 'rename', kind, from, to }
}

function create(kind: KitHint['kind'], entity: readonly string[]): KitHint {
  return { type: 'create', kind, entity }
}

describe('findValueQuestions', () => {
  it('asks about a value that comes while another goes, until it is known to be renamed', () => {
    const [before, after] = [mood('sad', 'ok'), mood('blue', 'ok')]
    const { hints, enumValues } = resolveRenames(options('mood.sad=mood.blue'), before, after)

    const questions = findValueQuestions(before, after, { hints: [], enumValues: [] })
    expect(questions).toEqual([{ kind: 'enum value', entity: ['public', 'mood', 'blue'] }])
    expect(describeQuestions(questions, before, after)).toMatchObject([
      { added: 'value "blue" of enum "mood"', candidates: [{ option: '--rename mood.sad=mood.blue' }] },
    ])
    expect(findValueQuestions(before, after, { hints, enumValues })).toEqual([])
  })

  it('asks nothing about values that only come, or only go', () => {
    const nothing = { hints: [], enumValues: [] }

    expect(findValueQuestions(mood('ok'), mood('ok', 'blue'), nothing)).toEqual([])
    expect(findValueQuestions(mood('ok', 'sad'), mood('ok'), nothing)).toEqual([])
  })
})

function mood(...values: readonly string[]): SchemaState {
  return exampleState(pgEnum('mood', ...values))
}
