import { createHash } from 'node:crypto'

import { query } from './query.ts'
import type { TestWorkspace } from './workspace.ts'

/** One migration of drizzle-kit 0.31. */
export interface JournalEntry {
  readonly idx: number
  /** In milliseconds since 1970. */
  readonly when: number
  readonly tag: string
  readonly sql: string
  /** Of its snapshot. */
  readonly id: string
  readonly prevId: string
  /** The tables of its snapshot, each with the types of its columns. `id` is the primary key. */
  readonly tables: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * What drizzle-kit 0.31.11 wrote for a table, for a column and another table, and for a custom migration. The last two were
 * made in the same second.
 */
export const journalEntries: readonly [JournalEntry, JournalEntry, JournalEntry] = [
  {
    idx: 0,
    when: 1795182726889,
    tag: '0000_cold_nekra',
    sql: `CREATE TABLE "users" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text
);
`,
    id: 'eccfe0cb-cb1f-4159-9f44-3031717bd0fa',
    prevId: '00000000-0000-0000-0000-000000000000',
    tables: { users: { id: 'serial', name: 'text' } },
  },
  {
    idx: 1,
    when: 1795182727423,
    tag: '0001_wide_posts',
    sql: `CREATE TABLE "posts" (
	"id" serial PRIMARY KEY NOT NULL,
	"title" text
);
--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "email" text;`,
    id: '3da347e5-5b82-4cc3-8ffb-9877b07eb932',
    prevId: 'eccfe0cb-cb1f-4159-9f44-3031717bd0fa',
    tables: { users: { id: 'serial', name: 'text', email: 'text' }, posts: { id: 'serial', title: 'text' } },
  },
  {
    idx: 2,
    when: 1795182727878,
    tag: '0002_seed',
    sql: `-- Custom SQL migration file, put your code below! --
INSERT INTO "users" ("name") VALUES ('Ada -- the first');--> statement-breakpoint
INSERT INTO "users" ("name") VALUES ('Grace');`,
    id: 'bca558a3-ed18-4159-abab-1b690727dbec',
    prevId: '3da347e5-5b82-4cc3-8ffb-9877b07eb932',
    tables: { users: { id: 'serial', name: 'text', email: 'text' }, posts: { id: 'serial', title: 'text' } },
  },
]

/** The ids of the revisions that these entries become. */
export const journalIds = journalEntries.map(({ id }) => id.replaceAll('-', '').slice(0, 12))

/** Writes a folder as drizzle-kit 0.31 does. */
export async function writeJournalFolder(
  workspace: TestWorkspace,
  folder: string,
  entries: readonly JournalEntry[],
): Promise<void> {
  const journal = {
    version: '7',
    dialect: 'postgresql',
    entries: entries.map(({ idx, when, tag }) => ({ idx, version: '7', when, tag, breakpoints: true })),
  }
  await workspace.write(`${folder}/meta/_journal.json`, JSON.stringify(journal, null, 2))
  for (const entry of entries) {
    await workspace.write(`${folder}/${entry.tag}.sql`, entry.sql)
    await workspace.write(`${folder}/meta/${entry.tag.split('_')[0]}_snapshot.json`, snapshotOf(entry))
  }
}

function snapshotOf({ id, prevId, tables }: JournalEntry): string {
  const snapshot = {
    id,
    prevId,
    version: '7',
    dialect: 'postgresql',
    tables: Object.fromEntries(
      Object.entries(tables).map(([name, columns]) => [`public.${name}`, tableOf(name, columns)]),
    ),
    enums: {},
    schemas: {},
    sequences: {},
    roles: {},
    policies: {},
    views: {},
    _meta: { columns: {}, schemas: {}, tables: {} },
  }
  return JSON.stringify(snapshot, null, 2)
}

function tableOf(name: string, columns: Readonly<Record<string, string>>) {
  return {
    name,
    schema: '',
    columns: Object.fromEntries(
      Object.entries(columns).map(([column, type]) => [
        column,
        { name: column, type, primaryKey: column === 'id', notNull: column === 'id' },
      ]),
    ),
    indexes: {},
    foreignKeys: {},
    compositePrimaryKeys: {},
    uniqueConstraints: {},
    policies: {},
    checkConstraints: {},
    isRLSEnabled: false,
  }
}

/**
 * Does to a database what the migrator of drizzle-orm 0.45 does: of entries that are later than the last one it has had,
 * each statement and a row with the hash of the file. Others it passes over.
 */
export async function migrateAsDrizzle045(url: string, entries: readonly JournalEntry[]): Promise<void> {
  await query(url, 'CREATE SCHEMA IF NOT EXISTS drizzle')
  await query(
    url,
    `CREATE TABLE IF NOT EXISTS drizzle."__drizzle_migrations" (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)`,
  )
  const [last] = await query(
    url,
    'select id, hash, created_at from drizzle.__drizzle_migrations order by created_at desc limit 1',
  )
  for (const { when, sql } of entries) {
    if (last && Number(last['created_at']) >= when) continue
    for (const statement of sql.split('--> statement-breakpoint')) await query(url, statement)
    const hash = createHash('sha256').update(sql).digest('hex')
    await query(url, `insert into drizzle.__drizzle_migrations ("hash", "created_at") values('${hash}', ${when})`)
  }
}
