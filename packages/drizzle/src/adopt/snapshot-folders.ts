import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Problem, throwProblems } from '@drover/history'
import * as v from 'valibot'

import {
  type ConvertSnapshots,
  type ForeignFolder,
  type ForeignHistory,
  type ForeignRevision,
  shortId,
  irregularity,
} from './foreign-history.ts'
import { findOpenStatement } from './statement-breakpoints.ts'

/** Whether a folder is one of drizzle-kit 1.0. */
export function isSnapshotFolder({ path }: ForeignFolder): boolean {
  return readdirSync(path).some((name) => existsSync(join(path, name, 'migration.sql')))
}

/**
 * Reads a folder of drizzle-kit 1.0: `<time>_<name>/migration.sql` and `snapshot.json`. These are revisions already; names,
 * SQL and snapshots stay as they are, so that drizzle-orm recognises them too.
 * @throws {DroverError} `ADOPTION_REFUSED` with everything that leaves open what the history is
 */
export async function readSnapshotFolders(folder: ForeignFolder, convert: ConvertSnapshots): Promise<ForeignHistory> {
  const read = listFolders(folder).map((name) => readFolder(folder, name))
  throwProblems(read.flatMap((one) => ('problems' in one ? one.problems : [])))
  const entries = read.flatMap((one) => ('problems' in one ? [] : [one]))
  throwProblems([...findDuplicateIds(folder, entries), ...findLostParents(folder, entries)])

  const sorted = parentsFirst(entries)
  const outdated = sorted.some(({ isPresent }) => !isPresent)
  const texts = outdated ? await convert(sorted.map(({ name, snapshot }) => ({ name, text: snapshot }))) : undefined
  return {
    tool: 'drizzle-kit 1.0',
    revisions: sorted.map((entry, index) => toRevision(entry, texts?.[index] ?? entry.snapshot)),
    warnings: findMisplaced(folder, entries),
  }
}

interface Entry {
  readonly name: string
  readonly created: Date
  readonly id: string
  readonly prevIds: readonly string[]
  readonly sql: string
  readonly snapshot: string
  /** Whether the snapshot has drizzle-kit's present format. */
  readonly isPresent: boolean
}

const origin = '00000000-0000-0000-0000-000000000000'
const snapshotSchema = v.object({
  version: v.string(),
  id: v.pipe(v.string(), v.uuid()),
  prevIds: v.array(v.pipe(v.string(), v.uuid())),
})

function listFolders({ path }: ForeignFolder): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .toSorted()
}

function readFolder(folder: ForeignFolder, name: string): Entry | { readonly problems: readonly Problem[] } {
  const shown = `${folder.shown}/${name}`
  const restore = 'bring the file back from version control, or move the folder away if nothing needs it'
  const [sql, snapshot] = ['migration.sql', 'snapshot.json'].map((file) => readIfThere(join(folder.path, name, file)))
  const parsed = v.safeParse(snapshotSchema, parseJson(snapshot))
  const time = timeOf(name)
  const open = sql === undefined ? undefined : findOpenStatement(sql)
  const problems = [
    ...(sql === undefined
      ? [irregularity(`${shown}/migration.sql is missing: drizzle-orm passes over such a folder in silence`, restore)]
      : []),
    ...(snapshot === undefined
      ? [irregularity(`${shown}/snapshot.json is missing: nothing says what this comes after`, restore)]
      : parsed.success
        ? []
        : [irregularity(`${shown}/snapshot.json is not a snapshot of drizzle-kit 1.0`, restore)]),
    ...(time === undefined
      ? [
          irregularity(
            `${shown} does not begin with a time: drizzle-orm cannot tell when it was made`,
            'rename it like 20261120143000_name',
          ),
        ]
      : []),
    ...(open === undefined
      ? []
      : [
          irregularity(
            `${shown}/migration.sql:${open}: the statement ends without ";": drizzle-orm ends it at the breakpoint, which is a comment to PostgreSQL`,
            'write ";" behind it; databases that had the file are then taken over with --accept-edited',
          ),
        ]),
  ]
  if (problems.length > 0 || !parsed.success || sql === undefined || snapshot === undefined || !time)
    return { problems }
  const { id, prevIds, version } = parsed.output
  return {
    name,
    created: time,
    id,
    prevIds: prevIds.filter((one) => one !== origin),
    sql,
    snapshot,
    isPresent: version === '9',
  }
}

function timeOf(name: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)_/.exec(name)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second] = match
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time.getTime()) ? undefined : time
}

function findDuplicateIds(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  return [...Map.groupBy(entries, ({ id }) => shortId(id)).values()]
    .filter((group) => group.length > 1)
    .map((group) =>
      irregularity(
        `${folder.shown}: ${group.map(({ name }) => name).join(' and ')} have the same snapshot id: one was copied from the other`,
        'move the copy away, and generate it anew with drizzle-kit if it is needed',
      ),
    )
}

function findLostParents(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  const known = new Set(entries.map(({ id }) => id))
  return entries.flatMap(({ name, prevIds }) =>
    prevIds
      .filter((id) => !known.has(id))
      .map((id) =>
        irregularity(
          `${folder.shown}/${name} comes after the snapshot ${id}, and no folder has that one`,
          'bring the missing folder back from version control',
        ),
      ),
  )
}

/** drizzle-orm runs folders by their names. */
function findMisplaced(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  return entries.flatMap((entry) =>
    entry.prevIds
      .map((id) => byId.get(id)!)
      .filter((parent) => parent.name > entry.name)
      .map((parent) =>
        irregularity(
          `${folder.shown}: ${entry.name} sorts before ${parent.name}, which it comes after: drizzle-orm ran them in the wrong order, Drover goes by the snapshots`,
          'see whether the order matters to what the two do; databases that have both are as they are',
        ),
      ),
  )
}

function parentsFirst(entries: readonly Entry[]): readonly Entry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const sorted = new Set<Entry>()
  const visiting = new Set<Entry>()
  const visit = (entry: Entry): void => {
    // A circle is for whoever reads the written history to find.
    if (sorted.has(entry) || visiting.has(entry)) return
    visiting.add(entry)
    for (const id of entry.prevIds) visit(byId.get(id)!)
    sorted.add(entry)
  }
  for (const entry of entries) visit(entry)
  return [...sorted]
}

function toRevision({ name, created, id, prevIds, sql }: Entry, snapshot: string): ForeignRevision {
  return {
    id: shortId(id),
    name,
    folderName: name,
    parents: prevIds.map(shortId),
    dependsOn: [],
    labels: [],
    message: name.slice(15).replaceAll(/[_-]+/g, ' '),
    created,
    files: { up: sql, snapshot },
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
