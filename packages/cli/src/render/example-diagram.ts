import type { DiagramHistory } from './diagram.ts'
import { exampleRevisions } from './example-drawing.ts'
import type { Standing } from './graph.ts'

/** Two databases: a diamond in one, and one whose last revision depends on it and on a database that is not shown. */
export const exampleHistories: readonly DiagramHistory[] = [
  { database: 'credentials', revisions: exampleRevisions('a, b<a, c<a, d<b+c') },
  {
    database: 'main-eu',
    revisions: exampleRevisions('a, b<a~a').map((revision) =>
      revision.id === 'a'
        ? revision
        : {
            ...revision,
            labels: ['billing', 'eu'],
            dependsOnElsewhere: [
              { database: 'credentials', revision: 'd' },
              { database: 'gdpr', revision: '3f9c' },
            ],
          },
    ),
  },
]

/** A line of three, of which the second is where the database stands. */
export const standingHistory: DiagramHistory = {
  database: 'main',
  revisions: exampleRevisions('a, b<a, c<b'),
  standingOf: (id) => ({ a: 'applied', b: 'current' } as Readonly<Record<string, Standing>>)[id] ?? 'pending',
}
