import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { readEntries } from './harness/entries.ts'
import { closeGate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { hasStore, queryColumn, readApplied, readOutcomes } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const
const nowhere = 'postgres://nobody@127.0.0.1:9/nothing'

describe('start', () => {
  test('upgrades and becomes the command: the same process, with its words, environment, folder and exit code', async () => {
    await using workspace = await createStartable()
    // As it is given, whatever .env adds for Drover.
    await workspace.write('.env', 'ADDED=1\n')
    const words = ['-d', 'nowhere', '--json', '--help', '--log', 'json', '--', '', 'a b', '*']

    const running = workspace.start(['start', '--', process.execPath, 'app.mjs', ...words])
    const ended = await running.ended

    const app = JSON.parse(ended.stdout) as Record<string, unknown>
    expect(app).toEqual({ pid: running.pid, words, env: workspace.env, folder: workspace.root })
    expect(ended.exitCode).toBe(7)
    expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
    expect(await queryColumn(workspace.url, 'select command from drover.run')).toEqual(['start'])
    expect(ended.stderr).toMatch(/^main +ready$/m)
    expect(ended.stderr).toMatch(/^main +3 revisions applied$/m)
    expect(ended.stderr).toMatch(/^main: 1 critical table, nothing missing$/m)
    // Nothing of the words, which may hold secrets.
    expect(ended.stderr).toMatch(new RegExp(`^starting ${process.execPath}\n$`, 'm'))
  })

  test.runIf(process.platform === 'linux')(
    'hands the process over as the system made it: signals, streams, and no file or connection of ours',
    async () => {
      await using workspace = await createStartable()
      const script = `grep -E 'Sig(Blk|Ign)' /proc/self/status; for one in 0 1 2; do grep flags /proc/$$/fdinfo/$one; done; ls /proc/$$/fd`
      await workspace.write('look', `#!/bin/sh\n${script}\n`)
      await chmod(join(workspace.root, 'look'), 0o755)
      const bare = await capture('/bin/sh', ['-c', './look'], workspace)

      const ended = await capture(process.execPath, [migrate, 'start', '--', './look'], workspace)

      expect(ended.stdout).toBe(bare.stdout)
      expect(ended.stdout).toContain('SigIgn:\t0000000000000000')
      expect(ended.exitCode).toBe(0)
    },
  )

  test('gives the command its standard input, untouched', async () => {
    await using workspace = await createStartable()

    const line = `printf 'one\ntwo\n' | "$NODE" "$MIGRATE" start --quiet -- cat`
    const ended = await capture('/bin/sh', ['-c', line], workspace, { NODE: process.execPath, MIGRATE: migrate })

    expect(ended).toEqual({ exitCode: 0, signal: null, stdout: 'one\ntwo\n', stderr: '' })
  })

  test('has signals reach the command, which ends as it likes', async () => {
    await using workspace = await createStartable()
    await workspace.write(
      'serve',
      `#!/bin/sh\ntrap 'echo stopping; exit 9' TERM\necho serving\nwhile :; do sleep 0.01; done\n`,
    )
    await chmod(join(workspace.root, 'serve'), 0o755)
    const running = workspace.start(['start', '--', './serve'])
    await running.waitFor('serving')

    running.kill('SIGTERM')

    expect(await running.ended).toMatchObject({ exitCode: 9, stdout: 'serving\nstopping\n' })
  })

  test('is ended by the signal that ends the command', async () => {
    await using workspace = await createStartable()

    const ended = await capture(process.execPath, [migrate, 'start', '--', 'sh', '-c', 'kill -USR1 $$'], workspace)

    expect(ended).toMatchObject({ exitCode: null, signal: 'SIGUSR1' })
  })

  test('as ten replicas at the same moment applies every revision once, and all ten run', async () => {
    await using workspace = await createStartable()
    await using gate = await closeGate(workspace.url)
    await workspace.addRevision('main', { id: 'aaaa00000004', up: `${gate.sql}${logEntry('up aaaa00000004')}` })
    await workspace.write('serve', `#!/bin/sh\ntrap 'exit 0' TERM\necho serving\nwhile :; do sleep 0.1; done\n`)
    await chmod(join(workspace.root, 'serve'), 0o755)

    const replicas = Array.from({ length: 10 }, () => workspace.start(['start', '--verbose', '--', './serve']))
    // One is in the middle of it, and the others have planned the same and wait.
    await Promise.all(replicas.map((one) => one.waitFor('waiting ')))
    await gate.open()
    await Promise.all(replicas.map((one) => one.waitFor('serving')))
    for (const one of replicas) one.kill('SIGTERM')
    const ended = await Promise.all(replicas.map((one) => one.ended))

    expect(ended.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual(
      ended.map(() => ({ exitCode: 0, stdout: 'serving\n' })),
    )
    expect(await readLog(workspace.url)).toEqual([...ids, 'aaaa00000004'].map((id) => `up ${id}`))
    expect(await readOutcomes(workspace.url)).toEqual(['succeeded'])
    expect(ended.filter(({ stderr }) => stderr.includes('done by another run'))).toHaveLength(9)
  })

  test('warns of critical tables that are missing and goes on, or with --strict exits 4 instead', async () => {
    await using workspace = await createStartable({ critical: ['log', 'users'] })

    const warned = await workspace.migrate('start', '--', 'echo', 'running')
    const stopped = await workspace.migrate('start', '--strict', '--', 'echo', 'running')

    expect(warned).toMatchObject({ exitCode: 0, stdout: 'running\n' })
    expect(warned.stderr).toContain('warning: main: the application cannot live without users, and it is not there')
    expect(stopped).toMatchObject({ exitCode: 4, stdout: '' })
    expect(stopped.stderr).toContain('error: main: the application cannot live without users, and it is not there')
  })

  test('goes no further than its phase, and starts the command all the same', async () => {
    await using workspace = await createStartable()
    await workspace.addRevision('main', { id: 'aaaa00000004', phase: 'contract', up: logEntry('up aaaa00000004') })

    const ended = await workspace.migrate('start', '--phase', 'expand', '--', 'echo', 'running')

    expect(ended).toMatchObject({ exitCode: 0, stdout: 'running\n' })
    expect(await readApplied(workspace.url)).toEqual(ids)
  })

  test('with --log json writes nothing but entries before the command does', async () => {
    await using workspace = await createStartable({ critical: ['users'] })

    const ended = await workspace.migrate('start', '--log', 'json', '--', 'echo', 'running')

    const entries = ended.stderr
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line))
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'running\n' })
    expect(entries.filter(({ event }) => event === 'step-finished')).toHaveLength(3)
    expect(entries).toContainEqual(expect.objectContaining({ level: 'warn', event: 'problem', code: 'TABLE_MISSING' }))
    expect(entries.filter(({ event }) => event === 'ended')).toEqual([])
    expect(entries.at(-1)).toMatchObject({ event: 'progress', message: expect.stringMatching(/^starting .*\/echo$/) })
  })
})

