/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return -- No types: what it imports is installed by the benchmark, beside it. */
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { drizzle } from 'drizzle-orm/postgres-js'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { migrate } from 'drizzle-orm/postgres-js/migrator'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import postgres from 'postgres'

// The loop that somebody writes who has drizzle-orm and a schema for each tenant, with a few of them at a time.
// Usage: drizzle-loop.mjs <folder> <connections> [<slug>]
const [migrationsFolder, connections, only] = process.argv.slice(2)
const registry = connect()
const slugs = only ? [only] : (await registry`select slug from tenants order by slug`).map(({ slug }) => slug)
await registry.end()
await Promise.all(Array.from({ length: Number(connections) }, upgradeNext))

async function upgradeNext() {
  const client = connect()
  for (let slug = slugs.shift(); slug !== undefined; slug = slugs.shift()) {
    const migrationsSchema = `tenant_${slug}`
    await client`create schema if not exists ${client(migrationsSchema)}`
    await client`select set_config('search_path', ${migrationsSchema}, false)`
    await migrate(drizzle(client), { migrationsFolder, migrationsSchema })
  }
  await client.end()
}

function connect() {
  return postgres(process.env.DATABASE_URL, { max: 1, onnotice: () => {} })
}
