import { defineDatabase, defineHook, defineRunHook, defineWorkspace } from './define.ts'

// This file is compiled and never run: each declaration must be accepted, or refused where that is expected.

defineHook({
  async run({ sql, database, problem, log, signal }) {
    const rows = await sql<{ n: number }[]>`select 1 as n`
    log(`${database}: ${rows[0]?.n}, ${problem?.code ?? 'no problem'}, ${signal.aborted}`)
  },
})
defineRunHook({
  run: ({ command, direction, problems = [], log }) => log(`${command} ${direction} ${problems.length}`),
})
defineDatabase({ name: 'main', hooks: { before: './a.sql', after: ['./b.sql', './c.ts'] } })
defineWorkspace({ hooks: { onFailure: ['./a.ts'] } })

// @ts-expect-error A hook has something to run.
defineHook({})
// @ts-expect-error There is no database that a run as a whole would be about.
defineRunHook({ run: ({ sql }) => void sql })
// @ts-expect-error A misspelt moment is not ignored.
defineDatabase({ name: 'main', hooks: { onfailure: './a.sql' } })
// @ts-expect-error A database that migrates itself has no revisions to run hooks around.
defineDatabase({ kind: 'external', name: 'jobs', hooks: { before: './a.sql' } })
