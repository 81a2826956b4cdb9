import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import type { ForeignFolder } from './foreign-history.ts'

/** A folder of another tool, called `legacy`, for tests; disposing of it removes it. */
export interface ExampleFolder extends Disposable {
  readonly folder: ForeignFolder
}

/** Makes a folder with the given files. */
export function exampleFolder(files: Readonly<Record<string, string>>): ExampleFolder {
  const path = mkdtempSync(join(tmpdir(), 'drover-adopt-'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  return { folder: { path, shown: 'legacy' }, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
