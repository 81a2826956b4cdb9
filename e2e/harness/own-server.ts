import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { appendFile, chmod, chown, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { type RunningServer, startEmbedded, stopEmbedded, serverUrl } from '@drover/server'

import { query } from './query.ts'

/** A server that a test has to itself, and may treat badly. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string
  /** Ends all of its processes at once: what they had not yet written is lost. */
  crash(): Promise<void>
  /** Starts it again, on the same port. */
  start(): Promise<void>
  /** Stops and starts it with other settings, each by its name. */
  configure(settings: Readonly<Record<string, string>>): Promise<void>
}

/** Starts an embedded server that waits for the disk, with a cluster of its own. */
export async function startOwnServer(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'drover-own-server-')))
  // As root, PostgreSQL runs as another user, who has to be able to come in.
  await chmod(parent, 0o755)
  const folder = join(parent, 'server')
  let server: RunningServer = await startEmbedded({ folder })
  const url = serverUrl(server)
  const start = async () => {
    server = await startEmbedded({ folder })
    if (serverUrl(server) !== url) throw new Error(`the server came back at another address: port ${server.port}`)
  }
  const configure: OwnServer['configure'] = async (wanted) => {
    for (const [name, value] of Object.entries(wanted)) await query(url, `alter system set ${name} = '${value}'`)
    await stopEmbedded(folder)
    await start()
  }
  if (Object.keys(settings).length > 0) await configure(settings)
  return {
    url,
    crash: () => killTree(server.pid),
    start,
    configure,
    [Symbol.asyncDispose]: async () => {
      await stopEmbedded(folder)
      await rm(parent, { recursive: true, force: true })
    },
  }
}

/** Kills a process and its children, none of which notices that the others go. */
async function killTree(pid: number): Promise<void> {
  // Nobody new comes while they are counted.
  process.kill(pid, 'SIGSTOP')
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!)
  for (const one of [...children, pid]) {
    // Some have ended by themselves meanwhile.
    signalTo(one, 'SIGKILL')
  }
  while (signalTo(pid, 0)) await sleep(5)
}

/** Whether there is such a process. */
function signalTo(pid: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Where the programs of a whole PostgreSQL are installed, as Debian packages it; the embedded one has no pg_basebackup. */
export function findInstalledPrograms(): string | undefined {
  const folders = globSync('/usr/lib/postgresql/*/bin').toSorted()
  return folders.findLast((folder) => existsSync(join(folder, 'pg_basebackup')))
}

/** A primary and a standby that copies it synchronously. */
export interface ReplicatedServer extends AsyncDisposable {
  readonly url: string
  readonly standbyUrl: string
  /** Waits until the standby shows what the primary has committed: a commit waits for its disk alone. */
  standbyCaughtUp(): Promise<void>
  /** Ends the primary at once. */
  killPrimary(): Promise<void>
  /** Makes the standby a server that takes changes. */
  promote(): Promise<void>
}

/**
 * Starts a primary and a standby from installed programs. What the primary reports as committed is on the standby: it waits for
 * its disk, as a failover that loses nothing needs it.
 */
export async function startReplicatedServer(programs: string): Promise<ReplicatedServer> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'drover-replicated-')))
  const isRoot = process.geteuid?.() === 0
  // PostgreSQL refuses to run as root.
  const user = isRoot ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid)
  const [primary, standby] = [join(folder, 'primary'), join(folder, 'standby')]
  const ports = [await findFreePort(), await findFreePort()] as const
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(join(programs, program), args, { ...user, stdio: 'pipe', cwd: '/' })
  const running: ChildProcess[] = []
  const launch = async (data: string, port: number) => {
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'wal_level=replica']
    const child = spawn(join(programs, 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], {
      ...user,
      cwd: '/',
      stdio: 'ignore',
    })
    running.push(child)
    await untilAnswers(urlOf(port))
    return child
  }
  run('initdb', '-D', primary, '-U', 'postgres', '-A', 'trust', '--no-sync')
  const first = await launch(primary, ports[0])
  run('pg_basebackup', '-d', urlOf(ports[0]), '-D', standby, '-R', '-c', 'fast', '-X', 'stream')
  await appendFile(
    join(standby, 'postgresql.auto.conf'),
    "primary_conninfo = 'host=127.0.0.1 port=" + ports[0] + " user=postgres application_name=standby'\n",
  )
  await launch(standby, ports[1])
  await query(urlOf(ports[0]), `alter system set synchronous_standby_names = 'standby'`)
  await query(urlOf(ports[0]), 'select pg_reload_conf()')
  while ((await query(urlOf(ports[0]), `select from pg_stat_replication where sync_state = 'sync'`)).length === 0);
  return {
    url: urlOf(ports[0]),
    standbyUrl: urlOf(ports[1]),
    standbyCaughtUp: async () => {
      const [now] = await query(urlOf(ports[0]), 'select pg_current_wal_lsn()::text as place')
      const isThere = `select pg_last_wal_replay_lsn() >= '${String(now?.['place'])}' as there`
      while ((await query(urlOf(ports[1]), isThere))[0]?.['there'] !== true);
    },
    killPrimary: () => killTree(first.pid!),
    promote: async () => {
      await query(urlOf(ports[1]), 'select pg_promote(true, 30)')
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of running) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGQUIT')
        await once(child, 'close')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function urlOf(port: number): string {
  return `postgres://postgres:unused@127.0.0.1:${port}/postgres`
}

function idOf(which: '-u' | '-g'): number {
  return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
}

async function untilAnswers(url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await query(url, 'select 1')
      return
    } catch (error) {
      if (attempt === 200) throw error
      await sleep(50)
    }
  }
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

/** A small disk, on which a server's user may write. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  /** How much of it is taken, in megabytes. */
  used(): number
  resize(megabytes: number): void
}

// No dependency that could be installed with the others.
const mountProgram = '/bin/mount'
const unmountProgram = '/bin/umount'

/** Mounts a disk of a few megabytes; `undefined` where that is not allowed. @param owner who may write on it */
export async function mountSmallDisk(
  megabytes: number,
  owner: { readonly uid: number; readonly gid: number },
): Promise<SmallDisk | undefined> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'drover-small-disk-')))
  await chmod(parent, 0o755)
  const folder = join(parent, 'disk')
  await mkdir(folder)
  const options = `size=${megabytes}m,uid=${owner.uid},gid=${owner.gid},mode=700`
  try {
    execFileSync(mountProgram, ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' })
  } catch {
    await rm(parent, { recursive: true })
    return undefined
  }
  return {
    folder,
    used: () => Number(execFileSync('du', ['-sm', folder], { encoding: 'utf8' }).split('\t')[0]),
    resize: (size) => void execFileSync(mountProgram, ['-o', `remount,size=${size}m`, folder]),
    [Symbol.asyncDispose]: async () => {
      execFileSync(unmountProgram, ['-l', folder], { stdio: 'pipe' })
      await rm(parent, { recursive: true, force: true })
    },
  }
}
