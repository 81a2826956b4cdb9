import type { ConnectionUrl } from '@drover/engine'
import { DroverError } from '@drover/history'

/** What is wrong with the queue's database, in our words. What is none of the driver's errors stays as it is. */
export function queueError(error: unknown, url: ConnectionUrl): unknown {
  if (!(error instanceof Error) || error instanceof DroverError) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === '42501') {
    return new DroverError(
      {
        code: 'PRIVILEGE_MISSING',
        message: `the queue in ${url.place}: ${error.message}`,
        sqlstate: code,
        hint: 'connect as the owner of the database, or name another one for the queue with --queue',
      },
      { cause: error },
    )
  }
  if (!isAboutConnection(code, error.message)) return error
  return new DroverError(
    {
      code: 'CONNECTION_LOST',
      message: `the connection to the queue in ${url.place} was lost: ${error.message}`,
      hint: 'run the same command again when its server can be reached: nothing is lost',
    },
    { cause: error },
  )
}

/** Codes of sockets, SQLSTATEs of servers that go or come, and what the driver says without any code. */
function isAboutConnection(code: string | undefined, message: string): boolean {
  if (code === undefined) return /connection|timeout/i.test(message)
  return /^(?:E[A-Z]{4,}|08...|57P0.|53300)$/.test(code)
}
