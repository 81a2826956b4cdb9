import { expect, test } from 'vitest'

import { findWrittenRenames } from './written-renames.ts'

test.each([
  ['ALTER TABLE "users" RENAME COLUMN "name" TO "full_name";', 'users.name=users.full_name'],
  ['ALTER TABLE "app"."users" RENAME COLUMN "na.me" TO "full";', 'app.users."na.me"=app.users.full'],
  ['ALTER TABLE "users" RENAME TO "people";', 'users=people'],
  ['ALTER TABLE "app"."users" RENAME TO "people"', 'app.users=app.people'],
  ['ALTER TABLE "t" RENAME CONSTRAINT "a" TO "b";', 't.a=t.b'],
  ['ALTER TYPE "mood" RENAME TO "state";', 'mood=state'],
  ['ALTER SCHEMA "app" RENAME TO "core";', 'app=core'],
  ['ALTER INDEX "by_name" RENAME TO "by_full_name";', 'by_name=by_full_name'],
  ['ALTER POLICY "read" ON "app"."users" RENAME TO "see";', 'app.users.read=app.users.see'],
])('%s', (statement, text) => {
  expect(findWrittenRenames([statement]).map((option) => option.text)).toEqual([text])
})

test.each([
  'ALTER TABLE "users" ADD COLUMN "rename" text;',
  `INSERT INTO "t" VALUES ('alter table a rename to b');`,
  'ALTER TABLE "users" SET SCHEMA "app";',
])('%s renames nothing', (statement) => {
  expect(findWrittenRenames([statement])).toEqual([])
})
