import { readHistory } from '@drover/engine'
import type { Direction, History } from '@drover/history'

import { type Database, isExternal } from '../workspace/discover.ts'
import type { Located } from '../workspace/locate.ts'
import { type Member, openFleet, problemsOf } from './fleet.ts'
import type { Neighbour } from './interleave.ts'
import { appliedIds } from './status.ts'

/**
 * Looks at the databases that a release leaves alone and that its revisions depend on (in a downgrade: whose revisions
 * depend on its). Without such dependencies nothing is read but files. What cannot be looked at is part of the result.
 * @param locate finds one database; what it throws becomes the reason why that one could not be looked at
 */
export async function readNeighbours(
  root: string,
  all: readonly Database[],
  members: readonly Member[],
  direction: Direction,
  locate: (database: Database) => Promise<Located>,
): Promise<readonly Neighbour[]> {
  const inRelease = new Set(members.map((member) => member.database.name))
  const others = all.filter((database) => !inRelease.has(database.name))
  // What is applied has had all that it depends on.
  const mentioned = mentionedBy(members.flatMap((member) => (member.settled ? [] : [member.history])))
  const wanted =
    direction === 'up'
      ? others.filter((database) => mentioned.has(database.name))
      : others.filter((database) => !isExternal(database) && dependsOnAny(root, database, inRelease))
  return Promise.all(wanted.map((database) => readNeighbour(root, database, locate)))
}

async function readNeighbour(
  root: string,
  database: Database,
  locate: (database: Database) => Promise<Located>,
): Promise<Neighbour> {
  const { name } = database
  try {
    await using fleet = await openFleet([await locate(database)], { root })
    const [member] = fleet.members
    if (member) return { name, history: member.history, applied: appliedIds(member.state) }
    return { name, unread: fleet.unread[0]!.problems[0]!.message }
  } catch (error) {
    return { name, unread: problemsOf(error, name)[0]!.message }
  }
}

function mentionedBy(histories: readonly History[]): ReadonlySet<string> {
  return new Set(
    histories.flatMap((history) =>
      history.revisions.flatMap((revision) => (revision.dependsOnElsewhere ?? []).map(({ database }) => database)),
    ),
  )
}

function dependsOnAny(root: string, database: Database, names: ReadonlySet<string>): boolean {
  try {
    const history = readHistory({ root, folder: database.migrations })
    return [...mentionedBy([history])].some((name) => names.has(name))
  } catch {
    // Its files are in disorder, so nobody knows; reading it as a neighbour says so.
    return true
  }
}
