import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import postgres from 'postgres'

// The least that a runner in Node does: a row of history and a transaction for each revision, and only the last one waits for the
// disk. No checksums, no lease, no record of who did it. Usage: bare-runner.ts up|down <folder> <url> [<folder> <url> …]
const [direction, ...rest] = process.argv.slice(2)
const places = rest.flatMap((folder, index) => (index % 2 === 0 ? [{ folder, url: rest[index + 1]! }] : []))
await Promise.all(places.map(({ folder, url }) => (direction === 'down' ? revert(folder, url) : apply(folder, url))))

async function apply(folder: string, url: string): Promise<void> {
  const sql = connect(url)
  await sql
    .unsafe('create table if not exists bare (name text primary key, at timestamptz not null default now())')
    .simple()
  const applied = new Set((await sql<{ name: string }[]>`select name from bare`.simple()).map(({ name }) => name))
  const names = readdirSync(folder)
    .toSorted()
    .filter((name) => !applied.has(name))
  for (const [index, name] of names.entries()) {
    const text = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
    const commit = index === names.length - 1 ? 'on' : 'off'
    await sql
      .unsafe(`set local synchronous_commit to ${commit};\n${text}\n;insert into bare (name) values ('${name}')`)
      .simple()
  }
  await sql.end()
}

async function revert(folder: string, url: string): Promise<void> {
  const sql = connect(url)
  const names = (await sql<{ name: string }[]>`select name from bare order by name desc`.simple()).map(
    ({ name }) => name,
  )
  for (const [index, name] of names.entries()) {
    const text = readFileSync(join(folder, name, 'down.sql'), 'utf8')
    const commit = index === names.length - 1 ? 'on' : 'off'
    await sql
      .unsafe(`set local synchronous_commit to ${commit};\n${text}\n;delete from bare where name = '${name}'`)
      .simple()
  }
  await sql.end()
}

function connect(url: string) {
  return postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
}
