import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Problem, throwProblems } from '@drover/history'
import * as v from 'valibot'

import {
  type ConvertSnapshots,
  deriveId,
  folderNameOf,
  type ForeignFolder,
  type ForeignHistory,
  type ForeignRevision,
  shortId,
  irregularity,
  refusal,
} from './foreign-history.ts'
import { findOpenStatement } from './statement-breakpoints.ts'

/** Whether a folder is one of drizzle-kit before 1.0. */
export function isJournalFolder({ path }: ForeignFolder): boolean {
  return existsSync(join(path, 'meta', '_journal.json'))
}

/**
 * Reads a folder of drizzle-kit before 1.0: `meta/_journal.json`, `<tag>.sql` and `meta/<prefix>_snapshot.json`. Each entry of
 * the journal becomes a revision, in the journal's order, which is the order in which drizzle-orm runs them. The SQL stays as
 * it is, to the byte: drizzle-orm's table holds its hash.
 * @throws {DroverError} `ADOPTION_REFUSED` with everything that leaves open what the history is
 */
export async function readJournalFolder(folder: ForeignFolder, convert: ConvertSnapshots): Promise<ForeignHistory> {
  const entries = readJournal(folder)
  const read = entries.map((entry) => readEntry(folder, entry))
  const snapshots = read.map(({ snapshot }) => snapshot)
  throwProblems([
    ...findDuplicates(folder, entries),
    ...findStrayFiles(folder, entries),
    ...read.flatMap(({ problems }) => problems),
    ...findLostEnd(folder, entries),
  ])

  const present = read.flatMap(({ entry, snapshot }) => (snapshot ? [{ entry, snapshot }] : []))
  const texts = await convert(
    present.map(({ entry, snapshot }, index) => ({
      name: entry.tag,
      // In the journal's order, whatever was current when the snapshot was made.
      text: JSON.stringify({ ...snapshot.json, prevId: present[index - 1]?.snapshot.id ?? origin }),
    })),
  )
  const converted = new Map(present.map(({ entry }, index) => [entry, texts[index]]))
  return {
    tool: 'drizzle-kit 0.31',
    revisions: toRevisions(read, converted),
    warnings: [
      ...findMissingSnapshots(folder, entries, snapshots),
      ...findForks(folder, entries, snapshots),
      ...findStepsBack(folder, entries),
    ],
  }
}

type Entry = v.InferOutput<typeof entrySchema>

interface ReadEntry {
  readonly entry: Entry
  readonly sql: string
  readonly snapshot: Snapshot | undefined
  readonly problems: readonly Problem[]
}

interface Snapshot {
  readonly id: string
  readonly prevId: string
  readonly json: Readonly<Record<string, unknown>>
}

/** What a first snapshot comes after. */
const origin = '00000000-0000-0000-0000-000000000000'

const entrySchema = v.object({
  idx: v.number(),
  when: v.pipe(v.number(), v.integer()),
  tag: v.pipe(v.string(), v.nonEmpty()),
})
const journalSchema = v.object({ dialect: v.string(), entries: v.array(entrySchema) })
const snapshotSchema = v.looseObject({
  version: v.string(),
  id: v.pipe(v.string(), v.uuid()),
  prevId: v.pipe(v.string(), v.uuid()),
})

function readJournal(folder: ForeignFolder): readonly Entry[] {
  const file = `${folder.shown}/meta/_journal.json`
  const journal = v.safeParse(
    journalSchema,
    parseJson(readFileSync(join(folder.path, 'meta', '_journal.json'), 'utf8')),
  )
  if (!journal.success) {
    throw refusal(`${file} is not a journal of drizzle-kit`, 'bring the file back from version control')
  }
  const { dialect, entries } = journal.output
  // Before 0.21 the dialect was called "pg".
  if (dialect !== 'postgresql' && dialect !== 'pg') {
    throw refusal(`${file} is of a history for ${dialect}`, 'name a folder with migrations for PostgreSQL')
  }
  if (entries.length === 0) throw refusal(`${file} has no entries`, 'there is nothing to take over')
  return entries
}

