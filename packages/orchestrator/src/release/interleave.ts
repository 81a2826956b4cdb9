import {
  type Direction,
  findCircle,
  type History,
  nameRevision,
  type Problem,
  sortTopologically,
  type Step,
} from '@drover/history'

import type { DatabasePlan } from './plan-release.ts'
import { appliedIds } from './status.ts'

/** Consecutive steps of one database in a release. */
export interface Segment {
  readonly database: DatabasePlan
  readonly steps: readonly Step[]
}

/** A database that a release does not change, but whose revisions depend on the release's, or the other way round. */
export type Neighbour =
  | { readonly name: string; readonly history: History; readonly applied: ReadonlySet<string> }
  /** It could not be looked at. */
  | { readonly name: string; readonly unread: string }

/** The order of a release's steps over all databases, or what keeps them from having one. */
export interface Interleaving {
  readonly segments: readonly Segment[]
  readonly problems: readonly Problem[]
  /** What could not be checked. */
  readonly warnings: readonly Problem[]
}

/**
 * Orders the steps of all databases: those of a database in their own order, a revision behind the revisions of other
 * databases that it depends on (in a downgrade before them), and otherwise database by database as they are given.
 * Refused: dependencies that do not exist, or that would be missing when the release has come to them, and circles.
 */
export function interleave(
  direction: Direction,
  databases: readonly DatabasePlan[],
  neighbours: readonly Neighbour[],
): Interleaving {
  const edges = direction === 'up' ? findUpEdges(databases, neighbours) : findDownEdges(databases, neighbours)
  const nodes = databases.flatMap((database) =>
    database.steps.map((step, index) => {
      const id = keyOf(database.member.database.name, step.revision.id)
      const previous = database.steps[index - 1]
      const own = previous ? [keyOf(database.member.database.name, previous.revision.id)] : []
      return { id, after: [...own, ...(edges.after.get(id) ?? [])] }
    }),
  )
  const circle = findCircle(nodes)
  const problems = circle ? [...edges.problems, describeCircle(circle)] : edges.problems
  const stepOf = new Map(
    databases.flatMap((database) =>
      database.steps.map(
        (step) => [keyOf(database.member.database.name, step.revision.id), { database, step }] as const,
      ),
    ),
  )
  const sorted = sortTopologically(nodes).sorted.map((id) => stepOf.get(id)!)
  return { segments: group(sorted), problems, warnings: edges.warnings }
}

