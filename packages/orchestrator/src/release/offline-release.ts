import { hash } from 'node:crypto'

import {
  type Actor,
  findHookProblems,
  findOfflineHookProblems,
  findOfflineProblems,
  type Hook,
  type HookScript,
  readHistory,
  readHook,
  writeOfflineScript,
} from '@drover/engine'
import {
  type Direction,
  type History,
  missingWayBack,
  nameRevision,
  type Problem,
  type Range,
  resolveRange,
  scriptFile,
  type Step,
  throwProblems,
} from '@drover/history'

import { hooksOf } from '../hooks/declared-hooks.ts'
import type { Database } from '../workspace/discover.ts'
import { problemsOf } from './fleet.ts'
import type { ReleasePlan } from './plan-release.ts'
import { type DatabaseSteps, readScripts } from './scripts.ts'

/** Steps of one database that are written as one script. A database may have several, with those of others in between. */
export interface OfflinePart extends DatabaseSteps {
  readonly history: History
  /** Of the database; they come before its first part and behind its last one. */
  readonly hooks: readonly Hook[]
}

/** A script for psql. */
export interface OfflineFile {
  readonly database: string
  /** `<database>.sql`; numbered where a database has several. */
  readonly file: string
  readonly steps: readonly Step[]
  readonly sql: string
}

/** How scripts are written. */
export interface OfflineOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly direction: Direction
  readonly actor: Pick<Actor, 'version' | 'gitCommit'>
  readonly lockTimeoutMs?: number
  readonly statementTimeoutMs?: number
}

/** The parts of a release in the order in which they have to be run; a database with nothing to do has an empty one. */
export function partsOfPlan(plan: ReleasePlan): readonly OfflinePart[] {
  const idle = plan.databases.filter(({ steps }) => steps.length === 0).map(({ member }) => ({ member, steps: [] }))
  const busy = plan.segments.map(({ database, steps }) => ({ member: database.member, steps }))
  return [...busy, ...idle].map(({ member, steps }) => ({
    name: member.database.name,
    history: member.history,
    hooks: hooksOf(member.database),
    steps,
  }))
}

/**
 * The parts of a range, from the files alone.
 * @throws {DroverError} when files cannot be read, the range is not in a history, or something in it cannot be reverted
 */
export function partsOfRange(
  root: string,
  databases: readonly Database[],
  range: Range,
  direction: Direction,
): readonly OfflinePart[] {
  const parts: OfflinePart[] = []
  const problems: Problem[] = []
  for (const database of direction === 'up' ? databases : databases.toReversed()) {
    const { name, migrations } = database
    try {
      const history = readHistory({ root, folder: migrations })
      const resolution = resolveRange(history, range, direction)
      if (!resolution.ok) {
        problems.push({ ...resolution.problem, database: name })
        continue
      }
      const steps = resolution.revisions.map((revision) => ({ direction, revision }))
      if (direction === 'down') problems.push(...findOneWay(name, steps))
      parts.push({ name, history, hooks: hooksOf(database), steps })
    } catch (error) {
      problems.push(...problemsOf(error, name))
    }
  }
  throwProblems(problems)
  return parts
}

/**
 * Writes a script for each part. Touches no database.
 * @throws {DroverError} with everything that would keep a script from being run
 */
export async function writeScripts(
  parts: readonly OfflinePart[],
  { root, direction, actor, ...limits }: OfflineOptions,
): Promise<readonly OfflineFile[]> {
  const scripts = await readScripts(root, parts)
  throwProblems(
    parts.flatMap(({ name, steps }) =>
      steps.flatMap((step) =>
        findOfflineProblems(scripts.get(step)!).map((problem) => ({ ...problem, database: name })),
      ),
    ),
  )
  const hooks = readOfflineHooks(root, parts)
  const release = releaseOf(
    direction,
    parts.flatMap(({ name, steps }) => steps.map((step) => [name, step.revision.id, scripts.get(step)!.checksum])),
  )
  const common = { direction, release, version: actor.version, gitCommit: actor.gitCommit, ...limits }
  return parts.map(({ name, history, steps }, index) => ({
    database: name,
    file: fileOf(parts, index),
    steps,
    sql:
      steps.length === 0
        ? `-- ${direction === 'up' ? 'upgrade' : 'downgrade'} of the database "${name}": nothing to do.\n`
        : writeOfflineScript({
            ...common,
            name,
            history,
            scripts: steps.map((step) => scripts.get(step)!),
            hooks: hooks[index]!,
          }),
  }))
}

/**
 * The hooks that belong to each part.
 * @throws {DroverError} with everything that would keep psql from running them
 */
function readOfflineHooks(root: string, parts: readonly OfflinePart[]): readonly (readonly HookScript[])[] {
  const problems: Problem[] = []
  const read = parts.map(({ name, steps, hooks }, index) => {
    const isOfIt = (part: OfflinePart) => part.name === name
    const isDue = {
      before: parts.findIndex(isOfIt) === index,
      after: parts.findLastIndex(isOfIt) === index,
      onFailure: true,
    }
    try {
      const own = steps.length === 0 ? [] : hooks.filter(({ moment }) => isDue[moment])
      const scripts = own.map((hook) => readHook(root, hook))
      const sent = scripts.filter(({ moment }) => moment !== 'onFailure')
      const faults = sent.flatMap((hook) => [...findHookProblems(hook), ...findOfflineHookProblems(hook)])
      problems.push(...faults.map((problem) => ({ ...problem, database: name })))
      return scripts
    } catch (error) {
      problems.push(...problemsOf(error, name))
      return []
    }
  })
  throwProblems(problems)
  return read
}

function findOneWay(database: string, steps: readonly Step[]): readonly Problem[] {
  return steps
    .filter(({ revision }) => !revision.reversible)
    .map(({ revision }) => ({
      code: 'IRREVERSIBLE',
      database,
      revision: revision.id,
      file: scriptFile(revision, 'down'),
      message: `${nameRevision(revision)} cannot be reverted: it has no ${missingWayBack(revision).name}`,
      hint: `write ${missingWayBack(revision).place}, or choose a range without this revision`,
    }))
}

function fileOf(parts: readonly OfflinePart[], index: number): string {
  const { name } = parts[index]!
  const own = parts.filter((part) => part.name === name)
  return own.length === 1 ? `${name}.sql` : `${name}.${own.indexOf(parts[index]!) + 1}.sql`
}

/** A UUID that is the same for the same work, so that the same plan gives the same scripts (RFC 9562, version 8). */
function releaseOf(direction: Direction, steps: readonly (readonly string[])[]): string {
  return uuidOf(JSON.stringify([direction, steps]))
}

/** A UUID that is the same for the same text. */
export function uuidOf(text: string): string {
  const digits = hash('sha256', text)
  const variant = '89ab'[Number.parseInt(digits[16]!, 16) % 4]!
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-')
}
