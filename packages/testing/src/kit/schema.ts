import { posix } from 'node:path'

import { DroverError, type Problem, severalHeads } from '@drover/history'

import { diagnosed } from '../diagnosis.ts'
import { readSubject } from '../subject.ts'

/**
 * Makes sure that the revisions of a database make all that its Drizzle schema, and what is declared beside it, ask for: that
 * nobody has forgotten `pnpm migrate revision`. No server is needed; drizzle-kit is run.
 * @param name of the database in the workspace
 * @param options.root a folder in the workspace. Default: the current one
 * @throws {DroverError} `SCHEMA_CHANGED` with the statements that are missing, `USAGE` for a database without a schema, or what
 * is wrong with the schema or the snapshots
 */
export async function schemaMatchesHistory(name: string, options: { readonly root?: string } = {}): Promise<void> {
  await diagnosed(async () => {
    const { workspace, database, history } = await readSubject(name, options.root)
    const { folder, config } = database
    if (config.schema === undefined) {
      throw new DroverError({
        code: 'USAGE',
        database: database.name,
        message: `${folder}/database.ts names no Drizzle schema to compare its history with`,
        hint: `name it with "schema", or leave this test out`,
      })
    }
    if (history.heads.length > 1) throw new DroverError({ ...severalHeads(history.heads), database: database.name })
    const schema = posix.join(folder, config.schema)
    // It takes half a second to load, and most tests have no use for it.
    const { compareSchema, startKit } = await import('@drover/drizzle')
    await using kit = startKit(workspace.root)
    const target = {
      source: { root: workspace.root, folder: database.migrations },
      history,
      parents: history.heads.map((head) => head.id),
      schema,
      objects: database.objects,
    }
    const comparison = await compareSchema(kit, target, { renames: [], created: [], noRename: true })
    if (comparison.kind === 'unchanged') return
    const about = (problem: Problem) => ({ ...problem, database: database.name })
    const [refused, ...others] = comparison.kind === 'refused' ? comparison.problems.map(about) : []
    if (refused) throw new DroverError([refused, ...others])
    const change = comparison.kind === 'changed' ? comparison.change : undefined
    // What drizzle-kit would do; declared objects are not its own.
    const diff = change && (await kit.diff(change.before, change.after, change.hints))
    const missing = diff?.ok ? diff.statements : []
    throw new DroverError({
      code: 'SCHEMA_CHANGED',
      database: database.name,
      file: schema,
      message: `${schema}, or what is declared beside it, has changes that no revision makes`,
      serverNotes: missing.slice(0, most).concat(missing.length > most ? [`and ${missing.length - most} more`] : []),
      hint: `make the revision: pnpm migrate revision "…" -d ${database.name}`,
    })
  })
}

/** As many statements as tell what was forgotten. */
const most = 10