function findDuplicates(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  const file = `${folder.shown}/meta/_journal.json`
  const meaning = 'its files and its snapshot can belong to only one of them'
  const hint =
    'give each an idx, a tag and files of its own, in the order in which they ran; drizzle-kit drop removes one'
  const repeated = (key: (entry: Entry) => string | number) =>
    [...Map.groupBy(entries, key)].filter(([, group]) => group.length > 1)
  return [
    ...repeated((entry) => entry.idx).map(([idx, group]) =>
      irregularity(
        `${file}: entries ${group.map(({ tag }) => tag).join(' and ')} have the same idx ${idx}: ${meaning}`,
        hint,
      ),
    ),
    ...repeated((entry) => entry.tag).map(([tag]) =>
      irregularity(`${file}: there are several entries with the tag ${tag}: ${meaning}`, hint),
    ),
  ]
}

function findStrayFiles(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  const known = new Set(entries.map(({ tag }) => `${tag}.sql`))
  return readdirSync(folder.path)
    .filter((name) => name.endsWith('.sql') && !known.has(name))
    .toSorted()
    .map((name) =>
      irregularity(
        `${folder.shown}/${name} has no entry in meta/_journal.json: drizzle-orm has never run it from here`,
        'move the file somewhere else if nothing needs it, or add its entry where it belongs',
      ),
    )
}

function readEntry(folder: ForeignFolder, entry: Entry): ReadEntry {
  const file = `${folder.shown}/${entry.tag}.sql`
  const snapshot = readSnapshot(folder, entry)
  const problems = snapshot !== undefined && 'code' in snapshot ? [snapshot] : []
  const sound = snapshot !== undefined && 'id' in snapshot ? snapshot : undefined
  const sql = readIfThere(join(folder.path, `${entry.tag}.sql`))
  if (sql === undefined) {
    const missing = irregularity(
      `${file} is missing, and meta/_journal.json has an entry for it: what it did to databases that had it is lost`,
      'bring the file back from version control',
    )
    return { entry, sql: '', snapshot: sound, problems: [missing, ...problems] }
  }
  const open = findOpenStatement(sql)
  const unfinished = irregularity(
    `${file}:${open}: the statement ends without ";": drizzle-orm ends it at the breakpoint, which is a comment to PostgreSQL`,
    'write ";" behind it; databases that had the file are then taken over with --accept-edited',
  )
  return { entry, sql, snapshot: sound, problems: open === undefined ? problems : [unfinished, ...problems] }
}

function readSnapshot(folder: ForeignFolder, entry: Entry): Snapshot | Problem | undefined {
  const name = snapshotName(entry)
  const text = readIfThere(join(folder.path, name))
  if (text === undefined) return undefined
  const file = `${folder.shown}/${name}`
  const parsed = v.safeParse(snapshotSchema, parseJson(text))
  if (!parsed.success) {
    return irregularity(`${file} is not a snapshot of drizzle-kit`, 'bring the file back from version control')
  }
  const { id, prevId, version } = parsed.output
  if (version === '7') return { id, prevId, json: parsed.output }
  return irregularity(
    `${file} is of version ${version}: drizzle-kit 0.31 writes 7, and reads others only after "drizzle-kit up"`,
    'run "drizzle-kit up" of drizzle-kit 0.31 in that project, then the same command again',
  )
}

/** drizzle-kit names snapshots after what is before the first underscore of the tag. */
function snapshotName({ tag }: Entry): string {
  return `meta/${tag.split('_')[0]}_snapshot.json`
}

type Snapshots = readonly (Snapshot | undefined)[]

