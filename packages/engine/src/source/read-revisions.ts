import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { buildHistory, DroverError, type History, type Problem, type Revision, throwProblems } from '@drover/history'
import * as v from 'valibot'

/** Where the revisions of one database are. */
export interface Source {
  /** The workspace's root, absolute. */
  readonly root: string
  /** The folder of the migrations, from the root: how messages name it. */
  readonly folder: string
}

/**
 * Reads the revisions of a database and builds their graph, without opening any SQL. A folder made by drizzle-kit, which has
 * no `revision.json`, is a revision too: its id and parents come from its snapshot. A missing migrations folder is an
 * empty history.
 * @throws {DroverError} with every file that is malformed, or with what is wrong with the graph
 */
export function readHistory(source: Source): History {
  const problems: Problem[] = []
  const revisions: Revision[] = []
  for (const name of listFolders(source)) {
    const result = readRevision(source, name)
    if ('code' in result) problems.push(result)
    else revisions.push(result)
  }
  throwProblems(problems)
  const built = buildHistory(revisions)
  if (!built.ok) throwProblems(built.problems)
  // Unreachable after `throwProblems`, which the compiler cannot know.
  if (!built.ok) throw new Error('a history without problems must be valid')
  return built.history
}

function listFolders(source: Source): readonly string[] {
  const folder = join(source.root, source.folder)
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => !entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
  } catch (error) {
    if (isMissing(error)) return []
    throw new DroverError(
      {
        code: 'REVISION_INVALID',
        file: source.folder,
        message: `${source.folder} cannot be read`,
        hint: 'check its permissions',
      },
      { cause: error },
    )
  }
}

function readRevision(source: Source, name: string): Revision | Problem {
  const folder = `${source.folder}/${name}`
  const path = join(source.root, source.folder, name)
  try {
    const files = new Set(readdirSync(path))
    if (!files.has('migration.sql')) {
      return invalid(
        `${folder}/migration.sql`,
        'is missing',
        'bring the file back, or delete the folder if it is not a revision',
      )
    }
    const record = files.has('revision.json') ? readRecord(path, folder) : readSnapshot(path, folder, name)
    return 'code' in record ? record : { ...record, folder, reversible: files.has('down.sql') }
  } catch (error) {
    return invalid(
      folder,
      `cannot be read (${error instanceof Error ? error.message : String(error)})`,
      'check its permissions',
    )
  }
}

type Stored = Omit<Revision, 'folder' | 'reversible'>

function readRecord(path: string, folder: string): Stored | Problem {
  const file = `${folder}/revision.json`
  const json = parseJson(readFileSync(join(path, 'revision.json'), 'utf8'))
  if ('fault' in json) return invalid(file, `is not JSON: ${json.fault}`, 'correct the file')
  const result = v.safeParse(recordSchema, json.value)
  if (result.success) return result.output
  const faults = result.issues.map((issue) => {
    const field = v.getDotPath(issue)
    if (field === null) return issue.message
    if (issue.expected === 'never') return `"${field}" is not a field of a revision`
    return issue.received === 'undefined' ? `"${field}" is missing` : `"${field}" ${issue.message}`
  })
  return invalid(file, `is not a revision: ${faults.join('; ')}`, 'correct the file')
}

const id = v.pipe(v.string('must be a string'), v.regex(/^[0-9a-f]{12}$/, 'must be 12 hex digits (0-9, a-f)'))
const recordSchema = v.strictObject(
  {
    id,
    parents: v.pipe(
      v.array(id, 'must be a list of ids'),
      v.check((ids) => new Set(ids).size === ids.length, 'names a revision twice'),
    ),
    message: v.string('must be a string'),
    created: v.pipe(
      v.string('must be a string'),
      v.check(
        (text) => /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
        'must be a time like 2026-11-20T14:30:00Z',
      ),
    ),
    labels: v.optional(v.array(v.string('must be a string'), 'must be a list of labels'), []),
    dependsOn: v.optional(v.array(id, 'must be a list of ids of this history'), []),
  },
  'it must be an object',
)

/** The id of the snapshot that an empty schema stands for: the parent of a first revision in drizzle-kit's folders. */
const emptySnapshot = '000000000000'

const snapshotSchema = v.object({ id: v.pipe(v.string(), v.uuid()), prevIds: v.array(v.pipe(v.string(), v.uuid())) })

function readSnapshot(path: string, folder: string, name: string): Stored | Problem {
  const file = `${folder}/snapshot.json`
  if (!existsSync(join(path, 'snapshot.json'))) {
    return invalid(folder, 'has neither revision.json nor snapshot.json', 'delete it if it is not a revision')
  }
  const json = parseJson(readFileSync(join(path, 'snapshot.json'), 'utf8'))
  if ('fault' in json) return invalid(file, `is not JSON: ${json.fault}`, 'make it again with drizzle-kit')
  const result = v.safeParse(snapshotSchema, json.value)
  const stamp = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_(.+)$/.exec(name)
  if (!result.success || !stamp) {
    return invalid(folder, 'is not a revision of drizzle-kit 1.0', 'add a revision.json, or delete the folder')
  }
  const [, year, month, day, hour, minute, second, slug] = stamp
  return {
    id: shortId(result.output.id),
    parents: result.output.prevIds.map(shortId).filter((parent) => parent !== emptySnapshot),
    message: slug!.replaceAll('_', ' '),
    created: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`,
    labels: [],
    dependsOn: [],
  }
}

function shortId(uuid: string): string {
  return uuid.replaceAll('-', '').slice(0, 12).toLowerCase()
}

function parseJson(text: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    // Some editors put a byte-order mark in front.
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

function invalid(file: string, what: string, hint: string): Problem {
  return { code: 'REVISION_INVALID', file, message: `${file} ${what}`, hint }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
