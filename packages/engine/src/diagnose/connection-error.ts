import { DroverError, type ProblemCode } from '@drover/history'

import type { ConnectionUrl } from '../connect/connection-url.ts'

/**
 * Translates what can go wrong between us and a server. `undefined` for anything else: what the server says about a
 * statement is not about the connection.
 */
export function translateConnectionError(error: unknown, url: ConnectionUrl): DroverError | undefined {
  const code = codeOf(error)
  const fault = code === undefined ? undefined : findFault(code, error)
  if (!fault) return undefined
  return new DroverError(
    {
      code: fault.code,
      message: fault.message(url),
      hint: fault.hint(url),
      ...(code !== undefined && isSqlstate(code) && { sqlstate: code }),
      // Which line of pg_hba.conf is missing, that it is a certificate that is wanted, or whose connections are too many, only the server knows.
      ...((code === '28000' || code === '53300') && error instanceof Error && { serverNotes: [error.message] }),
    },
    { cause: error },
  )
}

/**
 * Whether what a connection failed by may pass without anybody correcting anything: a server that is not there yet, or has no
 * room. Wrong passwords and certificates stay wrong.
 */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof DroverError)) return false
  const code = codeOf(error.cause)
  const fault = code === undefined ? undefined : findFault(code, error.cause)
  if (fault && [rejected, missing, noTls, untrusted, misnamed, unwelcome].includes(fault)) return false
  return error.code === 'UNREACHABLE' || error.code === 'CONNECTION_LOST'
}

interface Fault {
  readonly code: ProblemCode
  readonly message: (url: ConnectionUrl) => string
  readonly hint: (url: ConnectionUrl) => string
}

const refused: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `no server answers at ${url.host}:${url.port}`,
  hint: (url) => `start the server, or correct host and port in ${url.source}`,
}
const unknownHost: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the host ${url.host} cannot be found`,
  hint: (url) => `correct the host in ${url.source}`,
}
const silent: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the server at ${url.host}:${url.port} did not answer in time`,
  hint: (url) => `check the network and the firewall, or the host and port in ${url.source}`,
}
const rejected: Fault = {
  code: 'AUTHENTICATION_FAILED',
  message: (url) => `the server at ${url.host}:${url.port} refused the login of user "${url.user}"`,
  hint: (url) => `correct user and password in ${url.source}`,
}
const missing: Fault = {
  code: 'DATABASE_MISSING',
  message: (url) => `the server at ${url.host}:${url.port} has no database "${url.database}"`,
  hint: (url) => `create it with: pnpm migrate init (or correct the name in ${url.source})`,
}
const crowded: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the server at ${url.host}:${url.port} has no connection left for us`,
  hint: () => 'run again when it is less busy, or raise its max_connections, or the limit of the user or the database',
}
const notReady: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the server at ${url.host}:${url.port} is starting up or shutting down`,
  hint: () => 'run again in a moment',
}
const noTls: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the server at ${url.host}:${url.port} does not offer the TLS that ${url.source} asks for`,
  hint: () => 'switch TLS on at the server, or relax sslmode',
}
const untrusted: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the certificate of the server at ${url.host}:${url.port} is not to be trusted`,
  hint: (url) =>
    `make sure that it is your server, then name the authority of its certificate with sslrootcert in ${url.source}`,
}
const misnamed: Fault = {
  code: 'UNREACHABLE',
  message: (url) => `the server at ${url.host}:${url.port} has the certificate of another host`,
  hint: (url) => `correct the host in ${url.source}, or give the server a certificate for ${url.host}`,
}
const unwelcome: Fault = {
  code: 'AUTHENTICATION_FAILED',
  message: (url) => `the server at ${url.host}:${url.port} refused our certificate, or wants one`,
  hint: (url) => `correct sslcert and sslkey in ${url.source}`,
}
const lost: Fault = {
  code: 'CONNECTION_LOST',
  message: (url) => `the connection to ${url.host}:${url.port} was lost`,
  hint: () => 'run the same command again: it goes on where this one stopped',
}
const idle: Fault = {
  code: 'CONNECTION_LOST',
  message: (url) => `the server at ${url.host}:${url.port} ended the session, because it waited for us too long`,
  hint: () =>
    'run the same command again; code that takes its time between two queries should query before and after it',
}
const overtime: Fault = {
  code: 'CONNECTION_LOST',
  message: (url) => `the server at ${url.host}:${url.port} ended the session, because its transaction took too long`,
  hint: () => 'raise transaction_timeout for this user, then run the same command again',
}

