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
  /** Whether there is a `down.sql`. */
  readonly reversible: boolean
  /** `none`: its statements run one by one, outside a transaction. In a transaction of its own when it is missing. */
  readonly transaction?: 'none'
  /** `none`: it was generated, and nobody has tried whether it does what it says. */
  readonly proof?: 'none'
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
