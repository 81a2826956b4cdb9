import { ancestorsOf, type History, type Problem, type Revision, scriptFile } from '@drover/history'

import { idOfAlembic } from './alembic.ts'
import { deriveId, irregularity } from './foreign-history.ts'

/** What another tool's table says has been applied. */
export interface Recognition {
  /** In the order of the history. */
  readonly applied: readonly Revision[]
  /** What leaves open what has been applied. */
  readonly problems: readonly Problem[]
  /** What is not as it should be and stops nothing, each with what it means. */
  readonly warnings: readonly Problem[]
}

/** A row of drizzle-orm's table. */
export interface MigrationRow {
  readonly id: number
  /** SHA-256 of the file as it was, in hex. */
  readonly hash: string
  /** When the migration was generated, in milliseconds since 1970. */
  readonly createdAt: number | undefined
  /** The folder's name; from drizzle-orm 1.0 on. */
  readonly name: string | undefined
}

/** How rows are compared with files. */
export interface MigrationsOptions {
  /** The table, as messages name it. */
  readonly table: string
  /** SHA-256 of the file of each revision's up side, in hex, by id. */
  readonly hashes: ReadonlyMap<string, string>
  /** Whether a revision whose file was edited since counts as applied all the same. */
  readonly acceptEdited: boolean
}

/** Finds the revision of each row of drizzle-orm's table: by the text of its file, else by its name or its time. */
export function recogniseMigrations(
  history: History,
  rows: readonly MigrationRow[],
  options: MigrationsOptions,
): Recognition {
  const { table, hashes, acceptEdited } = options
  const found = matchRows(history, rows, hashes)
  const groups = Map.groupBy(found, ({ revision }) => revision)
  const unknown = (groups.get(undefined) ?? []).map(({ row }) =>
    irregularity(
      `${describeRow(row, table)} belongs to no revision: the database has had something that is not among the files`,
      'bring the file back and take its folder over, or say where the database stands: pnpm migrate stamp <revision> -d <database>',
    ),
  )
  const edited = found.flatMap(({ row, revision, isEdited }): readonly Problem[] => {
    if (!revision || !isEdited) return []
    const file = scriptFile(revision, 'up')
    const what = `${file} was edited since drizzle-orm ran it: ${describeRow(row, table)} has the hash of another text`
    return [
      {
        ...irregularity(
          what,
          'bring the old text back from version control; or, if the database is as the file is now, add --accept-edited',
        ),
        file,
        revision: revision.id,
      },
    ]
  })
  const repeated = [...groups].flatMap(([revision, group]): readonly Problem[] =>
    revision && group.length > 1
      ? [
          irregularity(
            `${revision.folder} has ${group.length} rows in ${table}: two runs of drizzle-orm at once have run it twice`,
            'see whether what it inserts is there twice; its tables and columns cannot be',
          ),
        ]
      : [],
  )
  const applied = history.revisions.filter((revision) => groups.has(revision))
  return {
    applied,
    problems: [...unknown, ...(acceptEdited ? [] : edited)],
    warnings: [...(acceptEdited ? edited.map(asAccepted) : []), ...repeated, ...findSkipped(history, applied, rows)],
  }
}

/**
 * Finds the revisions at which Alembic says that a database stands, and so everything that has been applied.
 * @param versions the rows of its table
 */
export function recogniseVersions(history: History, versions: readonly string[], table: string): Recognition {
  // A baseline that was made at several of them stands for all of them together.
  const together = history.byId.get(idOfBaseline(versions) ?? '')
  const ids = together ? [together.id] : versions.map(idOfAlembic)
  const unknown = together ? [] : versions.filter((version) => !history.byId.has(idOfAlembic(version)))
  const applied = ancestorsOf(history, ids)
  return {
    applied: history.revisions.filter(({ id }) => applied.has(id)),
    problems: unknown.map((version) =>
      irregularity(
        `${table} of this database says ${version}, and no revision of the files is that: they are older than the database, or of another one`,
        'bring the revision file back and take its folder over, or say where the database stands: pnpm migrate stamp <revision> -d <database>',
      ),
    ),
    warnings: [],
  }
}