/** By the driver's and the system's error codes, and by SQLSTATE. */
const faults: ReadonlyMap<string, Fault> = new Map([
  ['ECONNREFUSED', refused],
  ['ENOTFOUND', unknownHost],
  ['EAI_AGAIN', unknownHost],
  ['CONNECT_TIMEOUT', silent],
  ['ETIMEDOUT', silent],
  ['EHOSTUNREACH', silent],
  ['ENETUNREACH', silent],
  ['28P01', rejected],
  ['28000', rejected],
  ['3D000', missing],
  ['53300', crowded],
  ['57P03', notReady],
  ['ERR_SSL_WRONG_VERSION_NUMBER', noTls],
  ['CERT_HAS_EXPIRED', untrusted],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['CERT_NOT_YET_VALID', untrusted],
  ['CERT_SIGNATURE_FAILURE', untrusted],
  ['CERT_UNTRUSTED', untrusted],
  ['INVALID_CA', untrusted],
  ['INVALID_PURPOSE', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT', untrusted],
  ['ERR_TLS_CERT_ALTNAME_INVALID', misnamed],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', unwelcome],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', unwelcome],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', unwelcome],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', unwelcome],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', unwelcome],
  ['CONNECTION_CLOSED', lost],
  ['CONNECTION_DESTROYED', lost],
  ['CONNECTION_ENDED', lost],
  ['ECONNRESET', lost],
  ['EPIPE', lost],
  ['57P01', lost],
  ['57P02', lost],
  ['25P03', idle],
  ['57P05', idle],
  ['25P04', overtime],
])

/** What a pooler says has one SQLSTATE for all of it, and the words have to tell. */
function findPoolerFault(error: unknown): Fault {
  const text = error instanceof Error ? error.message : String(error)
  if (/\b(?:startup )?parameter\b/.test(text)) return { ...poolerFault(text), code: 'URL_INVALID', hint: leaveOut }
  if (/^no such database\b/.test(text)) return { ...poolerFault(text), hint: nameInPooler }
  if (/max_client_conn|query_wait_timeout/.test(text)) return { ...poolerFault(text), hint: crowdedPooler }
  return /\bserver conn crashed\b/.test(text) ? lost : poolerFault(text)
}

function poolerFault(text: string): Fault {
  return {
    code: 'UNREACHABLE',
    message: (url) => `the pooler at ${url.host}:${url.port} refused the connection: ${text}`,
    hint: (url) => `see the log of the pooler, or name the server itself in ${url.source}`,
  }
}

const leaveOut: Fault['hint'] = (url) => `take it out of ${url.source}, or name the server itself there`
const nameInPooler: Fault['hint'] = (url) =>
  `add it to the databases of the pooler, or correct the name in ${url.source}`
const crowdedPooler: Fault['hint'] = (url) =>
  `run again when it is less busy, or name the server itself in ${url.source}`

function findFault(code: string, error: unknown): Fault | undefined {
  // The same states are also raised by statements, as by granting on a database that is not there; those are not fatal.
  if (code === '08P01' && isPoolers(error)) return findPoolerFault(error)
  if (isSqlstate(code) && !isFatal(error)) return undefined
  // A server without TLS says so, and the driver starts TLS all the same.
  if (code === 'ECONNRESET' && error instanceof Error && error.message.includes('before secure TLS')) return noTls
  return faults.get(code)
}

/** PostgreSQL tells with every error where in its sources it comes from; what stands before it does not. */
function isPoolers(error: unknown): boolean {
  return error instanceof Error && !('routine' in error)
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC')
}

function isSqlstate(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  // A host with several addresses fails with one error for each.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined
}
