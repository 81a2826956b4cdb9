import { hostname, userInfo } from 'node:os'

import { type ConnectionUrl, readHistory } from '@drover/engine'
import { type Direction, parseTarget, type Problem, type Revision, throwProblems } from '@drover/history'
import {
  type Member,
  type Neighbour,
  openFleet,
  planRelease,
  type ReleasePlan,
  runRelease,
  statusOf,
  type Workspace,
} from '@drover/orchestrator'

import manifest from '../package.json' with { type: 'json' }
import { environmentForCode } from './environment.ts'
import type { Subject } from './subject.ts'

/**
 * Upgrades a database as `upgrade` does, hooks of the database included and those of the run as a whole not.
 * @param target as on the command line: `head`, an id, a label, `+1`
 * @throws {DroverError} with everything that went wrong, as on the command line
 */
export async function upgradeTo(subject: Subject, url: ConnectionUrl, target: string): Promise<void> {
  const parsed = parseTarget(target)
  if (!parsed.ok) throwProblems([parsed.problem])
  if (!parsed.ok) throw new Error('a target with a problem is no target')
  const { target: wanted } = parsed
  await run(subject, url, (member) => {
    const planned = planRelease([member], 'up', wanted, new Map(), neighboursOf(subject.workspace, member))
    if (!planned.ok) throwProblems(planned.problems.map((problem) => ({ database: subject.database.name, ...problem })))
    if (!planned.ok) throw new Error('a plan without problems can be run')
    return planned.plan
  })
}

/**
 * Applies or reverts revisions, in this order, wherever they stand in their history. It is for whoever has seen to it that they
 * can be.
 * @throws {DroverError} with everything that went wrong
 */
export async function takeSteps(
  subject: Subject,
  url: ConnectionUrl,
  direction: Direction,
  revisions: readonly Revision[],
): Promise<void> {
  if (revisions.length === 0) return
  await run(subject, url, (member) => {
    const steps = revisions.map((revision) => ({ direction, revision }))
    const database = { member, status: statusOf(member), steps }
    return { direction, databases: [database], segments: [{ database, steps }], warnings: [] }
  })
}

async function run(subject: Subject, url: ConnectionUrl, plan: (member: Member) => ReleasePlan): Promise<void> {
  const { workspace, database } = subject
  const { root, databases } = workspace
  await using fleet = await openFleet([{ database, url, development: false }], { root })
  throwProblems(fleet.unread.flatMap(({ problems }) => problems))
  const release = await runRelease(plan(fleet.members[0]!), {
    root,
    databases,
    command: 'test',
    actor: {
      osUser: userName(),
      host: hostname(),
      pid: process.pid,
      version: manifest.version,
      gitCommit: undefined,
    },
    environment: environmentForCode(),
  })
  throwProblems(release.databases.flatMap(({ failed }): readonly Problem[] => (failed ? [failed.problem] : [])))
}

/** Databases that revisions depend on count as being at their heads: there is no need for them in a test of this one. */
function neighboursOf({ root, databases }: Workspace, { history }: Member): readonly Neighbour[] {
  const mentioned = new Set(
    history.revisions.flatMap(({ dependsOnElsewhere = [] }) => dependsOnElsewhere.map(({ database }) => database)),
  )
  return databases
    .filter(({ name }) => mentioned.has(name))
    .map(({ name, migrations }) => {
      const other = readHistory({ root, folder: migrations })
      return { name, history: other, applied: new Set(other.byId.keys()) }
    })
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the process may have a number that no user has.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
