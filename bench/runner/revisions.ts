import { createdAt } from '../generate.ts'

/** A revision that every tool is given in its own format. */
export interface BenchRevision {
  /** `20200101000000_create_part_0`: in the order in which they run. */
  readonly name: string
  readonly message: string
  readonly created: Date
  /** Statements without semicolons. */
  readonly up: readonly string[]
  readonly down: readonly string[]
}

/**
 * `count` small revisions, each with its way back: one in ten creates a table, the others add columns, indexes, constraints,
 * rows and comments. There are at most 100 tables, so that 10,000 revisions fit into the locks of one transaction.
 */
export function smallRevisions(count: number): readonly BenchRevision[] {
  return Array.from({ length: count }, (_, index) => {
    const group = Math.floor(index / kinds.length)
    const change = kinds[index % kinds.length]!(`part_${group % tables}`, group)
    const created = createdAt(index)
    const stamp = created.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')
    return { ...change, created, name: `${stamp}_${change.message.replaceAll(' ', '_')}` }
  })
}

/** The statements of a revision as the text of a file. */
export function textOf(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};\n`).join('')
}

const tables = 100

type Kind = (table: string, group: number) => Pick<BenchRevision, 'message' | 'up' | 'down'>

/** What ten revisions in a row do to a table. */
const kinds: readonly Kind[] = [
  (table, group) =>
    group < tables
      ? {
          message: `create ${table}`,
          up: [
            `create table ${table} (\n  id bigint generated always as identity primary key,\n  name text not null,\n  created_at timestamptz not null default now()\n)`,
            `comment on table ${table} is 'What part ${group} is made of'`,
          ],
          down: [`drop table ${table}`],
        }
      : {
          message: `add extra ${group}`,
          up: [`alter table ${table}\n  add column extra_${group} text`],
          down: [`alter table ${table}\n  drop column extra_${group}`],
        },
  (table, group) => ({
    message: `add note ${group}`,
    up: [`alter table ${table}\n  add column note_${group} text not null default ''`],
    down: [`alter table ${table}\n  drop column note_${group}`],
  }),
  (table, group) => ({
    message: `index note ${group}`,
    up: [`create index ${table}_note_${group} on ${table} (note_${group})`],
    down: [`drop index ${table}_note_${group}`],
  }),
  (table, group) => ({
    message: `fill ${table} ${group}`,
    up: [`insert into ${table} (name)\nvalues ('first ${group}'), ('second ${group}'), ('third ${group}')`],
    down: [`delete from ${table}\nwhere name in ('first ${group}', 'second ${group}', 'third ${group}')`],
  }),
  (table, group) => ({
    message: `explain note ${group}`,
    up: [`comment on column ${table}.note_${group} is 'What is to be known of it'`],
    down: [`comment on column ${table}.note_${group} is null`],
  }),
  (table, group) => ({
    message: `add rank ${group}`,
    up: [`alter table ${table}\n  add column rank_${group} integer`],
    down: [`alter table ${table}\n  drop column rank_${group}`],
  }),
  (table, group) => ({
    message: `check rank ${group}`,
    up: [`alter table ${table}\n  add constraint ${table}_rank_${group} check (rank_${group} >= 0)`],
    down: [`alter table ${table}\n  drop constraint ${table}_rank_${group}`],
  }),
  (table, group) => ({
    message: `fill rank ${group}`,
    up: [
      `update ${table}\nset rank_${group} = 1\nwhere name = 'first ${group}'`,
      `insert into ${table} (name, rank_${group})\nvalues ('fourth ${group}', 4)`,
    ],
    down: [
      `delete from ${table}\nwhere name = 'fourth ${group}'`,
      `update ${table}\nset rank_${group} = null\nwhere name = 'first ${group}'`,
    ],
  }),
  (table, group) => ({
    message: `index rank ${group}`,
    up: [`create index ${table}_by_rank_${group} on ${table} (rank_${group} desc)\nwhere rank_${group} is not null`],
    down: [`drop index ${table}_by_rank_${group}`],
  }),
  (table, group) => ({
    message: `default note ${group}`,
    up: [`alter table ${table}\n  alter column note_${group} set default 'none'`],
    down: [`alter table ${table}\n  alter column note_${group} set default ''`],
  }),
]
