import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { ConnectionUrl } from '../connect/connection-url.ts'
import type { ModuleProgress } from './protocol.ts'
import { type ModuleCall, type ModuleEnd, runModule, type Surroundings } from './run-module.ts'

/** A folder with one module in it, for tests. */
export interface ExampleModule extends AsyncDisposable {
  readonly root: string
  readonly lines: readonly string[]
  readonly progress: readonly ModuleProgress[]
  /** Calls its `up` with a connection to a database. */
  run(url: ConnectionUrl, surroundings?: Partial<Surroundings>, call?: Partial<ModuleCall>): Promise<ModuleEnd>
}

/** Writes a module. `up` is the body of its function, in which `sql`, `log`, `progress` and `signal` are there. */
export async function exampleModule(up: string, parts: { readonly head?: string } = {}): Promise<ExampleModule> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'drover-module-')))
  const code = `${parts.head ?? ''}
export default {
  async up({ sql, log, progress, signal }) {
    ${up}
  },
}
`
  await writeFile(join(root, 'migration.ts'), code)
  const lines: string[] = []
  const progress: ModuleProgress[] = []
  return {
    root,
    lines,
    progress,
    run: (url, surroundings, call) =>
      runModule(
        url,
        { file: 'migration.ts', call: 'up', expected: { up: true }, before: '', after: '', ...call },
        {
          root,
          environment: {},
          onLine: (line) => lines.push(line),
          onProgress: (one) => progress.push(one),
          ...surroundings,
        },
      ),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}
