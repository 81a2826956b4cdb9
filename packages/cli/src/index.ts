export type { CliIo, Output } from './io.ts'
export { main } from './process.ts'
export { runCli } from './run-cli.ts'
