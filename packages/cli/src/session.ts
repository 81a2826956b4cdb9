import { hostname } from 'node:os'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { type Actor, ConnectionUrl, type Hook } from '@drover/engine'
import { type Direction, DroverError, type Phase, type Problem, throwProblems } from '@drover/history'
import {
  type Database,
  databaseOfFolder,
  type DevelopmentServer,
  discoverWorkspace,
  type Fleet,
  hasTenants,
  isExternal,
  isMirror,
  isNamed,
  loadRunHooks,
  locateDatabases,
  type Located,
  type Member,
  type MemoPlace,
  type Neighbour,
  openFleet,
  readNeighbours,
  readVariable,
  selectDatabases,
  withoutHooks,
  type Workspace,
} from '@drover/orchestrator'

import { type ExitCode, exitCodeOf } from './exit-code.ts'
import type { CliIo } from './io.ts'
import { documentOf } from './render/document.ts'
import { endEntry, type LogEntry, logLine, problemEntry } from './render/log.ts'
import { type ColorMode, type Style, styleFor } from './render/style.ts'
import { problemText } from './render/text.ts'
import { readDotEnv, readGitCommit, userName } from './surroundings.ts'
import { readSwitch } from './switch.ts'
import { version } from './version.ts'

/** The options that every command understands. */
export interface CommonOptions {
  readonly database?: readonly string[]
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: ColorMode
  /** How stderr is written. Default `text`. */
  readonly log?: 'text' | 'json'
  /** Of the commands that can be told one. */
  readonly phase?: Phase
  /** Whether hooks are run, and shown. Default `true`. */
  readonly hooks?: boolean
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
  readonly #isPart: boolean
  readonly #warnings: Problem[] = []
  readonly #started = performance.now()
  #besides: () => Body = () => ({})

  /** @param isPart whether it is one step of a command that goes on after it. Default `false` */
  constructor(command: string, io: CliIo, options: CommonOptions, isPart = false) {
    this.command = command
    this.io = io
    this.options = options
    this.#isPart = isPart
  }

