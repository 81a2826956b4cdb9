import { createHash } from 'node:crypto'

import { DroverError, idLength, type Problem } from '@drover/history'

/** A history that another tool has made, as it is going to be written into the migrations of a database. */
export interface ForeignHistory {
  readonly tool: ForeignTool
  /** Parents before children. */
  readonly revisions: readonly ForeignRevision[]
  /** What is not as it should be and stops nothing, each with what it means. */
  readonly warnings: readonly Problem[]
}

/** The tools whose histories can be taken over. */
type ForeignTool = 'drizzle-kit 0.31' | 'drizzle-kit 1.0' | 'Alembic'

/** One revision of another tool. */
export interface ForeignRevision {
  readonly id: string
  /** What the other tool calls it. */
  readonly name: string
  /** What its folder is going to be called. */
  readonly folderName: string
  readonly parents: readonly string[]
  /** Ids of the same history. */
  readonly dependsOn: readonly string[]
  readonly labels: readonly string[]
  readonly message: string
  readonly created: Date
  readonly files: ForeignFiles
}

/** The texts of a revision. */
export interface ForeignFiles {
  readonly up: string
  /** Irreversible when it is missing. */
  readonly down?: string
  readonly snapshot?: string
}

/** A folder of another tool. */
export interface ForeignFolder {
  /** Absolute. */
  readonly path: string
  /** How messages name it: as it was typed. */
  readonly shown: string
}

/** A snapshot of drizzle-kit, of any version. */
interface ForeignSnapshot {
  /** Of the revision that it belongs to. */
  readonly name: string
  readonly text: string
}

/** Brings drizzle-kit's snapshots, parents before children, into its present format; their ids stay. */
export type ConvertSnapshots = (snapshots: readonly ForeignSnapshot[]) => Promise<readonly string[]>

/** Something in another tool's history that is not as it should be: what, what it means, and what to do. */
export function irregularity(message: string, hint: string): Problem {
  return { code: 'ADOPTION_REFUSED', message, hint }
}

/** An error of one irregularity. */
export function refusal(message: string, hint: string): DroverError {
  return new DroverError(irregularity(message, hint))
}

/** The id of a revision whose own is of another form, or missing. The same name has the same id everywhere. */
export function deriveId(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, idLength)
}

/** The id of the revision that a snapshot belongs to, by the id of the snapshot. */
export function shortId(snapshotId: string): string {
  return snapshotId.replaceAll('-', '').slice(0, idLength).toLowerCase()
}

/** The name of a folder: the time, and what the other tool calls the revision. */
export function folderNameOf(created: Date, name: string): string {
  const stamp = created.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')
  return `${stamp}_${name.replaceAll(/[^\w.-]+/g, '_')}`
}
