import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'

import type { ObjectFile } from './object-file.ts'

/**
 * Reads `objects/**\/*.sql` of a database package as it stands, in the order of its paths: `checkObjects` says whether it is right.
 * @param folder path from the root; missing means none
 */
export async function readObjects(root: string, folder: string): Promise<readonly ObjectFile[]> {
  const top = join(root, folder)
  if (!existsSync(top)) return []
  const files = (await readdir(top, { recursive: true })).filter((file) => file.endsWith('.sql'))
  const paths = files.map((file) => file.replaceAll(sep, posix.sep)).toSorted()
  return Promise.all(paths.map(async (file) => ({ file, sql: plain(await readFile(join(top, file), 'utf8')) })))
}

/** The text whatever the system it was checked out on: without a byte-order mark, and with LF for line ends. */
function plain(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
}
