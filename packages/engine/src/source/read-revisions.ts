import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import {
  buildHistory,
  checksum,
  DroverError,
  type History,
  type Problem,
  type Revision,
  throwProblems,
} from '@drover/history'
import * as v from 'valibot'

import { declaresDown } from './declares-down.ts'
import { invalid, parseJson, parseRecord, type StoredRevision } from './revision-record.ts'

/** Where the revisions of one database are. */
export interface Source {
  /** The workspace's root, absolute. */
  readonly root: string
  /** The folder of the migrations, from the root: how messages name it. */
  readonly folder: string
}

/**
 * Reads the revisions of a database and builds their graph, without opening any SQL or code. A folder made by drizzle-kit, which has
 * no `revision.json`, is a revision too: its id and parents come from its snapshot. A missing migrations folder is an
 * empty history.
 * @throws {DroverError} with every file that is malformed, or with what is wrong with the graph
 */
export function readHistory(source: Source): History {
  const reading = readInParts(source)
  for (;;) {
    const part = reading.next()
    if (part.done) return part.value
  }
}

/**
 * Does the same a part at a time, so that a connection that is being opened, and the query on it, get on with theirs
 * meanwhile.
 * @param checksums is filled with the checksums of the up sides' texts, by id, for whoever is going to read those anyway.
 * One that cannot be read is left out
 * @throws {DroverError} as `readHistory` does
 */
export async function readHistoryMeanwhile(source: Source, checksums?: Map<string, string>): Promise<History> {
  const reading = readInParts(source, checksums)
  for (;;) {
    const part = reading.next()
    if (part.done) return part.value
    await setImmediate()
  }
}

/** How many revisions are looked at in a few milliseconds. */
export const partLength = 200

function* readInParts(source: Source, checksums?: Map<string, string>): Generator<undefined, History> {
  const problems: Problem[] = []
  const revisions: Revision[] = []
  for (const [index, name] of listEntries(source).entries()) {
    if (index % partLength === 0) yield
    const result = readRevision(source, name, checksums)
    if (result === undefined) continue
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

/** The names of whatever lies among the revisions; none where the folder is missing. */
export function listEntries(source: Source): readonly string[] {
  const folder = join(source.root, source.folder)
  try {
    return readdirSync(folder).filter((name) => !name.startsWith('.'))
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

/** `undefined` for a file that lies among the folders. */
function readRevision(
  source: Source,
  name: string,
  checksums: Map<string, string> | undefined,
): Revision | Problem | undefined {
  const folder = `${source.folder}/${name}`
  const path = `${source.root}/${folder}`
  try {
    const text = readIfThere(`${path}/revision.json`)
    const sql = checksums && text !== undefined ? tryToRead(`${path}/migration.sql`) : undefined
    if (text !== undefined && (sql !== undefined || existsSync(`${path}/migration.sql`))) {
      const record = parseRecord(text, folder)
      if ('code' in record) return record
      if (sql !== undefined) checksums?.set(record.id, checksum(sql))
      return {
        ...record,
        folder,
        // Looked up when it is asked for: it never is of most revisions of a long history.
        get reversible() {
          return existsSync(`${path}/down.sql`)
        },
      }
    }
    // The rest takes as long as all of the above, and is only needed for what is not as Drover makes it.
    if (lstatSync(path).isFile()) return undefined
    const files = new Set(readdirSync(path))
    if (!files.has('migration.sql') && files.has('migration.ts')) {
      return readCode(path, folder, text, files, checksums)
    }
    if (!files.has('migration.sql')) {
      return invalid(
        `${folder}/migration.sql`,
        'is missing',
        'bring the file back, or delete the folder if it is not a revision',
      )
    }
    const record = readSnapshot(path, folder, name)
    return 'code' in record ? record : { ...record, folder, reversible: files.has('down.sql') }
  } catch (error) {
    return invalid(
      folder,
      `cannot be read (${error instanceof Error ? error.message : String(error)})`,
      'check its permissions',
    )
  }
}

/** A revision whose two sides are functions of a module, which is not loaded for it. */
function readCode(
  path: string,
  folder: string,
  text: string | undefined,
  files: ReadonlySet<string>,
  checksums: Map<string, string> | undefined,
): Revision | Problem {
  if (text === undefined) {
    return invalid(`${folder}/revision.json`, 'is missing', 'bring it back: a migration.ts does not say what it is')
  }
  const record = parseRecord(text, folder)
  if ('code' in record) return record
  if (files.has('down.sql')) {
    return invalid(
      `${folder}/down.sql`,
      'stands beside a migration.ts, whose "down" is the way back',
      'move what it does there, and delete it',
    )
  }
  if (record.transaction !== undefined) {
    return invalid(
      `${folder}/revision.json`,
      `says "transaction": "${record.transaction}", and a migration.ts always runs in a transaction`,
      'remove the field; what cannot run in a transaction goes into a migration.sql of another revision',
    )
  }
  if (record.batch) {
    return invalid(
      `${folder}/revision.json`,
      'says "batch", and a migration.ts is one transaction',
      'remove the field; what is to be repeated goes into a migration.sql of another revision',
    )
  }
  const code = checksums && tryToRead(`${path}/migration.ts`)
  if (code !== undefined) checksums?.set(record.id, checksum(code))
  return {
    ...record,
    folder,
    language: 'typescript',
    get reversible() {
      return declaresDown(readFileSync(join(path, 'migration.ts'), 'utf8'))
    },
  }
}

/** The id of the snapshot that an empty schema stands for: the parent of a first revision in drizzle-kit's folders. */
const emptySnapshot = '000000000000'

const snapshotSchema = v.object({ id: v.pipe(v.string(), v.uuid()), prevIds: v.array(v.pipe(v.string(), v.uuid())) })

function readSnapshot(path: string, folder: string, name: string): StoredRevision | Problem {
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

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isMissing(error) || isNoFolder(error)) return undefined
    throw error
  }
}

/** Text that can be sent to a server. */
function tryToRead(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    return text.includes('\uFFFD') || text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function isNoFolder(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOTDIR'
}
