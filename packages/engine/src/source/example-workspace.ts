import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import type { Source } from './read-revisions.ts'

/** A workspace in a temporary folder whose name is as unwelcome as a user's may be. For tests; disposing of it removes it. */
export interface ExampleWorkspace extends Disposable {
  readonly source: Source
  /** The absolute path of a path in it. */
  pathOf(file: string): string
}

/** Makes a workspace with the given files below `databases/main/migrations`. Objects are written as JSON. */
export function exampleWorkspace(files: Readonly<Record<string, string | Uint8Array | object>>): ExampleWorkspace {
  const root = mkdtempSync(join(tmpdir(), 'drover Größe 数据 '))
  const source = { root, folder: 'databases/main/migrations' }
  const pathOf = (file: string) => join(root, source.folder, file)
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(pathOf(file)), { recursive: true })
    const raw = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(pathOf(file), raw ? content : JSON.stringify(content))
  }
  return { source, pathOf, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}
