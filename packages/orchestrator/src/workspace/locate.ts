import { readFileSync } from 'node:fs'

import { ConnectionUrl, type Environment } from '@drover/engine'
import { DroverError, type Problem, throwProblems } from '@drover/history'

import type { Database } from './discover.ts'

/** A database, and where it is. */
export interface Located {
  readonly database: Database
  readonly url: ConnectionUrl
  /** Whether it is on the development server, which is ours: what is missing there is simply created. */
  readonly development: boolean
  /** Missing where there are no tenants. */
  readonly tenants?: TenantPlaces
}

/** Where tenants are. */
export interface TenantPlaces {
  /** The database that lists them. */
  readonly registry: ConnectionUrl
  /** The servers that they are on, by the names that the registry calls them; the only one has none. */
  readonly servers: readonly { readonly name: string; readonly url: ConnectionUrl }[]
}

/** What is used when the environment names no database at all. */
export interface DevelopmentServer {
  urlFor(database: string): ConnectionUrl
}

/**
 * Finds the URLs of databases in the environment: `<VARIABLE>`, else the content of the file that `<VARIABLE>_FILE` names,
 * else the parts (`DATABASE_URL` has `POSTGRES_HOST`, `…_PORT`, `…_USER`, `…_PASSWORD`, `…_DB`, each also in a file;
 * `GDPR_DATABASE_URL` has `GDPR_POSTGRES_HOST` and so on), else what the database's `urlCommand` prints, which is run for those
 * that are wanted only. When nothing names any of the workspace's databases, all are on the development server; when something
 * names some, one that is wanted and not named is an error: a real and a development database must never be mixed.
 * @param all every database of the workspace, the wanted ones included
 * @param root absolute path of the workspace's root, where commands run; default the current folder
 * @throws {DroverError} `URL_MISSING`, `URL_INVALID`
 */
export async function locateDatabases(
  wanted: readonly Database[],
  all: readonly Database[],
  environment: Environment,
  startDevelopmentServer: () => Promise<DevelopmentServer>,
  root = '.',
): Promise<readonly Located[]> {
  if (!all.some((database) => isNamed(database, environment))) {
    const server = await startDevelopmentServer()
    return wanted.map((database) => {
      const url = server.urlFor(database.config.database)
      const registry = registryOf(database, all)
      const registryUrl = registry && server.urlFor(registry.config.database)
      return { database, url, development: true, ...placeTenants(database, url, registryUrl, () => url) }
    })
  }
  throwProblems(findMissing(wanted, all, environment))
  const located: Located[] = []
  const problems: Problem[] = []
  // A database that lists tenants may be wanted as well, and its command takes a while, or asks somebody.
  const found = new Map<Database, Promise<ConnectionUrl>>()
  const urlOf = (database: Database) => {
    const url = found.get(database) ?? findUrl(database, environment, root)
    found.set(database, url)
    return url
  }
  for (const database of wanted) {
    try {
      const url = await urlOf(database)
      const registry = registryOf(database, all)
      const registryUrl = registry && (await urlOf(registry))
      const places = placeTenants(database, url, registryUrl, (variable) => findServer(variable, environment))
      located.push({ database, url, development: false, ...places })
    } catch (error) {
      if (!(error instanceof DroverError)) throw error
      problems.push(...error.problems.map((problem) => ({ ...problem, database: database.name })))
    }
  }
  throwProblems(problems)
  return located
}

/** Whether the environment, or a command in its `database.ts`, says where a database is. */
export function isNamed(database: Database, environment: Environment): boolean {
  const { url, urlCommand } = database.config
  const named = (variable: string) => isSet(environment[variable]) || isSet(environment[`${variable}_FILE`])
  return urlCommand !== undefined || url.some((variable) => named(variable) || named(partOf(variable, 'HOST')))
}

/**
 * Reads a variable that may hold a secret: itself, else the file that `<VARIABLE>_FILE` names.
 * @returns the text and where it is from, for messages; `undefined` when neither is set
 * @throws {DroverError} `URL_INVALID` when the file cannot be read
 */
export function readVariable(
  variable: string,
  environment: Environment,
): { readonly text: string; readonly source: string } | undefined {
  const found = readPassword(variable, environment)
  return found && { ...found, text: found.text.trim() }
}

/**
 * Reads a password, as `readVariable` does: it may begin and end with blanks, and the line end of a file is not part of it.
 * @throws {DroverError} `URL_INVALID` when the file cannot be read
 */
