/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access -- No types: what it imports is installed by the benchmark, beside it. */
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { drizzle } from 'drizzle-orm/postgres-js'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { migrate } from 'drizzle-orm/postgres-js/migrator'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import postgres from 'postgres'

// Usage: drizzle-orm.mjs up|load <folder>
const [what, migrationsFolder] = process.argv.slice(2)
if (what === 'up') {
  const client = postgres(process.env.DATABASE_URL, { max: 1, onnotice: () => {} })
  await migrate(drizzle(client), { migrationsFolder })
  await client.end()
}
