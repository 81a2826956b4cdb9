import { ConnectionUrl, openConnection } from '@drover/engine'
import { buildHistory } from '@drover/history'

import { exampleDatabase } from '../workspace/example-database.ts'
import type { Member } from './fleet.ts'

/**
 * A member for tests of what is decided without a server: nothing is ever sent on its connection. `parents` holds the
 * parents of each revision, by id, and `elsewhere` what it depends on in other databases (`credentials/a`); all are created at the same moment, so the graph leaves them in alphabetical order.
 */
export function exampleMember(
  name: string,
  parents: Readonly<Record<string, readonly string[]>>,
  applied: readonly string[] = [],
  irreversible: readonly string[] = [],
  elsewhere: Readonly<Record<string, readonly string[]>> = {},
): Member {
  const built = buildHistory(
    Object.entries(parents).map(([id, own]) => ({
      id,
      parents: own,
      dependsOn: [],
      dependsOnElsewhere: (elsewhere[id] ?? []).map((text) => {
        const [other, revision] = text.split('/')
        return { database: other!, revision: revision! }
      }),
      labels: [],
      message: `make ${id}`,
      created: '2026-11-20T10:00:00Z',
      folder: `databases/${name}/migrations/${id}`,
      reversible: !irreversible.includes(id),
    })),
  )
  if (!built.ok) throw new Error(built.problems.map((problem) => problem.message).join('\n'))
  const database = exampleDatabase(name)
  const url = ConnectionUrl.parse(`postgres://nobody@127.0.0.1:9/${name}`, 'the test')
  return {
    database,
    located: { database, url, development: false },
    history: built.history,
    connection: openConnection(url),
    state: {
      applied: applied.map((id) => ({ id, checksum: `checksum of ${id}`, appliedAt: '2026-11-20T11:00:00.000Z' })),
      identity: name,
      initialised: true,
    },
    created: false,
  }
}
