import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { createThrowawayDatabase } from '@drover/server'
// Declares what the global set-up provides.
import type { setup as _setup } from '@drover/server/vitest-setup'
import { inject } from 'vitest'

const repository = join(import.meta.dirname, '..', '..')

/** How a command line ended. */
export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** The document that `--json` prints. */
  json(): any
}

/** A command line that is running. */
export interface Running {
  readonly pid: number | undefined
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
  /** Resolves when the output (both streams) contains the text; rejects when it ends before that. */
  waitFor(text: string): Promise<void>
}

/** One revision as a test writes it. Fields that are left out get a sensible value; `null` leaves the file out. */
interface RevisionFiles {
  readonly id: string
  readonly parents?: readonly string[]
  readonly message?: string
  readonly dependsOn?: readonly string[]
  readonly labels?: readonly string[]
  readonly created?: string
  readonly transaction?: 'none' | 'own'
  readonly phase?: string
  readonly batch?: object
  readonly up?: string | null
  readonly down?: string | null
  /** Text of a `migration.ts`, instead of the SQL files. */
  readonly code?: string
}

/** A workspace in a temporary folder, with databases of its own on the tests' server. */
export interface TestWorkspace extends AsyncDisposable {
  readonly root: string
  /** The environment in which commands run: the URLs of databases and shadows, and nothing of the caller's but PATH and HOME. */
  readonly env: Record<string, string>
  /** Writes a file, path from the root, and makes its folders. */
  write(path: string, text: string): Promise<void>
  /**
   * Adds a database package and creates its database; `create: false` names one that the server does not have. `schema` is the
   * text of its Drizzle schema, `databases/<name>/schema.ts`.
   */
  addDatabase(
    name: string,
    options?: { readonly after?: readonly string[]; readonly create?: boolean; readonly schema?: string },
  ): Promise<string>
  /** Adds a revision; returns its folder, from the root. Parents default to the revision added before to this database. */
  addRevision(database: string, files: RevisionFiles): Promise<string>
  /** Runs the command line in the workspace to its end. */
  migrate(...args: readonly string[]): Promise<Ended>
  /** Starts the command line in the workspace. */
  start(
    args: readonly string[],
    options?: { readonly cwd?: string; readonly env?: Record<string, string>; readonly uid?: number },
  ): Running
}

/** Makes an empty workspace. `name` is the last part of its path. */
export async function createWorkspace(name = 'workspace'): Promise<TestWorkspace> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'drover-e2e-')))
  const root = join(parent, name)
  const databases: AsyncDisposable[] = []
  const lastRevision = new Map<string, string>()
  let revisions = 0
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    DROVER_SHADOW_URL: inject('serverUrl'),
  }

  // `database.ts` finds the package as it would in a real installation.
  await mkdir(join(root, 'node_modules', '@drover'), { recursive: true })
  await symlink(join(repository, 'packages', 'config'), join(root, 'node_modules', '@drover', 'config'))
  await symlink(join(repository, 'node_modules', 'drizzle-orm'), join(root, 'node_modules', 'drizzle-orm'))

  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  const start: TestWorkspace['start'] = (args, options = {}) =>
    startMigrate(args, { ...options, cwd: options.cwd ?? root, env: { ...env, ...options.env } })

  return {
    root,
    env,
    write,
    start,
    migrate: (...args) => start(args).ended,
    addDatabase: async (database, { after = [], create = true, schema } = {}) => {
      const declaration = `{ name: '${database}', after: ${JSON.stringify(after)}${schema === undefined ? '' : ", schema: './schema.ts'"} }`
      if (schema !== undefined) await write(`databases/${database}/schema.ts`, schema)
      await write(
        `databases/${database}/database.ts`,
        `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase(${declaration})\n`,
      )
      await mkdir(join(root, 'databases', database, 'migrations'), { recursive: true })
      const throwaway = await createThrowawayDatabase(inject('serverUrl'))
      databases.push(throwaway)
      if (!create) await throwaway[Symbol.asyncDispose]()
      env[`${database.toUpperCase()}_DATABASE_URL`] = throwaway.url
      return throwaway.url
    },
    addRevision: async (database, files) => {
      const { id, message = `revision ${id}`, up = 'select 1;\n', down = 'select 1;\n' } = files
      const previous = lastRevision.get(database)
      const parents = files.parents ?? (previous === undefined ? [] : [previous])
      const created = files.created ?? new Date(Date.UTC(2026, 10, 1) + (revisions += 1) * 1000).toISOString()
      const folder = `databases/${database}/migrations/${created.slice(0, 19).replaceAll(/[-:T]/g, '')}_${id}`
      await write(
        `${folder}/revision.json`,
        `${JSON.stringify({ id, parents, message, created, labels: files.labels, dependsOn: files.dependsOn, transaction: files.transaction, phase: files.phase, batch: files.batch }, null, 2)}\n`,
      )
      if (files.code !== undefined) await write(`${folder}/migration.ts`, files.code)
      if (files.code === undefined && up !== null) await write(`${folder}/migration.sql`, up)
      if (files.code === undefined && down !== null) await write(`${folder}/down.sql`, down)
      lastRevision.set(database, id)
      return folder
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()))
      await rm(parent, { recursive: true, force: true })
    },
  }
}

/**
 * Starts this repository's command line anywhere, as `pnpm migrate` does; `uid` makes it another user's, which root alone may.
 * @param options.program the file that Node runs instead
 */
export function startMigrate(
  args: readonly string[],
  options: {
    readonly cwd: string
    readonly env: Record<string, string>
    readonly uid?: number
    readonly program?: string
  },
): Running {
  const { program = join(repository, 'scripts', 'migrate.ts'), ...where } = options
  const child = spawn(process.execPath, [program, ...args], {
    ...where,
    ...(where.uid !== undefined && { gid: where.uid }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const collect = () => {
    for (const look of waiting) look()
  }
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => (stdout += text))
    .on('data', collect)
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (stderr += text))
    .on('data', collect)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      // As a shell reports a process that a signal ended.
      const exitCode = code ?? (signal === 'SIGKILL' ? 137 : 128)
      resolve({ exitCode, stdout, stderr, json: () => JSON.parse(stdout) })
    })
  })
  return {
    pid: child.pid,
    ended,
    kill: (signal) => void child.kill(signal),
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!`${stdout}${stderr}`.includes(text)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
        void ended.then((end) => reject(new Error(`it ended before printing "${text}": ${end.stdout}${end.stderr}`)))
      }),
  }
}
