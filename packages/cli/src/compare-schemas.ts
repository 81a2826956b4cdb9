import { join } from 'node:path'

import { compareSchema, type Kit, startKit } from '@drover/drizzle'
import type { History, Problem } from '@drover/history'
import { type Database, findUnclassified, loadDataMap, problemsOf, type Workspace } from '@drover/orchestrator'

import { schemaFileOf } from './schema-file.ts'

/** A database whose schema is to be compared; without a history when that could not be read. */
interface Comparable {
  readonly database: Database
  readonly history?: History
}

/** Compares Drizzle schemas with histories and with data maps. Disposing of it ends drizzle-kit. */
export interface SchemaComparer extends AsyncDisposable {
  /**
   * What is in a schema or among the declared objects and in no revision, one problem for each database, and the columns of
   * schemas that a data map says nothing of.
   */
  findChanges(subjects: readonly Comparable[]): Promise<readonly Problem[]>
}

/** Starts drizzle-kit if any of the databases has a schema. */
export function startComparing(workspace: Workspace, databases: readonly Database[]): SchemaComparer {
  if (databases.every((database) => schemaFileOf(database) === undefined)) {
    return { findChanges: async () => [], [Symbol.asyncDispose]: async () => {} }
  }
  const kit = startKit(workspace.root)
  const findChange = async ({ database, history }: Comparable): Promise<readonly Problem[]> => {
    const schema = schemaFileOf(database)
    // With several heads there is not one state to compare with, which is a finding of its own.
    if (schema === undefined || !history || history.heads.length > 1) return []
    const target = {
      source: { root: workspace.root, folder: database.migrations },
      history,
      parents: history.heads.map((head) => head.id),
      schema,
      objects: database.objects,
    }
    try {
      const comparison = await compareSchema(kit, target, { renames: [], created: [], noRename: true })
      if (comparison.kind === 'refused') {
        return comparison.problems.map((problem) => ({ ...problem, database: database.name }))
      }
      return comparison.kind === 'unchanged' ? [] : [schemaChanged(database, schema)]
    } catch (error) {
      return problemsOf(error, database.name)
    }
  }
  return {
    findChanges: async (subjects) => {
      const found: Problem[] = []
      for (const subject of subjects) {
        found.push(...(await findChange(subject)))
        found.push(...(await compareDataMap(kit, workspace, subject.database)))
      }
      return found
    },
    [Symbol.asyncDispose]: () => kit[Symbol.asyncDispose](),
  }
}

/** What a data map does not say of the schema as it is, be it in a revision or not. */
async function compareDataMap(kit: Kit, workspace: Workspace, database: Database): Promise<readonly Problem[]> {
  const schema = schemaFileOf(database)
  if (schema === undefined || database.config.personalData === undefined) return []
  try {
    const map = await loadDataMap(workspace.root, database)
    const state = await kit.readSchema(join(workspace.root, schema))
    const columns = state.ddl
      .filter((entity) => entity.entityType === 'columns')
      .map(({ schema: namespace, table, name }) => ({
        table: namespace === undefined || namespace === 'public' ? table! : `${namespace}.${table}`,
        column: name,
      }))
    return findUnclassified(map!, columns).map((problem) => ({ ...problem, database: database.name }))
  } catch (error) {
    // A schema that cannot be loaded has been reported when it was compared with the history.
    return problemsOf(error, database.name).filter(({ code }) => code !== 'SCHEMA_INVALID')
  }
}

function schemaChanged({ name }: Database, schema: string): Problem {
  return {
    code: 'SCHEMA_CHANGED',
    database: name,
    file: schema,
    message: `${schema}, or what is declared beside it, has changes that no revision makes`,
    hint: `make the revision: pnpm migrate revision "…" -d ${name}`,
  }
}
