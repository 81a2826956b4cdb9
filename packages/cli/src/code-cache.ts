import { hash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { basename, join } from 'node:path'
import { cachedDataVersionTag, getHeapSpaceStatistics } from 'node:v8'
import { Script } from 'node:vm'

/**
 * Runs a script with the code that V8 has compiled of it in earlier processes, and returns what it comes to. Of a module Node keeps what
 * is compiled before the module runs, which are its outermost statements: V8 compiles a function when it is called for the first time.
 * Here it is kept as the process ends, with every function that was called until then, in the folder of Node's own cache
 * (`module.getCompileCacheDir()`). Where nothing is kept, or nothing can be, the script runs all the same.
 * @param file the script, in ASCII and without `import`. What is kept of it is found by its name, so another text has to have another name
 */
export function runWithKeptCode(file: string): unknown {
  const folder = getCompileCacheDir()
  const place = folder === undefined ? undefined : join(folder, basename(file))
  const kept = place === undefined ? undefined : readKept(place)
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    cachedData: kept?.code,
  })
  if (place !== undefined) {
    const known = kept && !script.cachedDataRejected ? { size: kept.code.length, codeInAll: kept.codeInAll } : undefined
    const flags = cachedDataVersionTag()
    process.once('exit', () => {
      // A run may set flags of V8, which takes no code that was compiled with others.
      if (cachedDataVersionTag() === flags) keep(place, script, known)
    })
  }
  return script.runInThisContext()
}

/** Code as it was kept. */
interface Kept {
  readonly code: Uint8Array
  /** How much code of anything there was in the process that kept it, in bytes. */
  readonly codeInAll: number
}

/** How much more code than in the process that kept it says that functions were called that it has not called, in bytes. */
const worthKeeping = 64 * 1024

// V8 does not look whether code is damaged, so that a digest comes first; then the number of bytes in all, and the code.
const digestLength = 32
const headLength = digestLength + 8

function readKept(place: string): Kept | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(place)
  } catch {
    return undefined
  }
  if (bytes.length < headLength || !digestOf(bytes).equals(bytes.subarray(0, digestLength))) return undefined
  return { code: bytes.subarray(headLength), codeInAll: bytes.readDoubleLE(digestLength) }
}

function keep(place: string, script: Script, known: { readonly size: number; readonly codeInAll: number } | undefined) {
  const codeInAll = measureCode()
  if (known && codeInAll < known.codeInAll + worthKeeping) return
  const code = script.createCachedData()
  // V8 gives up functions that have not been called for long, those that every start calls among them.
  if (known && code.length <= known.size) return
  const bytes = Buffer.concat([Buffer.alloc(headLength), code])
  bytes.writeDoubleLE(codeInAll, digestLength)
  digestOf(bytes).copy(bytes)
  // Others may be at it as well, or about to read it.
  const own = `${place}.${process.pid}`
  try {
    writeFileSync(own, bytes, { mode: 0o600 })
    renameSync(own, place)
  } catch {
    // Nothing can be kept there, and the next start takes a little longer.
    rmSync(own, { force: true })
  }
}

function digestOf(bytes: Buffer): Buffer {
  return hash('sha256', bytes.subarray(digestLength), 'buffer')
}

/** How much code there is in this process, about: V8's own count of it goes through the whole heap, which takes milliseconds. */
function measureCode(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'trusted_space')?.space_used_size ?? 0
}
