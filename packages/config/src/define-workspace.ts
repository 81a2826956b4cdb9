import * as v from 'valibot'

import { describeIssue } from './describe-issue.ts'
import { type Hooks, type HooksConfig, runHooksSchema } from './hooks.ts'

/** What `drover.config.ts` in the workspace's root declares. Paths are relative to that folder. */
export interface WorkspaceDeclaration {
  /** Files of TypeScript that run once a run, before, behind or after the failure of all databases. Default none. */
  readonly hooks?: Hooks
}

/** A declaration with its defaults filled in. */
export interface WorkspaceConfig {
  readonly hooks: HooksConfig
}

/** A valid configuration, or one line for each field that is wrong. */
export type WorkspaceConfigResult =
  | { readonly ok: true; readonly config: WorkspaceConfig }
  | { readonly ok: false; readonly faults: readonly string[] }

const schema = v.objectWithRest({ hooks: v.optional(runHooksSchema, {}) }, v.never())

/** Validates what a `drover.config.ts` exported. Unknown fields are faults. */
export function parseWorkspaceConfig(exported: unknown): WorkspaceConfigResult {
  const result = v.safeParse(schema, exported)
  if (!result.success)
    return { ok: false, faults: result.issues.map((issue) => describeIssue(issue, 'defineWorkspace')) }
  return { ok: true, config: result.output }
}
