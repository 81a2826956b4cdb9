import type { Problem } from '@drover/history'
import { type DataMap, loadDataMap, problemsOf } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { commentsOf, dataMapJson, describeDataMap } from '../render/data-map.ts'
import type { CommonOptions, Session } from '../session.ts'

interface DataMapOptions extends CommonOptions {
  readonly sql?: boolean
}

/**
 * Shows what databases declare about their personal data, as Markdown, JSON or SQL. Needs no server, and does not ask
 * whether the map is complete: that is for `check`.
 */
export async function dataMap(session: Session, options: DataMapOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace()
  const found: { readonly name: string; readonly map: DataMap | undefined }[] = []
  const problems: Problem[] = []
  for (const database of selected) {
    try {
      found.push({ name: database.name, map: await loadDataMap(workspace.root, database) })
    } catch (error) {
      problems.push(...problemsOf(error, database.name))
    }
  }
  const blocks = found.flatMap(({ name, map }) => {
    if (!map) return []
    return options.sql ? [commentsOf(map)] : [describeDataMap(name, map)]
  })
  if (blocks.length > 0) session.print(blocks.join('\n\n'))
  const silent = found.filter(({ map }) => !map).map(({ name }) => name)
  if (silent.length > 0) session.progress(`no data map is declared by ${silent.join(', ')}`)
  return session.finish({ databases: found.map(({ name, map }) => dataMapJson(name, map)) }, problems)
}
