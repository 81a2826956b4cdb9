import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { exampleObjects } from './example-objects.ts'
import type { ObjectFile } from './object-file.ts'
import { changeObjects } from './objects.ts'

/** Some of the example objects, each written one way or the other, in any order. */
const someObjects: fc.Arbitrary<readonly ObjectFile[]> = fc
  .shuffledSubarray([...exampleObjects])
  .chain((examples) =>
    fc.tuple(...examples.map(({ file, sql, changed }) => fc.constantFrom({ file, sql }, { file, sql: changed }))),
  )

describe('changeObjects', () => {
  it('has nothing to do between equal sets, in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(someObjects, async (objects) => {
        expect(await changeObjects(objects, objects.toReversed())).toEqual({
          before: [],
          early: [],
          late: [],
          gaps: [],
        })
      }),
    )
  })

  it('creates all of a set, statement by statement, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(someObjects, async (objects) => {
        const { before, early, late, gaps } = await changeObjects([], objects)

        expect({ before, gaps }).toEqual({ before: [], gaps: [] })
        const written = objects.map(({ sql }) => sql.split('-- drover:drop')[0])
        expect(lettersOf([...early, ...late])).toEqual(lettersOf(written))
      }),
    )
  })

  it('does the same whatever the order of the files', async () => {
    await fc.assert(
      fc.asyncProperty(someObjects, someObjects, async (from, to) => {
        expect(await changeObjects(from.toReversed(), to.toReversed())).toEqual(await changeObjects(from, to))
      }),
    )
  })

  it('brings back whatever it takes away of what stays as it is', async () => {
    await fc.assert(
      fc.asyncProperty(someObjects, someObjects, async (from, to) => {
        const { before, early, late } = await changeObjects(from, to)

        for (const { file, sql, undo } of exampleObjects) {
          const stays = [from, to].every((objects) => objects.some((object) => object.sql === sql))
          if (!stays || !undo.some((statement) => before.includes(statement))) continue
          const alone = await changeObjects([], [{ file, sql }])
          expect([...early, ...late]).toEqual(expect.arrayContaining([...alone.early, ...alone.late]))
        }
      }),
    )
  })
})

/** The characters of some texts in the order of the alphabet, without blanks and semicolons: the same when no statement is lost. */
function lettersOf(texts: readonly (string | undefined)[]): string {
  return texts.join('').replaceAll(/[\s;]/g, '').split('').toSorted().join('')
}
