import {
  type Direction,
  type ElsewhereDependency,
  findCircle,
  type History,
  nameRevision,
  type Problem,
  type Revision,
  sortTopologically,
  type Step,
} from '@drover/history'

import { describeCircle, describeUnknown, keyOf } from './dependencies.ts'
import { isBusy } from '../tenants/survey.ts'
import type { DatabasePlan } from './plan-release.ts'
import { appliedIds } from './status.ts'

/** Consecutive steps of one database in a release; none for one that migrates itself, whose command runs then, and for tenants. */
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
  const nodes = databases.flatMap((database) => {
    const { name } = database.member.database
    if (isUndivided(database)) {
      const own = stepsOf(database).flatMap(({ revision }) => edges.after.get(keyOf(name, revision.id)) ?? [])
      return [{ id: commandOf(name), after: direction === 'up' ? [...beforeCommand(database, databases), ...own] : [] }]
    }
    return database.steps.map((step, index) => {
      const id = keyOf(name, step.revision.id)
      const previous = database.steps[index - 1]
      const own = previous ? [keyOf(name, previous.revision.id)] : database.member.database.config.after.map(commandOf)
      return { id, after: [...own, ...(edges.after.get(id) ?? [])] }
    })
  })
  const circle = findCircle(nodes)
  const problems = circle ? [...edges.problems, describeCircle(circle)] : edges.problems
  const stepOf = new Map(
    databases.flatMap((database): readonly (readonly [string, Placed])[] => {
      const { name } = database.member.database
      if (isUndivided(database)) return [[commandOf(name), { database }]]
      return database.steps.map((step) => [keyOf(name, step.revision.id), { database, step }])
    }),
  )
  const sorted = sortTopologically(nodes).sorted.map((id) => stepOf.get(id)!)
  return { segments: group(sorted), problems, warnings: edges.warnings }
}

/** A step, or without one the command of a database that migrates itself, or all the tenants of one. */
interface Placed {
  readonly database: DatabasePlan
  readonly step?: Step
}

/** Whether what is done on a database is one thing for the others, with nothing of theirs in between. */
export function isUndivided({ member, tenants }: DatabasePlan): boolean {
  return member.database.config.external?.command !== undefined || (tenants !== undefined && isBusy(tenants.survey))
}

/** The steps of a database, or of any of its tenants, each once. */
function stepsOf({ steps, tenants }: DatabasePlan): readonly Step[] {
  if (!tenants) return steps
  const all = tenants.survey.groups.flatMap(({ plan }) => (plan.kind === 'steps' ? plan.steps : []))
  return [...new Map(all.map((step) => [step.revision.id, step])).values()]
}

/** How the command of a database, or what is done on its tenants, is called among steps; no revision has such an id. */
function commandOf(database: string): string {
  return keyOf(database, 'command')
}

/** What is undivided cannot say what it depends on, so everything of the databases before it comes first. */
function beforeCommand({ member }: DatabasePlan, databases: readonly DatabasePlan[]): readonly string[] {
  return databases
    .filter(({ member: other }) => member.database.config.after.includes(other.database.name))
    .flatMap(({ member: other, steps }) => [
      commandOf(other.database.name),
      ...steps.map((step) => keyOf(other.database.name, step.revision.id)),
    ])
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
  for (const database of databases) {
    const { name } = database.member.database
    for (const { revision } of stepsOf(database)) {
      for (const dependency of revision.dependsOnElsewhere ?? []) {
        const found = settle(name, revision, dependency, databases, neighbours)
        if (found === 'planned') add(after, keyOf(name, revision.id), keyOf(dependency.database, dependency.revision))
        else if (found !== 'applied') (found.code === 'ELSEWHERE_UNCHECKED' ? warnings : problems).push(found)
      }
    }
  }
  return { after, problems, warnings }
}

/** How things stand with one dependency of a step that is to be applied. */
function settle(
  name: string,
  revision: Revision,
  dependency: ElsewhereDependency,
  databases: readonly DatabasePlan[],
  neighbours: readonly Neighbour[],
): 'applied' | 'planned' | Problem {
  const text = keyOf(dependency.database, dependency.revision)
  const about = { database: name, revision: revision.id, file: `${revision.folder}/revision.json` }
  const plan = databases.find((one) => one.member.database.name === dependency.database)
  const other = plan ? asNeighbour(plan) : neighbours.find((one) => one.name === dependency.database)
  if (other && 'unread' in other) {
    const message = `${nameRevision(revision)} depends on ${text}, which could not be checked: ${other.unread}`
    return { ...about, code: 'ELSEWHERE_UNCHECKED', message }
  }
  if (!other?.history.byId.has(dependency.revision))
    return describeUnknown(name, revision, dependency, other !== undefined)
  if (plan?.steps.some((step) => step.revision.id === dependency.revision)) return 'planned'
  if (other.applied.has(dependency.revision)) return 'applied'
  return {
    ...about,
    code: 'ELSEWHERE_PENDING',
    message: `${nameRevision(revision)} depends on ${text}, which is not applied and not part of this upgrade`,
    hint: `pnpm migrate upgrade ${text}`,
  }
}

function findDownEdges(databases: readonly DatabasePlan[], neighbours: readonly Neighbour[]): Edges {
  const after = new Map<string, string[]>()
  const problems: Problem[] = []
  const reverted = new Set(
    databases.flatMap(({ member, steps }) => steps.map(({ revision }) => keyOf(member.database.name, revision.id))),
  )
  const others = [...databases.map(asNeighbour), ...neighbours.filter((neighbour) => 'history' in neighbour)]
  for (const { name, history, applied } of others) {
    for (const revision of history.revisions) {
      if (!applied.has(revision.id)) continue
      const own = keyOf(name, revision.id)
      for (const dependency of revision.dependsOnElsewhere ?? []) {
        const needed = keyOf(dependency.database, dependency.revision)
        if (!reverted.has(needed)) continue
        if (reverted.has(own)) add(after, needed, own)
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

function asNeighbour({ member }: DatabasePlan): Extract<Neighbour, { readonly history: History }> {
  return { name: member.database.name, history: member.history, applied: appliedIds(member.state) }
}

function add(after: Map<string, string[]>, id: string, before: string): void {
  after.set(id, [...(after.get(id) ?? []), before])
}

function group(placed: readonly Placed[]): readonly Segment[] {
  const segments: { readonly database: DatabasePlan; readonly steps: Step[] }[] = []
  for (const { database, step } of placed) {
    const last = segments.at(-1)
    if (last?.database === database && step) last.steps.push(step)
    else segments.push({ database, steps: step ? [step] : [] })
  }
  return segments
}
