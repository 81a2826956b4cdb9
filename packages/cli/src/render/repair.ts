import { type Revision, scriptFile } from '@drover/history'
import type { DatabaseRepair } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count } from './text.ts'

/** What needs to be known of a database to tell of its repair. */
type Repaired = { readonly member: { readonly database: { readonly name: string } } } & Pick<
  DatabaseRepair,
  'revisions'
>

/** What a repair does, or has done, to one database. */
export function describeRepair(
  { member, revisions }: Repaired,
  status: 'planned' | 'repaired',
  style: Style,
): readonly string[] {
  const name = style.strong(member.database.name)
  if (revisions.length === 0) return [`${name}: nothing to repair`]
  const verb = status === 'planned' ? 'would remember' : 'now remembers'
  return [
    `${name}: ${verb} ${count(revisions.length, 'file')} as ${revisions.length === 1 ? 'it is' : 'they are'}`,
    ...revisions.map((revision) => `  ${revision.id} ${revision.message}`),
  ]
}

/** One database in the document of `repair`. */
export function repairJson(
  { member, revisions }: Repaired,
  status: 'planned' | 'repaired',
): { readonly name: string; readonly repairs: readonly object[] } {
  const repairs = revisions.map((revision: Revision) => ({
    revision: revision.id,
    message: revision.message,
    file: scriptFile(revision, 'up'),
    status,
  }))
  return { name: member.database.name, repairs }
}
