import type { TestProject } from 'vitest/node'
import { pickServer } from './pick.ts'
import type { PickedServer } from './pick.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of a server on which tests may create databases of their own. */
    serverUrl: string
  }
}

declare global {
  // Vitest loads this file anew for every project, so what they share cannot be a variable of the module.
  var droverTestServer: { readonly server: Promise<PickedServer>; users: number } | undefined
}

/**
 * Vitest's global set-up: picks one server for the whole run, says on stderr which, provides its URL to tests as `serverUrl`, and at the end
 * of the run stops it if it was started for the run. Projects that both name this file share the server.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (globalThis.droverTestServer ??= { server: pickAndSay(), users: 0 })
  shared.users += 1
  project.provide('serverUrl', (await shared.server).url)
  return async () => {
    shared.users -= 1
    if (shared.users > 0) return
    globalThis.droverTestServer = undefined
    await (await shared.server)[Symbol.asyncDispose]()
  }
}

async function pickAndSay(): Promise<PickedServer> {
  const server = await pickServer(process.env)
  // The same tests mean something else on another version.
  process.stderr.write(`Tests use ${server.description}.\n`)
  return server
}