interface Edges {
  /** What has to be done before a step, both by database and id. */
  readonly after: ReadonlyMap<string, readonly string[]>
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

function findUpEdges(databases: readonly DatabasePlan[], neighbours: readonly Neighbour[]): Edges {
  const after = new Map<string, string[]>()
  const problems: Problem[] = []
  const warnings: Problem[] = []
  for (const { member, steps } of databases) {
    for (const { revision } of steps) {
      for (const dependency of revision.dependsOnElsewhere ?? []) {
        const text = keyOf(dependency.database, dependency.revision)
        const about = {
          database: member.database.name,
          revision: revision.id,
          file: `${revision.folder}/revision.json`,
        }
        const plan = databases.find((one) => one.member.database.name === dependency.database)
        const neighbour = neighbours.find((one) => one.name === dependency.database)
        if (!plan && neighbour && 'unread' in neighbour) {
          const message = `${nameRevision(revision)} depends on ${text}, which could not be checked: ${neighbour.unread}`
          warnings.push({ ...about, code: 'ELSEWHERE_UNCHECKED', message })
          continue
        }
        const history = plan?.member.history ?? (neighbour && 'history' in neighbour ? neighbour.history : undefined)
        const applied = plan
          ? appliedIds(plan.member.state)
          : neighbour && 'applied' in neighbour
            ? neighbour.applied
            : undefined
        if (!history?.byId.has(dependency.revision)) {
          problems.push({
            ...about,
            code: 'ELSEWHERE_UNKNOWN',
            message: `${nameRevision(revision)} depends on ${text}, and ${history ? 'that database has no such revision' : 'there is no such database'}`,
            hint: `correct "dependsOn" in ${revision.folder}/revision.json`,
          })
        } else if (plan?.steps.some((step) => step.revision.id === dependency.revision)) {
          after.set(keyOf(member.database.name, revision.id), [
            ...(after.get(keyOf(member.database.name, revision.id)) ?? []),
            text,
          ])
        } else if (!applied?.has(dependency.revision)) {
          problems.push({
            ...about,
            code: 'ELSEWHERE_PENDING',
            message: `${nameRevision(revision)} depends on ${text}, which is not applied and not part of this upgrade`,
            hint: `pnpm migrate upgrade ${text}`,
          })
        }
      }
    }
  }
  return { after, problems, warnings }
}

function findDownEdges(databases: readonly DatabasePlan[], neighbours: readonly Neighbour[]): Edges {
  const after = new Map<string, string[]>()
  const problems: Problem[] = []
  const reverted = new Set(
    databases.flatMap(({ member, steps }) => steps.map(({ revision }) => keyOf(member.database.name, revision.id))),
  )
  const others = [
    ...databases.map(({ member }) => ({
      name: member.database.name,
      history: member.history,
      applied: appliedIds(member.state),
    })),
    ...neighbours.filter((neighbour) => 'history' in neighbour),
  ]
  for (const { name, history, applied } of others) {
    for (const revision of history.revisions) {
      if (!applied.has(revision.id)) continue
      const own = keyOf(name, revision.id)
      for (const dependency of revision.dependsOnElsewhere ?? []) {
        const needed = keyOf(dependency.database, dependency.revision)
        if (!reverted.has(needed)) continue
        if (reverted.has(own)) after.set(needed, [...(after.get(needed) ?? []), own])
        else problems.push(describeNeeded(needed, own, nameRevision(revision), dependency))
      }
    }
  }
  return { after, problems, warnings: findUnreadDependants(databases, neighbours) }
}

function describeNeeded(
  needed: string,
  dependant: string,
  name: string,
  dependency: { readonly database: string; readonly revision: string },
): Problem {
  return {
    code: 'ELSEWHERE_NEEDED',
    database: dependency.database,
    revision: dependency.revision,
    message: `${needed} cannot be reverted: ${dependant} (${name}) depends on it and stays applied`,
    hint: `revert that first: pnpm migrate downgrade ${dependant}-1`,
  }
}

/** Neighbours only come here when they have revisions that depend on the release's databases. */
function findUnreadDependants(
  databases: readonly DatabasePlan[],
  neighbours: readonly Neighbour[],
): readonly Problem[] {
  if (databases.every(({ steps }) => steps.length === 0)) return []
  return neighbours.flatMap((neighbour): readonly Problem[] => {
    if (!('unread' in neighbour)) return []
    const message = `whether ${neighbour.name} still needs what is reverted could not be checked: ${neighbour.unread}`
    return [{ code: 'ELSEWHERE_UNCHECKED', message }]
  })
}

function group(steps: readonly { readonly database: DatabasePlan; readonly step: Step }[]): readonly Segment[] {
  const segments: { readonly database: DatabasePlan; readonly steps: Step[] }[] = []
  for (const { database, step } of steps) {
    const last = segments.at(-1)
    if (last?.database === database) last.steps.push(step)
    else segments.push({ database, steps: [step] })
  }
  return segments
}

function describeCircle(circle: readonly string[]): Problem {
  return {
    code: 'CYCLE',
    message: `these revisions of several databases come after each other in a circle: ${[...circle, circle[0]].join(' after ')}`,
    hint: 'correct "dependsOn" in one of their revision.json',
  }
}

function keyOf(database: string, revision: string): string {
  return `${database}/${revision}`
}
