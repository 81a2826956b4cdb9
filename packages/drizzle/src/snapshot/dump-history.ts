import { type Environment, quoteIdentifier, readScript, type Script, tenantSchema } from '@drover/engine'
import { DroverError, type History, type Revision } from '@drover/history'

import type { ShadowServer } from '../drift.ts'
import { createShadow, replayInto, type Shadow } from '../shadow.ts'
import { normalizeDump } from './normalize-dump.ts'
import {
  enterTenant,
  findSharedStatements,
  makeRepeatable,
  refuseTenantSchema,
  type TenantPlace,
} from './tenant-dump.ts'

/** How a history is dumped. */
export interface DumpOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  readonly history: History
  /** Extensions that are there before the first revision. */
  readonly extensions: readonly string[]
  /** Where the history is that of tenants, each in a schema of its own: what they share. */
  readonly tenant?: TenantPlace | undefined
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
  if (options.tenant) refuseTenantSchema(scripts)
  const code = scripts.find(({ revision }) => revision.language === 'typescript')
  if (code) return dumpShadow(options, scripts, `${code.file} is code, which needs a server`)
  const created = scripts.flatMap(({ statements }) => statements.flatMap(({ text }) => extensionOf(text) ?? []))
  try {
    return await dumpLite(options, scripts, [...new Set([...options.extensions, ...created])])
  } catch (error) {
    if (!(error instanceof DroverError) || error.code !== 'SHADOW_FAILED') throw error
    return dumpShadow(options, scripts, error.problems[0].message)
  }
}

/** Rows as statements, because COPY needs more than one message; nobody's roles, because each database has its own. */
const dumpArguments = ['--no-owner', '--inserts', '--no-tablespaces', '--encoding=UTF8']

async function dumpLite(options: DumpOptions, scripts: readonly Script[], needed: readonly string[]): Promise<string> {
  const { startLite } = await import('./pglite-shadow.ts')
  await using lite = await startLite(needed)
  // Awaited here: it is closed when this function returns.
  return await dumpBuilt(lite, options, scripts, (args) => lite.dump(args))
}

/** @param reason why PGlite cannot do it */
async function dumpShadow(options: DumpOptions, scripts: readonly Script[], reason: string): Promise<string> {
  const { environment, onProgress } = options
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
  return await dumpBuilt(shadow, options, scripts, (args) => runDump(program, shadow.url, args, environment))
}

async function dumpBuilt(
  shadow: Pick<Shadow, 'connection'>,
  { root, history, extensions, tenant }: DumpOptions,
  scripts: readonly Script[],
  dump: (args: readonly string[]) => Promise<string>,
): Promise<string> {
  await build(shadow, root, history.revisions, extensions, tenant)
  if (!tenant) return normalizeDump(await dump(dumpArguments))
  const own = makeRepeatable(normalizeDump(await dump([...dumpArguments, `--schema=${tenantSchema}`])))
  const shared = await findSharedStatements(shadow.connection, scripts, tenant)
  return [...shared.map((text) => `${text};\n`), own].join('\n')
}

/**
 * Runs revisions in an empty database that has some extensions.
 * @param tenant where they are run for one tenant: what that shares with others
 * @throws {DroverError} `SHADOW_FAILED`
 */
export async function build(
  shadow: Pick<Shadow, 'connection'>,
  root: string,
  revisions: readonly Revision[],
  extensions: readonly string[],
  tenant?: TenantPlace,
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
  if (tenant) await enterTenant(shadow.connection, tenant)
  await replayInto(shadow, root, revisions)
}

/** The extension that a statement creates. */
function extensionOf(text: string): string | undefined {
  const match = /^create\s+extension\s+(?:if\s+not\s+exists\s+)?(?:"((?:[^"]|"")+)"|([\w$]+))/i.exec(text)
  return match?.[1]?.replaceAll('""', '"') ?? match?.[2]?.toLowerCase()
}
