import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { HOST } from './find-server.ts'

/**
 * Chooses a free port: the one of the last start, else one that the folder always comes to first, else one of its
 * neighbours. They lie below the ports that systems hand out to outgoing connections, which would take one now and then.
 * `taken` are those that turned out to be in use.
 */
export async function choosePort(
  folder: string,
  options: { readonly previous: number | undefined; readonly taken: ReadonlySet<number> },
): Promise<number> {
  const first = firstPortFor(folder)
  const neighbours = Array.from({ length: 20 }, (_, step) => first + step)
  for (const port of options.previous === undefined ? neighbours : [options.previous, ...neighbours]) {
    if (!options.taken.has(port) && (await listen(port)) === port) return port
  }
  return (await listen(0)) ?? first
}

function firstPortFor(folder: string): number {
  const hash = createHash('sha256').update(folder).digest().readUInt16BE()
  return 20_000 + (hash % 10_000)
}

/** Listens for a moment and returns the port; undefined when it is in use or not allowed. */
function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: HOST, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}
