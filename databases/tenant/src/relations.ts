import { defineRelations } from 'drizzle-orm'

import * as schema from './schema/index.ts'

/** What hangs together, for `client.query`. */
export const relations = defineRelations(schema, (r) => ({
  contexts: {
    summaries: r.many.summaries({ from: r.contexts.id, to: r.summaries.contextId }),
  },
  summaries: {
    context: r.one.contexts({ from: r.summaries.contextId, to: r.contexts.id, optional: false }),
  },
}))
