/**
 * drizzle-kit, in a process of its own: see kit.ts, which starts it. It takes one request at a time from its parent, and
 * ends with it.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import {
  generateDrizzleJson,
  generateMigration,
  type Hint,
  type MissingHintsError,
  reconstruct,
} from 'drizzle-kit/api-postgres'

import { findIdentityRenames } from '../identity-names.ts'
import { KitFault } from './fault.ts'
import type { KitHint, KitQuestion } from './hints.ts'
import type { KitComparison, KitConflict, KitDiff, SnapshotFile } from './kit.ts'
import { describeLoadError, schemaProblem } from './load-fault.ts'
import type { KitAnswer, KitRequest } from './protocol.ts'
import { readComplaints } from './schema-complaints.ts'
import {
  folderKey,
  invalid,
  type RawSnapshot,
  readSnapshots,
  restore,
  type Snapshot,
  withMigrationsFolder,
} from './snapshot-files.ts'
import { emptyState, originId, type SchemaEntity, type SchemaState } from './state.ts'

/** What drizzle-kit printed during a request: its only way to say what it does not like. */
let printed = ''
const note = (...values: readonly unknown[]) => {
  printed += `${values.map(String).join(' ')}\n`
}
Object.assign(console, { log: note, info: note, warn: note, error: note })

/** Thrown where drizzle-kit would end the process. */
class WantedToExit extends Error {
  override readonly message = 'it calls process.exit'
}

const exit = process.exit.bind(process)
process.exit = () => {
  throw new WantedToExit()
}
process.on('disconnect', () => exit())
// Ctrl+C reaches both processes; what becomes of it is decided by the parent.
process.on('SIGINT', () => {})
process.on('message', (request: KitRequest) => void answer(request))
process.send?.('loaded')

async function answer(request: KitRequest): Promise<void> {
  printed = ''
  const result: KitAnswer = await perform(request).then((value) => ({ ok: true, value }), describeFailure)
  process.send?.(result)
}

function perform(request: KitRequest): Promise<unknown> {
  switch (request.operation) {
    case 'compare':
      return compare(...request.args)
    case 'readHistory':
      return readHistory(...request.args)
    case 'readSchema':
      return readSchema(...request.args)
    case 'diff':
      return diff(...request.args)
    case 'writeSnapshot':
      return writeSnapshot(...request.args)
    case 'convertSnapshots':
      return convertSnapshots(...request.args)
    case 'findConflicts':
      return findConflicts(...request.args)
  }
}

function describeFailure(error: unknown): KitAnswer {
  if (error instanceof KitFault) return { ok: false, problems: error.problems }
  const said = error instanceof Error ? error.message : String(error)
  return { ok: false, problems: [{ code: 'INTERNAL', message: `drizzle-kit failed: ${said}` }] }
}

async function compare(
  schema: string,
  snapshots: readonly SnapshotFile[],
  hints: readonly KitHint[],
): Promise<KitComparison> {
  const before = await readHistory(snapshots)
  const after = await readSchema(schema)
  // What is the same to the letter needs no diff, which takes longer than everything else here.
  if (hasSameEntities(before, after)) return { changed: false }
  const found = await diff(before, after, hints)
  return found.ok && found.statements.length === 0 && findIdentityRenames(before, after).length === 0
    ? { changed: false }
    : { changed: true, before, after, diff: found }
}

function hasSameEntities(before: SchemaState, after: SchemaState): boolean {
  const known = new Set(before.ddl.map(canonical))
  return before.ddl.length === after.ddl.length && after.ddl.every((entity) => known.has(canonical(entity)))
}

