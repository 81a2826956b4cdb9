import { type ExampleSql, exampleScripts } from '../run/example-plan.ts'
import { type ExportFormat, exportHistory, type ExportOptions, findExportProblems } from './export-history.ts'
import type { ExportedRevision } from './unit.ts'

const migrations = 'migrations'

/** Revisions with the given SQL, in a line. One without a `down` has no way back. */
export function exampleRevisions(sources: readonly ExampleSql[]): readonly ExportedRevision[] {
  const downs = exampleScripts(sources, 'down').toReversed()
  return exampleScripts(sources).map((up, at) => ({
    revision: up.revision,
    up,
    ...(sources[at]!.down !== undefined && { down: downs[at]! }),
  }))
}

/** What they are exported as: the texts by name, without the two lines at the head and the blank one below. */
export function exportExample(
  sources: readonly ExampleSql[],
  format: ExportFormat,
  schema?: ExportOptions['schema'],
): Readonly<Record<string, string>> {
  const files = exportHistory(exampleRevisions(sources), { format, migrations, ...(schema && { schema }) })
  return Object.fromEntries(files.map(({ name, text }) => [name, text.split('\n').slice(3).join('\n')]))
}

/** What keeps them from being exported. */
export function problemsOfExample(
  sources: readonly ExampleSql[],
  format: ExportFormat,
  schema?: ExportOptions['schema'],
): ReturnType<typeof findExportProblems> {
  return findExportProblems(exampleRevisions(sources), { format, migrations, ...(schema && { schema }) })
}
