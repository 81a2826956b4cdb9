import { beforeAll, describe, expect, test } from 'vitest'

import { query, queryColumn } from '../harness/query.ts'
import { type MigratedDatabase, migrateToHead, refusalOf } from './migrated-database.ts'
import { readColumns, readCommentedColumns } from './schema-facts.ts'

/** What has to be held, and the columns by which services work with it. */
const tables: Readonly<Record<string, readonly string[]>> = {
  contexts: [
    'id',
    'kind',
    'title',
    'description',
    'data',
    'tags',
    'metadata',
    'source',
    'version',
    'expires_at',
    'created_by',
    'updated_by',
    'created_at',
    'updated_at',
    'access_count',
    'last_accessed_at',
    'is_archived',
    'archived_at',
  ],
  summaries: [
    'id',
    'context_id',
    'context_version',
    'kind',
    'content',
    'quality_score',
    'confidence_score',
    'input_tokens',
    'output_tokens',
    'model',
    'model_parameters',
    'status',
    'started_at',
    'completed_at',
    'processing_time_ms',
    'retry_count',
    'next_retry_at',
    'error_message',
    'metadata',
    'created_at',
    'updated_at',
  ],
}

const letter = '00000000-0000-4000-8000-000000000001'
const note = '00000000-0000-4000-8000-000000000002'

const insertRows = `
insert into contexts (id, kind, title, data, tags) values
  ('${letter}', 'document', 'A letter', '{"text": "Dear Ada"}', '["letter", "2026"]'),
  ('${note}', 'note', 'A note', '{}', '[]');
insert into summaries (context_id, context_version) values ('${letter}', 1), ('${note}', 1)`

let tenant: MigratedDatabase
beforeAll(async () => {
  tenant = await migrateToHead('tenant', insertRows)
  return () => tenant[Symbol.asyncDispose]()
})

test.each(Object.entries(tables))('%s has the columns that services work with', async (table, columns) => {
  expect(await readColumns(tenant.owner, table)).toEqual(columns)
})

test('a context begins as one that is in use, of version 1 and never read', async () => {
  const [row] = await query(
    tenant.application,
    `begin; insert into contexts (kind, title) values ('note', '') returning *, created_at = now() as is_new`,
  )

  expect(row).toMatchObject({
    data: {},
    tags: [],
    metadata: {},
    version: 1,
    expires_at: null,
    access_count: '0',
    last_accessed_at: null,
    is_archived: false,
    archived_at: null,
    is_new: true,
  })
})

test('a summary begins as work that nobody has taken up', async () => {
  const [row] = await query(tenant.application, `select * from summaries where context_id = '${note}'`)

  expect(row).toMatchObject({
    kind: 'abstract',
    content: null,
    quality_score: null,
    confidence_score: null,
    input_tokens: 0,
    output_tokens: 0,
    model_parameters: {},
    status: 'pending',
    retry_count: 0,
    next_retry_at: null,
    metadata: {},
  })
})

/** What a row may not say: the name of the rule, or the SQLSTATE where it has none, and the statement that it refuses. */
const refused: readonly (readonly [rule: string, statement: string])[] = [
  ['contexts_json_check', `update contexts set data = '[]'`],
  ['contexts_json_check', `update contexts set data = 'null'`],
  ['contexts_json_check', `update contexts set tags = '{}'`],
  ['contexts_json_check', `update contexts set tags = '"letter"'`],
  ['contexts_json_check', `update contexts set metadata = '1'`],
  ['contexts_version_check', `update contexts set version = 0`],
  ['contexts_usage_check', `update contexts set access_count = -1`],
  ['contexts_usage_check', `update contexts set is_archived = true`],
  ['contexts_usage_check', `update contexts set archived_at = now()`],
  ['22001', `update contexts set title = repeat('x', 256)`],
  ['22001', `update contexts set kind = repeat('x', 51)`],
  ['23502', `update contexts set data = null`],
  ['contexts_pkey', `insert into contexts (id, kind, title) values ('${note}', 'note', 'Another')`],
  ['summaries_context_id_fkey', `insert into summaries (context_id, context_version) values (gen_random_uuid(), 1)`],
  ['summaries_kind_check', `update summaries set kind = 'novel'`],
  ['summaries_scores_check', `update summaries set quality_score = 1.01`],
  ['summaries_scores_check', `update summaries set quality_score = -0.01`],
  ['summaries_scores_check', `update summaries set quality_score = 'NaN'`],
  ['summaries_scores_check', `update summaries set confidence_score = 'Infinity'`],
  ['summaries_scores_check', `update summaries set confidence_score = -0.01, quality_score = 0.5`],
  ['summaries_counts_check', `update summaries set context_version = 0`],
  ['summaries_counts_check', `update summaries set input_tokens = -1`],
  ['summaries_counts_check', `update summaries set output_tokens = -1`],
  ['summaries_counts_check', `update summaries set retry_count = -1`],
  ['summaries_counts_check', `update summaries set processing_time_ms = -1`],
  ['summaries_json_check', `update summaries set model_parameters = '[]'`],
  ['summaries_json_check', `update summaries set metadata = '"x"'`],
  ['summaries_status_check', `update summaries set status = 'done'`],
  ['summaries_status_check', `update summaries set completed_at = now()`],
  ['summaries_status_check', `update summaries set status = 'processing', completed_at = now()`],
  ['summaries_status_check', `update summaries set status = 'completed', completed_at = now()`],
  ['summaries_status_check', `update summaries set status = 'completed', content = 'x'`],
  ['summaries_status_check', `update summaries set status = 'failed'`],
]

