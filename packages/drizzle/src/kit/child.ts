import { fork } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { KitAnswer, KitRequest } from './protocol.ts'

/** A process with drizzle-kit in it. */
export interface Child {
  /** Whether it is gone, and takes no more requests. */
  readonly ended: boolean
  /** Has it work on a request. One at a time. */
  ask<Value>(request: KitRequest): Promise<KitAnswer<Value>>
  /** Lets it end, and waits for that. */
  end(): Promise<void>
}

/** Starts one. */
export function startChild(): Child {
  const child = fork(fileURLToPath(import.meta.resolve('@drover/drizzle/kit-process')), {
    env: environment(),
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = `${output}${text}`.slice(-4000)))
  }
  let ended = false
  const gone = new Promise<void>((resolve) => {
    const end = () => {
      ended = true
      resolve()
    }
    child.on('exit', end)
    child.on('error', end)
  })
  // When everything that it wrote has been read; never after a disconnect from here.
  const closed = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) =>
      resolve(
        (signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`) + describeOutput(output),
      ),
    )
  })

  const loaded = new Promise<undefined>((resolve) => child.once('message', () => resolve(undefined)))

  return {
    get ended() {
      return ended
    },
    ask: async <Value>(request: KitRequest): Promise<KitAnswer<Value>> => {
      const unloaded = await Promise.race([loaded, closed])
      if (unloaded !== undefined) {
        return { ok: false, problems: [{ code: 'INTERNAL', message: `drizzle-kit cannot be loaded: ${unloaded}` }] }
      }
      const answered = new Promise<KitAnswer<Value>>((resolve) => {
        child.once('message', (answer: KitAnswer<Value>) => resolve(answer))
      })
      // When it is gone already, `closed` says so.
      child.send(request, () => {})
      return Promise.race([answered, closed.then((reason) => describeEnd(request, reason))])
    },
    end: async () => {
      // It is at nothing any more, and to end by itself would take it a while.
      child.kill('SIGKILL')
      await gone
    },
  }
}

/**
 * Nothing of the caller's environment: there are passwords in it, and a schema that reads it would be another one on
 * another machine.
 */
function environment(): Record<string, string> {
  const cache = getCompileCacheDir()
  return { TMPDIR: tmpdir(), ...(cache !== undefined && { NODE_COMPILE_CACHE: dirname(cache) }) }
}

function describeEnd(request: KitRequest, reason: string): KitAnswer<never> {
  const schema = schemaOf(request)
  return schema === undefined
    ? { ok: false, problems: [{ code: 'INTERNAL', message: `drizzle-kit gave up: ${reason}` }] }
    : {
        ok: false,
        problems: [
          {
            code: 'SCHEMA_INVALID',
            message: `${schema} ends the process that loads it: ${reason}`,
            hint: 'a schema only declares: remove what it does when it is loaded',
            file: schema,
          },
        ],
      }
}

/** The error in an output, or its last line. */
function describeOutput(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const words = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1)
  return words === undefined ? '' : ` after "${words}"`
}

/** The Drizzle schema that a request loads, and so runs. */
function schemaOf(request: KitRequest): string | undefined {
  if (request.operation === 'compare' || request.operation === 'readSchema') return request.args[0]
  return request.operation === 'writeSnapshot' && typeof request.args[1] === 'string' ? request.args[1] : undefined
}
