import { buildHistory, type History, type Revision } from '@drover/history'
import { describe, expect, test } from 'vitest'

import { idOfBaseline, type MigrationRow, recogniseMigrations, recogniseVersions } from './recognition.ts'

function revision(id: string, parents: readonly string[], rest: Partial<Revision> = {}): Revision {
  const second = Number.parseInt(id[0]!, 16)
  return {
    id,
    parents,
    dependsOn: [],
    labels: [],
    message: `step ${id[0]}`,
    created: new Date(Date.UTC(2026, 10, 1, 0, 0, second)).toISOString(),
    folder: `migrations/${id}`,
    reversible: false,
    ...rest,
  }
}

function historyOf(...revisions: readonly Revision[]): History {
  const built = buildHistory(revisions)
  if (!built.ok) throw new Error('the example is broken')
  return built.history
}

const [a, b, c] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'] as const
const line = historyOf(revision(a, []), revision(b, [a]), revision(c, [b]))
const hashes = new Map([
  [a, 'hash-a'],
  [b, 'hash-b'],
  [c, 'hash-c'],
])

function row(id: number, hash: string, rest: Partial<MigrationRow> = {}): MigrationRow {
  return { id, hash, createdAt: undefined, name: undefined, ...rest }
}

function recognise(rows: readonly MigrationRow[], history = line, acceptEdited = false) {
  const { applied, problems, warnings } = recogniseMigrations(history, rows, {
    table: 'migrations',
    hashes,
    acceptEdited,
  })
  const texts = (list: typeof problems) => list.map(({ message }) => message)
  return { applied: applied.map(({ id }) => id), problems: texts(problems), warnings: texts(warnings) }
}

const skipped = (id: string): unknown =>
  expect.stringContaining(`migrations/${id} is not applied: drizzle-orm has skipped it`)

const timeOf = (id: string) => Date.parse(line.byId.get(id)!.created)

describe('rows of drizzle-orm', () => {
  test('are known by the hash of the file, whatever their order', () => {
    expect(recognise([row(1, 'hash-b'), row(2, 'hash-a')])).toEqual({ applied: [a, b], problems: [], warnings: [] })
    expect(recognise([])).toEqual({ applied: [], problems: [], warnings: [] })
  })

  test('of files with the same text are told apart by name, then by time, then by order', () => {
    const same = new Map([
      [a, 'same'],
      [b, 'same'],
      [c, 'same'],
    ])
    const appliedOf = (rows: readonly MigrationRow[]) =>
      recogniseMigrations(line, rows, { table: 'migrations', hashes: same, acceptEdited: false }).applied.map(
        ({ id }) => id,
      )
    expect(appliedOf([row(1, 'same', { name: c })])).toEqual([c])
    expect(appliedOf([row(1, 'same', { createdAt: timeOf(b) + 423 })])).toEqual([b])
    expect(appliedOf([row(1, 'same'), row(2, 'same')])).toEqual([a, b])
  })

  test('with another hash are of a file that was edited, found by its name or its time', () => {
    const edited = [expect.stringContaining(`migrations/${a}/migration.sql was edited since`)]
    expect(recognise([row(1, 'old', { name: a })]).problems).toEqual(edited)
    expect(recognise([row(1, 'old', { createdAt: timeOf(a) })]).problems).toEqual(edited)
    expect(recognise([row(1, 'old', { createdAt: timeOf(a) })], line, true)).toEqual({
      applied: [a],
      problems: [],
      warnings: edited,
    })
  })

  test('never lose their revision to a row that is guessed by its time', () => {
    const found = recognise([row(1, 'old', { createdAt: timeOf(a) }), row(2, 'hash-a')])
    expect(found.applied).toEqual([a])
    expect(found.problems).toEqual([expect.stringContaining('row 1 of migrations (hash old…, generated 2026-11-01')])
  })

  test('that nothing fits are unknown', () => {
    expect(recognise([row(7, 'other', { createdAt: 0, name: 'x' })]).problems).toEqual([
      'row 7 of migrations (x, hash other…, generated 1970-01-01T00:00:00.000Z) belongs to no revision: the database has had something that is not among the files',
    ])
  })

  test('tell what was skipped: below what is applied, or dated before it', () => {
    expect(recognise([row(1, 'hash-a'), row(2, 'hash-c')])).toMatchObject({ applied: [a, c], warnings: [skipped(b)] })
    const late = historyOf(revision(a, []), revision(b, [a], { created: line.byId.get(a)!.created }))
    expect(recognise([row(1, 'hash-a', { createdAt: timeOf(a) })], late).warnings).toEqual([skipped(b)])
    expect(recognise([row(1, 'hash-a', { createdAt: timeOf(a) })]).warnings).toEqual([])
    // drizzle-orm 1.0 would have run it.
    expect(recognise([row(1, 'hash-a', { createdAt: timeOf(a), name: a })], late).warnings).toEqual([])
    expect(recognise([row(1, 'hash-a', { name: a }), row(2, 'hash-c', { name: c })]).warnings).toEqual([
      expect.stringContaining('it has no row, while later ones have theirs'),
    ])
  })
})

const applied = (history: History, ...versions: readonly string[]) =>
  recogniseVersions(history, versions, 'alembic_version').applied.map(({ id }) => id)

describe('rows of Alembic', () => {
  const branched = historyOf(revision(a, []), revision(b, [a]), revision(c, [a], { dependsOn: [] }))
  test('mean everything that they come after', () => {
    expect(applied(branched)).toEqual([])
    expect(applied(branched, b)).toEqual([a, b])
    expect(applied(branched, b, c)).toEqual([a, b, c])
    const depending = historyOf(revision(a, []), revision(b, []), revision(c, [a], { dependsOn: [b] }))
    expect(applied(depending, c)).toEqual([a, b, c])
  })

  test('that no file knows are told, each', () => {
    expect(recogniseVersions(branched, ['ffffffffffff', b], 'alembic_version').problems).toMatchObject([
      { message: expect.stringContaining('alembic_version of this database says ffffffffffff') },
    ])
  })

  test('of several revisions are all of a baseline that was made at them, whatever their order', () => {
    const id = idOfBaseline(['b', 'a'])!
    expect(id).toBe(idOfBaseline(['a', 'b']))
    expect(applied(historyOf(revision(id, [])), 'b', 'a')).toEqual([id])
    expect(idOfBaseline([a])).toBe(a)
    expect(idOfBaseline([])).toBeUndefined()
  })
})
