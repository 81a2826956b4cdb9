import { ConnectionUrl } from '@drover/engine'
import { ancestorsOf, type Direction, DroverError, findRevision, type History, type Revision } from '@drover/history'
import postgres from 'postgres'

import { diagnosed } from '../diagnosis.ts'
import { takeSteps } from '../migrate.ts'
import { createBare, type DatabaseOptions } from '../migrated-database.ts'
import { findSharedServer } from '../shared-server.ts'
import { readSubject } from '../subject.ts'

/** What a client of postgres.js does with the database, or SQL. */
type Act = string | ((sql: postgres.Sql) => Promise<unknown>)

/** What is tried. */
export interface DataUpgrade extends Pick<DatabaseOptions, 'root' | 'server' | 'as'> {
  /** The revision that changes the rows: its id, the beginning of it, or a label. */
  readonly revision: string
  /** A revision below it, behind which the rows are put in. Default: all that the revision comes after. */
  readonly from?: string
  /** Puts rows in, as they were before the revision. */
  readonly seed: Act
  /** Looks at them behind it, and throws when they are not as they should be. */
  readonly expect: (sql: postgres.Sql) => Promise<unknown>
  /** Looks at them once more when all that was applied to them is reverted. Default: it is not. */
  readonly expectAfterDown?: (sql: postgres.Sql) => Promise<unknown>
}

/**
 * Tries a revision on rows: a new database is upgraded to before it, rows are put in, it is applied, and the rows are looked at;
 * if that is asked for, it is reverted, and they are looked at once more.
 * @param name of the database in the workspace
 * @throws {DroverError} what went wrong when the history ran, `REVISION_UNKNOWN`, `REVISION_AMBIGUOUS`, `IRREVERSIBLE`; what
 * `seed` and `expect` throw is passed on
 */
export async function upgradeWithData(name: string, upgrade: DataUpgrade): Promise<void> {
  await diagnosed(async () => {
    const subject = await readSubject(name, upgrade.root)
    const { before, rest } = placesOf(subject.history, subject.database.name, upgrade)
    const server = await findSharedServer(subject.workspace.root, upgrade.server)
    await using place = await createBare(server, subject, upgrade)
    const url = ConnectionUrl.parse(place.url, server.source)
    const take = (direction: Direction, revisions: readonly Revision[]) => takeSteps(subject, url, direction, revisions)

    await take('up', before)
    await act(place.url, upgrade.seed)
    await take('up', rest)
    await act(place.url, upgrade.expect)
    if (!upgrade.expectAfterDown) return
    await take('down', rest.toReversed())
    await act(place.url, upgrade.expectAfterDown)
  })
}

/** What is applied before the rows are put in, and what to them; both in run order. */
function placesOf(
  history: History,
  database: string,
  { revision: named, from, expectAfterDown }: DataUpgrade,
): { readonly before: readonly Revision[]; readonly rest: readonly Revision[] } {
  const { id: last } = find(history, database, named)
  const all = ancestorsOf(history, [last])
  const below =
    from === undefined
      ? new Set([...all].filter((id) => id !== last))
      : ancestorsOf(history, [find(history, database, from).id])
  if (!below.isSubsetOf(all) || below.has(last)) {
    throw new DroverError({
      code: 'USAGE',
      database,
      message: `"from" names ${from}, which is not below ${named}`,
      hint: 'name a revision that the other comes after, or leave "from" out',
    })
  }
  const rest = history.revisions.filter(({ id }) => all.has(id) && !below.has(id))
  const oneWay = expectAfterDown && rest.find(({ reversible }) => !reversible)
  if (oneWay) {
    throw new DroverError({
      code: 'IRREVERSIBLE',
      database,
      revision: oneWay.id,
      message: `${oneWay.folder} has no way down, behind which rows could be looked at`,
      hint: 'leave out "expectAfterDown"',
    })
  }
  return { before: history.revisions.filter(({ id }) => below.has(id)), rest }
}

function find(history: History, database: string, name: string): Revision {
  const found = findRevision(history, name)
  if (!found.ok) throw new DroverError({ ...found.problem, database })
  return found.revision
}

/** On connections that are closed again: a revision may be in need of the table. */
async function act(url: string, what: Act): Promise<void> {
  const sql = postgres(url, { max: 2, onnotice: () => {} })
  try {
    await (typeof what === 'string' ? sql.unsafe(what).simple() : what(sql))
  } finally {
    await sql.end({ timeout: 5 })
  }
}
