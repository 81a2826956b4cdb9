import { join } from 'node:path'

import type { FileChange } from '../export-folder.ts'
import type { Style } from './style.ts'
import { count } from './text.ts'

/** A history as it is exported. */
export interface Exported {
  readonly database: string
  readonly format: string
  /** As it was typed. */
  readonly folder: string
  /** How many revisions it has. */
  readonly revisions: number
  readonly changes: readonly FileChange[]
  readonly isDry: boolean
}

/** What was written, a line each; what is as it was is counted alone. */
export function describeExport(exported: Exported, style: Style): readonly string[] {
  const { database, format, folder, revisions, changes, isDry } = exported
  const of = (kind: FileChange['kind']) => changes.filter((change) => change.kind === kind)
  const lines = [...of('new'), ...of('stale')].map(
    (change) => `  ${verbOf(change, isDry)} ${join(folder, change.name)}`,
  )
  const unchanged = of('unchanged').length
  const summary = `${count(revisions, 'revision')} for ${format} in ${folder}`
  const numbers = [
    ...(of('new').length > 0 ? [`${count(of('new').length, 'file')} ${isDry ? 'to write' : 'written'}`] : []),
    ...(of('stale').length > 0 ? [`${of('stale').length} ${isDry ? 'to remove' : 'removed'}`] : []),
    ...(unchanged > 0 ? [`${unchanged} as ${unchanged === 1 ? 'it was' : 'they were'}`] : []),
  ]
  const what = numbers.length === 0 ? 'nothing to write' : numbers.join(', ')
  return [`${style.strong(database)}: ${summary}: ${what}`, ...lines]
}

/** The same for programs. */
export function exportJson({ database, format, folder, changes, isDry }: Exported): object {
  return {
    name: database,
    format,
    folder,
    files: changes.map(({ name, kind, revision }) => ({
      file: join(folder, name),
      revision: revision ?? null,
      status: statuses[kind][isDry ? 'dry' : 'done'],
    })),
  }
}

const statuses = {
  new: { done: 'written', dry: 'planned' },
  unchanged: { done: 'unchanged', dry: 'unchanged' },
  stale: { done: 'removed', dry: 'stale' },
} as const

function verbOf({ kind }: FileChange, isDry: boolean): string {
  if (kind === 'stale') return isDry ? 'would remove' : 'removed'
  return isDry ? 'would write' : 'wrote'
}
