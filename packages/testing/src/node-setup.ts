import { startForRun } from './shared-server.ts'

let server: AsyncDisposable | undefined

/** The global set-up of `node --test`: picks one server for all test files. */
export async function globalSetup(): Promise<void> {
  server = await startForRun()
}

/** Stops it, if it was started for the run. */
export async function globalTeardown(): Promise<void> {
  await server?.[Symbol.asyncDispose]()
}
