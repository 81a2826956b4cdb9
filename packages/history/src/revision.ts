import type { Phase } from './phase.ts'

/** One revision as it stands on disk, without its SQL: a node of the history graph. */
export interface Revision {
  /** 12 lower-case hex digits, unique within a history. */
  readonly id: string
  /** The revisions that this one comes after; none for a base, several for a merge. */
  readonly parents: readonly string[]
  /** Revisions of the same history that must be applied first without being ancestors. */
  readonly dependsOn: readonly string[]
  /** Revisions of other databases that must be applied first. None when it is missing. */
  readonly dependsOnElsewhere?: readonly ElsewhereDependency[]
  readonly labels: readonly string[]
  readonly message: string
  /** When it was made, ISO 8601. Orders revisions that the graph leaves free. */
  readonly created: string
  /** Its folder, as people should be told it: a path from the workspace's root. */
  readonly folder: string
  /** Whether there is a `down.sql`, or a `down` in its `migration.ts`. */
  readonly reversible: boolean
  /** What its two sides are written in: a `migration.ts` instead of SQL files. SQL when it is missing. */
  readonly language?: 'typescript'
  /** When it may run, around a deploy. At any time when it is missing. */
  readonly phase?: Phase
  /**
   * `none`: its statements run one by one, outside a transaction. `own`: they begin and end their transactions themselves. In one
   * transaction when it is missing.
   */
  readonly transaction?: 'none' | 'own'
  /** How the statement of its up side is repeated, each time in a transaction of its own. Not repeated when it is missing. */
  readonly batch?: Batch
  /** `none`: it was generated, and nobody has tried whether it does what it says. */
  readonly proof?: 'none'
}

/** How a statement is repeated. */
export interface Batch {
  /** The key by whose ranges it is, and how many rows go into one. Until it changes no row when it is missing. */
  readonly range?: {
    /** A column behind its table, each as SQL needs it: `public.users.id`. */
    readonly key: string
    readonly size: number
  }
  /** Between two of them, in milliseconds. */
  readonly pauseMs: number
}

/** A revision of another database. */
export interface ElsewhereDependency {
  readonly database: string
  readonly revision: string
}

/** How many hex digits an id has: the first of the id of the Drizzle snapshot that belongs to the revision. */
export const idLength = 12

/** Whether `text` is a full revision id. */
export function isRevisionId(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text)
}

/** A revision as messages name it: its id and what it says it does. */
export function nameRevision(revision: Pick<Revision, 'id' | 'message'>): string {
  return `${revision.id} "${revision.message}"`
}

/** Path of the file with one side of a revision, from the workspace's root. TypeScript has both sides in one. */
export function scriptFile(revision: Pick<Revision, 'folder' | 'language'>, direction: 'up' | 'down'): string {
  if (revision.language === 'typescript') return `${revision.folder}/migration.ts`
  return `${revision.folder}/${direction === 'up' ? 'migration' : 'down'}.sql`
}

/** What a revision that cannot be reverted lacks: for a sentence, and with the place where it is to be written. */
export function missingWayBack(revision: Pick<Revision, 'folder' | 'language'>): {
  readonly name: string
  readonly place: string
} {
  const file = scriptFile(revision, 'down')
  if (revision.language !== 'typescript') return { name: 'down.sql', place: file }
  return { name: '"down" in its migration.ts', place: `"down" in ${file}` }
}

/** Earlier created first, then by id: the order of whatever the graph leaves free. */
export function inCreationOrder(revisions: readonly Revision[]): readonly Revision[] {
  return revisions
    .map((revision) => ({ revision, time: Date.parse(revision.created) }))
    .toSorted((a, b) => a.time - b.time || compareText(a.revision.id, b.revision.id))
    .map(({ revision }) => revision)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
