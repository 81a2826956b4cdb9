import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createWorkspace, type TestWorkspace } from './workspace.ts'

/** A workspace with a database, `shop`, and one that has its history, `test`. Nothing is applied, and there is no snapshot. */
export interface Mirrored extends TestWorkspace {
  readonly shop: string
  readonly test: string
  /** Folders of the revisions, from the root. */
  readonly folders: readonly string[]
}

/** The ids of its revisions, each of which comes after the one before. */
export const mirroredIds = ['a1a1a1a1a1a1', 'b2b2b2b2b2b2', 'c3c3c3c3c3c3'] as const

/** Where its snapshot is. */
export const mirroredSnapshot = 'databases/test/schema.sql'

/** Makes it. Its history has what a schema is made of, and rows. */
export async function createMirrored(): Promise<Mirrored> {
  const workspace = await createWorkspace()
  const shop = await workspace.addDatabase('shop')
  const test = await workspace.addDatabase('test')
  await declareMirror(workspace)
  const ups = [
    `create type colour as enum ('red', 'it''s "blue"');
create table products (id bigint generated always as identity primary key, name text not null check (name <> ''), colour colour);
comment on table products is 'what; is sold';\n`,
    `create function touch() returns trigger language plpgsql as $$
begin
  -- a comment; with a semicolon
  new.name := trim(new.name);
  return new;
end
$$;
revoke execute on function touch() from public;
create trigger products_touch before insert on products for each row execute function touch();
insert into products (name) values ('one'), (E'two\\nlines; and a \\\\ backslash'), ('$$three$$');\n`,
    `create index products_colour on products (colour) where colour is not null;
create view red as select * from products where colour = 'red';
alter table products enable row level security;
create policy everybody on products using (true);
create table made_at (at timestamptz not null);
insert into made_at values (clock_timestamp());\n`,
  ]
  const downs = [
    'drop table products;\ndrop type colour;\n',
    'drop trigger products_touch on products;\ndrop function touch();\ndelete from products;\n',
    'drop table made_at;\ndrop policy everybody on products;\nalter table products disable row level security;\ndrop view red;\ndrop index products_colour;\n',
  ]
  const folders: string[] = []
  for (const [at, id] of mirroredIds.entries()) {
    folders.push(await workspace.addRevision('shop', { id, message: `step ${at + 1}`, up: ups[at]!, down: downs[at]! }))
  }
  return { ...workspace, shop, test, folders }
}

let snapshot: Promise<string> | undefined

/**
 * Makes it with the snapshot of its history. That takes a few seconds of a whole core, so it is written once, in a workspace of
 * its own, and copied from there: the history is always the same.
 */
export async function createWithSnapshot(): Promise<Mirrored> {
  snapshot ??= writeSnapshot()
  const workspace = await createMirrored()
  await workspace.write(mirroredSnapshot, await snapshot)
  return workspace
}

async function writeSnapshot(): Promise<string> {
  await using workspace = await createMirrored()
  const { exitCode, stderr } = await workspace.migrate('snapshot')
  if (exitCode !== 0) throw new Error(stderr)
  return await readFile(join(workspace.root, mirroredSnapshot), 'utf8')
}

/** Declares that `test` has the history of another database. */
export async function declareMirror(
  workspace: TestWorkspace,
  more = `mirrors: ['shop'], after: ['shop']`,
): Promise<void> {
  await workspace.write(
    'databases/test/database.ts',
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ kind: 'snapshot', name: 'test', ${more} })\n`,
  )
}
