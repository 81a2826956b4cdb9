import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import { query } from './query.ts'

/** PgBouncer in transaction mode, in front of a server. */
export interface PgBouncer extends AsyncDisposable {
  /** The URL of a database of that server, over PgBouncer. */
  through(databaseUrl: string): string
  /** What its console answers: `show clients`, `show servers`. */
  console(command: string): Promise<readonly Record<string, any>[]>
}

/** Where PgBouncer is installed; Debian puts it beside the programs of administrators, which are not in everybody's PATH. */
export function findPgBouncer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, 'pgbouncer')).find((file) => existsSync(file))
}

/** Starts PgBouncer with the login of a server's URL, and each client's transactions on any of its connections. */
export async function startPgBouncer(program: string, serverUrl: string): Promise<PgBouncer> {
  const server = new URL(serverUrl)
  const [user, password] = [decodeURIComponent(server.username), decodeURIComponent(server.password)]
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'drover-pgbouncer-')))
  const port = await findFreePort()
  const files = [
    [join(folder, 'users.txt'), `${quote(user)} ${quote(password)}\n`],
    [
      join(folder, 'pgbouncer.ini'),
      `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${folder}/users.txt
admin_users = ${user}
pool_mode = transaction
`,
    ],
  ] as const
  for (const [file, text] of files) await writeFile(file, text, { mode: 0o600 })
  // It refuses to run as root, as PostgreSQL does.
  const nobody = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  if (nobody.uid !== undefined) {
    await chmod(folder, 0o711)
    for (const [file] of files) await chown(file, nobody.uid, nobody.gid)
  }
  const child = spawn(program, [join(folder, 'pgbouncer.ini')], { ...nobody, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))

  const through = (databaseUrl: string) => {
    const url = new URL(databaseUrl)
    url.host = `127.0.0.1:${port}`
    return url.href
  }
  const admin = new URL(through(serverUrl))
  admin.pathname = '/pgbouncer'
  const console = (command: string) => query(admin.href, command)
  const stop = async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await waitUntilReady(child, () => console('show version'))
  } catch (error) {
    await stop()
    throw new Error(`PgBouncer does not start: ${log}`, { cause: error })
  }
  return { through, console, [Symbol.asyncDispose]: stop }
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || !address) throw new Error('a server that listens has an address')
  return address.port
}

async function waitUntilReady(child: ChildProcess, ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ask()
      return
    } catch (error) {
      if (attempt === 100 || child.exitCode !== null) throw error
      await sleep(100)
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}
