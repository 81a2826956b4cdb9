import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'

import { defineConfig } from 'tsdown'

import base from './tsdown.config.ts'
import { keepCodeOf } from './tsdown.kept-code.ts'

const sources = join(import.meta.dirname, 'packages/cli/src')
const clock = join(sources, 'clock.ts')

/**
 * What packages of others get in place of modules of Node that take their time: a millisecond each and more, and several megabytes.
 */
const standIns = [
  // It starts programs for subcommands of their own, of which there are none.
  { of: 'commander', module: 'node:child_process', code: 'export default {}' },
  // Imported as a module, it makes all of its streams, and stdin is then no longer as other programs expect it.
  { of: 'commander', module: 'node:process', code: 'export default globalThis.process' },
  { of: 'postgres', module: 'perf_hooks', code: `export { performance } from ${JSON.stringify(clock)}` },
  {
    of: 'postgres',
    module: 'tls',
    code: `export default { connect: (options) => process.getBuiltinModule('node:tls').connect(options) }`,
  },
]

/** What an upgrade loads. The version stays outside: whoever asks for it is told without any of this. */
const hot = ['program.ts', 'session.ts', 'commands/release.ts'].map((file) => join(sources, file))
const core = new Set<string>()

// Loading modules one by one takes longer than whatever Drover does with nothing to do. So the published command line has the rooms
// in it, and what an upgrade loads is one file. What stays outside are the rooms that know nothing of the others, and what runs in
// a process of its own.
export default defineConfig({
  ...base,
  deps: {
    alwaysBundle: [
      /^@drover\/(?:access|config\/parse|drizzle|engine|fleet|history|lint|orchestrator(?:\/tenants)?)$/,
      'commander',
      'postgres',
      'valibot',
    ],
  },
  treeshake: { moduleSideEffects: false },
  inputOptions: { transform: { inject: { performance: [clock, 'performance'] } } },
  plugins: [
    {
      name: 'modules-of-node-that-take-their-time',
      resolveId(source, importer) {
        const standsIn = standIns.find(({ module, of }) => module === source && importer?.includes(`/${of}/`))
        return standsIn && `\0${standsIn.module}`
      },
      load: (id) => standIns.find(({ module }) => id === `\0${module}`)?.code,
    },
    {
      name: 'modules-of-node-as-they-are',
      renderChunk: (code) => code.replaceAll(/^import (.+) from "(.+)";$/gm, takeAsItIs),
    },
    keepCodeOf('core', join(sources, 'code-cache.ts')),
    {
      name: 'licences',
      generateBundle() {
        const folders = new Set([...this.getModuleIds()].flatMap((id) => /^.*\/node_modules\/[^/@]+/.exec(id) ?? []))
        this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: [...folders].map(licenceOf).join('\n\n') })
      },
    },
    {
      name: 'what-an-upgrade-loads',
      buildEnd() {
        const visit = (id: string) => {
          if (core.has(id)) return
          core.add(id)
          for (const imported of this.getModuleInfo(id)?.importedIds ?? []) visit(imported)
        }
        for (const id of hot) visit(id)
      },
    },
  ],
  outputOptions: {
    comments: { jsdoc: false },
    // V8 keeps a text with any other character in twice the memory.
    charset: 'ascii',
    codeSplitting: {
      groups: [
        { name: 'version', test: /\/cli\/(?:src\/version\.ts|package\.json)$/, priority: 1 },
        { name: 'core', test: (id: string) => core.has(id) },
      ],
    },
  },
})

/**
 * An import of a module of Node as a declaration that takes it as it is. An import makes a module of it first, and for that reads
 * everything that it exports, also what Node has not loaded until somebody asks for it: ten milliseconds for those that an upgrade uses.
 */
function takeAsItIs(statement: string, imported: string, from: string): string {
  if (!isBuiltin(from)) return statement
  const [, whole, names] = /^(?:(?:\* as )?([\w$]+))?(?:, )?(\{.+\})?$/.exec(imported)!
  const taken = `process.getBuiltinModule("${from}")`
  const parts = [whole && `${whole} = ${taken}`, names && `${names.replaceAll(' as ', ': ')} = ${whole ?? taken}`]
  return `const ${parts.filter(Boolean).join(', ')};`
}

/** What a package says of its licence: the text, or where it has none, the name. */
function licenceOf(folder: string): string {
  const { name, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, string>
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  return `${name}: ${license}\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}`.trim()
}
