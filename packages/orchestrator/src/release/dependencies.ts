import {
  comesAfter,
  type ElsewhereDependency,
  findCircle,
  type History,
  nameRevision,
  type Node,
  type Problem,
  type Revision,
} from '@drover/history'

/** A history with the name of its database. */
export interface NamedHistory {
  readonly name: string
  readonly history: History
}

/**
 * What is wrong with the dependencies between databases, whatever is applied: revisions that do not exist, and circles.
 * @param histories all of the workspace's that could be read
 * @param unread names of databases whose files could not be read: what depends on them is not judged
 */
export function findBrokenDependencies(
  histories: readonly NamedHistory[],
  unread: ReadonlySet<string> = new Set(),
): readonly Problem[] {
  const dependants = histories.flatMap(({ name, history }) =>
    history.revisions.flatMap((revision) =>
      (revision.dependsOnElsewhere ?? []).map((dependency) => ({ name, revision, dependency })),
    ),
  )
  if (dependants.length === 0) return []
  const unknown = dependants.flatMap(({ name, revision, dependency }) => {
    const history = histories.find((one) => one.name === dependency.database)?.history
    const isFine = history?.byId.has(dependency.revision) ?? unread.has(dependency.database)
    return isFine ? [] : [describeUnknown(name, revision, dependency, history !== undefined)]
  })
  const circle = findCircle(
    histories.flatMap(({ name, history }) => history.revisions.map((revision) => nodeOf(name, revision))),
  )
  return circle ? [...unknown, describeCircle(circle)] : unknown
}

/** A revision with its database, as a node's id and in messages. */
export function keyOf(database: string, revision: string): string {
  return `${database}/${revision}`
}

/** The problem of a dependency on a revision that does not exist. */
export function describeUnknown(
  database: string,
  revision: Revision,
  dependency: ElsewhereDependency,
  isDatabaseKnown: boolean,
): Problem {
  const reason = isDatabaseKnown ? 'that database has no such revision' : 'there is no such database'
  return {
    code: 'ELSEWHERE_UNKNOWN',
    database,
    revision: revision.id,
    file: `${revision.folder}/revision.json`,
    message: `${nameRevision(revision)} depends on ${keyOf(dependency.database, dependency.revision)}, and ${reason}`,
    hint: `correct "dependsOn" in ${revision.folder}/revision.json`,
  }
}

/** The problem of revisions of several databases that come after each other. */
export function describeCircle(circle: readonly string[]): Problem {
  return {
    code: 'CYCLE',
    message: `these revisions of several databases come after each other in a circle: ${[...circle, circle[0]].join(' after ')}`,
    hint: 'correct "dependsOn" in one of their revision.json',
  }
}

/** A revision among those of all databases. */
export function nodeOf(name: string, revision: Revision): Node {
  return {
    id: keyOf(name, revision.id),
    after: [
      ...comesAfter(revision).map((id) => keyOf(name, id)),
      ...(revision.dependsOnElsewhere ?? []).map((dependency) => keyOf(dependency.database, dependency.revision)),
    ],
  }
}