/** The id of a baseline for a database that stands at these revisions of Alembic; none for a database at none. */
export function idOfBaseline(versions: readonly string[]): string | undefined {
  const [only] = versions
  if (only === undefined) return undefined
  return versions.length === 1 ? idOfAlembic(only) : deriveId(versions.toSorted().join(' '))
}

interface Match {
  readonly row: MigrationRow
  readonly revision: Revision | undefined
  readonly isEdited: boolean
}

function matchRows(
  history: History,
  rows: readonly MigrationRow[],
  hashes: ReadonlyMap<string, string>,
): readonly Match[] {
  const taken = new Set<Revision>()
  const take = (candidates: readonly Revision[]): Revision | undefined => {
    const revision = candidates.find((one) => !taken.has(one)) ?? candidates[0]
    if (revision) taken.add(revision)
    return revision
  }
  const sameTime = (row: MigrationRow) => (revision: Revision) =>
    row.createdAt !== undefined && toSecond(row.createdAt) === toSecond(Date.parse(revision.created))
  const byName = Map.groupBy(history.revisions, ({ folder }) => folder.split('/').at(-1))
  const byHash = Map.groupBy(history.revisions, ({ id }) => hashes.get(id))

  // What is certain comes first, so that a guess by time cannot take a revision from the row that it belongs to.
  const certain = new Map(
    rows.map((row) => {
      const same = byHash.get(row.hash) ?? []
      const named = same.filter((revision) => byName.get(row.name)?.includes(revision))
      const timed = same.filter(sameTime(row))
      return [row, take([named, timed, same].find((candidates) => candidates.length > 0) ?? [])] as const
    }),
  )
  return rows.map((row) => {
    const revision = certain.get(row)
    if (revision) return { row, revision, isEdited: false }
    const free = history.revisions.filter((one) => !taken.has(one))
    const named = free.filter((one) => byName.get(row.name)?.includes(one))
    const timed = free.filter(sameTime(row))
    return { row, revision: take(named.length > 0 ? named : timed.length === 1 ? timed : []), isEdited: true }
  })
}

/** Folders of drizzle-kit 1.0 are named after seconds. */
function toSecond(time: number): number {
  return Math.floor(time / 1000)
}

function describeRow({ id, hash, createdAt, name }: MigrationRow, table: string): string {
  const time = createdAt === undefined ? '' : `, generated ${new Date(createdAt).toISOString()}`
  return `row ${id} of ${table} (${name === undefined ? '' : `${name}, `}hash ${hash.slice(0, 12)}…${time})`
}

function asAccepted(problem: Problem): Problem {
  return { ...problem, hint: 'it counts as applied, as --accept-edited says' }
}

/** What is not applied, although something that comes after it is, or that is dated after it. */
function findSkipped(
  history: History,
  applied: readonly Revision[],
  rows: readonly MigrationRow[],
): readonly Problem[] {
  const isApplied = new Set(applied.map(({ id }) => id))
  const below = ancestorsOf(history, isApplied)
  // drizzle-orm 1.0 goes by names, and would run it yet; what was before it never looks back.
  const looksBack = rows.some(({ name }) => name !== undefined)
  const latest = Math.max(...rows.map(({ createdAt = -Infinity }) => createdAt))
  const why = looksBack
    ? 'it has no row, while later ones have theirs'
    : 'drizzle-orm has skipped it in silence, because it is dated before what the database had already'
  return history.revisions
    .filter(({ id, created }) => !isApplied.has(id) && (below.has(id) || (!looksBack && Date.parse(created) <= latest)))
    .map((revision) => ({
      ...irregularity(
        `${revision.folder} is not applied: ${why}`,
        `it is left pending: run it with pnpm migrate upgrade -d <database>${below.has(revision.id) ? ' --allow-out-of-order' : ''}; if the database has what it does, record it with pnpm migrate stamp <database>/${revision.id}`,
      ),
      revision: revision.id,
    }))
}