/** An entity as text, whatever the order of its fields. */
function canonical(entity: SchemaEntity): string {
  return JSON.stringify(Object.entries(entity).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

async function readHistory(snapshots: readonly SnapshotFile[]): Promise<SchemaState> {
  return stateAfter(await readInOneFormat(snapshots))
}

async function readSchema(schema: string): Promise<SchemaState> {
  const exported = await load(schema)
  try {
    const state = await generateDrizzleJson(exported)
    refuseComplaints(schema)
    return inOurWords(state)
  } catch (error) {
    if (error instanceof KitFault) throw error
    if (!(error instanceof WantedToExit)) throw new KitFault([describeLoadError(error, schema)])
    refuseComplaints(schema)
    const said = printed.trim() || 'it does not say why'
    throw new KitFault([schemaProblem({ file: schema }, `is refused by drizzle-kit: ${said}`, 'correct the schema')])
  }
}

async function load(schema: string): Promise<Record<string, unknown>> {
  try {
    return await importSchema(schema)
  } catch (error) {
    throw new KitFault([describeLoadError(error, schema)])
  }
}

function importSchema(schema: string): Promise<Record<string, unknown>> {
  return import(pathToFileURL(schema).href)
}

function refuseComplaints(schema: string): void {
  const [first, ...rest] = readComplaints(printed).map(({ what, hint }) => schemaProblem({ file: schema }, what, hint))
  if (first) throw new KitFault([first, ...rest])
}

async function diff(from: SchemaState, to: SchemaState, hints: readonly KitHint[]): Promise<KitDiff> {
  try {
    const statements = await generateMigration(inKitFormat(from), inKitFormat(to), { hints: inKitWords(hints) })
    return { ok: true, statements }
  } catch (error) {
    if (!isMissingHints(error)) throw error
    const questions = error.missingHints.flatMap((hint): readonly KitQuestion[] =>
      // Whether data may be lost is asked when it pushes to a database, never here.
      hint.type === 'rename_or_create' ? [{ kind: hint.kind, entity: hint.entity }] : [],
    )
    return { ok: false, questions }
  }
}

/** Without privileges, the one thing without a name: a Drizzle schema cannot grant any. */
function inOurWords({ id, prevIds, ddl }: Awaited<ReturnType<typeof reconstruct>>): SchemaState {
  return { id, prevIds, ddl: ddl.filter((entity) => entity.entityType !== 'privileges') }
}

function inKitFormat({ id, prevIds, ddl }: SchemaState): Record<string, unknown> {
  return { version: '9', dialect: 'postgres', id, prevIds, ddl }
}

function inKitWords(hints: readonly KitHint[]): Hint[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- drizzle-kit looks at them itself; its types count the parts of names
  return [...hints] as Hint[]
}

/** drizzle-kit exports the type of this error, and not the class. */
function isMissingHints(error: unknown): error is MissingHintsError {
  return error instanceof Error && 'missingHints' in error
}

async function writeSnapshot(
  snapshots: readonly SnapshotFile[],
  to: string | SchemaState | undefined,
  hints: readonly KitHint[],
): Promise<string> {
  const history = await readInOneFormat(snapshots)
  const heads = headsOf(history)
  const before = await stateAfter(history)
  if (to === undefined && heads.length > 0) return format(joining(heads))
  const after = typeof to === 'string' ? await readSchema(to) : (to ?? before)
  const first = wholeSnapshot({ ...before, prevIds: [] })
  const next = wholeSnapshot({ ...after, id: randomUUID(), prevIds: history.length > 0 ? [before.id] : [] }, hints)
  const converted = await convert(history.length > 0 ? [first, next] : [next], [])
  return format({ ...converted.at(-1)!, prevIds: heads.length > 0 ? heads : [originId] })
}

/** As drizzle-kit lays it out. */
function format(snapshot: RawSnapshot): string {
  return `${JSON.stringify(snapshot, null, 2)}\n`
}

/** A state in drizzle-kit's format 8, which its `up` turns into a base or a diff. There, renames are pairs of dotted names. */
function wholeSnapshot(state: SchemaState, hints: readonly KitHint[] = []): RawSnapshot {
  const prevIds = state.prevIds.length > 0 ? state.prevIds : [originId]
  const renames = hints.flatMap((hint) =>
    hint.type === 'rename' ? [`${hint.from.join('.')}->${hint.to.join('.')}`] : [],
  )
  return { version: '8', dialect: 'postgres', id: state.id, prevIds, ddl: state.ddl, renames }
}

async function convertSnapshots(snapshots: readonly SnapshotFile[]): Promise<readonly string[]> {
  return contentsOf(await readInOneFormat(snapshots)).map(format)
}

async function findConflicts(snapshots: readonly SnapshotFile[]): Promise<readonly KitConflict[]> {
  const history = await readInOneFormat(snapshots)
  const [{ check }, { readConflicts }] = await Promise.all([import('drizzle-kit/cli'), import('./kit-report.ts')])
  const result = await withMigrationsFolder(contentsOf(history), (out) => check({ dialect: 'postgresql', out }))
  return result.status === 'ok' ? [] : readConflicts(result.error, history)
}

/** The snapshots of a history in drizzle-kit's format of today, whatever they are in on disk. */
async function readInOneFormat(snapshots: readonly SnapshotFile[]): Promise<readonly Snapshot[]> {
  const history = await readSnapshots(snapshots.map(({ folder }) => folder))
  if (history.every(({ content }) => content.type === 'base' || content.type === 'diff')) return history
  const converted = await convert(contentsOf(history), history)
  return history.map((snapshot, at) => ({ ...snapshot, content: converted[at]! }))
}

/** Lets drizzle-kit bring snapshots of older formats into that of today. */
async function convert(
  contents: readonly RawSnapshot[],
  history: readonly Snapshot[],
): Promise<readonly RawSnapshot[]> {
  const [{ up }, { describeRefusal }] = await Promise.all([import('drizzle-kit/cli'), import('./kit-report.ts')])
  return withMigrationsFolder(contents.map(inOlderFormat), async (out) => {
    const result = await up({ dialect: 'postgresql', out })
    if (result.status === 'error') throw describeRefusal(result.error, history)
    return contentsOf(await readSnapshots(contents.map((_, at) => join(out, folderKey(at)))))
  })
}

/** What `generateDrizzleJson` makes is of version 9 and neither base nor diff; `up` takes it only for what was before. */
function inOlderFormat(content: RawSnapshot): RawSnapshot {
  return content.version === '9' && content.type === undefined ? { renames: [], ...content, version: '8' } : content
}

/** The state after the heads of a history. Where there are several, it is that of a revision that joins them. */
async function stateAfter(history: readonly Snapshot[]): Promise<SchemaState> {
  const heads = headsOf(history)
  if (heads.length === 0) return emptyState
  const files = Object.fromEntries(history.map(({ key, content }) => [key, content]))
  const joined = joining(heads)
  try {
    return inOurWords(
      heads.length === 1
        ? await reconstruct(files, heads[0])
        : await reconstruct({ ...files, [folderKey(history.length)]: joined }, joined.id),
    )
  } catch (error) {
    throw unreadable(error, history)
  }
}

/** A snapshot that changes nothing. */
function joining(heads: readonly string[]): RawSnapshot {
  return {
    type: 'diff',
    version: '9',
    dialect: 'postgres',
    id: randomUUID(),
    prevIds: heads,
    footprints: [],
    deltas: [],
  }
}

/** The ids that nothing follows, the last one first: drizzle-kit's order of parents. */
function headsOf(history: readonly Snapshot[]): readonly string[] {
  const followed = new Set(history.flatMap(({ content }) => content.prevIds))
  return history
    .map(({ content }) => content.id)
    .filter((id) => !followed.has(id))
    .toReversed()
}

/** drizzle-kit names the file in its message, by what the folder is called for it. */
function unreadable(error: unknown, history: readonly Snapshot[]): unknown {
  const said = error instanceof Error ? error.message : String(error)
  const culprit = history.find(({ key }) => said.includes(key)) ?? history.at(-1)!
  const named = history.reduce((text, { key, folder }) => text.replaceAll(key, folder), said)
  return invalid(culprit.file, `cannot be used by drizzle-kit: ${named.split(' Restore ', 1)[0]!}`, restore)
}

function contentsOf(history: readonly Snapshot[]): readonly RawSnapshot[] {
  return history.map(({ content }) => content)
}
