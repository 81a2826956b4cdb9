import { createHash } from 'node:crypto'

import type { Rolldown } from 'tsdown'

/**
 * Has one chunk run as a script by a module of ours, `runWithKeptCode`: V8's code of a script can be kept with all functions that were called,
 * and that of a module only as it is before the module runs (`packages/cli/src/code-cache.ts`). The chunk stays a module for those that
 * import it, and exports what the script comes to.
 * @param chunkName which one
 * @param runner the source of that module
 */
export function keepCodeOf(chunkName: string, runner: string): Rolldown.Plugin {
  const runnerFile = 'code-cache.js'
  return {
    name: 'kept-code',
    buildStart() {
      this.emitFile({ type: 'chunk', id: runner, fileName: runnerFile })
    },
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === 'chunk')
      const chunk = chunks.find(({ name }) => name === chunkName)!
      const exported = exportsOf(this.parse(chunk.code))
      // Loading a module that is nothing but a door takes as long as loading any other.
      for (const [index, door] of doorsOf(chunks, chunk).entries()) {
        const own = door.names.map(({ name, imported }) => `${name}: ${exported.get(imported)}`)
        const others = door.names.map(({ name, imported }) => `${name}: chunk.${imported}`)
        // Where it is called, its names may be those of other things.
        chunk.code = chunk.code.replaceAll(door.import, `door${index}()`)
        chunk.code += `\nasync function door${index}() { return { ${own.join(', ')} }; }`
        for (const other of chunks) {
          const text = `import("./${chunk.fileName}").then((chunk) => ({ ${others.join(', ')} }))`
          other.code = other.code.replaceAll(door.import, text)
        }
        delete bundle[door.fileName]
      }
      const { script, importing } = asScript(chunk.code, this.parse(chunk.code))
      const digest = createHash('sha256').update(script).digest('hex').slice(0, 8)
      const fileName = chunk.fileName.replace(/-[^-]+$/, `-${digest}.script.js`)
      this.emitFile({ type: 'asset', fileName, source: script })
      chunk.code = `${importing.statements}
import { runWithKeptCode } from "./${runnerFile}";
const importModule = (specifier) => import(specifier);
const run = runWithKeptCode(\`\${import.meta.dirname}/${fileName}\`);
const { ${[...exported.keys()].map((name, index) => `${name}: e${index}`).join(', ')} } = run(${['importModule', 'import.meta', ...importing.locals].join(', ')});
export { ${[...exported.keys()].map((name, index) => `e${index} as ${name}`).join(', ')} };
`
    },
  }
}

type Program = ReturnType<Rolldown.PluginContext['parse']>

/** What a module exports, and what that is called in it. */
function exportsOf({ body }: Program): ReadonlyMap<string, string> {
  const statements = body.filter((statement) => statement.type === 'ExportNamedDeclaration')
  return new Map(
    statements.flatMap(({ specifiers }) =>
      specifiers.map(({ exported, local }) => [nameOf(exported), nameOf(local)] as const),
    ),
  )
}

/** The chunks that are nothing but doors to another one, for imports that are not static, and what they hand on. */
function doorsOf(chunks: readonly Rolldown.OutputChunk[], { fileName }: Rolldown.OutputChunk) {
  return chunks.flatMap((door) => {
    const [, names, from] = /^export \{ (.+) \} from "\.\/(.+)";\s*$/.exec(door.code) ?? []
    if (names === undefined || from !== fileName) return []
    const pairs = names.split(', ').map((pair) => pair.split(' as '))
    return {
      fileName: door.fileName,
      import: `import("./${door.fileName}")`,
      names: pairs.map(([imported, name]) => ({ imported: imported!, name: name ?? imported! })),
    }
  })
}

/** A module as a script: an expression that is a function from what the module imports to what it exports. */
function asScript(code: string, program: Program) {
  const imports = program.body.filter((statement) => statement.type === 'ImportDeclaration')
  const exports = program.body.filter((statement) => statement.type === 'ExportNamedDeclaration')
  const locals = imports.flatMap(({ specifiers }) => specifiers.map(({ local }) => local.name))
  const exported = exportsOf(program)
  refuseChanging(code, program, new Set(exported.values()))
  const edits = [...imports, ...exports].map(({ start, end }) => ({ start, end, text: '' }))
  visit(program, ({ type, start, end }) => {
    // A script has these only with a flag of Node's.
    if (type === 'ImportExpression') edits.push({ start, end: start + 'import'.length, text: 'importModule' })
    if (code.slice(start, end) === 'import.meta') edits.push({ start, end, text: 'importMeta' })
  })
  const script = `(function (${['importModule', 'importMeta', ...locals].join(', ')}) {
"use strict";
${edit(code, edits)}
return { ${[...exported].map(([name, local]) => `${name}: ${local}`).join(', ')} };
})
`
  const statements = imports.map(({ start, end }) => code.slice(start, end)).join('\n')
  return { script, importing: { statements, locals } }
}

/** A script hands out what it exports once, and not what becomes of it. */
function refuseChanging(code: string, { body }: Program, exported: ReadonlySet<string>): void {
  for (const statement of body) {
    if (statement.type !== 'VariableDeclaration' || statement.kind !== 'let') continue
    const changing = statement.declarations.find(({ id }) => id.type === 'Identifier' && exported.has(id.name))
    if (changing) throw new Error(`what is exported may change: ${code.slice(changing.start, changing.end)}`)
  }
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

function visit(value: unknown, onNode: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (isNode(value)) onNode(value)
  for (const child of Object.values(value)) visit(child, onNode)
}

function isNode(value: object): value is Node {
  return 'type' in value && 'start' in value
}

/** A text with some of its parts replaced. */
function edit(text: string, edits: readonly { readonly start: number; readonly end: number; readonly text: string }[]) {
  let edited = ''
  let from = 0
  for (const part of edits.toSorted((one, other) => one.start - other.start)) {
    edited += text.slice(from, part.start) + part.text
    from = part.end
  }
  return edited + text.slice(from)
}

function nameOf(name: { readonly type: string; readonly name?: string; readonly value?: unknown }): string {
  return name.name ?? String(name.value)
}
