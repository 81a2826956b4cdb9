import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { stopEmbedded } from '@drover/server'

import { repository } from './repository-databases.ts'

/** What somebody sees who types commands one after the other. */
export interface Shell extends AsyncDisposable {
  /** The folder that commands are typed in. */
  readonly root: string
  /** Runs a command line in a shell; `output` is what it wrote to either stream, in order. */
  run(command: string): Promise<{ readonly exitCode: number; readonly output: string }>
}

/**
 * A copy of this repository's databases in which commands may write, with a development server of its own that the first
 * command starts. In its shell `pnpm migrate` and `npx -y pnpm@<version> migrate` are this repository's command line;
 * whatever else one might ask of pnpm fails with exit code 99.
 */
export async function openShell(): Promise<Shell> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'drover-shell-')))
  // As root, PostgreSQL runs as another user, who has to be able to come in.
  await chmod(parent, 0o755)
  const root = join(parent, 'drover')
  await copyDatabases(root)
  const programs = join(parent, 'bin')
  await writeProgram(programs, 'pnpm', pnpm)
  await writeProgram(programs, 'npx', npx)
  const env = {
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    HOME: process.env['HOME'] ?? '',
    DROVER_TEST_NODE: process.execPath,
    DROVER_TEST_SCRIPT: join(repository, 'scripts', 'migrate.ts'),
  }
  return {
    root,
    run: (command) => runInShell(command, { cwd: root, env, file: join(parent, 'output') }),
    [Symbol.asyncDispose]: async () => {
      await stopEmbedded(join(root, '.drover', 'server'))
      await rm(parent, { recursive: true, force: true })
    },
  }
}

/** Copies the databases of this repository, without what is installed in them, into `<root>/databases`. */
export async function copyDatabases(root: string): Promise<void> {
  for (const name of await readdir(join(repository, 'databases'))) {
    const [from, to] = [join(repository, 'databases', name), join(root, 'databases', name)]
    await cp(from, to, { recursive: true, filter: (path) => !/\/(?:node_modules|\.turbo)$/.test(path) })
    await symlink(join(from, 'node_modules'), join(to, 'node_modules'))
  }
}

export async function writeProgram(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), text, { mode: 0o755 })
}

const pnpm = `#!/bin/sh
[ "$1" = --silent ] && shift
[ "$1" = migrate ] || { echo "pnpm $1 cannot be run here" >&2; exit 99; }
shift
exec "$DROVER_TEST_NODE" "$DROVER_TEST_SCRIPT" "$@"
`

const npx = `#!/bin/sh
[ "$1" = -y ] && shift
case $1 in pnpm@*) shift ;; *) echo "npx $1 cannot be run here" >&2; exit 99 ;; esac
exec pnpm "$@"
`

async function runInShell(
  command: string,
  { cwd, env, file }: { readonly cwd: string; readonly env: Record<string, string>; readonly file: string },
): Promise<{ readonly exitCode: number; readonly output: string }> {
  // One file for both streams keeps their order, which two pipes would not.
  const output = openSync(file, 'w')
  const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', output, output] })
  closeSync(output)
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 128))
  })
  return { exitCode, output: await readFile(file, 'utf8') }
}
