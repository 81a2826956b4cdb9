import { proveSnapshot, readShadowServer, type ShadowServer } from '@drover/drizzle'
import { describeDifference } from '@drover/engine'
import type { History, Problem } from '@drover/history'
import {
  type Database,
  problemsOf,
  readSnapshotState,
  snapshotCommand,
  type SnapshotState,
  type Workspace,
} from '@drover/orchestrator'

import { count } from './render/text.ts'
import type { Session } from './session.ts'
import { tenantPlaceOf } from './tenants.ts'

/** A database whose snapshot is to be checked; without a history when that could not be read. */
interface Subject {
  readonly database: Database
  readonly history?: History
}

/** What was found of snapshots. */
interface SnapshotFindings {
  readonly problems: readonly Problem[]
  readonly notes: ReadonlyMap<Database, readonly string[]>
}

/**
 * Checks the snapshots that are there, and those of databases that have the history of another one, which should be there: by the
 * files, and where that finds nothing by building both.
 * @param options.isProved whether both are built, in shadows
 */
export async function checkSnapshots(
  session: Session,
  workspace: Workspace,
  subjects: readonly Subject[],
  { isProved }: { readonly isProved: boolean },
): Promise<SnapshotFindings> {
  const problems: Problem[] = []
  const notes = new Map<Database, readonly string[]>()
  let server: Promise<ShadowServer> | undefined
  const findServer = async () => readShadowServer(await session.shadowServer(workspace))
  for (const { database, history } of subjects) {
    if (!history) continue
    try {
      const state = await readSnapshotState(workspace.root, database, history)
      const stale = describeState(database, state)
      if (stale) problems.push(stale)
      if (stale || state.kind !== 'usable') continue
      if (!isProved) {
        notes.set(database, [`${database.snapshot} was written from this history`])
        continue
      }
      server ??= findServer()
      const found = await prove(workspace, { database, history }, state, await server)
      if ('code' in found) problems.push(found)
      else
        notes.set(database, [
          `${database.snapshot} builds what the history builds (${count(found.objects, 'object')} compared)`,
        ])
    } catch (error) {
      const hint = `write it anew: ${snapshotCommand(database.name)}`
      const found = problemsOf(error, database.name)
      problems.push(...found.map((problem) => (problem.code === 'SNAPSHOT_DIFFERS' ? { hint, ...problem } : problem)))
    }
  }
  return { problems, notes }
}

function describeState({ name, snapshot, config }: Database, state: SnapshotState): Problem | undefined {
  const common = { code: 'SNAPSHOT_STALE', database: name, file: snapshot } as const
  const hint = `write it anew: ${snapshotCommand(name)}`
  switch (state.kind) {
    case 'missing':
      if (config.mirrors === undefined) return undefined
      return { ...common, message: `${snapshot} is missing`, hint: `write it: ${snapshotCommand(name)}` }
    case 'unusable':
      return { ...common, message: `${snapshot} ${state.reason}`, hint }
    case 'usable': {
      if (state.missing.length === 0) return undefined
      const ids = state.missing.map(({ id }) => id).join(', ')
      return { ...common, message: `${snapshot} lacks ${count(state.missing.length, 'revision')}: ${ids}`, hint }
    }
  }
}

async function prove(
  { root }: Workspace,
  { database, history }: Required<Subject>,
  { snapshot }: Extract<SnapshotState, { readonly kind: 'usable' }>,
  server: ShadowServer,
): Promise<Problem | { readonly objects: number }> {
  const extensions = database.config.access?.extensions ?? []
  const tenant = tenantPlaceOf(database)
  const { differences, objects } = await proveSnapshot({ server, root, history, snapshot, extensions, tenant })
  const [first] = differences
  if (!first) return { objects }
  return {
    code: 'SNAPSHOT_DIFFERS',
    database: database.name,
    file: snapshot.file,
    message: `${snapshot.file} and the history build different schemas, in ${count(differences.length, 'place')}: ${describeDifference(first, 4).join('\n')}`,
    hint: `write it anew: ${snapshotCommand(database.name)}`,
  }
}
