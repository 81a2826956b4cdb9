import { writeFile } from 'node:fs/promises'
import { inspect } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'
import { createExampleAuthority, type ExampleAuthority } from './example-certificates.ts'
import { type ExampleTlsServer, startEavesdropper, startTlsServer } from './example-tls.ts'

let authority: ExampleAuthority
let impostor: ExampleAuthority
let server: ExampleTlsServer

beforeAll(async () => {
  authority = await createExampleAuthority()
  impostor = await createExampleAuthority()
  server = await startTlsServer(authority)
})
afterAll(async () => {
  for (const thing of [server, impostor, authority]) await thing?.[Symbol.asyncDispose]()
})

/** Logs in with these parameters; says whether through TLS, and as whom the server knows our certificate. */
async function login(
  parameters: Readonly<Record<string, string>>,
  other: { readonly host?: string; readonly port?: number; readonly user?: string } = {},
): Promise<{ readonly tls: boolean; readonly subject: unknown }> {
  const { host = server.url.host, port = server.url.port, user = server.url.user } = other
  const password = encodeURIComponent(other.user === undefined ? server.url.revealPassword() : 'Sesame-7')
  const query = new URLSearchParams(parameters).toString()
  const place = `${host}:${port}/${server.url.database}`
  const url = ConnectionUrl.parse(`postgres://${user}:${password}@${place}?${query}`, 'TLS_URL')
  await using connection = openConnection(url)
  const [row] = await connection.send('select ssl, client_dn from pg_stat_ssl where pid = pg_backend_pid()')
  return { tls: row!['ssl'] === true || row!['ssl'] === 't', subject: row!['client_dn'] }
}

describe('sslmode', () => {
  it('decides whether TLS is used, whatever the variables of libpq say', async () => {
    const inherited = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/nowhere', PGSSLNEGOTIATION: 'direct' }
    Object.assign(process.env, inherited)
    try {
      expect(await login({ sslmode: 'disable' })).toMatchObject({ tls: false })
      expect(await login({})).toMatchObject({ tls: true })
      expect(await login({ sslmode: 'prefer' })).toMatchObject({ tls: true })
      expect(await login({ sslmode: 'require' })).toMatchObject({ tls: true })
    } finally {
      for (const name of Object.keys(inherited)) delete process.env[name]
    }
  })

  it.each(['verify-ca', 'verify-full'])('%s takes a server whose authority is named, and no other', async (sslmode) => {
    expect(await login({ sslmode, sslrootcert: authority.cert })).toMatchObject({ tls: true })
    for (const parameters of [{ sslmode }, { sslmode, sslrootcert: impostor.cert }]) {
      await expect(login(parameters)).rejects.toMatchObject({
        code: 'UNREACHABLE',
        message: `the certificate of the server at 127.0.0.1:${server.url.port} is not to be trusted`,
      })
    }
  })

  it('verify-full with sslrootcert=system takes no server of an authority that the system does not know', async () => {
    await expect(login({ sslrootcert: 'system' })).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  it('require with sslrootcert asks the authority, as psql does', async () => {
    expect(await login({ sslmode: 'require', sslrootcert: authority.cert })).toMatchObject({ tls: true })
    await expect(login({ sslmode: 'require', sslrootcert: impostor.cert })).rejects.toMatchObject({
      code: 'UNREACHABLE',
    })
  })
})

describe('somebody in the middle with a certificate of another authority', () => {
  it.each(['verify-ca', 'verify-full'])('hears nothing with %s', async (sslmode) => {
    const own = await impostor.issue('server', 'IP:127.0.0.1')
    await using eavesdropper = await startEavesdropper(server.url, own)
    const { port } = eavesdropper

    await expect(login({ sslmode, sslrootcert: authority.cert }, { port })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: `the certificate of the server at 127.0.0.1:${port} is not to be trusted`,
    })
    expect(eavesdropper.heard).toBe(false)
  })

  it('hears everything with require, which looks at no certificate', async () => {
    await using eavesdropper = await startEavesdropper(server.url, await impostor.issue('server', 'IP:127.0.0.1'))

    expect(await login({ sslmode: 'require' }, { port: eavesdropper.port })).toMatchObject({ tls: true })
    expect(eavesdropper.heard).toBe(true)
  })
})

describe('somebody in the middle with a certificate of the right authority for another host', () => {
  // The driver itself would take this name for that of every server that is named by its address.
  it.each(['DNS:localhost', 'DNS:other.example.org', 'IP:127.0.0.2'])(
    'hears nothing with verify-full: %s',
    async (name) => {
      await using eavesdropper = await startEavesdropper(server.url, await authority.issue('server', name))
      const { port } = eavesdropper

      await expect(login({ sslmode: 'verify-full', sslrootcert: authority.cert }, { port })).rejects.toMatchObject({
        code: 'UNREACHABLE',
        message: `the server at 127.0.0.1:${port} has the certificate of another host`,
      })
      expect(eavesdropper.heard).toBe(false)
    },
  )

  it('hears everything with verify-ca, which looks at no name', async () => {
    await using eavesdropper = await startEavesdropper(server.url, await authority.issue('server', 'DNS:other'))

    const through = await login({ sslmode: 'verify-ca', sslrootcert: authority.cert }, { port: eavesdropper.port })

    expect(through).toMatchObject({ tls: true })
    expect(eavesdropper.heard).toBe(true)
  })

  it('is the server itself when the URL names it so', async () => {
    await using proxy = await startEavesdropper(server.url, await authority.issue('server', 'DNS:localhost'))

    const parameters = { sslmode: 'verify-full', sslrootcert: authority.cert }
    expect(await login(parameters, { port: proxy.port, host: 'localhost' })).toMatchObject({ tls: true })
  })
})

describe('a server that wants a certificate of ours', () => {
  const user = 'certified'

  it('lets in who has one for the user, with an encrypted key as well', async () => {
    const { cert, key } = await authority.issue(user, 'DNS:client')
    const parameters = { sslmode: 'verify-full', sslrootcert: authority.cert, sslcert: cert }

    expect(await login({ ...parameters, sslkey: key }, { user })).toEqual({ tls: true, subject: `/CN=${user}` })
    const sslkey = await authority.encrypt(key, 'Sesame 8?')
    expect(await login({ ...parameters, sslkey, sslpassword: 'Sesame 8?' }, { user })).toMatchObject({ tls: true })
  })

  it('refuses who has none, and says so', async () => {
    await expect(login({ sslmode: 'require' }, { user })).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      problems: [{ serverNotes: ['connection requires a valid client certificate'] }],
    })
  })

  it('refuses the certificate of another user', async () => {
    const { cert, key } = await authority.issue('other', 'DNS:client')

    await expect(login({ sslmode: 'require', sslcert: cert, sslkey: key }, { user })).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    })
  })

  it('refuses the certificate of an authority that it does not know', async () => {
    const { cert, key } = await impostor.issue(user, 'DNS:x')

    // With TLS 1.3 the server looks at it after the handshake: what we have sent by then may meet a closed connection first.
    await expect(login({ sslmode: 'require', sslcert: cert, sslkey: key }, { user })).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:AUTHENTICATION_FAILED|CONNECTION_LOST)$/),
    })
  })
})