export function readPassword(
  variable: string,
  environment: Environment,
): { readonly text: string; readonly source: string } | undefined {
  const text = environment[variable]
  if (isSet(text)) return { text, source: variable }
  const source = `${variable}_FILE`
  const file = environment[source]
  return isSet(file) ? { text: readSecret(file, source).replace(/\r?\n$/, ''), source } : undefined
}

/** The database that lists the tenants of another. */
function registryOf({ config: { tenants } }: Database, all: readonly Database[]): Database | undefined {
  return tenants && all.find(({ name }) => name === tenants.registry.database)
}

/** The databases that nothing names, of those that are wanted or list the tenants of one that is. */
function findMissing(
  wanted: readonly Database[],
  all: readonly Database[],
  environment: Environment,
): readonly Problem[] {
  return wanted.flatMap((database) => {
    if (!isNamed(database, environment)) {
      const reason = 'while other databases have theirs'
      return [describeMissing(database, reason, ', or leave this database out with --database')]
    }
    const registry = registryOf(database, all)
    if (!registry || wanted.includes(registry) || isNamed(registry, environment)) return []
    return [describeMissing(registry, `where the tenants of ${database.name} are listed`)]
  })
}

function describeMissing({ name, config }: Database, reason: string, otherwise = ''): Problem {
  const message = `the URL of ${name} is not set, ${reason}`
  return { code: 'URL_MISSING', database: name, message, hint: `set ${config.url.join(' or ')}${otherwise}` }
}

function placeTenants(
  { config: { tenants } }: Database,
  url: ConnectionUrl,
  registry: ConnectionUrl | undefined,
  serverOf: (variable: string) => ConnectionUrl,
): { readonly tenants?: TenantPlaces } {
  if (!tenants || !registry) return {}
  const servers = tenants.servers
    ? Object.entries(tenants.servers).map(([name, variable]) => ({ name, url: serverOf(variable) }))
    : [{ name: '', url }]
  return { tenants: { registry, servers } }
}

function findServer(variable: string, environment: Environment): ConnectionUrl {
  const named = readVariable(variable, environment)
  if (named) return ConnectionUrl.parse(named.text, named.source)
  throw new DroverError({
    code: 'URL_MISSING',
    message: `the URL of a server of tenants is not set: ${variable}`,
    hint: `set ${variable}, or take it out of "tenants.servers"`,
  })
}

async function findUrl(database: Database, environment: Environment, root: string): Promise<ConnectionUrl> {
  for (const variable of database.config.url) {
    const named = readVariable(variable, environment)
    if (named) return ConnectionUrl.parse(named.text, named.source)
    const host = readVariable(partOf(variable, 'HOST'), environment)
    if (host) return joinParts(host, database, variable, environment)
  }
  // Most workspaces run none.
  const { readFromCommand } = await import('./url-command.ts')
  const printed = await readFromCommand(database, { root, environment })
  return ConnectionUrl.parse(printed.text, printed.source)
}

function joinParts(
  host: { readonly text: string; readonly source: string },
  database: Database,
  variable: string,
  environment: Environment,
): ConnectionUrl {
  const part = (name: string) => readVariable(partOf(variable, name), environment)
  const port = part('PORT')
  const number = Number(port?.text ?? 5432)
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new DroverError({
      code: 'URL_INVALID',
      message: `${port?.source} is not a port`,
      hint: 'give a number from 1 to 65535',
    })
  }
  return ConnectionUrl.of({
    host: host.text.replace(/^\[(.*)\]$/, '$1'),
    port: number,
    user: part('USER')?.text ?? 'postgres',
    password: readPassword(partOf(variable, 'PASSWORD'), environment)?.text ?? '',
    database: part('DB')?.text ?? database.config.database,
    source: host.source,
  })
}

/** `GDPR_DATABASE_URL` → `GDPR_POSTGRES_HOST`. */
function partOf(variable: string, part: string): string {
  return variable.replace(/(?:DATABASE_)?URL$/, `POSTGRES_${part}`)
}

function readSecret(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new DroverError(
      {
        code: 'URL_INVALID',
        message: `the file that ${variable} names cannot be read`,
        hint: `correct ${variable}, or the file's permissions`,
      },
      { cause: error },
    )
  }
}

/** An empty variable is how compose files and shells say that it is not set. */
function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== ''
}
