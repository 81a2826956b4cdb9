import { readdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache()
const { startKit } = await import('@drover/drizzle')

// What `revision` asks drizzle-kit when nothing has changed, and nothing else of it.
const databases = join(process.cwd(), 'databases')
await using kit = startKit(process.cwd())
for (const name of readdirSync(databases)) {
  const migrations = join(databases, name, 'migrations')
  const history = readdirSync(migrations).map((folder) => ({ folder: join(migrations, folder) }))
  const schema = join(databases, name, 'src', 'schema', 'index.ts')
  const comparison = await kit.compare(schema, history, [])
  if (comparison.changed) throw new Error(`the schema of ${name} is not as its history has it`)
}
