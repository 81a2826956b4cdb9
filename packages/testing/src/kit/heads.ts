import { readHistory } from '@drover/engine'
import { type Problem, severalHeads, throwProblems } from '@drover/history'
import { discoverWorkspace, isExternal, problemsOf, selectDatabases } from '@drover/orchestrator'

import { diagnosed } from '../diagnosis.ts'

/**
 * Makes sure that no history has several heads, which is how two branches of the repository end that each brought a revision. No
 * server is needed.
 * @param options.databases names. Default: all of the workspace
 * @param options.root a folder in the workspace. Default: the current one
 * @throws {DroverError} `SEVERAL_HEADS` with the heads of each, or what is wrong with the files
 */
export async function headsAreSingle(
  options: { readonly databases?: readonly string[]; readonly root?: string } = {},
): Promise<void> {
  await diagnosed(async () => {
    const workspace = await discoverWorkspace(options.root ?? process.cwd())
    const databases = selectDatabases(workspace, options.databases ?? []).filter((database) => !isExternal(database))
    const problems = databases.flatMap(({ name, migrations }): readonly Problem[] => {
      try {
        const { heads } = readHistory({ root: workspace.root, folder: migrations })
        return heads.length > 1 ? [{ ...severalHeads(heads), database: name }] : []
      } catch (error) {
        return problemsOf(error, name)
      }
    })
    throwProblems(problems)
  })
}
