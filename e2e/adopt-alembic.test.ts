import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { catalogOf, hasStore, query, queryColumn, readApplied } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

interface Legacy extends TestWorkspace {
  readonly url: string
}

const ids = {
  users: '2e6271969db6',
  posts: '644a29786ea6',
  billing: '2c9ea24b4505',
  search: 'f1043ee0d5fa',
  merged: '9470645414fd',
} as const

/** A workspace with an empty database package `main`, and a folder `legacy` of Alembic whose history branches and joins again. */
async function createLegacy(): Promise<Legacy> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  const add = (name: keyof typeof ids, down: string, rest: { readonly labels?: string; readonly body?: string } = {}) =>
    workspace.write(`legacy/migrations/versions/${ids[name]}_${name}.py`, script(name, down, rest))
  await workspace.write('legacy/alembic.ini', '[alembic]\nscript_location = %(here)s/migrations\n')
  await add('users', 'None')
  await add('posts', `'${ids.users}'`)
  await add('billing', `'${ids.posts}'`, { labels: `('billing',)` })
  await add('search', `'${ids.posts}'`)
  await add('merged', `('${ids.billing}', '${ids.search}')`, { body: 'pass' })
  return { ...workspace, url }
}

/** A revision file as Alembic 1.18 writes it. */
function script(
  name: keyof typeof ids,
  down: string,
  { labels = 'None', body = `op.create_table('${name}', sa.Column('id', sa.Integer()))` },
): string {
  return `"""create ${name}

Revision ID: ${ids[name]}
Revises: ${down.replaceAll(/[()']/g, '')}
Create Date: 2026-11-20 13:52:${String(Object.keys(ids).indexOf(name) + 10)}.904428

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = '${ids[name]}'
down_revision: Union[str, Sequence[str], None] = ${down}
branch_labels: Union[str, Sequence[str], None] = ${labels}
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    """Upgrade schema."""
    ${body}


def downgrade() -> None:
    """Downgrade schema."""
    ${body}
`
}

/** A database that Alembic has brought to some revisions. */
async function migrateAsAlembic(url: string, ...versions: readonly string[]): Promise<void> {
  await query(
    url,
    `create table alembic_version (version_num varchar(32) not null, constraint alembic_version_pkc primary key (version_num));
create table users (id integer);
create table posts (id integer);
${versions.map((version) => `insert into alembic_version values ('${version}');`).join('\n')}`,
  )
}

describe('a folder of Alembic', () => {
  test('becomes a history: the graph as it is, the SQL to be filled in', async () => {
    await using legacy = await createLegacy()

    const ended = await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toContain('main: took over 5 revisions of Alembic from legacy\n')
    const { revisions } = (await legacy.migrate('history', '--json')).json().databases[0]
    expect(revisions).toMatchObject([
      { id: ids.users, parents: [], message: 'create users', created: '2026-11-20T13:52:10.904Z', isBase: true },
      { id: ids.posts, parents: [ids.users] },
      { id: ids.billing, parents: [ids.posts], labels: ['billing'] },
      { id: ids.search, parents: [ids.posts] },
      { id: ids.merged, parents: [ids.billing, ids.search], isHead: true },
    ])
    const up = await readFile(join(legacy.root, revisions[1].folder, 'migration.sql'), 'utf8')
    expect(up).toContain(`alembic upgrade ${ids.users}:${ids.posts} --sql`)
  })

  test('is never run as if it were complete: a new database is refused until the SQL is there', async () => {
    await using legacy = await createLegacy()
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expectFailure(await legacy.migrate('upgrade'), 3, 'is not filled in yet')

    expect(await catalogOf(legacy.url)).not.toContainEqual(expect.stringContaining('users'))
  })

  test('with an irregularity is refused as a whole', async () => {
    await using legacy = await createLegacy()
    await legacy.write('legacy/migrations/versions/copy.py', script('search', `'${ids.posts}'`, {}))
    await legacy.write(
      'legacy/migrations/versions/lost.py',
      script('users', `'0123456789ab'`, {}).replaceAll(ids.users, 'abcdefabcdef'),
    )

    expectFailure(
      await legacy.migrate('adopt', 'legacy', '-d', 'main'),
      3,
      `are both revision ${ids.search}`,
      'lost.py comes after revision 0123456789ab, and no file is that revision',
    )
    expect(await readdir(join(legacy.root, 'databases/main/migrations'))).toEqual([])
  })
})

