import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { ServerError } from '../server-error.ts'
import type { ContainerEngine } from './engine.ts'

const READY_MS = 60_000

/**
 * Waits until the server of a container answers at its URL, 60 s at most, and returns its version. Throws ServerError START_FAILED
 * with the last lines of its log when the container ends before that.
 *
 * The engine could look, too; but then it would go on looking, several times a second, as long as the container is there.
 */
export async function untilAnswers(engine: ContainerEngine, container: string, url: string): Promise<string> {
  const deadline = performance.now() + READY_MS
  for (;;) {
    const answer = await askVersion(url)
    if (typeof answer === 'string') return answer
    const { State } = await engine.container.dockerode.getContainer(container).inspect()
    if (!State.Running) throw await startFailed(engine, container, `it has ended with ${State.ExitCode}`, answer)
    if (performance.now() > deadline) {
      throw await startFailed(engine, container, `it does not answer after ${READY_MS / 1000} s`, answer)
    }
    await sleep(50)
  }
}

/** An error with the last lines that the container has said. */
export async function startFailed(
  engine: ContainerEngine,
  container: string,
  why: string,
  cause: unknown,
): Promise<ServerError> {
  const said = await lastLines(engine, container)
  return new ServerError('START_FAILED', `PostgreSQL did not start in its container, ${why}${said && `:\n${said}`}`, {
    hint: 'The image has to be one of PostgreSQL that understands what the official one does (POSTGRES_PASSWORD, PGDATA).',
    cause,
  })
}

async function askVersion(url: string): Promise<string | Error> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, connect_timeout: 5, onnotice: () => {} })
  try {
    const [row] = await sql`select current_setting('server_version') as version`
    // Debian adds its own: "15.14 (Debian 15.14-0+deb12u1)".
    return String(row?.version).split(' ')[0] ?? ''
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await sql.end({ timeout: 0 })
  }
}

async function lastLines(engine: ContainerEngine, container: string): Promise<string> {
  const log: unknown = await engine.container.dockerode
    .getContainer(container)
    .logs({ follow: false, stdout: true, stderr: true, tail: 12 })
    .catch(() => undefined)
  return Buffer.isBuffer(log) ? unframe(log).trim() : ''
}

/** Both streams come as one, each piece after eight bytes: which stream, and how long it is. */
function unframe(log: Buffer): string {
  const pieces: string[] = []
  for (let at = 0; at + 8 <= log.length; at += 8 + log.readUInt32BE(at + 4)) {
    pieces.push(log.toString('utf8', at + 8, at + 8 + log.readUInt32BE(at + 4)))
  }
  return pieces.join('')
}