/** Without the last snapshot nobody knows what the next generated revision has to start from. */
function findLostEnd(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  const present = entries.filter((entry) => existsSync(join(folder.path, snapshotName(entry))))
  const last = entries.at(-1)!
  if (present.length === 0 || present.includes(last)) return []
  return [
    irregularity(
      `${folder.shown}/${snapshotName(last)} is missing: it says what the schema is after the last entry, and the next generated revision would repeat what is not in it`,
      'bring the file back from version control',
    ),
  ]
}

function findMissingSnapshots(
  folder: ForeignFolder,
  entries: readonly Entry[],
  snapshots: Snapshots,
): readonly Problem[] {
  if (snapshots.every((snapshot) => !snapshot)) {
    return [
      irregularity(
        `${folder.shown}/meta has no snapshots: the SQL is taken over, and the next generated revision would create everything anew`,
        'write revisions by hand (--empty), or bring the snapshots back from version control first',
      ),
    ]
  }
  return entries
    .filter((_, index) => !snapshots[index])
    .map((entry) =>
      irregularity(
        `${folder.shown}/${snapshotName(entry)} is missing: ${entry.tag} is taken over without it, and its changes of the schema count as those of the next entry`,
        'nothing has to be done; a down side cannot be generated for these two',
      ),
    )
}

/** Snapshots that two people made side by side, each without the other's changes. */
function findForks(folder: ForeignFolder, entries: readonly Entry[], snapshots: Snapshots): readonly Problem[] {
  let before: Snapshot | undefined
  return snapshots.flatMap((snapshot, index): readonly Problem[] => {
    const previous = before
    before = snapshot ?? before
    const gap = index > 0 && !snapshots[index - 1]
    if (!snapshot || gap || snapshot.prevId === (previous?.id ?? origin)) return []
    const { tag } = entries[index]!
    return [
      irregularity(
        `${folder.shown}/${snapshotName(entries[index]!)} does not come after the snapshot before it: ${tag} was made beside it, so what it says of the schema may lack the changes of the other`,
        'read the next generated revision with care: it may repeat a change that is made already',
      ),
    ]
  })
}

/** drizzle-orm runs an entry only if it is later than the last one that it ran. */
function findStepsBack(folder: ForeignFolder, entries: readonly Entry[]): readonly Problem[] {
  let latest = entries[0]!
  return entries.slice(1).flatMap((entry): readonly Problem[] => {
    if (entry.when > latest.when) {
      latest = entry
      return []
    }
    return [
      irregularity(
        `${folder.shown}: ${entry.tag} is dated before ${latest.tag}, which it comes after: drizzle-orm skips it in silence on a database that has had ${latest.tag} already`,
        'take the databases over with: pnpm migrate adopt -d <database>; it says of each whether it has had the entry',
      ),
    ]
  })
}

function toRevisions(
  read: readonly ReadEntry[],
  snapshots: ReadonlyMap<Entry, string | undefined>,
): readonly ForeignRevision[] {
  let latest = 0
  let parents: readonly string[] = []
  return read.map(({ entry, sql, snapshot: own }, index) => {
    // Folders sort as they run; those of the same second by their tags.
    latest = Math.max(latest, entry.when)
    const created = new Date(latest)
    const next = read[index + 1]?.snapshot
    // The snapshot after a missing one says what the missing one was called.
    const lostId =
      next && read[index - 1]?.snapshot?.id !== next.prevId && next.prevId !== origin ? next.prevId : undefined
    const snapshotId = own?.id ?? lostId
    const id = snapshotId === undefined ? deriveId(entry.tag) : shortId(snapshotId)
    const snapshot = snapshots.get(entry)
    const revision: ForeignRevision = {
      id,
      name: entry.tag,
      folderName: folderNameOf(created, entry.tag),
      parents,
      dependsOn: [],
      labels: [],
      message: entry.tag.replace(/^\d+_/, '').replaceAll(/[_-]+/g, ' '),
      created,
      files: { up: sql, ...(snapshot !== undefined && { snapshot }) },
    }
    parents = [id]
    return revision
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
