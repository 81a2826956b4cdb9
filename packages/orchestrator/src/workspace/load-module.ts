import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Problem } from '@drover/history'

/**
 * Loads what a file of declarations exports.
 * @param file from the root
 * @param invalid makes a problem of what is wrong with it
 */
export async function loadDefaultExport(
  root: string,
  file: string,
  invalid: (fault: string) => Problem,
): Promise<{ readonly exported: unknown } | { readonly problem: Problem }> {
  try {
    const module: unknown = await import(pathToFileURL(join(root, file)).href)
    const exported = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
    return exported === undefined ? { problem: invalid('has no default export') } : { exported }
  } catch (error) {
    const line = lineOf(error, basename(file))
    const fault = invalid(`cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
    if (line === undefined) return { problem: fault }
    return { problem: { ...fault, line, message: fault.message.replace(file, `${file}:${line}`) } }
  }
}

/** Where in a file an error came up: the message of a syntax error does not say. */
function lineOf(error: unknown, name: string): number | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const at = stack.indexOf(`/${name}:`)
  const line = Number.parseInt(stack.slice(at + name.length + 2), 10)
  return at === -1 || Number.isNaN(line) ? undefined : line
}
