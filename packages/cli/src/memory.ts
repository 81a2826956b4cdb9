/**
 * What V8 is told, by the names of its flags: to what, and what it goes by itself in Node 24.
 *
 * It doubles the room for young objects again and again while a run goes on, whatever that keeps in memory: a thousand revisions had 16 MiB of
 * it, ten thousand tenants 100, and gained nothing. `--max-semi-space-size` it reads only when it starts.
 *
 * What is called often it compiles once more, for speed. Its compilers are 5 MiB of the program that are not in memory before, and most
 * runs are over by the time that it pays.
 */
const flags = [
  { name: 'semi-space-growth-factor', value: 1, own: 2 },
  { name: 'invocation-count-for-maglev', value: 8000, own: 400 },
  { name: 'invocation-count-for-maglev-osr', value: 2000, own: 100 },
  { name: 'invocation-count-for-turbofan', value: 60_000, own: 10_000 },
]

/**
 * Has V8 use less memory from here on. To be called once the modules of Node are loaded that a run needs: V8 takes compiled code only with
 * the flags with which that was compiled, and Node brings its modules' along.
 */
export function spareMemory(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  for (const { name, value } of flags) setFlagsFromString(`--${name}=${value}`)
  // For the same reason it is as it was before what is compiled is kept for the next start.
  process.prependOnceListener('exit', () => {
    for (const { name, own } of flags) setFlagsFromString(`--${name}=${own}`)
  })
}
