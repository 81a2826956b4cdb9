import type { Readable } from 'node:stream'

import type { ConnectionUrl } from '../connect/connection-url.ts'
import { maskSecrets } from '../connect/mask-secrets.ts'

/**
 * Reads what a program prints on any of its streams, line by line, without what would move a terminal's cursor and without
 * the secrets of a URL, if there is one.
 * @returns when all of them have ended
 */
export async function readOutput(
  streams: readonly Readable[],
  url: ConnectionUrl | undefined,
  onLine: (line: string) => void,
): Promise<void> {
  const { stripVTControlCharacters } = process.getBuiltinModule('node:util')
  await Promise.all(
    streams.map((stream) =>
      readLines(stream, (line) => {
        const text = stripVTControlCharacters(line)
        onLine(url ? maskSecrets(text, url) : text)
      }),
    ),
  )
}

function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const { createInterface } = process.getBuiltinModule('node:readline')
  return new Promise((resolve) => {
    createInterface({ input: stream }).on('line', onLine).on('close', resolve)
  })
}
