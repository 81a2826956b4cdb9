import { startForRun } from './shared-server.ts'

declare global {
  // Vitest loads this file anew for every project, so what they share cannot be a variable of the module.
  var droverTestingRun: { readonly server: Promise<AsyncDisposable>; users: number } | undefined
}

/**
 * Vitest's global set-up: picks one server for the whole run, and stops it behind the last test if it was started for the run.
 * Projects that both name this file share the server.
 */
export async function setup(): Promise<() => Promise<void>> {
  const shared = (globalThis.droverTestingRun ??= { server: startForRun(), users: 0 })
  shared.users += 1
  await shared.server
  return async () => {
    shared.users -= 1
    if (shared.users > 0) return
    globalThis.droverTestingRun = undefined
    await (await shared.server)[Symbol.asyncDispose]()
  }
}
