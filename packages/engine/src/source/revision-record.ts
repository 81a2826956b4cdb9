import { type Batch, isRevisionId, phases, type Problem, type Revision } from '@drover/history'
import * as v from 'valibot'

import { parseKey } from './batch.ts'

/** What the files of a revision say of it, whatever they are called. */
export type StoredRevision = Omit<Revision, 'folder' | 'reversible' | 'language'>

/**
 * Reads the text of a `revision.json`.
 * @param folder of the revision, for messages
 */
export function parseRecord(text: string, folder: string): StoredRevision | Problem {
  const file = `${folder}/revision.json`
  const json = parseJson(text)
  if ('fault' in json)
    return invalid(
      file,
      `is not JSON: ${json.fault}`,
      'correct the file; JSON takes no comments, and no comma behind the last field',
    )
  if (isPlainRecord(json.value)) return { ...json.value, labels: [], dependsOn: [] }
  const result = v.safeParse(recordSchema, json.value)
  if (result.success && result.output.batch && result.output.transaction !== undefined) {
    return invalid(
      file,
      `says "transaction": "${result.output.transaction}" and "batch", and each batch is a transaction`,
      'remove one of the two fields',
    )
  }
  if (result.success) return withDependencies(result.output)
  const faults = result.issues.map((issue) => {
    const field = v.getDotPath(issue)
    if (field === null) return issue.message
    if (issue.expected === 'never') return `"${field}" is not a field of a revision`
    return issue.received === 'undefined' ? `"${field}" is missing` : `"${field}" ${issue.message}`
  })
  return invalid(file, `is not a revision: ${faults.join('; ')}`, 'correct the file')
}

const id = v.pipe(v.string('must be a string'), v.regex(/^[0-9a-f]{12}$/, 'must be 12 hex digits (0-9, a-f)'))
const dependency = v.pipe(
  v.string('must be a string'),
  v.regex(/^(?:[a-z][a-z0-9_-]*\/)?[0-9a-f]{12}$/, 'must be an id of this history, or <database>/<id> of another'),
)
const batch = v.pipe(
  v.strictObject(
    {
      key: v.exactOptional(
        v.pipe(
          v.string('must be a string'),
          v.check((text) => parseKey(text) !== undefined, 'must be <schema>.<table>.<column>, or <table>.<column>'),
        ),
      ),
      size: v.exactOptional(
        v.pipe(
          v.number('must be a number'),
          v.check((size) => Number.isInteger(size) && size >= 1 && size <= 1_000_000, 'must be from 1 to 1000000'),
        ),
      ),
      until: v.exactOptional(v.literal('unchanged', 'must be "unchanged", or left out for batches by a key')),
      pause: v.exactOptional(
        v.pipe(
          v.string('must be a duration, such as "50ms" or "2s"'),
          v.regex(/^\d{1,6}(?:ms|s)$/, 'must be a duration, such as "50ms" or "2s"'),
          v.transform((text) => Number.parseInt(text, 10) * (text.endsWith('ms') ? 1 : 1000)),
        ),
      ),
    },
    'must be an object',
  ),
  v.check(({ key, until }) => (key === undefined) !== (until === undefined), 'must have either "key" or "until"'),
  v.check(({ key, size }) => key !== undefined || size === undefined, 'has a "size", which is for batches by a "key"'),
  v.transform(({ key, size = 1000, pause = 0 }): Batch => ({
    ...(key !== undefined && { range: { key, size } }),
    pauseMs: pause,
  })),
)
const recordSchema = v.strictObject(
  {
    id,
    parents: v.pipe(
      v.array(id, 'must be a list of ids'),
      v.check((ids) => new Set(ids).size === ids.length, 'names a revision twice'),
    ),
    message: v.string('must be a string'),
    created: v.pipe(v.string('must be a string'), v.check(isTime, 'must be a time like 2026-11-20T14:30:00Z')),
    labels: v.optional(v.array(v.string('must be a string'), 'must be a list of labels'), []),
    dependsOn: v.optional(v.array(dependency, 'must be a list of ids'), []),
    phase: v.exactOptional(v.picklist(phases, 'must be "expand", "backfill" or "contract", or left out')),
    transaction: v.exactOptional(
      v.picklist(['none', 'own'], 'must be "none" or "own", or left out for one transaction'),
    ),
    batch: v.exactOptional(batch),
    proof: v.exactOptional(v.literal('none', 'must be "none", or left out')),
  },
  'it must be an object',
)

/**
 * Whether a record is right and has nothing but what every revision has, as most do. The schema says the same, and what
 * is wrong, but takes ten times as long: a second for a hundred thousand.
 */
function isPlainRecord(value: unknown): value is Omit<StoredRevision, 'labels' | 'dependsOn'> {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 4) return false
  const record: Partial<Record<keyof StoredRevision, unknown>> = value
  const { id: own, parents, message, created } = record
  return (
    typeof own === 'string' &&
    isRevisionId(own) &&
    Array.isArray(parents) &&
    parents.every((parent: unknown) => typeof parent === 'string' && isRevisionId(parent)) &&
    (parents.length < 2 || new Set(parents).size === parents.length) &&
    typeof message === 'string' &&
    typeof created === 'string' &&
    isTime(created)
  )
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
}

/** Sorts dependencies into those of the same history and those of other databases. */
function withDependencies(record: v.InferOutput<typeof recordSchema>): StoredRevision {
  const elsewhere = record.dependsOn.filter((text) => text.includes('/'))
  if (elsewhere.length === 0) return record
  return {
    ...record,
    dependsOn: record.dependsOn.filter((text) => !text.includes('/')),
    dependsOnElsewhere: elsewhere.map((text) => {
      const [database, revision] = text.split('/')
      return { database: database!, revision: revision! }
    }),
  }
}

/** Reads JSON, or says what is wrong with it. */
export function parseJson(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    // Some editors put a byte-order mark in front.
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

/** A file or folder of a revision that cannot be used, as a problem. */
export function invalid(file: string, what: string, hint: string): Problem {
  return { code: 'REVISION_INVALID', file, message: `${file} ${what}`, hint }
}
