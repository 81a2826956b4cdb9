import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let root: string

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'drover-code-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** A script of two parts. */
function writeScript(): string {
  const file = join(root, 'parts.js')
  writeFileSync(file, `(function () {\n${partOf('first')}\n${partOf('second')}\nreturn { first1999, second1999 } })\n`)
  return file
}

/** Many functions that call one another. */
function partOf(name: string): string {
  const functions = Array.from({ length: 2000 }, (_, at) => {
    const rest = at === 0 ? '0' : `${name}${at - 1}(n)`
    return `function ${name}${at}(n) { const text = 'number ' + n; return text.length > 9 ? 1 : ${rest} + 1 }`
  })
  return functions.join('\n')
}

/** Runs parts of the script in a process of their own, and returns what they come to. */
function run(file: string, body: string, options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): unknown {
  const program = `
    import { enableCompileCache } from 'node:module'
    enableCompileCache(${JSON.stringify(join(root, 'cache'))})
    const { runWithKeptCode } = await import(${JSON.stringify(new URL('code-cache.ts', import.meta.url).href)})
    const parts = runWithKeptCode(${JSON.stringify(file)})()
    console.log(JSON.stringify(await (async () => { ${body} })()))`
  return JSON.parse(
    execFileSync(process.execPath, [...options, '--input-type=module', '-e', program], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    }),
  )
}

const callFirst = 'return parts.first1999(1)'
const callSecond = 'return parts.second1999(1)'

/** Where code is kept: in a folder of this version of Node. */
function keptFile(): string {
  const [version] = readdirSync(join(root, 'cache'))
  return join(root, 'cache', version!, 'parts.js')
}

describe('runWithKeptCode', () => {
  it('keeps what was called, once', () => {
    const file = writeScript()

    expect(run(file, callFirst)).toBe(2000)
    const kept = statSync(keptFile())
    expect(run(file, callFirst)).toBe(2000)

    expect(statSync(keptFile())).toMatchObject({ ino: kept.ino, mtimeMs: kept.mtimeMs })
    expect(readdirSync(join(keptFile(), '..'))).not.toContainEqual(expect.stringMatching(/parts\.js\./))
  })

  it('has what is kept compiled no more, and what is not, when it is called', () => {
    const file = writeScript()
    const log = join(root, 'log')
    const options = ['--log-function-events', '--no-logfile-per-isolate', `--logfile=${log}`]
    const compiled = () => readFileSync(log, 'utf8').match(/^function,interpreter,.*,(?:first|second)\d+$/gm) ?? []

    run(file, callFirst, options)
    expect(compiled()).toHaveLength(2000)
    run(file, callFirst, options)
    expect(compiled()).toEqual([])
    run(file, callSecond, options)
    expect(compiled()).toHaveLength(2000)
  })

  it('keeps more once more was called, and never less', () => {
    const file = writeScript()
    run(file, callFirst)
    const { size } = statSync(keptFile())

    expect(run(file, callSecond)).toBe(2000)
    const more = statSync(keptFile())
    expect(more.size).toBeGreaterThan(size)
    run(file, callFirst)
    expect(statSync(keptFile())).toMatchObject({ ino: more.ino, size: more.size })
  })

  it.each([
    { what: 'cut off', damage: (bytes: Buffer) => bytes.subarray(0, 1000) },
    { what: 'empty', damage: () => Buffer.alloc(0) },
    { what: 'changed', damage: (bytes: Buffer) => bytes.fill(7, 5000, 5100) },
  ])('takes nothing that is $what, and keeps it anew', ({ damage }) => {
    const file = writeScript()
    run(file, callFirst)
    writeFileSync(keptFile(), damage(readFileSync(keptFile())))
    const damaged = statSync(keptFile())

    expect(run(file, callFirst)).toBe(2000)
    const anew = statSync(keptFile())
    expect(anew.ino).not.toBe(damaged.ino)
    run(file, callFirst)
    expect(statSync(keptFile())).toMatchObject({ ino: anew.ino })
  })

  it('keeps nothing that was compiled with flags that the next process does not have', () => {
    const file = writeScript()
    run(file, `process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1'); ${callFirst}`)

    expect(readdirSync(join(keptFile(), '..'))).not.toContain('parts.js')
  })

  it('runs where nothing can be kept', () => {
    const file = writeScript()
    run(file, callFirst)
    rmSync(keptFile())
    mkdirSync(keptFile())

    expect(run(file, callFirst)).toBe(2000)
    expect(readdirSync(join(keptFile(), '..'))).not.toContainEqual(expect.stringMatching(/parts\.js\./))
  })

  it('runs where Node is told to have no cache', () => {
    const file = writeScript()

    expect(run(file, callFirst, [], { NODE_DISABLE_COMPILE_CACHE: '1' })).toBe(2000)
    expect(existsSync(join(root, 'cache'))).toBe(false)
  })
})
