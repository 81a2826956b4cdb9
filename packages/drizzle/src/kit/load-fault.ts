import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Problem } from '@drover/history'

/**
 * What it means that Node cannot load a schema, or that the schema itself throws. Files are absolute paths.
 * @param schema the file that was asked for
 */
export function describeLoadError(error: unknown, schema: string): Problem {
  if (!(error instanceof Error)) return schemaProblem({ file: schema }, `throws ${String(error)}`, correct)
  const missing = /^Cannot find (module|package) '(.+?)' imported from (.+)$/.exec(error.message)
  if (missing) return describeMissing(missing[1]!, missing[2]!, missing[3]!, schema)
  const place = placeOf(error) ?? { file: schema }
  if (!(error instanceof SyntaxError)) return schemaProblem(place, `cannot be loaded: ${error.message}`, correct)
  const hint =
    'code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
      ? 'write it with types that Node can leave out: a constant object or a union type, for example'
      : correct
  return schemaProblem(place, `cannot be read as TypeScript: ${error.message}`, hint)
}

const correct = 'correct the file, and run the same command again'

function describeMissing(kind: string, what: string, importer: string, schema: string): Problem {
  if (what === schema) {
    return schemaProblem(
      { file: schema },
      'does not exist',
      'create it, or name the right file as `schema` in database.ts',
    )
  }
  if (kind === 'package') {
    const hint = `add ${what} to the dependencies of the database's package, and install`
    return schemaProblem({ file: importer }, `imports the package ${what}, which is not installed`, hint)
  }
  const path = relative(importer.replace(/[^/]*$/, ''), what)
  const specifier = path.startsWith('.') ? path : `./${path}`
  const whole = ['.ts', '/index.ts', '.js', '/index.js'].find((ending) => existsSync(what + ending))
  return schemaProblem(
    { file: importer },
    `imports ${specifier}, which does not exist`,
    whole === undefined
      ? 'correct the import, or create the file'
      : `import ${specifier}${whole}: Node wants all of a file's name`,
  )
}

interface Place {
  readonly file: string
  readonly line?: number
}

/**
 * The innermost place in somebody's own file. The stack of a syntax error begins with it, as a path where no package.json
 * says that the file is a module; others list it as a frame.
 */
function placeOf(error: Error): Place | undefined {
  for (const [, where, line] of (error.stack ?? '').matchAll(/(^\/[^:\n]+|file:\/\/[^\s):]+):(\d+)/g)) {
    const file = where!.startsWith('/') ? where! : fileURLToPath(where!)
    if (!file.includes('/node_modules/') && !file.startsWith(import.meta.dirname)) return { file, line: Number(line) }
  }
  return undefined
}

interface Place {
  readonly file: string
  readonly line?: number
}

/** A problem with a schema, whose message begins with its place. */
export function schemaProblem({ file, line }: Place, what: string, hint: string): Problem {
  return line === undefined
    ? { code: 'SCHEMA_INVALID', message: `${file} ${what}`, hint, file }
    : { code: 'SCHEMA_INVALID', message: `${file}:${line} ${what}`, hint, file, line }
}
