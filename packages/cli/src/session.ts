import { userInfo, hostname } from 'node:os'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { type Actor, ConnectionUrl } from '@drover/engine'
import { type Direction, DroverError, type Problem } from '@drover/history'
import {
  type Database,
  databaseOfFolder,
  type DevelopmentServer,
  discoverWorkspace,
  type Fleet,
  isNamed,
  locateDatabases,
  type Member,
  type Neighbour,
  openFleet,
  readNeighbours,
  readVariable,
  selectDatabases,
  type Workspace,
} from '@drover/orchestrator'

import { type ExitCode, exitCodeOf } from './exit-code.ts'
import type { CliIo } from './io.ts'
import { documentOf } from './render/document.ts'
import { type ColorMode, type Style, styleFor } from './render/style.ts'
import { problemText } from './render/text.ts'
import { version } from './version.ts'

/** The options that every command understands. */
export interface CommonOptions {
  readonly database?: readonly string[]
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: ColorMode
}

/** The fields of a command's document that are its own. */
type Body = Readonly<Record<string, unknown>>

/**
 * One call of a command: its options, its workspace and its ways of talking. Data goes to stdout; progress, warnings and
 * errors to stderr.
 */
export class Session {
  readonly command: string
  readonly io: CliIo
  readonly options: CommonOptions
  readonly #warnings: Problem[] = []

  constructor(command: string, io: CliIo, options: CommonOptions) {
    this.command = command
    this.io = io
    this.options = options
  }

  /** Style of stdout. */
  get out(): Style {
    return styleFor(this.io.stdout, this.options.color ?? 'auto', this.io.env)
  }

  /** Style of stderr. */
  get err(): Style {
    return styleFor(this.io.stderr, this.options.color ?? 'auto', this.io.env)
  }

