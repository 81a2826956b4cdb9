import { defineMigration } from './define.ts'
import type { Migration } from './migration.ts'

// This file is compiled and never run: each declaration must be accepted, or refused where that is expected.

defineMigration({
  async up({ sql, log, progress, signal }) {
    const rows = await sql<{ id: number }[]>`select id from users`
    for (const { id } of rows) {
      signal.throwIfAborted()
      await sql`update users set slug = ${`user-${id}`} where id = ${id}`
    }
    await sql.savepoint(async (inner) => {
      await inner`delete from users`
    })
    log('done')
    progress(rows.length)
    progress(rows.length, rows.length)
  },
  down: async ({ sql }) => {
    await sql`update users set slug = null`
  },
})
defineMigration({ up: () => {} })

// @ts-expect-error What a revision does, it has to say.
defineMigration({ down: () => {} })
// @ts-expect-error A misspelt side is not ignored.
defineMigration({ up: () => {}, dwon: () => {} })
defineMigration({
  async up({ sql }) {
    // @ts-expect-error It is in a transaction already.
    void sql.begin
  },
})

export const migration: Migration = defineMigration({ up: () => {} })
