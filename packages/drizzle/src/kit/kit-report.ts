import * as v from 'valibot'

import type { KitConflict } from './kit.ts'
import { folderKey, invalid, restore, type Snapshot } from './snapshot-files.ts'

/**
 * Reads why drizzle-kit's `check` refuses a migrations folder that holds a history.
 * @throws {KitFault} when the reason is not that its branches conflict
 */
export function readConflicts(error: unknown, history: readonly Snapshot[]): readonly KitConflict[] {
  const report = v.safeParse(conflicts, error)
  if (!report.success) throw describeRefusal(error, history)
  return report.output.details.map(({ branches }) => ({
    object: describe(branches[0].target),
    folders: branches.map((branch) => folderOf(branch, history)),
  }))
}

/** The end of a request over snapshots that drizzle-kit does not take. */
export function describeRefusal(error: unknown, history: readonly Snapshot[]): Error {
  const text = JSON.stringify(error)
  const culprit = history.find((_, at) => text.includes(folderKey(at))) ?? history.at(-1)
  const { kind, message, code } = v.parse(refusal, error)
  const reason = (kind ?? message ?? code).replaceAll('_', ' ')
  return culprit === undefined
    ? new Error(reason)
    : invalid(culprit.file, `is not what drizzle-kit wrote (${reason})`, restore)
}

const refusal = v.object({ code: v.string(), kind: v.optional(v.string()), message: v.optional(v.string()) })

const branch = v.object({
  leafPath: v.nullable(v.string()),
  statementDescription: v.string(),
  target: v.object({
    kind: v.string(),
    schema: v.optional(v.string()),
    table: v.optional(v.string()),
    name: v.optional(v.string()),
  }),
})

const conflicts = v.object({
  kind: v.literal('conflicts'),
  details: v.array(v.object({ branches: v.tuple([branch, branch]) })),
})

function describe({ kind, schema, table, name }: v.InferOutput<typeof branch>['target']): string {
  return `${kind} ${[schema, table, name].filter((part) => part !== undefined).join('.')}`
}

/** The revision whose statement it is, which need not be the head of its branch. */
function folderOf(
  { statementDescription, leafPath }: v.InferOutput<typeof branch>,
  history: readonly Snapshot[],
): string {
  const key = /\(([^()]+)\)$/.exec(statementDescription)?.[1]
  const found = history.find((_, at) => folderKey(at) === key || leafPath?.endsWith(folderKey(at)))
  return found?.folder ?? statementDescription
}