describe('start does not start the command', () => {
  test('when a migration fails: it exits as upgrade does, and nothing is half applied', async () => {
    await using workspace = await createStartable()
    await workspace.addRevision('main', { id: 'aaaa00000004', up: 'create table half (id integer);\nselect 1 / 0;\n' })

    const ended = await workspace.migrate('start', '--', 'echo', 'running')
    const logged = await workspace.migrate('start', '--log', 'json', '--', 'echo', 'running')

    expect(ended).toMatchObject({ exitCode: 1, stdout: '' })
    expect(ended.stderr).toContain('error: main: ')
    expect(ended.stderr).toContain('division by zero')
    expect(ended.stderr).not.toContain('starting ')
    expect(await readApplied(workspace.url)).toEqual(ids)
    expect(await queryColumn(workspace.url, `select to_regclass('half')`)).toEqual([null])
    expect(logged.stdout).toBe('')
    expect(readEntries(logged).filter(({ event }) => event === 'ended')).toHaveLength(1)
  })

  test('when a migration fails in each of several replicas: all exit with 1', async () => {
    await using workspace = await createStartable()
    await workspace.addRevision('main', { id: 'aaaa00000004', up: 'create table half (id integer);\nselect 1 / 0;\n' })

    const ended = await Promise.all(
      Array.from({ length: 4 }, () => workspace.migrate('start', '--', 'echo', 'running')),
    )

    expect(ended.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual(ended.map(() => [1, '']))
    expect(await readLog(workspace.url)).toEqual(ids.map((id) => `up ${id}`))
    expect(await readApplied(workspace.url)).toEqual(ids)
    expect(await queryColumn(workspace.url, `select to_regclass('half')`)).toEqual([null])
  })

  test('when upgrade refuses: it exits with 3', async () => {
    await using workspace = await createStartable()
    await workspace.migrate('upgrade')
    await workspace.write(`${workspace.lastFolder}/migration.sql`, 'select 2;\n')

    const ended = await workspace.migrate('start', '--', 'echo', 'running')

    expect(ended).toMatchObject({ exitCode: 3, stdout: '' })
  })

  test('when a server never comes: it exits with 2, and the other databases are left alone', async () => {
    await using workspace = await createStartable()
    await workspace.write('databases/far/database.ts', `export default { name: 'far' }\n`)
    workspace.env['FAR_DATABASE_URL'] = nowhere

    const ended = await workspace.migrate('start', '--tries', '2', '--interval', '1ms', '--', 'echo', 'running')

    expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toContain('error: far: no server answers at 127.0.0.1:9, at try 2')
    expect(await hasStore(workspace.url)).toBe(false)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('when %s comes while a revision runs, which is finished: it exits with %i', async (signal, exitCode) => {
    await using workspace = await createStartable()
    await using gate = await closeGate(workspace.url)
    await workspace.addRevision('main', { id: 'aaaa00000004', up: `${gate.sql}${logEntry('up aaaa00000004')}` })
    const running = workspace.start(['start', '--verbose', '--', 'echo', 'running'])
    await running.waitFor(gate.notice)

    running.kill(signal)
    await running.waitFor(`${signal}: finishing the revision that is running`)
    await gate.open()
    const ended = await running.ended

    // It was the last one: the upgrade has succeeded, and the command is not started all the same.
    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(await readApplied(workspace.url)).toEqual([...ids, 'aaaa00000004'])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('when %s comes while it waits for a server: it exits with %i at once', async (signal, exitCode) => {
    await using workspace = await createStartable()
    workspace.env['MAIN_DATABASE_URL'] = nowhere
    const running = workspace.start(['start', '--interval', '1h', '--log', 'json', '--', 'echo', 'running'])
    await running.waitFor('main: waiting')

    running.kill(signal)
    const ended = await running.ended

    expect(ended).toMatchObject({ exitCode, stdout: '' })
    expect(readEntries(ended)).toContainEqual(expect.objectContaining({ code: 'INTERRUPTED' }))
  })

  test('when a signal comes between two steps: it ends at once, before anything is changed', async () => {
    await using workspace = await createStartable()
    // It is called by each step; the second time it is the upgrade that does.
    const script = `if [ -e called ]; then kill -TERM $PPID; exec sleep 1; fi; touch called; echo '${workspace.url}'`
    await workspace.write('url', `${script}\n`)
    await workspace.write('databases/main/database.ts', `export default { name: 'main', urlCommand: ['sh', 'url'] }\n`)
    workspace.env['MAIN_DATABASE_URL'] = ''

    const ended = await workspace.migrate('start', '--log', 'json', '--', 'echo', 'running')

    expect(ended).toMatchObject({ exitCode: 143, stdout: '' })
    expect(readEntries(ended)).toContainEqual(expect.objectContaining({ event: 'signal', signal: 'SIGTERM' }))
    expect(await hasStore(workspace.url)).toBe(false)
  })

  test.each<[string, number, string, readonly string[]]>([
    ['that is not there', 127, 'there is no program "no-such-program"', ['--', 'no-such-program']],
    ['that is not there, by its path', 127, 'there is no program "./nothing"', ['--', './nothing', 'x']],
    [
      'that may not be executed',
      126,
      'databases/main/database.ts may not be executed',
      ['--', './databases/main/database.ts'],
    ],
    ['that is a folder', 126, 'databases is a folder', ['--', './databases']],
    ['that is none', 2, 'there is no command to start', []],
    ['of no words', 2, 'there is no command to start', ['--']],
    ['before the dashes', 2, '"echo" stands before --', ['echo', '--', 'running']],
    ['without dashes', 2, 'there is no command to start', ['echo', 'running']],
    ['with a document on stdout', 2, 'stdout belongs to the command', ['--json', '--', 'echo', 'running']],
  ])('%s: %i, before anything is touched', async (_what, exitCode, message, words) => {
    await using workspace = await createStartable()
    workspace.env['PATH'] = '/usr/bin:/bin'

    const ended = await workspace.migrate('start', ...words)

    expect(ended.exitCode).toBe(exitCode)
    expect(ended.stdout === '').toBe(!words.includes('--json'))
    expect(ended.stderr).toContain(message)
    expect(ended.stderr).toMatch(/^ {2}next: \S/m)
    expect(await hasStore(workspace.url)).toBe(false)
  })

  test.each([
    ['DB_MAX_RETRIES', 'many'],
    ['DB_RETRY_INTERVAL', 'soon'],
    ['DROVER_SKIP_MIGRATIONS', 'perhaps'],
  ])('when %s is %s: it exits with 2 and names the variable', async (variable, value) => {
    await using workspace = await createStartable()
    workspace.env[variable] = value

    const ended = await workspace.migrate('start', '--', 'echo', 'running')

    expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toContain(`error: ${variable} is n`)
    expect(await hasStore(workspace.url)).toBe(false)
  })
})

/** Whether processes can be given process ids of their own, as in a container. */
const hasNamespaces = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0

test.runIf(hasNamespaces)(
  'as process 1, which signals do not end by themselves, start is ended by SIGTERM',
  async () => {
    await using workspace = await createStartable()
    workspace.env['MAIN_DATABASE_URL'] = nowhere
    const words = [
      '--pid',
      '--fork',
      '--mount-proc',
      process.execPath,
      migrate,
      'start',
      '--interval',
      '1h',
      '--',
      'echo',
    ]
    const child = spawn('unshare', words, { cwd: workspace.root, env: workspace.env })
    await once(child.stderr, 'data')

    const first = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    process.kill(Number(first), 'SIGTERM')

    expect(await once(child, 'close')).toEqual([143, null])
  },
)

describe('DROVER_SKIP_MIGRATIONS', () => {
  test.each(['1', 'true', 'YES'])(
    '=%s starts the command on whatever there is, and says so even with --quiet',
    async (value) => {
      await using workspace = await createStartable()
      // In an emergency nothing of the workspace has to be right.
      await workspace.write('databases/main/database.ts', 'syntax error')
      workspace.env['DROVER_SKIP_MIGRATIONS'] = value

      const ended = await workspace.migrate(
        'start',
        '--quiet',
        '--',
        'sh',
        '-c',
        'echo "skip: $DROVER_SKIP_MIGRATIONS"; exit 5',
      )

      expect(ended).toMatchObject({ exitCode: 5, stdout: `skip: ${value}\n` })
      expect(ended.stderr).toContain(
        'warning: DROVER_SKIP_MIGRATIONS is set: nothing is waited for, upgraded or validated',
      )
      expect(await hasStore(workspace.url)).toBe(false)
    },
  )

  test.each(['', '0', 'false', 'no'])('=%s skips nothing', async (value) => {
    await using workspace = await createStartable()
    workspace.env['DROVER_SKIP_MIGRATIONS'] = value

    expect(await workspace.migrate('start', '--', 'echo', 'running')).toMatchObject({
      exitCode: 0,
      stdout: 'running\n',
    })
    expect(await readApplied(workspace.url)).toEqual(ids)
  })
})

describe('where a process cannot become another one', () => {
  test('the command is a child, whose exit code is passed on', async () => {
    await using workspace = await createStartable()
    await forbidExecve(workspace)

    const running = workspace.start(['start', '--', 'sh', '-c', 'echo $PPID; exit 7'])

    expect(await running.ended).toMatchObject({ exitCode: 7, stdout: `${running.pid}\n` })
    expect(await readApplied(workspace.url)).toEqual(ids)
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s is passed on', async (signal) => {
    await using workspace = await createStartable()
    await forbidExecve(workspace)
    await workspace.write(
      'serve',
      `#!/bin/sh\ntrap 'echo ${signal}; exit 9' ${signal.slice(3)}\necho serving\nwhile :; do sleep 0.01; done\n`,
    )
    await chmod(join(workspace.root, 'serve'), 0o755)
    const running = workspace.start(['start', '--', './serve'])
    await running.waitFor('serving')

    running.kill(signal)

    expect(await running.ended).toMatchObject({ exitCode: 9, stdout: `serving\n${signal}\n` })
  })

  test('a signal that ends the command becomes 128 and its number', async () => {
    await using workspace = await createStartable()
    await forbidExecve(workspace)

    expect(await workspace.migrate('start', '--', 'sh', '-c', 'kill -KILL $$')).toMatchObject({ exitCode: 137 })
  })
})

const migrate = join(repository, 'scripts', 'migrate.ts')

interface Startable extends TestWorkspace {
  readonly url: string
  /** Of the last revision, from the root. */
  readonly lastFolder: string
}

/** A workspace whose database has three revisions to come, and a program `app.mjs` that tells what it was given. */
async function createStartable({
  critical = ['log'],
}: { readonly critical?: readonly string[] } = {}): Promise<Startable> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await createLog(url)
  await workspace.write(
    'databases/main/database.ts',
    `export default { name: 'main', critical: ${JSON.stringify(critical)} }\n`,
  )
  let lastFolder = ''
  for (const id of ids) lastFolder = await workspace.addRevision('main', { id, up: logEntry(`up ${id}`) })
  await workspace.write(
    'app.mjs',
    `console.log(JSON.stringify({ pid: process.pid, words: process.argv.slice(2), env: process.env, folder: process.cwd() }))
process.exitCode = 7
`,
  )
  return { ...workspace, url, lastFolder }
}

/** Has Node be as it is on systems where a process cannot become another program. */
async function forbidExecve(workspace: TestWorkspace): Promise<void> {
  await mkdir(join(workspace.root, 'elsewhere'))
  await workspace.write('elsewhere/no-execve.mjs', 'process.execve = undefined\n')
  workspace.env['NODE_OPTIONS'] = `--import=${join(workspace.root, 'elsewhere', 'no-execve.mjs')}`
}

/** Runs a program with pipes for its streams, and tells how it ended from how a shell would tell it. */
function capture(
  file: string,
  args: readonly string[],
  { root, env }: TestWorkspace,
  more: Readonly<Record<string, string>> = {},
): Promise<{
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd: root, env: { ...env, ...more } }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, signal: child.signalCode, stdout, stderr }),
    )
  })
}
