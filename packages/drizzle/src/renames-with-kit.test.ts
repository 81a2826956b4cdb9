import { expect, it } from 'vitest'

import { createExampleFolder } from './kit/example-schemas.ts'
import { startKit } from './kit/kit.ts'
import { parseRename } from './rename-option.ts'
import { resolveRenames, reverseHints } from './renames.ts'

it('answers all questions of drizzle-kit about a change in which everything gets another name, there and back', async () => {
  await using folder = await createExampleFolder()
  await using kit = startKit(folder.root)
  const before = await kit.readSchema(
    await folder.schema(`
      export const app = pg.pgSchema('app')
      export const mood = app.enum('mood', ['sad', 'ok'])
      export const counter = app.sequence('counter')
      export const users = app.table('users', { id: pg.integer().primaryKey(), name: pg.text().unique(), mood: mood() }, (t) => [
        pg.index('by_name').on(t.name),
        pg.check('positive', sql\`id > 0\`),
        pg.unique('one_mood').on(t.mood, t.name),
        pg.pgPolicy('own', { for: 'select', using: sql\`id > 1\` }),
      ])
      export const v = app.view('v', { one: pg.integer() }).as(sql\`select 1 as one\`)`),
  )
  const after = await kit.readSchema(
    await folder.schema(`
      export const core = pg.pgSchema('core')
      export const state = core.enum('state', ['sad', 'ok'])
      export const total = core.sequence('total')
      export const people = core.table('people', { id: pg.integer().primaryKey(), title: pg.text().unique(), mood: state() }, (t) => [
        pg.index('by_title').on(t.title),
        pg.check('above_zero', sql\`id > 0\`),
        pg.unique('one_state').on(t.mood, t.title),
        pg.pgPolicy('mine', { for: 'select', using: sql\`id > 1\` }),
      ])
      export const w = core.view('w', { one: pg.integer() }).as(sql\`select 1 as one\`)`),
  )
  const options = [
    'app=core',
    'app.mood=core.state',
    'app.counter=core.total',
    'app.users=core.people',
    'app.users.name=core.people.title',
  ].map((text) => {
    const parsed = parseRename(text)
    if (!parsed.ok) throw new Error(parsed.problem.message)
    return parsed.option
  })

  const { hints, problems } = resolveRenames(options, before, after)

  expect(problems).toEqual([])
  expect(await kit.diff(before, after, hints)).toMatchInlineSnapshot(`
    {
      "ok": true,
      "statements": [
        "ALTER SCHEMA "app" RENAME TO "core";
    ",
        "ALTER TYPE "core"."mood" RENAME TO "state";",
        "ALTER SEQUENCE "core"."counter" RENAME TO "total";",
        "ALTER VIEW "core"."v" RENAME TO "w";",
        "ALTER TABLE "core"."users" RENAME TO "people";",
        "ALTER TABLE "core"."people" RENAME COLUMN "name" TO "title";",
        "ALTER TABLE "core"."people" RENAME CONSTRAINT "positive" TO "above_zero";",
        "ALTER INDEX "core"."by_name" RENAME TO "by_title";",
        "ALTER TABLE "core"."people" RENAME CONSTRAINT "one_mood" TO "one_state";",
        "ALTER POLICY "own" ON "core"."people" RENAME TO "mine";",
      ],
    }
  `)
  expect(await kit.diff(after, before, reverseHints(hints))).toMatchInlineSnapshot(`
    {
      "ok": true,
      "statements": [
        "ALTER SCHEMA "core" RENAME TO "app";
    ",
        "ALTER TYPE "app"."state" RENAME TO "mood";",
        "ALTER SEQUENCE "app"."total" RENAME TO "counter";",
        "ALTER VIEW "app"."w" RENAME TO "v";",
        "ALTER TABLE "app"."people" RENAME TO "users";",
        "ALTER TABLE "app"."users" RENAME COLUMN "title" TO "name";",
        "ALTER TABLE "app"."users" RENAME CONSTRAINT "above_zero" TO "positive";",
        "ALTER INDEX "app"."by_title" RENAME TO "by_name";",
        "ALTER TABLE "app"."users" RENAME CONSTRAINT "one_state" TO "one_mood";",
        "ALTER POLICY "mine" ON "app"."users" RENAME TO "own";",
      ],
    }
  `)
})
