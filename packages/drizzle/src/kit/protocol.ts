import type { Problem } from '@drover/history'

import type { Kit } from './kit.ts'

/** What the child process does for its parent: everything that a Kit does. Snapshots are folders. */
type KitOperations = Omit<Kit, typeof Symbol.asyncDispose>

/** One of the operations, and what it is to work on. */
export type KitRequest = {
  readonly [Name in keyof KitOperations]: { readonly operation: Name; readonly args: Parameters<KitOperations[Name]> }
}[keyof KitOperations]

/** What came of a request. Files of problems are absolute paths. */
export type KitAnswer<Value = unknown> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] }
