/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return -- No types: what it imports is installed by the benchmark, beside it. */
import { readFileSync } from 'node:fs'

// @boundaries-ignore -- Installed by the benchmark, beside this program.
import pg from 'pg'
// @boundaries-ignore -- Installed by the benchmark, beside this program.
import { Umzug } from 'umzug'

// Umzug brings neither files of SQL nor a table for PostgreSQL: both are as its documentation shows them.
// Usage: umzug.mjs up|down|load <folder>
const [what, folder] = process.argv.slice(2)
if (what !== 'load') {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query('create table if not exists umzug (name text primary key)')
  const umzug = new Umzug({
    migrations: {
      glob: `${folder}/*.up.sql`,
      resolve: ({ name, path }) => ({
        name,
        up: () => client.query(readFileSync(path, 'utf8')),
        down: () => client.query(readFileSync(path.replace('.up.sql', '.down.sql'), 'utf8')),
      }),
    },
    storage: {
      logMigration: ({ name }) => client.query('insert into umzug (name) values ($1)', [name]),
      unlogMigration: ({ name }) => client.query('delete from umzug where name = $1', [name]),
      executed: async () => (await client.query('select name from umzug order by name')).rows.map(({ name }) => name),
    },
    logger: undefined,
  })
  if (what === 'up') await umzug.up()
  else await umzug.down({ to: 0 })
  await client.end()
}
