import type { Problem } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'

/** The version of the JSON that Drover prints; grows when a field changes its meaning or goes away. */
const formatVersion = 1

/** The one document that a command prints with `--json`. */
export function documentOf(
  command: string,
  exitCode: ExitCode,
  body: Readonly<Record<string, unknown>>,
  problems: readonly Problem[] = [],
): string {
  const [error] = problems
  const document = {
    formatVersion,
    command,
    ok: exitCode === 0,
    exitCode,
    ...body,
    ...(error && { error, problems }),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
