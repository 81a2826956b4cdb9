import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ConnectionOptions } from 'node:tls'

import { DroverError } from '@drover/history'

import type { ConnectionUrl } from './connection-url.ts'

/**
 * What the driver is told of TLS. `prefer` takes what the server offers; all else is spelled out, because the driver would
 * compare the certificate of a server that is named by its address with the name `localhost`.
 * @throws {DroverError} `URL_INVALID` when a file cannot be used
 */
export function tlsFor(url: ConnectionUrl): false | 'prefer' | ConnectionOptions {
  const { host, sslMode } = url
  if (sslMode === 'disable') return false
  if (sslMode === 'prefer') return 'prefer'
  const { checkServerIdentity, createSecureContext } = loadTls()
  return {
    secureContext: createSecureContext(readFiles(url)),
    // As with psql, whoever names authorities wants them to be asked.
    rejectUnauthorized: sslMode !== 'require' || url.tlsFiles.sslrootcert !== undefined,
    checkServerIdentity: (_, certificate) =>
      sslMode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
  }
}

/** It takes a third of an empty Node's start to load, and most servers are asked for no TLS, or have none. */
function loadTls() {
  return process.getBuiltinModule('node:tls')
}

interface TlsMaterial {
  readonly ca?: string | string[]
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

function readFiles(url: ConnectionUrl): TlsMaterial {
  const { sslrootcert, sslcert, sslkey, sslpassword } = url.tlsFiles
  const passphrase = sslpassword?.reveal()
  const authorities = sslrootcert !== undefined && {
    ca: sslrootcert === 'system' ? systemAuthorities() : readCertificate(url, 'sslrootcert', sslrootcert),
  }
  if (sslcert === undefined || sslkey === undefined) return { ...authorities }
  const cert = readCertificate(url, 'sslcert', sslcert)
  const key = readFile(url, 'sslkey', sslkey)
  const own = attempt(
    () => createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) }),
    (cause) =>
      unusable(
        url,
        'sslkey',
        sslkey,
        'is not a private key that can be read',
        'give one in PEM, and its sslpassword',
        cause,
      ),
  )
  if (!new X509Certificate(cert).checkPrivateKey(own)) {
    throw unusable(
      url,
      'sslkey',
      sslkey,
      'is not the key of the certificate',
      'give sslcert and sslkey that belong together',
    )
  }
  return { ...authorities, cert, key, ...(passphrase !== undefined && { passphrase }) }
}

function systemAuthorities(): string[] {
  return [...loadTls().getCACertificates('system'), ...loadTls().getCACertificates('extra')]
}

function readCertificate(url: ConnectionUrl, parameter: string, path: string): string {
  const text = readFile(url, parameter, path)
  const notOne = (cause?: unknown) =>
    unusable(
      url,
      parameter,
      path,
      'is not a certificate',
      'give one in PEM: it begins with -----BEGIN CERTIFICATE-----',
      cause,
    )
  // Another form would be read, and then not used.
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw notOne()
  attempt(() => new X509Certificate(text), notOne)
  return text
}

function readFile(url: ConnectionUrl, parameter: string, path: string): string {
  return attempt(
    () => readFileSync(path, 'utf8'),
    (cause) => {
      const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
      return unusable(
        url,
        parameter,
        path,
        `cannot be read${code}`,
        'correct the path, or the permissions of the file',
        cause,
      )
    },
  )
}

function attempt<T>(act: () => T, describe: (cause: unknown) => DroverError): T {
  try {
    return act()
  } catch (error) {
    throw describe(error)
  }
}

function unusable(
  url: ConnectionUrl,
  parameter: string,
  path: string,
  what: string,
  hint: string,
  cause?: unknown,
): DroverError {
  const message = `the file that ${parameter} of ${url.source} names ${what}: ${resolve(path)}`
  return new DroverError({ code: 'URL_INVALID', message, hint }, { cause })
}
