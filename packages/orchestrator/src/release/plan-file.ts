import { hash } from 'node:crypto'

import type { Script } from '@drover/engine'
import { type AppliedRevision, DroverError, type Phase, phases, type Step } from '@drover/history'
import * as v from 'valibot'

import type { ReleasePlan } from './plan-release.ts'

/** The version of the format; grows with every change, as a file of another version is never run. */
const formatVersion = 1

const id = v.pipe(v.string('must be a string'), v.regex(/^[0-9a-f]{12}$/, 'must be 12 hex digits (0-9, a-f)'))
const text = v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'))
const digest = v.pipe(v.string('must be a string'), v.regex(/^sha256:[0-9a-f]{64}$/, 'must be a SHA-256 checksum'))
const sideDigest = v.pipe(
  v.string('must be a string'),
  v.regex(/^sha256:[0-9a-f]{64}(?:\/[0-9a-f]{64})?$/, 'must be the checksum of an SQL file'),
)

const planSchema = v.pipe(
  v.strictObject(
    {
      formatVersion: v.literal(formatVersion, `must be ${formatVersion}`),
      direction: v.picklist(['up', 'down'], 'must be "up" or "down"'),
      target: text,
      allowOutOfOrder: v.boolean('must be true or false'),
      phase: v.exactOptional(v.picklist(phases, 'must be "expand", "backfill" or "contract"')),
      scope: v.picklist(['all', 'some'], 'must be "all" or "some"'),
      databases: v.array(
        v.strictObject(
          {
            name: text,
            current: v.array(id, 'must be a list of ids'),
            applied: digest,
            // Of the script that is loaded instead of the first steps.
            snapshot: v.exactOptional(digest),
          },
          'must be an object',
        ),
        'must be a list of databases',
      ),
      steps: v.array(
        v.strictObject(
          { database: text, revision: id, message: v.string('must be a string'), checksum: sideDigest },
          'must be an object',
        ),
        'must be a list of steps',
      ),
    },
    'must be an object',
  ),
  v.check(({ databases }) => areDistinct(databases.map(({ name }) => name)), 'its "databases" names one of them twice'),
  v.check(
    ({ databases, steps }) => steps.every((step) => databases.some(({ name }) => name === step.database)),
    'its "steps" names a database that is not among its "databases"',
  ),
  v.check(
    ({ steps }) => areDistinct(steps.map((step) => `${step.database}/${step.revision}`)),
    'its "steps" names a revision twice',
  ),
  v.readonly(),
)

/** A release as it was planned: its steps in order, and what they were planned on. */
export type PlanFile = v.InferOutput<typeof planSchema>

/** What a plan was asked for. */
export interface PlanRequest {
  /** As it was typed. */
  readonly target: string
  readonly allowOutOfOrder: boolean
  /** The last phase of which anything runs. Everything does when it is missing. */
  readonly phase?: Phase
  /** Whether it is for all databases of the workspace, or for those that were named. */
  readonly scope: PlanFile['scope']
}

/** Writes down a plan. `scripts` holds the sides that run. */
export function describePlanFile(
  plan: ReleasePlan,
  request: PlanRequest,
  scripts: ReadonlyMap<Step, Script>,
): PlanFile {
  return {
    formatVersion,
    direction: plan.direction,
    ...request,
    databases: plan.databases.map(({ member, status, snapshot }) => ({
      name: member.database.name,
      current: [...status.current],
      applied: digestOfApplied(member.state.applied),
      ...(snapshot && { snapshot: snapshot.content }),
    })),
    steps: plan.segments.flatMap(({ database, steps }) =>
      steps.map((step) => ({
        database: database.member.database.name,
        revision: step.revision.id,
        message: step.revision.message,
        checksum: scripts.get(step)!.checksum,
      })),
    ),
  }
}

/** A plan as the text of a file. Equal plans give equal text. */
export function encodePlanFile(plan: PlanFile): string {
  return `${JSON.stringify(plan, null, 2)}\n`
}

/**
 * Reads the text of a file, strictly: what is missing, misspelt or of another version of the format is refused.
 * @param file how messages name it
 * @throws {DroverError} `PLAN_INVALID`
 */
export function decodePlanFile(source: string, file: string): PlanFile {
  const json = parseJson(source)
  if ('fault' in json) throw invalid(`${file} is not a plan: it is not JSON (${json.fault})`)
  const version = versionOf(json.value)
  if (version !== undefined && version !== formatVersion) {
    throw invalid(`${file} has format ${version}, of another version of Drover; this one knows format ${formatVersion}`)
  }
  const result = v.safeParse(planSchema, json.value)
  if (result.success) return result.output
  const faults = result.issues.map((issue) => {
    const field = v.getDotPath(issue)
    if (field === null) return issue.message
    if (issue.expected === 'never') return `"${field}" is not a field of a plan`
    return issue.received === 'undefined' ? `"${field}" is missing` : `"${field}" ${issue.message}`
  })
  throw invalid(`${file} is not a plan: ${faults.join('; ')}`)
}

/** What a database has had, as one checksum: of which revisions, and with which SQL. Their order in time does not count. */
export function digestOfApplied(applied: readonly Pick<AppliedRevision, 'id' | 'checksum'>[]): string {
  const lines = applied.map((row) => `${row.id} ${row.checksum}\n`).toSorted()
  return `sha256:${hash('sha256', lines.join(''))}`
}

function parseJson(source: string): { readonly value: unknown } | { readonly fault: string } {
  try {
    return { value: JSON.parse(source.replace(/^\uFEFF/, '')) }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

function versionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('formatVersion' in value)) return undefined
  return typeof value.formatVersion === 'number' ? value.formatVersion : undefined
}

function areDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length
}

function invalid(message: string): DroverError {
  return new DroverError({
    code: 'PLAN_INVALID',
    message,
    hint: 'make a new plan: pnpm migrate plan --out plan.json',
  })
}