test.each(refused)('%s refuses: %s', async (rule, statement) => {
  expect(await refusalOf(tenant.owner, statement)).toBe(rule)
})

/** What is at the border and allowed. */
const allowed = [
  `insert into contexts (kind, title) values (repeat('x', 50), repeat('x', 255))`,
  `update contexts set is_archived = true, archived_at = now()`,
  `update contexts set expires_at = now(), access_count = access_count + 1, last_accessed_at = now()`,
  `update summaries set quality_score = 0, confidence_score = 1, processing_time_ms = 0`,
  `update summaries set quality_score = 1, confidence_score = null`,
  `update summaries set status = 'processing', started_at = now();
update summaries set status = 'completed', content = '', completed_at = now()`,
  `update summaries set status = 'processing', started_at = now();
update summaries set status = 'failed', error_message = 'timeout';
update summaries set status = 'pending', retry_count = retry_count + 1, next_retry_at = now() + interval '1 minute'`,
]

test.each(allowed)('accepts: %s', async (statement) => {
  expect(await refusalOf(tenant.application, statement)).toBe('accepted')
})

test('deleting a context takes its summaries along and no others', async () => {
  const left = await query(
    tenant.application,
    `begin; delete from contexts where id = '${letter}'; select context_id from summaries`,
  )

  expect(left).toEqual([{ context_id: note }])
})

describe('updated_at', () => {
  test.each(Object.keys(tables))('of %s is set with every update, whatever the application says', async (table) => {
    const rows = await query(
      tenant.application,
      `begin; update ${table} set updated_at = '2001-01-01'; select updated_at = now() as is_now from ${table}`,
    )

    expect(rows).toEqual([{ is_now: true }, { is_now: true }])
  })

  test('is set by one function, of a schema that all tenants share', async () => {
    const triggers = await queryColumn(
      tenant.owner,
      `
select format('%s on %s calls %s', tgname, tgrelid::regclass, tgfoid::regprocedure)
from pg_trigger
where not tgisinternal
order by 1`,
    )

    expect(triggers).toEqual([
      'contexts_touch_updated_at on contexts calls tenant_shared.touch_updated_at()',
      'summaries_touch_updated_at on summaries calls tenant_shared.touch_updated_at()',
    ])
  })
})

test('contexts are found by a tag through an index', async () => {
  const plan = await queryColumn(
    tenant.application,
    `begin; set local enable_seqscan = off; explain (costs off) select id from contexts where tags ? 'letter'`,
  )
  const found = await queryColumn(tenant.application, `select title from contexts where tags ? 'letter'`)

  expect(plan.join('\n')).toContain('contexts_tags_idx')
  expect(found).toEqual(['A letter'])
})

test('what has never been tried is taken up before what is due again, through the index of the queue', async () => {
  const due = `
select context_id from summaries
where status = 'pending' and (next_retry_at is null or next_retry_at <= now())
order by next_retry_at nulls first, created_at`
  const retried = `begin; update summaries set next_retry_at = now() where context_id = '${letter}'`

  expect(await queryColumn(tenant.application, `${retried}; ${due}`)).toEqual([note, letter])
  const plan = await queryColumn(
    tenant.application,
    `begin; set local enable_seqscan = off; set local enable_sort = off; explain (costs off) ${due}`,
  )
  expect(plan.join('\n')).toContain('summaries_pending_idx')
})

test('every column whose name does not say it all has a comment', async () => {
  const columns = await readCommentedColumns(tenant.owner)
  const silent = columns.flatMap(({ name, comment }) => (comment === '' ? [name] : []))

  expect(silent).toEqual([
    'contexts.created_at',
    'contexts.description',
    'contexts.id',
    'contexts.title',
    'contexts.updated_at',
    'summaries.completed_at',
    'summaries.context_id',
    'summaries.created_at',
    'summaries.id',
    'summaries.kind',
    'summaries.started_at',
    'summaries.status',
    'summaries.updated_at',
  ])
})