  /** Prints lines of data. With `--json` there is one document instead, and this prints nothing. */
  print(...lines: readonly string[]): void {
    if (!this.options.json) this.io.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Prints a line of progress. */
  progress(line: string): void {
    if (!this.options.quiet) this.io.stderr.write(`${line}\n`)
  }

  /** Prints what should be known and stops nothing. */
  warn(warning: Problem): void {
    const problem = withDatabaseInHint(warning)
    this.#warnings.push(problem)
    this.io.stderr.write(`${problemText(problem, this.err, 'warning')}\n`)
  }

  /**
   * Ends the command: problems to stderr, with `--json` the document to stdout.
   * @param body of the document; a function is only called for `--json`
   * @param exitCode default: what the problems call for, 0 without any
   */
  finish(body: Body | (() => Body) = {}, found: readonly Problem[] = [], exitCode?: ExitCode): ExitCode {
    const problems = found.map(withDatabaseInHint)
    const code = exitCode ?? (problems.length > 0 ? exitCodeOf(problems) : 0)
    for (const problem of problems) this.io.stderr.write(`${problemText(problem, this.err)}\n`)
    if (this.options.json) {
      const whole = this.#withWarnings(typeof body === 'function' ? body() : body)
      this.io.stdout.write(documentOf(this.command, code, whole, problems))
    }
    return code
  }

  /** Loads the workspace, and picks the databases that this call is about. */
  async workspace(): Promise<{ readonly workspace: Workspace; readonly selected: readonly Database[] }> {
    const workspace = await discoverWorkspace(this.io.cwd)
    return { workspace, selected: selectDatabases(workspace, this.#wantedNames(workspace)) }
  }

  /** Connects to databases and reads where they stand. Starts the development server when the environment names no database. */
  async fleet(
    workspace: Workspace,
    wanted: readonly Database[],
    options: { readonly createMissing?: boolean; readonly readSql?: boolean } = {},
  ): Promise<Fleet> {
    const located = await locateDatabases(wanted, workspace.databases, this.environment(workspace), () =>
      this.#startDevelopmentServer(workspace),
    )
    return openFleet(located, {
      root: workspace.root,
      ...options,
      ...(this.options.verbose && { onNotice: (database, message) => this.progress(`${database}: ${message}`) }),
    })
  }

  /** Looks at the databases that a release leaves alone, and that depend on it or that it depends on. */
  async neighbours(
    workspace: Workspace,
    members: readonly Member[],
    direction: Direction,
  ): Promise<readonly Neighbour[]> {
    return readNeighbours(workspace.root, workspace.databases, members, direction, async (database) => {
      const environment = this.environment(workspace)
      const start = () => this.#startDevelopmentServer(workspace)
      const [located] = await locateDatabases([database], workspace.databases, environment, start)
      return located!
    })
  }

  /**
   * URL of the server on which shadows are made: what `DROVER_SHADOW_URL` holds, else the development server, which is
   * started when it does not run.
   * @throws {DroverError} `URL_INVALID`, `SERVER_UNAVAILABLE`
   */
  async shadowServer(workspace: Workspace): Promise<string> {
    const named = readVariable('DROVER_SHADOW_URL', this.environment(workspace))
    if (!named) return (await this.#startDevelopmentServer(workspace)).url
    // Parsed for its errors: a password must not end up in those of others.
    ConnectionUrl.parse(named.text, named.source)
    return named.text.replace(/^postgres(?:ql)?(?:\+[a-z0-9]+)?:/, 'postgres:')
  }

  /** Whether the environment says where any of the databases is, so that the development server has no part in it. */
  isConfigured(workspace: Workspace): boolean {
    return workspace.databases.some((database) => isNamed(database, this.environment(workspace)))
  }

  /** The environment; in development, what `.env` in the workspace's root adds to it. */
  environment(workspace: Workspace): CliIo['env'] {
    if (this.io.env['NODE_ENV'] === 'production') return this.io.env
    return { ...readDotEnv(workspace.root), ...this.io.env }
  }

  /** Who runs this, for the records. */
  actor(workspace: Workspace): Actor {
    return {
      osUser: userName(),
      host: hostname(),
      pid: process.pid,
      version,
      gitCommit: readGitCommit(workspace.root),
    }
  }

  #withWarnings(body: Body): Body {
    return this.#warnings.length === 0 ? body : { ...body, warnings: this.#warnings }
  }

  #wantedNames(workspace: Workspace): readonly string[] {
    const named = (this.options.database ?? []).flatMap((list) => list.split(',')).map((name) => name.trim())
    if (named.length > 0) return named
    const here = databaseOfFolder(workspace, this.io.cwd)
    if (here) return [here.name]
    if (this.environment(workspace)['TESTING'] !== 'true') return []
    if (workspace.databases.some((database) => database.name === 'test')) return ['test']
    throw new DroverError({
      code: 'DATABASE_UNKNOWN',
      message: 'TESTING=true selects the database "test", and there is none',
      hint: 'unset TESTING, or name the databases with --database',
    })
  }

  async #startDevelopmentServer(workspace: Workspace): Promise<DevelopmentServer & { readonly url: string }> {
    const { startEmbedded, serverUrl } = await import('@drover/server')
    const { describeStart, translateServerErrors } = await import('./development-server.ts')
    const server = await translateServerErrors(() =>
      startEmbedded({
        folder: serverFolder(workspace.root),
        onProgress: (event) => this.progress(describeStart(event)),
      }),
    )
    // It listens on this machine alone: asking it for TLS would be a round trip for nothing.
    const urlOf = (database?: string) => `${serverUrl(server, database)}?sslmode=disable`
    return { url: urlOf(), urlFor: (database) => ConnectionUrl.parse(urlOf(database), 'the embedded server') }
  }
}

/** Who decides in a history does not know the name of its database; whoever types the command that is given needs it. */
function withDatabaseInHint(problem: Problem): Problem {
  const { hint, database } = problem
  return hint === undefined || database === undefined
    ? problem
    : { ...problem, hint: hint.replaceAll('<database>', database) }
}

/** Where the development server of a workspace keeps its data. */
export function serverFolder(root: string): string {
  return join(root, '.drover', 'server')
}

function readDotEnv(root: string): Readonly<Record<string, string | undefined>> {
  const text = readIfThere(join(root, '.env'))
  if (text === undefined) return {}
  // Loaded here because most workspaces have no such file.
  const { parseEnv } = process.getBuiltinModule('node:util')
  return parseEnv(text)
}

/** The commit of the checkout, read from git's own files: starting git would take longer than everything else. */
function readGitCommit(root: string): string | undefined {
  const head = readIfThere(join(root, '.git', 'HEAD'))?.trim()
  if (head === undefined || !head.startsWith('ref: ')) return head
  const name = head.slice('ref: '.length)
  const loose = readIfThere(join(root, '.git', name))?.trim()
  if (loose !== undefined) return loose
  const packed = readIfThere(join(root, '.git', 'packed-refs'))
  return packed
    ?.split('\n')
    .find((line) => line.endsWith(` ${name}`))
    ?.split(' ')[0]
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return undefined
    throw new DroverError(
      { code: 'CONFIG_INVALID', file: path, message: `${path} cannot be read`, hint: 'check its permissions' },
      { cause: error },
    )
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the process may have a number that no user has.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
