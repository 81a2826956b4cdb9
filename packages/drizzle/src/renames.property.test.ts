import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleState, pgEnum, pgSchema, table } from './example-state.ts'
import type { KitQuestion } from './kit/hints.ts'
import type { SchemaEntity, SchemaState } from './kit/state.ts'
import { thingsOf } from './named-things.ts'
import { parseRename, type RenameOption } from './rename-option.ts'
import { describeQuestions, findLosses, resolveRenames, reverseHints } from './renames.ts'

/** Names that are easily confused: with those of other things, and with several names joined by dots. */
const name = fc.constantFrom('users', 'app', 'name', 'a.b', 'say "x"', 'public.users', 'ä=ö', 'core', 'mood')
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 })
const tables = fc.dictionary(name, names, { minKeys: 0, maxKeys: 3 })
const state = fc
  .record({ public: tables, others: fc.dictionary(name, tables, { maxKeys: 2 }), enums: fc.dictionary(name, names) })
  .map((drawn) =>
    exampleState(
      ...Object.keys(drawn.others).map((own) => pgSchema(own)),
      ...[['public', drawn.public] as const, ...Object.entries(drawn.others)].flatMap(([place, own]) =>
        Object.entries(own).map(([each, columns]) => within(place, each, table('x', ...columns))),
      ),
      // A table and an enum of one schema cannot share a name: a table is a type too.
      ...Object.entries(drawn.enums)
        .filter(([each]) => !(each in drawn.public))
        .map(([each, values]) => within('public', each, [pgEnum('x', ...values)])),
    ),
  )

describe('renames', () => {
  it('understand every option that is offered as what it was offered for', () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        for (const { question, candidates } of describeQuestions(questionsAbout(after), before, after)) {
          for (const { text } of candidates) {
            const { hints, problems } = resolveRenames([parse(text)], before, after)
            expect(problems).toEqual([])
            expect(hints).toContainEqual(
              expect.objectContaining({ type: 'rename', kind: question.kind, to: question.entity }),
            )
          }
        }
      }),
    )
  })

  it('are all understood together, and are the same again when they are reversed twice', () => {
    fc.assert(
      fc.property(state, state, fc.infiniteStream(fc.nat()), (before, after, choices) => {
        const options = chooseRenames(before, after, choices)
        const { hints, problems } = resolveRenames(options, before, after)
        const renames = hints.filter(({ type }) => type === 'rename')

        expect(problems).toEqual([])
        expect(renames).toHaveLength(options.length)
        expect(reverseHints(reverseHints(hints))).toEqual(renames)
      }),
      { numRuns: 40 },
    )
  })

  it('lose nothing where nothing changes, and everything where nothing is left', () => {
    fc.assert(
      fc.property(state, (any) => {
        expect(findLosses(any, any, [])).toEqual([])
        expect(findLosses(any, exampleState(), [])).toHaveLength(
          any.ddl.filter(({ entityType }) => entityType === 'tables').length,
        )
      }),
    )
  })
})

/** Renames some things of one state to what another has instead, from schemas to columns. */
function chooseRenames(before: SchemaState, after: SchemaState, choices: fc.Stream<number>): readonly RenameOption[] {
  const options: RenameOption[] = []
  for (const kind of ['schema', 'table', 'column'] as const) {
    for (const question of questionsAbout(after).filter((each) => each.kind === kind)) {
      const { hints } = resolveRenames(options, before, after)
      const candidates = describeQuestions([question], before, after, { hints, enumValues: [] }).flatMap(
        (each) => each.candidates,
      )
      const choice = candidates[(choices.next().value ?? 0) % (candidates.length + 1)]
      if (choice) options.push(parse(choice.text))
    }
  }
  return options
}

/** Every question that drizzle-kit could ask about the schemas, tables, enums and columns of a state. */
function questionsAbout(after: SchemaState): readonly KitQuestion[] {
  return thingsOf(after).flatMap(({ kind, path }) => (kind === 'enum value' ? [] : [{ kind, entity: path }]))
}

function parse(text: string): RenameOption {
  const parsed = parseRename(text)
  if (!parsed.ok) throw new Error(parsed.problem.message)
  return parsed.option
}

function within(place: string, own: string, entities: readonly SchemaEntity[]): readonly SchemaEntity[] {
  return entities.map((entity) =>
    entity.table === undefined ? { ...entity, schema: place, name: own } : { ...entity, schema: place, table: own },
  )
}