describe('a database that Alembic has migrated', () => {
  test('with one row stands at that revision, and goes on from there', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, ids.posts)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({
      exitCode: 0,
      stdout: `main  2 revisions recorded, now at ${ids.posts}
  public.alembic_version is left as it is; when Alembic is no longer used here: drop table public.alembic_version;
  until then, so that drift does not report it: foreign: ['table public.alembic_version'] in databases/main/database.ts
`,
    })
    expect(ended.stderr).toContain(
      'main: not compared with what its history builds: the SQL of 2 revisions is not there',
    )
    expect(await readApplied(legacy.url)).toEqual([ids.users, ids.posts])
    expect(await queryColumn(legacy.url, 'select version_num from alembic_version')).toEqual([ids.posts])
    expect(await legacy.migrate('check')).toMatchObject({ exitCode: 0 })
    expect((await legacy.migrate('current', '--json')).json().databases[0].targets[0]).toMatchObject({
      current: [ids.posts],
      state: 'behind',
    })
  })

  test('with several rows stands at each of them', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, ids.billing, ids.search)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`4 revisions recorded, now at ${ids.billing}, ${ids.search}\n`),
    })
    // The merge changes nothing, so it is complete.
    expect(await legacy.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect((await readApplied(legacy.url)).toSorted()).toEqual(Object.values(ids).toSorted())
    expect(await legacy.migrate('revision', 'go on', '--empty', '-d', 'main')).toMatchObject({ exitCode: 0 })
  })

  test('with a row that no file knows is refused, and it is said where that comes from', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, 'feedfeedfeed')
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expectFailure(
      await legacy.migrate('adopt', '-d', 'main'),
      3,
      'main: public.alembic_version of this database says feedfeedfeed, and no revision of the files is that',
    )
    expect(await hasStore(legacy.url)).toBe(false)
  })

  test('with no row has had nothing', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expect(await legacy.migrate('adopt', '-d', 'main')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing to change, at base'),
    })
  })

  test('whose files are compared with the live schema once their SQL is there', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, ids.posts)
    await legacy.migrate('adopt', 'legacy', '-d', 'main')
    const { revisions } = (await legacy.migrate('history', '--json')).json().databases[0]
    await legacy.write(`${revisions[0].folder}/migration.sql`, 'create table users (id integer);\n')
    await legacy.write(`${revisions[1].folder}/migration.sql`, 'create table posts (id bigint);\n')

    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain('main: it is not as these revisions build it: 1 difference')
    expect(ended.stderr).toContain('table public.posts: column id')
  })
})

describe('a baseline', () => {
  test('starts a history from a database as it is, at the revision that Alembic names', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, ids.posts)
    await query(
      legacy.url,
      `create type mood as enum ('sad', 'ok');
alter table users add primary key (id), add column mood mood default 'ok';
alter table posts add foreign key (id) references users (id);
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touched before update on users for each row execute function touch();
create view moods as select mood, count(*) from users group by mood;
comment on table users is 'people';`,
    )

    expect(await legacy.migrate('adopt', '-d', 'main', '--baseline', '--dry-run')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^main: would make a baseline of \d+ statements$/m),
    })
    expect(await readdir(join(legacy.root, 'databases/main/migrations'))).toEqual([])
    const ended = await legacy.migrate('adopt', '-d', 'main', '--baseline')

    expect(ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`1 revision recorded, now at ${ids.posts}`),
    })
    expect(ended.stderr).not.toContain('warning')
    expect(await readApplied(legacy.url)).toEqual([ids.posts])
    expect(await legacy.migrate('upgrade')).toMatchObject({ exitCode: 0 })

    // The history builds the same database from nothing, without Alembic's table.
    const fresh = await legacy.addDatabase('main')
    expect(await legacy.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    const expected = (await catalogOf(legacy.url)).filter((line) => !line.includes('alembic_version'))
    expect(await catalogOf(fresh)).toEqual(expected)
  })

  test('is found by another database that stands at the same revisions', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, ids.billing, ids.search)
    const made = await legacy.migrate('adopt', '-d', 'main', '--baseline')
    expect(made).toMatchObject({ exitCode: 0 })
    const [baseline] = await readApplied(legacy.url)

    const other = await legacy.addDatabase('main')
    await migrateAsAlembic(other, ids.search, ids.billing)
    const ended = await legacy.migrate('adopt', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain('as these revisions build it')
    expect(await readApplied(other)).toEqual([baseline])
  })

  test('takes the Drizzle schema for what comes after it, and says where that differs from the database', async () => {
    await using legacy = await createLegacy()
    await legacy.write('databases/main/database.ts', `export default { name: 'main', schema: './schema.ts' }\n`)
    await legacy.write(
      'databases/main/schema.ts',
      `import { integer, pgTable, text } from 'drizzle-orm/pg-core'
export const users = pgTable('users', { id: integer(), name: text() })
export const posts = pgTable('posts', { id: integer() })
`,
    )
    await migrateAsAlembic(legacy.url, ids.posts)

    const ended = await legacy.migrate('adopt', '-d', 'main', '--baseline')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toContain('main: the Drizzle schema says something else than the database: 1 difference')
    expect(ended.stderr).toContain('column name')
    const [folder] = await readdir(join(legacy.root, 'databases/main/migrations'))
    const snapshot = await readFile(join(legacy.root, 'databases/main/migrations', folder!, 'snapshot.json'), 'utf8')
    expect(JSON.parse(snapshot)).toMatchObject({ type: 'base' })
  })

  test('that cannot be proved is marked: this database is recorded, others are not built with it', async () => {
    await using legacy = await createLegacy()
    await migrateAsAlembic(legacy.url, ids.posts)
    await query(
      legacy.url,
      `create function same(text, text) returns boolean language sql immutable as 'select $1 = $2';
create operator === (leftarg = text, rightarg = text, function = same)`,
    )

    const ended = await legacy.migrate('adopt', '-d', 'main', '--baseline')

    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 revision recorded') })
    expect(ended.stderr).toContain('warning: main: the baseline does not build the schema that the database has')
    expect(ended.stderr).toContain('operator')
    const [folder] = await readdir(join(legacy.root, 'databases/main/migrations'))
    const sql = await readFile(join(legacy.root, 'databases/main/migrations', folder!, 'migration.sql'), 'utf8')
    expect(sql).toMatch(/^-- drover:unfilled: [^]*operator/)
    await legacy.addDatabase('main')
    expectFailure(await legacy.migrate('upgrade'), 3, 'is not filled in yet')
  })

  test('is refused where there are revisions', async () => {
    await using legacy = await createLegacy()
    await legacy.migrate('adopt', 'legacy', '-d', 'main')

    expectFailure(await legacy.migrate('adopt', '-d', 'main', '--baseline'), 3, 'has 5 revisions already')
  })
})
