import { type Environment, quoteIdentifier, readScript } from '@drover/engine'
import { DroverError, type History, type Revision } from '@drover/history'

import type { ShadowServer } from '../drift.ts'
import { createShadow, replayInto, type Shadow } from '../shadow.ts'
import { normalizeDump } from './normalize-dump.ts'

/** How a history is dumped. */
export interface DumpOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly history: History
  /** Extensions that are there before the first revision. */
  readonly extensions: readonly string[]
  /** Finds the server for a shadow, where one is needed. */
  readonly server: () => Promise<ShadowServer>
  readonly environment: Environment
  readonly onProgress: (line: string) => void
}

/**
 * Dumps what a history builds, schema and rows, as the script of a snapshot: by PGlite, in this process and without a server; by the
 * pg_dump of this machine from a shadow where the history needs what PGlite does not have.
 * @throws {DroverError} `SNAPSHOT_FAILED` when neither can, `SHADOW_FAILED` when the history cannot be replayed
 */
export async function dumpHistory(options: DumpOptions): Promise<string> {
  const scripts = await Promise.all(
    options.history.revisions.map((revision) => readScript(options.root, revision, 'up')),
  )
  const code = scripts.find(({ revision }) => revision.language === 'typescript')
  if (code) return dumpShadow(options, `${code.file} is code, which needs a server`)
  const created = scripts.flatMap(({ statements }) => statements.flatMap(({ text }) => extensionOf(text) ?? []))
  try {
    return await dumpLite(options, [...new Set([...options.extensions, ...created])])
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'SHADOW_FAILED') throw error
    return dumpShadow(options, error.problems[0].message)
  }
}

/** Rows as statements, because COPY needs more than one message; nobody's roles, because each database has its own. */
const dumpArguments = ['--no-owner', '--inserts', '--no-tablespaces', '--encoding=UTF8']

async function dumpLite({ root, history, extensions }: DumpOptions, needed: readonly string[]): Promise<string> {
  const { startLite } = await import('./pglite-shadow.ts')
  await using lite = await startLite(needed)
  await build(lite, root, history.revisions, extensions)
  return normalizeDump(await lite.dump(dumpArguments))
}

/** @param reason why PGlite cannot do it */
async function dumpShadow(options: DumpOptions, reason: string): Promise<string> {
  const { root, history, extensions, environment, onProgress } = options
  const { findDumpProgram, runDump } = await import('./dump-program.ts')
  const server = await options.server()
  const program = await findDumpProgram(server.version, environment)
  if (!program) {
    throw new DroverError({
      code: 'SNAPSHOT_FAILED',
      message: `PGlite cannot replay the history (${reason}), and no pg_dump of PostgreSQL ${server.version} or later was found on this machine`,
      hint: `install the client programs of PostgreSQL ${server.version}, or name a server in DROVER_SHADOW_URL that the pg_dump of this machine fits`,
    })
  }
  onProgress(`PGlite cannot replay the history, so a shadow is dumped by ${program.path}`)
  await using shadow = await createShadow(server.url)
  await build(shadow, root, history.revisions, extensions)
  return normalizeDump(await runDump(program, shadow.url, dumpArguments, environment))
}

/**
 * Runs revisions in an empty database that has some extensions.
 * @throws {DroverError} `SHADOW_FAILED`
 */
export async function build(
  shadow: Pick<Shadow, 'connection'>,
  root: string,
  revisions: readonly Revision[],
  extensions: readonly string[],
): Promise<void> {
  for (const name of extensions) {
    try {
      await shadow.connection.send(`create extension if not exists ${quoteIdentifier(name)}`)
    } catch (error) {
      const message = `the extension ${name} cannot be created: ${error instanceof Error ? error.message : String(error)}`
      const hint = 'install it on the server for shadows, or correct "access.extensions" in database.ts'
      throw new DroverError({ code: 'SHADOW_FAILED', message, hint }, { cause: error })
    }
  }
  await replayInto(shadow, root, revisions)
}

/** The extension that a statement creates. */
function extensionOf(text: string): string | undefined {
  const match = /^create\s+extension\s+(?:if\s+not\s+exists\s+)?(?:"((?:[^"]|"")+)"|([\w$]+))/i.exec(text)
  return match?.[1]?.replaceAll('""', '"') ?? match?.[2]?.toLowerCase()
}
