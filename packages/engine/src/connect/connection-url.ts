import { DroverError } from '@drover/history'

import { quoteIdentifier } from '../sql/quote.ts'
import { inspected, Secret } from './secret.ts'

/** How much of TLS a URL asks for: PostgreSQL's `sslmode`. */
export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

/** The files with which TLS is checked, and what opens them; paths as the URL gives them. */
export interface TlsFiles {
  /** Certificates of the authorities to trust; `system` for those that the operating system trusts. */
  readonly sslrootcert?: string
  /** Our own certificate, for servers that want one; never without its key. */
  readonly sslcert?: string
  readonly sslkey?: string
  /** What the key is encrypted with. */
  readonly sslpassword?: Secret
}

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
  readonly tlsFiles: TlsFiles
  /** Start-up parameters that the URL sets, such as `application_name`. */
  readonly parameters: Readonly<Record<string, string>>
  /** What the URL came from, for messages: the name of a variable, or `embedded server`. */
  readonly source: string
  readonly password: Secret

  private constructor(parts: ConnectionParts) {
    this.host = parts.host
    this.port = parts.port
    this.database = parts.database
    this.user = parts.user
    this.sslMode = parts.sslMode ?? 'prefer'
    this.tlsFiles = parts.tlsFiles ?? {}
    this.parameters = parts.parameters ?? {}
    this.source = parts.source
    this.password = new Secret(parts.password)
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
    return this.#with({ database })
  }

  /** The same database, another login. */
  withLogin(user: string, password: string): ConnectionUrl {
    return this.#with({ user, password })
  }

  /** The same database and login, for sessions in which names are looked for in these schemas. */
  withSearchPath(schemas: readonly string[]): ConnectionUrl {
    return this.#with({ parameters: { ...this.parameters, search_path: schemas.map(quoteIdentifier).join(', ') } })
  }

  #with(parts: Partial<ConnectionParts>): ConnectionUrl {
    const { host, port, database, user, sslMode, tlsFiles, parameters, source } = this
    const password = this.revealPassword()
    return new ConnectionUrl({ host, port, database, user, sslMode, tlsFiles, parameters, source, password, ...parts })
  }

  /** The password itself. For the driver, and for nothing that prints. */
  revealPassword(): string {
    return this.password.reveal()
  }

  /** The whole as a URL that parses to the same, every password in it. For other programs, and for nothing that prints. */
  revealUrl(): string {
    const { sslpassword, ...files } = this.tlsFiles
    const parameters = Object.entries({
      ...(this.sslMode !== 'prefer' && { sslmode: this.sslMode }),
      ...files,
      ...(sslpassword && { sslpassword: sslpassword.reveal() }),
      ...this.parameters,
    }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    const [user, password, database] = [this.user, this.revealPassword(), this.database].map(encodeURIComponent)
    const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
    return `postgres://${user}${password && `:${password}`}@${this.#address}/${database}${query}`
  }

  /** Host, port and database: where it is, without who logs in. */
  get place(): string {
    return `${this.#address}/${this.database}`
  }

  get #address(): string {
    return `${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  toString(): string {
    return `postgres://${this.user}@${this.place}`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspected](): string {
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
  readonly tlsFiles?: TlsFiles
  readonly parameters?: Readonly<Record<string, string>>
  readonly source: string
}

const sslModes: readonly SslMode[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full']
const fileParameters = ['sslrootcert', 'sslcert', 'sslkey', 'sslpassword']
const startUpParameters = ['application_name', 'options', 'search_path']

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
  // A URL is parsed without its line breaks and tabs, and the password would be another.
  if (/[\t\r\n]/.test(rest)) throw invalid(source, 'has a line break or a tab in it', hint)
  // The port 80 is the default of the scheme that was borrowed, and would be lost.
  if (/^[^/?#]*:0*80(?:[/?#]|$)/.test(rest)) throw invalid(source, 'has port 80', hint)
  return url
}

type Parameters = Pick<ConnectionParts, 'sslMode' | 'tlsFiles' | 'parameters'>

function parseParameters(search: URLSearchParams, source: string): Parameters {
  const parameters: Record<string, string> = {}
  const files: Record<string, string> = {}
  let sslMode: SslMode | undefined
  for (const [name, value] of search) {
    if (name === 'sslmode') {
      sslMode = sslModes.find((mode) => mode === value)
      if (!sslMode) throw invalid(source, `has sslmode=${value}`, `Drover knows ${sslModes.join(', ')}`)
    } else if (fileParameters.includes(name)) {
      files[name] = value
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
      const known = ['sslmode', ...fileParameters, 'channel_binding', ...startUpParameters]
      throw invalid(source, `has ${what}`, `Drover knows ${known.join(', ')}`)
    }
  }
  return { parameters, ...checkTls(sslMode, files, source) }
}

/** Files that would not be looked at make a connection seem safer than it is, so they are refused. */
function checkTls(
  asked: SslMode | undefined,
  files: Readonly<Record<string, string>>,
  source: string,
): Pick<ConnectionParts, 'sslMode' | 'tlsFiles'> {
  const { sslpassword, ...paths } = files
  const sslMode = asked ?? (files['sslrootcert'] === 'system' ? 'verify-full' : 'prefer')
  const [name] = Object.keys(files)
  if (name !== undefined && (sslMode === 'disable' || sslMode === 'prefer')) {
    throw invalid(source, `has ${name}, and sslmode=${sslMode} does not insist on TLS`, 'add sslmode=verify-full')
  }
  if (files['sslrootcert'] === 'system' && sslMode !== 'verify-full') {
    throw invalid(
      source,
      `has sslrootcert=system with sslmode=${sslMode}: anybody can have a certificate of such an authority`,
      'write sslmode=verify-full',
    )
  }
  if ((files['sslcert'] === undefined) !== (files['sslkey'] === undefined)) {
    throw invalid(source, 'has only one of sslcert and sslkey', 'give the certificate and its key')
  }
  if (sslpassword !== undefined && files['sslkey'] === undefined) {
    throw invalid(source, 'has sslpassword without sslkey', 'give the key that it is the password of')
  }
  return { sslMode, tlsFiles: { ...paths, ...(sslpassword !== undefined && { sslpassword: new Secret(sslpassword) }) } }
}

function decode(text: string, part: string, source: string): string {
  const decoded = decodePercent(text, part, source)
  // On the wire, it would end the text.
  if (decoded.includes('\0')) throw invalid(source, `has a ${part} with a NUL character in it`, 'take %00 out')
  return decoded
}

function decodePercent(text: string, part: string, source: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(source, `has a ${part} with a "%" that is not an escape`, 'write a percent sign as %25')
  }
}

function invalid(source: string, what: string, hint: string): DroverError {
  return new DroverError({ code: 'URL_INVALID', message: `${source} ${what}`, hint })
}
