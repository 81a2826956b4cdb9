import type { CliIo } from './io.ts'

/**
 * Runs one command line and returns its exit code. Nothing is thrown: what goes wrong is printed, on stderr for
 * people and, with `--json`, on stdout as a document.
 * @param argv the arguments after the program's name
 * @param onLoaded called before a command, once the code is loaded that all of them need
 */
export async function runCli(argv: readonly string[], io: CliIo, onLoaded?: () => void): Promise<number> {
  // The version is asked for by scripts, often; it needs nothing else.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    const { version } = await import('./version.ts')
    io.stdout.write(`${version}\n`)
    return 0
  }
  const { runProgram } = await import('./program.ts')
  onLoaded?.()
  return runProgram(argv, io)
}
