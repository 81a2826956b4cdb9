import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { CliIo } from './io.ts'
import { runCli } from './run-cli.ts'
import { version } from './version.ts'

/** Runs a command line without a process, in a folder with these files. */
async function run(
  argv: readonly string[],
  files: Readonly<Record<string, string>> = {},
  isTTY = false,
  env: CliIo['env'] = {},
) {
  const cwd = await mkdtemp(join(tmpdir(), 'drover-cli-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, path)), { recursive: true })
    await writeFile(join(cwd, path), text)
  }
  const written = { stdout: '', stderr: '' }
  const io: CliIo = {
    stdout: { write: (text) => void (written.stdout += text), isTTY },
    stderr: { write: (text) => void (written.stderr += text), isTTY },
    env,
    cwd,
    onSignal: () => () => {},
    become: () => Promise.reject(new Error('nothing is to be started')),
  }
  try {
    return { exitCode: await runCli(argv, io), ...written }
  } finally {
    await rm(cwd, { recursive: true })
  }
}

/** The drawing of the history below. */
function drawn(mark: string): string {
  return `main (databases/main/migrations)\n  ${mark}  1a1a1a1a1a1a  first (head, base, irreversible)\n`
}

const history = {
  'databases/main/database.ts': `export default { name: 'main', aliases: ['m'] }\n`,
  'databases/main/migrations/1_first/revision.json': JSON.stringify({
    id: '1a1a1a1a1a1a',
    parents: [],
    message: 'first',
    created: '2026-11-20T10:00:00Z',
  }),
  'databases/main/migrations/1_first/migration.sql': 'select 1;\n',
}

describe('runCli', () => {
  it.each(['--version', '-V'])('prints the version for %s', async (option) => {
    expect(await run([option])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('prints data on stdout', async () => {
    expect(await run(['history'], history)).toEqual({
      exitCode: 0,
      stdout: 'main (databases/main/migrations)\n  1a1a1a1a1a1a  first (head, base, irreversible)\n',
      stderr: '',
    })
    expect(await run(['heads', '-d', 'm'], history)).toMatchObject({ stdout: 'main  1a1a1a1a1a1a  first\n' })
  })

  it('paints on a terminal', async () => {
    expect((await run(['history'], history, true)).stdout).toContain(
      '\u001b[1mmain (databases/main/migrations)\u001b[22m',
    )
    expect((await run(['history', '--color', 'never'], history, true)).stdout).not.toContain('\u001b')
  })

  it('draws the history on a terminal, with characters that its locale has', async () => {
    const words = ['history', '--color', 'never']

    expect((await run(words, history, true)).stdout).toBe(drawn('*'))
    expect((await run(words, history, true, { LANG: 'en_GB.UTF-8' })).stdout).toBe(drawn('●'))
    expect((await run(words, history, true, { LANG: 'en_GB.UTF-8', LC_ALL: 'C' })).stdout).toBe(drawn('*'))
    expect((await run([...words, '--ascii'], history, true, { LC_CTYPE: 'C.utf8' })).stdout).toBe(drawn('*'))
    expect((await run([...words, '--format', 'list'], history, true)).stdout).toContain('\n  1a1a1a1a1a1a  first')
  })

  it('prints errors on stderr, with what to do', async () => {
    expect(await run(['heads', '-d', 'gamma'], history)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'error: there is no database "gamma"\n  next: the databases are: main\n',
    })
  })

  it('prints one document with --json, also for words that no command understands', async () => {
    const { exitCode, stdout, stderr } = await run(['histroy', '--json'], history)

    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ command: 'histroy', ok: false, exitCode: 2, error: { code: 'USAGE' } })
    expect(stderr).toContain('Did you mean history?')
  })

  it('says where it looked for a workspace', async () => {
    expect(await run(['history'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^error: no databases\/<name>\/database\.ts was found in .*drover-cli-/),
    })
  })
})
