import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import type { Kit, SnapshotFile } from './kit.ts'

/** A temporary folder with Drizzle schemas and snapshots in it, for tests. */
export interface ExampleFolder extends AsyncDisposable {
  readonly root: string
  /** Writes a file, and returns its absolute path. */
  write(path: string, text: string): Promise<string>
  /** Writes a schema that declares this, with what drizzle-orm needs for it imported. Returns its absolute path. */
  schema(declarations: string): Promise<string>
  /** Writes the snapshot of a revision, and returns what history it is part of then: `below`, and itself. */
  snapshot(text: string, below?: readonly SnapshotFile[], name?: string): Promise<readonly SnapshotFile[]>
}

/** Makes one, in which drizzle-orm can be imported. */
export async function createExampleFolder(): Promise<ExampleFolder> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'drover-schemas-')))
  await symlink(join(import.meta.dirname, '..', '..', 'node_modules'), join(root, 'node_modules'))
  let files = 0
  const write: ExampleFolder['write'] = async (path, text) => {
    const file = join(root, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    return file
  }
  return {
    root,
    write,
    schema: (declarations) => write(`schema-${(files += 1)}.ts`, `${imports}\n${declarations}\n`),
    snapshot: async (text, below = [], name = `revision-${(files += 1)}`) => {
      const file = await write(join('migrations', name, 'snapshot.json'), text)
      return [...below, { folder: dirname(file) }]
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

const imports = `import * as pg from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'`

/** Writes the snapshot of a schema as the first revision of a history, or the next one. */
export async function record(
  kit: Kit,
  folder: ExampleFolder,
  declarations: string,
  below: readonly SnapshotFile[] = [],
  name?: string,
): Promise<readonly SnapshotFile[]> {
  const text = await kit.writeSnapshot(below, await folder.schema(declarations), [])
  return folder.snapshot(text, below, name)
}
