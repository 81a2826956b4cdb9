import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { type Kit, startKit } from '@drover/drizzle'

import { repository } from '../harness/repository-databases.ts'

/** What drizzle-kit makes of the schema of one database. */
export interface SchemaComparison {
  readonly name: string
  /** The statements that lead from the last snapshot to the schema. */
  readonly difference: readonly string[]
  /** The statements that make all of the schema in an empty database. */
  readonly all: readonly string[]
}

/** Compares the schemas of databases with their histories. */
export async function compareSchemas(names: readonly string[]): Promise<readonly SchemaComparison[]> {
  await using kit = startKit(repository)
  const comparisons: SchemaComparison[] = []
  for (const name of names) {
    const database = join(repository, 'databases', name)
    const migrations = join(database, 'migrations')
    const schema = join(database, 'src', 'schema', 'index.ts')
    const history = (await readdir(migrations)).toSorted().map((folder) => ({ folder: join(migrations, folder) }))
    comparisons.push({
      name,
      difference: statementsOf(await kit.compare(schema, history, [])),
      all: statementsOf(await kit.compare(schema, [], [])),
    })
  }
  return comparisons
}

function statementsOf(comparison: Awaited<ReturnType<Kit['compare']>>): readonly string[] {
  if (!comparison.changed) return []
  if (!comparison.diff.ok) throw new Error('drizzle-kit asks what has been renamed')
  return comparison.diff.statements
}
