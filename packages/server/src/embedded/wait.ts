import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks again and again until there is an answer, and returns it; undefined when there was none in time.
 * `timeoutMs` bounds the whole, `everyMs` (default 25) is the pause between two questions.
 */
export async function waitFor<T>(
  ask: () => T | undefined,
  options: { readonly timeoutMs: number; readonly everyMs?: number },
): Promise<T | undefined> {
  const deadline = performance.now() + options.timeoutMs
  for (;;) {
    const answer = ask()
    if (answer !== undefined) return answer
    if (performance.now() >= deadline) return undefined
    await sleep(options.everyMs ?? 25)
  }
}
