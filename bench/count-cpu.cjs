/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access -- No types: Node loads this file as it is, before the program and faster than TypeScript. */

// Loaded into a measured process: writes down the CPU time of all its threads, in milliseconds, when it ends.
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.getBuiltinModule('node:fs').writeFileSync(process.env.DROVER_BENCH_CPU_FILE, String((user + system) / 1000))
})
