import { inspect } from 'node:util'

import { DroverError } from '@drover/history'

/** How much of TLS a URL asks for: PostgreSQL's `sslmode`. */
export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-full'

/**
 * Where a database is and how to log in. The password is kept out of every way of printing the object: text, JSON and
 * inspection show the URL without it.
 */
export class ConnectionUrl {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly sslMode: SslMode
  /** Start-up parameters that the URL sets, such as `application_name`. */
  readonly parameters: Readonly<Record<string, string>>
  /** What the URL came from, for messages: the name of a variable, or `embedded server`. */
  readonly source: string
  readonly #password: string

  private constructor(parts: ConnectionParts) {
    this.host = parts.host
    this.port = parts.port
    this.database = parts.database
    this.user = parts.user
    this.sslMode = parts.sslMode ?? 'prefer'
    this.parameters = parts.parameters ?? {}
    this.source = parts.source
    this.#password = parts.password
  }

  static of(parts: ConnectionParts): ConnectionUrl {
    return new ConnectionUrl(parts)
  }

  /**
   * Parses `postgres://`, `postgresql://` and the forms of Python projects (`postgresql+asyncpg://`).
   * @param source what the text came from; the message of an error names it and never the text, which holds a password
   * @throws {DroverError} `URL_INVALID`
   */
  static parse(text: string, source: string): ConnectionUrl {
    const url = parseUrl(text, source)
    const database = decode(url.pathname.slice(1), 'database name', source)
    const user = decode(url.username, 'user', source)
    if (!database)
      throw invalid(source, 'names no database', 'put its name after the host: postgres://user@host:5432/name')
    if (!user) throw invalid(source, 'names no user', 'put it before the host: postgres://user@host:5432/name')
    return new ConnectionUrl({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 5432 : Number(url.port),
      database,
      user,
      password: decode(url.password, 'password', source),
      source,
      ...parseParameters(url.searchParams, source),
    })
  }

  /** The same server and login, another database of it. */
  withDatabase(database: string): ConnectionUrl {
    const { host, port, user, sslMode, parameters, source } = this
    return new ConnectionUrl({ host, port, user, sslMode, parameters, source, database, password: this.#password })
  }

  /** The password itself. For the driver, and for nothing that prints. */
  revealPassword(): string {
    return this.#password
  }

  /** Host, port and database: where it is, without who logs in. */
  get place(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host
    return `${host}:${this.port}/${this.database}`
  }

  toString(): string {
    return `postgres://${this.user}@${this.place}`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

interface ConnectionParts {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly sslMode?: SslMode
  readonly parameters?: Readonly<Record<string, string>>
  readonly source: string
}

const sslModes: readonly SslMode[] = ['disable', 'prefer', 'require', 'verify-full']
const startUpParameters = ['application_name', 'options']

function parseUrl(text: string, source: string): URL {
  const hint =
    'write it as postgres://user:password@host:5432/name, with special characters of the password percent-encoded'
  const scheme = /^postgres(?:ql)?(?:\+[a-z0-9]+)?:\/\//.exec(text.trim())
  if (!scheme) throw invalid(source, 'does not start with postgres://', hint)
  // A scheme that the URL standard does not know is parsed without its rules for hosts, so use one that it knows.
  const rest = text.trim().slice(scheme[0].length)
  const url = URL.parse(`http://${rest}`)
  if (!url) throw invalid(source, 'is not a valid URL', hint)
  // Everything after it would be dropped silently.
  if (rest.includes('#')) throw invalid(source, 'has a "#" that is not percent-encoded', 'write it as %23')
  // The port 80 is the default of the scheme that was borrowed, and would be lost.
  if (/^[^/?#]*:0*80(?:[/?#]|$)/.test(rest)) throw invalid(source, 'has port 80', hint)
  return url
}

function parseParameters(search: URLSearchParams, source: string): Pick<ConnectionParts, 'sslMode' | 'parameters'> {
  const parameters: Record<string, string> = {}
  let sslMode: SslMode | undefined
  for (const [name, value] of search) {
    if (name === 'sslmode') {
      sslMode = sslModes.find((mode) => mode === value)
      if (!sslMode) throw invalid(source, `has sslmode=${value}`, `Drover knows ${sslModes.join(', ')}`)
    } else if (name === 'channel_binding' && value !== 'require') {
      continue
    } else if (startUpParameters.includes(name)) {
      parameters[name] = value
    } else if (name === 'channel_binding') {
      throw invalid(
        source,
        'has channel_binding=require, which the driver cannot do, and which is not dropped silently',
        'take it out of the URL, and use sslmode=verify-full to be sure of the server',
      )
    } else {
      // What looks like no name may be a piece of a password with a question mark in it.
      const what = /^[a-z_]+$/i.test(name) ? `the parameter "${name}"` : 'a parameter that is none of PostgreSQL'
      throw invalid(source, `has ${what}`, `Drover knows sslmode, channel_binding, ${startUpParameters.join(', ')}`)
    }
  }
  return { parameters, ...(sslMode && { sslMode }) }
}

function decode(text: string, part: string, source: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(source, `has a ${part} with a "%" that is not an escape`, 'write a percent sign as %25')
  }
}

function invalid(source: string, what: string, hint: string): DroverError {
  return new DroverError({ code: 'URL_INVALID', message: `${source} ${what}`, hint })
}