describe('a file for TLS that cannot be used', () => {
  it('is named with its parameter when it is not there', async () => {
    expect(await faultsOf({ sslrootcert: '/nowhere/root.crt' })).toMatchObject({
      code: 'URL_INVALID',
      message: 'the file that sslrootcert of TLS_URL names cannot be read (ENOENT): /nowhere/root.crt',
      problems: [{ hint: 'correct the path, or the permissions of the file' }],
    })
    const { cert, key } = await authority.issue('x', 'DNS:x')
    expect(await faultsOf({ sslcert: '/nowhere', sslkey: key })).toMatchObject({
      code: 'URL_INVALID',
      message: expect.stringContaining('sslcert of TLS_URL names cannot be read'),
    })
    expect(await faultsOf({ sslcert: cert, sslkey: '/' })).toMatchObject({
      code: 'URL_INVALID',
      message: 'the file that sslkey of TLS_URL names cannot be read (EISDIR): /',
    })
  })

  it('is named when it is something else, or not the key of the certificate', async () => {
    const [one, two] = [await authority.issue('x', 'DNS:x'), await authority.issue('y', 'DNS:y')]
    const broken = `${one.cert}.broken`
    await writeFile(broken, '-----BEGIN CERTIFICATE-----\nSesame\n-----END CERTIFICATE-----\n')

    for (const sslrootcert of [one.key, broken]) {
      expect(await faultsOf({ sslrootcert })).toMatchObject({
        code: 'URL_INVALID',
        message: `the file that sslrootcert of TLS_URL names is not a certificate: ${sslrootcert}`,
      })
    }
    expect(await faultsOf({ sslcert: one.cert, sslkey: two.key })).toMatchObject({
      message: `the file that sslkey of TLS_URL names is not the key of the certificate: ${two.key}`,
    })
    const encrypted = await authority.encrypt(one.key, 'Sesame-8')
    for (const wrong of [{}, { sslpassword: 'Sesame-9' }]) {
      const error = await faultsOf({ sslcert: one.cert, sslkey: encrypted, ...wrong })
      expect(error).toMatchObject({
        code: 'URL_INVALID',
        message: `the file that sslkey of TLS_URL names is not a private key that can be read: ${encrypted}`,
      })
      expect(inspect(error, { showHidden: true, depth: null })).not.toContain('Sesame-9')
    }
  })
})

async function faultsOf(parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const error: unknown = await login({ sslmode: 'verify-full', ...parameters }).catch((thrown: unknown) => thrown)
  expect(inspect(error, { showHidden: true, depth: null })).not.toContain(server.url.revealPassword())
  return error
}
