import { spawn, spawnSync } from 'node:child_process'

// Not a dependency that could be installed with the others.
const program = 'psql'

/** Whether psql is on this machine; a test that needs it is skipped without. */
export const hasPsql = spawnSync(program, ['--version']).status === 0

/** Runs a script as an administrator would, from a file; `onErrorStop: false` goes on after errors, as psql does by itself. */
export async function runPsql(
  url: string,
  file: string,
  options: { readonly onErrorStop?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const stop = options.onErrorStop === false ? [] : ['-v', 'ON_ERROR_STOP=1']
  const child = spawn(program, ['-X', ...stop, '-f', file, url], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { exitCode, stdout, stderr }
}
