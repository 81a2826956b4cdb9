import { randomUUID } from 'node:crypto'

import { type Batch, buildHistory, checksum, type Direction, type History, type Revision } from '@drover/history'

import type { Script } from '../source/script.ts'
import { splitStatements } from '../source/statements.ts'
import type { Run } from '../store/runs.ts'

/** The SQL of an example revision; the way back is empty unless given. */
export interface ExampleSql {
  readonly up: string
  readonly down?: string
  readonly transaction?: 'none' | 'own'
  readonly batch?: Batch
}

/** A run of the history `main`, for tests. */
export function exampleRun(command = 'upgrade'): Run {
  const actor = { osUser: "o'neill", host: 'box\\1', pid: 4711, version: '0.0.0', gitCommit: undefined }
  return { id: randomUUID(), release: randomUUID(), history: 'main', command, actor }
}

/** A history of revisions that follow each other, with the ids `000000000001`, `000000000002` and so on. */
export function exampleHistory(count: number): History {
  const built = buildHistory(Array.from({ length: count }, (_, index) => exampleRevision(index + 1)))
  if (!built.ok) throw new Error('a line of revisions is a history')
  return built.history
}

/** The scripts of that history for the given SQL, in the order in which they run. */
export function exampleScripts(sources: readonly ExampleSql[], direction: Direction = 'up'): readonly Script[] {
  const scripts = sources.map((source, index) => {
    const revision = {
      ...exampleRevision(index + 1),
      ...(source.transaction && { transaction: source.transaction }),
      ...(source.batch && { batch: source.batch }),
    }
    const sql = direction === 'up' ? source.up : (source.down ?? '')
    const file = `${revision.folder}/${direction === 'up' ? 'migration' : 'down'}.sql`
    return { revision, direction, file, sql, statements: splitStatements(sql), checksum: checksum(sql) }
  })
  return direction === 'up' ? scripts : scripts.toReversed()
}

function exampleRevision(number: number): Revision {
  return {
    id: exampleId(number),
    parents: number === 1 ? [] : [exampleId(number - 1)],
    dependsOn: [],
    labels: [],
    message: `step ${number}`,
    created: new Date(Date.UTC(2026, 10, number)).toISOString(),
    folder: `migrations/${number}`,
    reversible: true,
  }
}

/** The id of the revision with that number. */
export function exampleId(number: number): string {
  return String(number).padStart(12, '0')
}