  /** Style of stdout. */
  get out(): Style {
    return styleFor(this.io.stdout, this.#colorMode, this.io.env)
  }

  /** Style of stderr. */
  get err(): Style {
    return styleFor(this.io.stderr, this.#colorMode, this.io.env)
  }

  /** Prints lines of data. With `--json` there is one document instead, and this prints nothing. */
  print(...lines: readonly string[]): void {
    if (!this.options.json) this.io.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Prints a line of progress; `database` is what it is about, where it is about one. */
  progress(line: string, database?: string): void {
    const about = database !== undefined && { database }
    this.tell(() => ({ level: 'info', event: 'progress', message: line, ...about }), line)
  }

  /** Tells what happens: as a line of progress, if people need to be told, or with `--log json` as an entry. */
  tell(entry: () => LogEntry, line?: string): void {
    if (this.isLogged) this.#log(entry())
    else if (line !== undefined && !this.options.quiet) this.io.stderr.write(`${line}\n`)
  }

  /** Whether programs read stderr: then there is no colour in it, and no place for questions. */
  get isLogged(): boolean {
    return this.options.log === 'json'
  }

  /** Prints what should be known and stops nothing. */
  warn(warning: Problem): void {
    const problem = this.#completeHint(warning)
    this.#warnings.push(problem)
    if (this.isLogged) this.#log(problemEntry(problem, 'warn'))
    else this.io.stderr.write(`${problemText(problem, this.err, 'warning')}\n`)
  }

  /** With `--json`: what the document says beside its body, however the command ends. It is called at the end, behind what was said so before. */
  sayBesides(body: () => Body): void {
    const before = this.#besides
    this.#besides = () => ({ ...before(), ...body() })
  }

  /** The same call of the command, about these databases alone. */
  narrowedTo(databases: readonly Database[]): Session {
    const narrowed = new Session(this.command, this.io, {
      ...this.options,
      database: databases.map(({ name }) => name),
    })
    narrowed.sayBesides(() => this.#besides())
    return narrowed
  }

  /**
   * Ends the command: problems to stderr, with `--json` the document to stdout.
   * @param body of the document; a function is only called for `--json`
   * @param exitCode default: what the problems call for, 0 without any
   */
  finish(body: Body | (() => Body) = {}, found: readonly Problem[] = [], exitCode?: ExitCode): ExitCode {
    const problems = found.map((problem) => this.#completeHint(problem))
    const code = exitCode ?? (problems.length > 0 ? exitCodeOf(problems) : 0)
    for (const problem of problems) {
      if (this.isLogged) this.#log(problemEntry(problem, 'error'))
      else this.io.stderr.write(`${problemText(problem, this.err)}\n`)
    }
    if (this.isLogged && !this.#isPart) this.#log(endEntry(code, performance.now() - this.#started))
    if (this.options.json) {
      const whole = this.#withWarnings({ ...(typeof body === 'function' ? body() : body), ...this.#besides() })
      this.io.stdout.write(documentOf(this.command, code, whole, problems))
    }
    return code
  }

  /**
   * Loads the workspace, and picks the databases that this call is about.
   * @param options.external whether databases that migrate themselves are among them. Default `false`: they have no revisions
   * @param options.mirrors whether databases that have the history of another are among them. Default `true`
   * @param options.tenants whether databases whose history tenants have are among them. Default `true`
   * @returns also whether they were asked for: by name, by the folder or by the environment
   * @throws {DroverError} `USAGE` when one is asked for by name that cannot be among them
   */
  async workspace({
    external = false,
    mirrors = true,
    tenants = true,
  }: { readonly external?: boolean; readonly mirrors?: boolean; readonly tenants?: boolean } = {}): Promise<{
    readonly workspace: Workspace
    readonly selected: readonly Database[]
    readonly isNamed: boolean
  }> {
    const found = await discoverWorkspace(this.io.cwd)
    const workspace = this.options.hooks === false ? withoutHooks(found) : found
    const names = this.#wantedNames(workspace)
    const named = selectDatabases(workspace, names)
    const isLeftOut = (database: Database) =>
      (!external && isExternal(database)) || (!mirrors && isMirror(database)) || (!tenants && hasTenants(database))
    const selected = named.filter((database) => !isLeftOut(database))
    if (selected.length === 0 || names.length > 0) {
      throwProblems(named.filter(isLeftOut).map((database) => describeLeftOut(database)(this.command, database)))
    }
    return { workspace, selected, isNamed: names.length > 0 }
  }

  /**
   * The hooks of a run as a whole.
   * @throws {DroverError} `CONFIG_INVALID`
   */
  async runHooks(workspace: Workspace): Promise<readonly Hook[]> {
    return this.options.hooks === false ? [] : loadRunHooks(workspace.root)
  }

  /**
   * Connects to databases and reads where they stand. Starts the development server when the environment names no database.
   * @param options.useMemos whether files need not be read that have not changed since all of them were applied. Default `false`
   */
  async fleet(
    workspace: Workspace,
    wanted: readonly Database[],
    {
      useMemos = false,
      ...options
    }: { readonly createMissing?: boolean; readonly readSql?: boolean; readonly useMemos?: boolean } = {},
  ): Promise<Fleet> {
    const located = await this.locate(workspace, wanted)
    return openFleet(located, {
      root: workspace.root,
      ...options,
      memos: useMemos ? this.#memos(workspace) : undefined,
      ...(this.options.verbose && {
        onNotice: (database, message) => {
          const lines = message.split('\n').map((line) => `${database}: ${line}`)
          this.tell(() => ({ level: 'info', event: 'notice', message, database }), lines.join('\n'))
        },
      }),
    })
  }

  /** Finds out where databases are. Starts the development server when the environment names no database. */
  async locate(workspace: Workspace, wanted: readonly Database[]): Promise<readonly Located[]> {
    const start = () =>
      this.#startDevelopmentServer(workspace, wanted.map(({ config }) => config.url.join(' or ')).join(', '))
    return locateDatabases(wanted, workspace.databases, this.environment(workspace), start, workspace.root)
  }

  /** The development server, for its administrator. It is started when it does not run. */
  async developmentServer(workspace: Workspace): Promise<ConnectionUrl> {
    const { url } = await this.#startDevelopmentServer(workspace, 'the URLs of the databases')
    return ConnectionUrl.parse(url, developmentSource)
  }

  /** Looks at the databases that a release leaves alone, and that depend on it or that it depends on. */
  async neighbours(
    workspace: Workspace,
    members: readonly Member[],
    direction: Direction,
  ): Promise<readonly Neighbour[]> {
    return readNeighbours(workspace.root, workspace.databases, members, direction, async (database) => {
      const [located] = await this.locate(workspace, [database])
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
    if (!named) return (await this.#startDevelopmentServer(workspace, 'DROVER_SHADOW_URL')).url
    // Parsed for its errors: a password must not end up in those of others.
    const url = ConnectionUrl.parse(named.text, named.source)
    if (url.sslMode === 'verify-ca' || Object.keys(url.tlsFiles).length > 0) {
      throw new DroverError({
        code: 'URL_INVALID',
        message: `${named.source} names an authority or a certificate, which the programs that make shadows cannot be given`,
        hint: 'use sslmode=verify-full, with the authority in NODE_EXTRA_CA_CERTS, or sslmode=require',
      })
    }
    return url.revealUrl()
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

  /** Who decides in a history does not know the name of its database, nor what was typed; whoever types the next command needs both. */
  #completeHint(problem: Problem): Problem {
    const { hint, database } = problem
    if (hint === undefined) return problem
    const named = database === undefined ? hint : hint.replaceAll('<database>', database)
    const { phase } = this.options
    if (!phase) return { ...problem, hint: named }
    // Going on must not run what the first try was told to leave.
    return { ...problem, hint: named.replaceAll(/(\bupgrade [^;]*--resume)(?! --phase)/g, `$1 --phase ${phase}`) }
  }

  /** Where it is kept what histories come to; nowhere in a workspace without the folder that holds caches. */
  #memos(workspace: Workspace): MemoPlace | undefined {
    const modules = join(workspace.root, 'node_modules')
    if (readSwitch('DROVER_READ_ALL', this.environment(workspace), 'to have all files read') || !existsSync(modules))
      return undefined
    return { folder: join(modules, '.cache', 'drover'), version }
  }

  get #colorMode(): ColorMode {
    return this.isLogged ? 'never' : (this.options.color ?? 'auto')
  }

  #log(entry: LogEntry): void {
    if (this.options.quiet && entry.level === 'info') return
    this.io.stderr.write(logLine(entry, this.command, new Date()))
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

  /** @param instead what would have to be set for it not to be needed */
  async #startDevelopmentServer(
    workspace: Workspace,
    instead: string,
  ): Promise<DevelopmentServer & { readonly url: string }> {
    if (this.environment(workspace)['NODE_ENV'] === 'production') {
      throw new DroverError({
        code: 'URL_MISSING',
        message: 'NODE_ENV=production is set, and the development server is for development alone',
        hint: `set ${instead}; if this is no production, unset NODE_ENV`,
      })
    }
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
    const passwords = await readRolePasswords(workspace.root, server.password)
    const urlFor = (name: string) => {
      const url = ConnectionUrl.parse(urlOf(name), developmentSource)
      const owner = workspace.databases.find(({ config }) => config.database === name)?.config.access?.owner
      const password = owner === undefined ? undefined : passwords.get(owner)
      // Once `init` has made it, revisions are run as everywhere else: by the role that owns the database.
      return owner === undefined || password === undefined ? url : url.withLogin(owner, password)
    }
    return { url: urlOf(), urlFor }
  }
}

function describeLeftOut(database: Database): typeof describeExternal {
  if (isExternal(database)) return describeExternal
  return hasTenants(database) ? describeTenants : describeMirror
}

function describeTenants(command: string, { name }: Database): Problem {
  return {
    code: 'USAGE',
    database: name,
    message: `its history is applied to its tenants, and ${command} is for a database`,
    hint: `leave it out of --database; what is done with tenants: pnpm migrate tenant --help`,
  }
}

function describeExternal(command: string, { name, config }: Database): Problem {
  return {
    code: 'USAGE',
    database: name,
    message: `it has no revisions, so there is nothing here for ${command}: it is managed by ${config.external?.managedBy}`,
    hint: `leave it out of --database; "current", "init" and "upgrade" to head take it along`,
  }
}

function describeMirror(command: string, { name, config }: Database): Problem {
  return {
    code: 'USAGE',
    database: name,
    message: `it has the history of ${config.mirrors}, and no revisions of its own, so there is nothing here for ${command}`,
    hint: `name the other one: pnpm migrate ${command} … -d ${config.mirrors}; then: pnpm migrate snapshot -d ${name}`,
  }
}

/** The passwords of the roles that `init` has made on the development server, by role. */
async function readRolePasswords(root: string, server: string): Promise<ReadonlyMap<string, string>> {
  const file = roleSecretsFile(root)
  if (!existsSync(file)) return new Map()
  const { readSecrets } = await import('@drover/access')
  return (await readSecrets(file, server)).passwords
}

/** Where the generated passwords of the development server's roles are kept. */
export function roleSecretsFile(root: string): string {
  return join(root, '.drover', 'secrets.json')
}

/** What messages call the URLs of the development server. */
const developmentSource = 'the embedded server'

/** Where the development server of a workspace keeps its data. */
export function serverFolder(root: string): string {
  return join(root, '.drover', 'server')
}
