import { cp, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { environmentOf, script } from './fleet.ts'
import { measure, type Subject } from './measure.ts'
import { compare, type Report } from './report.ts'
import { startBenchServer } from './server.ts'

/** What everything else is compared with: drizzle-kit as Node loads it. */
const baseline = 'import drizzle-kit'

/** Wall ratios to the baseline. */
const aims = { 'migrate revision': 1.5 }

/** How long it takes to find that no Drizzle schema of four has changed, beside loading drizzle-kit. */
export async function measureAutogenerate(rounds: number): Promise<Report> {
  await using server = await startBenchServer()
  const root = join(server.scratch, 'workspace')
  await copyDatabases(root)
  const env = environmentOf(server, process.env['PATH'])
  const importing = ['-e', `import(${JSON.stringify(import.meta.resolve('drizzle-kit/api-postgres'))})`]
  const subjects: readonly Subject[] = [
    { name: baseline, args: importing, env: { PATH: env['PATH']! } },
    { name: `${baseline}, cached`, args: importing, env },
    { name: 'schemas alone', args: [join(import.meta.dirname, 'schemas-alone.ts')], env },
    { name: 'migrate revision', args: [script, 'revision', 'nothing has changed'], env },
  ]
  const place = { cwd: root, scratchFile: join(server.scratch, 'cpu') }

  // Fills the compile cache, and the caches of the operating system.
  await measure(subjects, { ...place, rounds: 2 })
  return compare(await measure(subjects, { ...place, rounds }), baseline, aims)
}

/** The repository's databases in a workspace where a command may write. */
async function copyDatabases(root: string): Promise<void> {
  const databases = join(import.meta.dirname, '..', 'databases')
  for (const name of await readdir(databases)) {
    const [from, to] = [join(databases, name), join(root, 'databases', name)]
    await cp(from, to, { recursive: true, filter: (path) => !/\/(?:node_modules|\.turbo)$/.test(path) })
    await symlink(join(from, 'node_modules'), join(to, 'node_modules'))
  }
}
