import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A workspace in a temporary folder. */
export interface ExampleWorkspace extends AsyncDisposable {
  readonly root: string
  write(path: string, text: string): Promise<void>
  /** Declares a database. `more` are further fields of its `database.ts`, as they stand there. */
  addDatabase(name: string, more?: string): Promise<void>
  /** Adds a revision; returns its folder, from the root. It comes after the one that was added before it, unless `parents` say otherwise. */
  addRevision(database: string, revision: ExampleRevision): Promise<string>
  remove(path: string): Promise<void>
}

/** A revision of an example. */
interface ExampleRevision {
  readonly id: string
  readonly up: string
  /** `null` for none. Default: nothing is undone. */
  readonly down?: string | null
  readonly parents?: readonly string[]
  readonly dependsOn?: readonly string[]
  readonly transaction?: 'none'
}

/** Makes an empty workspace. */
export async function createExampleWorkspace(): Promise<ExampleWorkspace> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'drover-testing-')))
  await mkdir(join(root, 'node_modules', '@drover'), { recursive: true })
  // `database.ts` finds the package as it would in a real installation.
  const config = join(import.meta.dirname, '..', '..', 'config')
  await symlink(config, join(root, 'node_modules', '@drover', 'config'))
  const last = new Map<string, string>()
  let count = 0
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return {
    root,
    write,
    addDatabase: (name, more = '') =>
      write(
        `databases/${name}/database.ts`,
        `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: '${name}', ${more} })\n`,
      ),
    addRevision: async (database, { id, up, down = 'select 1;\n', parents, dependsOn, transaction }) => {
      const before = last.get(database)
      const created = new Date(Date.UTC(2026, 10, 1) + (count += 1) * 1000).toISOString()
      const folder = `databases/${database}/migrations/${created.slice(0, 19).replaceAll(/[-:T]/g, '')}_${id}`
      const record = {
        id,
        parents: parents ?? (before === undefined ? [] : [before]),
        message: `revision ${id}`,
        created,
        dependsOn,
        transaction,
      }
      await write(`${folder}/revision.json`, JSON.stringify(record))
      await write(`${folder}/migration.sql`, up)
      if (down !== null) await write(`${folder}/down.sql`, down)
      last.set(database, id)
      return folder
    },
    remove: (path) => rm(join(root, path), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}
