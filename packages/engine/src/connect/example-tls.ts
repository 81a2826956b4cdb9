import { once } from 'node:events'
import { chown, copyFile, chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls'

import { pickServer } from '@drover/server'

import { openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'
import type { ExampleAuthority, ExampleCertificate } from './example-certificates.ts'

/** A server with TLS for tests. Its certificate is for 127.0.0.1; whoever is `certified` needs one of the same authority. */
export interface ExampleTlsServer extends AsyncDisposable {
  readonly url: ConnectionUrl
}

/** Starts a server of its own, and gives it a certificate. */
export async function startTlsServer(authority: ExampleAuthority): Promise<ExampleTlsServer> {
  await using started = new AsyncDisposableStack()
  const server = started.use(await pickServer({ DROVER_TEST_SERVER: 'embedded' }))
  const url = ConnectionUrl.parse(server.url, 'TLS_URL')
  await using connection = openConnection(url)
  const [row] = await connection.send('show data_directory')
  const data = String(row!['data_directory'])
  const { cert, key } = await authority.issue('server', 'IP:127.0.0.1')
  const { uid, gid } = await stat(data)
  for (const [from, name] of [
    [authority.cert, 'root.crt'],
    [cert, 'server.crt'],
    [key, 'server.key'],
  ] as const) {
    await copyFile(from, join(data, name))
    // PostgreSQL reads the key only when nobody else can.
    await chmod(join(data, name), 0o600)
    await chown(join(data, name), uid, gid)
  }
  const rules = join(data, 'pg_hba.conf')
  const certified =
    'hostssl all certified all scram-sha-256 clientcert=verify-full\nhostnossl all certified all reject\n'
  await writeFile(rules, `${certified}${await readFile(rules, 'utf8')}`)
  await connection.send(`create role certified login superuser password 'Sesame-7'`)
  for (const setting of [`ssl = on`, `ssl_ca_file = 'root.crt'`]) await connection.send(`alter system set ${setting}`)
  await connection.send('select pg_reload_conf()')
  // The server takes up the settings for new connections a moment later.
  for (;;) {
    await using probe = openConnection(url)
    const [answer] = await probe.send('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    if (answer!['ssl'] === true || answer!['ssl'] === 't') break
  }
  const owned = started.move()
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Somebody in the middle: ends TLS with a certificate of his own, and reads all that goes to the server and back. */
export interface Eavesdropper extends AsyncDisposable {
  readonly port: number
  /** Whether anything has been said to him through TLS. */
  readonly heard: boolean
}

/** Starts somebody who listens between a client and a server with TLS. */
export async function startEavesdropper(to: ConnectionUrl, own: ExampleCertificate): Promise<Eavesdropper> {
  const secureContext = createSecureContext({ cert: await readFile(own.cert), key: await readFile(own.key) })
  let heard = false
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(to.port, to.host)
    const plain = [client, upstream]
    for (const socket of plain) sockets.add(socket.on('error', () => plain.forEach((each) => each.destroy())))
    // The first message asks for TLS, and the answer to it says yes.
    client.once('data', (request) => upstream.write(request))
    upstream.once('data', (answer) => {
      client.write(answer)
      const inner = new TLSSocket(client, { isServer: true, secureContext })
      const outer = connectTls({ socket: upstream, rejectUnauthorized: false })
      for (const socket of [inner, outer]) socket.on('error', () => plain.forEach((each) => each.destroy()))
      inner.on('data', () => (heard = true))
      inner.pipe(outer).pipe(inner)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port')
  return {
    port: address.port,
    get heard() {
      return heard
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
