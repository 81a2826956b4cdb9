/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access -- No types: what it imports is installed by the benchmark, beside it. */
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import pg from 'pg'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { migrate } from 'postgres-migrations'

// Usage: postgres-migrations.mjs up|load <folder>
const [what, folder] = process.argv.slice(2)
if (what === 'up') {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await migrate({ client }, folder)
  await client.end()
}
