import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version of the drizzle-kit that makes revisions; `undefined` where it is not installed. */
export function kitVersion(): string | undefined {
  return installedVersion('drizzle-kit', import.meta.dirname)
}

/**
 * The version of a package as a folder sees it: in the nearest `node_modules` that has it.
 * @param from absolute path of the folder
 */
export function installedVersion(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', name, 'package.json')
    if (existsSync(file)) return versionIn(readFileSync(file, 'utf8'))
    if (folder === dirname(folder)) return undefined
  }
}

function versionIn(text: string): string | undefined {
  const manifest: unknown = JSON.parse(text)
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest && manifest.version
  return typeof version === 'string' ? version : undefined
}
