import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/**
 * Reads files and the modules that they import by a relative path, and those of these, each once. Of SQL there is nothing to
 * follow. What a module reads by itself when it runs, and what it has from packages, is not among them.
 * @param paths from the root
 */
export function readModules(root: string, paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const waiting = [...paths]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const folder = posix.dirname(path)
    if (found.has(path)) continue
    const text = readIfThere(join(root, path))
    // Whoever runs it is told.
    if (text === undefined) continue
    found.set(path, text)
    if (!path.endsWith('.sql')) waiting.push(...importsOf(text).map((to) => posix.join(folder, to)))
  }
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The relative paths that a module imports. A word too many in a comment does no harm. */
export function importsOf(code: string): readonly string[] {
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*(['"])(\.\.?\/[^'"\n]+)\1/g)].map((match) => match[2]!)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
