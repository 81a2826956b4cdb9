import { symlink } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { hasStore, queryColumn, readApplied } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const a1 = 'aaaa00000001'
const b1 = 'bbbb00000001'

test('a database that graphile-worker migrates is created and migrated by it in its turn, and nothing of Drover goes in', async () => {
  await using workspace = await createFleet({ command: ['graphile-worker', '--schema-only'], create: false })
  await symlink(join(repository, 'e2e', 'node_modules', '.bin'), join(workspace.root, 'node_modules', '.bin'))

  expectFailure(await workspace.migrate('upgrade'), 2, 'jobs: the server at', 'has no database')
  const first = await workspace.migrate('init')

  expect(first).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^jobs +migrated by graphile-worker --schema-only$/m),
  })
  expect(first.stderr).toContain('jobs: created the database')
  expect(first.stderr).toMatch(
    /^main +applied +aaaa00000001 .*\njobs +running graphile-worker --schema-only\n(?:jobs: .*\n)+jobs +migrated by graphile-worker --schema-only .*\napp +applied +bbbb00000001 /m,
  )
  expect(await queryColumn(workspace.jobs, 'select count(*) > 0 from graphile_worker.migrations')).toEqual([true])
  expect(await hasStore(workspace.jobs)).toBe(false)
  const again = await workspace.migrate('upgrade')
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^0 revisions and 1 command in /m) })
})

test('a command has the URL of its database and nothing else of the environment, no shell, and its password stays out of the output', async () => {
  await using workspace = await createFleet({
    command: [process.execPath, 'show.mjs', '$HOME; exit 1'],
    script: `
console.log(Object.keys(process.env).sort().join(' '))
console.log(process.argv[2])
console.error('connecting to ' + process.env.DATABASE_URL)
console.error(decodeURIComponent(new URL(process.env.DATABASE_URL).password))
process.stdout.write('no line ends here')`,
  })

  const ended = await workspace.migrate('upgrade', '--verbose')

  expect(ended.exitCode).toBe(0)
  expect(ended.stderr).toMatch(/^jobs: DATABASE_URL HOME PATH$/m)
  expect(ended.stderr).toMatch(/^jobs: \$HOME; exit 1$/m)
  expect(ended.stderr).toMatch(/^jobs: connecting to \S+:\*\*\*@/m)
  expect(ended.stderr).toMatch(/^jobs: \*\*\*$/m)
  expect(ended.stderr).toMatch(/^jobs: no line ends here$/m)
  expect(`${ended.stdout}${ended.stderr}`).not.toContain(new URL(workspace.jobs).password)
})

test('a command that fails ends the release there, and the databases after it are not tried', async () => {
  await using workspace = await createFleet({ script: `console.error('no such feature'); process.exitCode = 3` })

  const stopped = await workspace.migrate('upgrade')

  expectFailure(stopped, 1, `error: jobs: "${workspace.command}" ended with exit code 3`, 'no such feature')
  expect(stopped.stdout).toMatch(/^jobs +failed at /m)
  expect(stopped.stdout).toMatch(/^app +not tried: 1 revision left$/m)
  expect(await readApplied(workspace.main)).toEqual([a1])

  const other = await workspace.addDatabase('other')
  await workspace.addRevision('other', { id: 'cccc00000001' })
  const continued = await workspace.migrate('upgrade', '--on-failure', 'continue', '--json')
  expect(continued.json()).toMatchObject({ exitCode: 1, error: { code: 'COMMAND_FAILED', database: 'jobs' } })
  expect(await readApplied(workspace.app)).toEqual([])
  expect(await readApplied(other)).toEqual(['cccc00000001'])

  await workspace.write('databases/jobs/show.mjs', '')
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(workspace.app)).toEqual([b1])
})

test('what a command does cannot be rolled back, which is said before anything is done', async () => {
  await using workspace = await createFleet()

  expectFailure(
    await workspace.migrate('upgrade', '--on-failure', 'rollback'),
    3,
    'jobs: what its command does could not be rolled back',
  )
  expect(await readApplied(workspace.main)).toEqual([])
})

test.each([
  [{ command: ['no-such-migrator'] }, 'cannot be started: there is no program "no-such-migrator"'],
  [{ script: 'setInterval(() => {}, 1000)', commandTimeout: 1 }, 'was ended: it took longer than 1 s'],
  [{ script: `process.kill(process.pid, 'SIGTERM')` }, 'ended with SIGTERM'],
] as const)('of a command that %j the reason is told', async (jobs, reason) => {
  await using workspace = await createFleet(jobs)

  expectFailure(await workspace.migrate('upgrade'), 1, reason)
})

test('an interruption goes on to the command and to what it has started, and ends the release', async () => {
  await using workspace = await createFleet({
    script: `
import { spawn } from 'node:child_process'
const inner = \`process.on('SIGINT', () => { console.log('inner stops'); process.exit(1) }); setInterval(() => {}, 1000); console.log('inner runs')\`
process.on('SIGINT', () => console.log('outer stops'))
spawn(process.execPath, ['-e', inner], { stdio: 'inherit' }).on('exit', () => process.exit(1))`,
  })
  const running = workspace.start(['upgrade'])
  await running.waitFor('jobs: inner runs')

  running.kill('SIGINT')
  const ended = await running.ended

  expect(ended.exitCode).toBe(130)
  expect(ended.stderr).toContain('jobs: inner stops')
  expect(ended.stderr).toContain('jobs: outer stops')
  expect(ended.stdout).toMatch(/^jobs +interrupted: /m)
  expect(ended.stdout).toMatch(/^app +not tried: 1 revision left$/m)
})

test('before it is run, the command is shown in its turn, and a plan in a file has it run', async () => {
  await using workspace = await createFleet()

  const dryRun = await workspace.migrate('upgrade', '--dry-run')
  expect(dryRun.stdout).toContain(`jobs: would run ${workspace.command}\n`)
  const planned = await workspace.migrate('plan', '--out', 'plan.json')
  expect(planned.stdout).toMatch(/main: 1 revision to apply\n.*\njobs: runs .*show\.mjs\napp: 1 revision to apply\n/)
  expect((await workspace.migrate('plan', '--markdown')).stdout).toContain('#### jobs\n\nRuns `')
  expect(dryRun.stderr + planned.stderr).not.toContain('ran')

  const upgraded = await workspace.migrate('upgrade', '--plan', 'plan.json')
  expect(upgraded).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^jobs: ran$/m) })
  expect(await readApplied(workspace.app)).toEqual([b1])
})

test('the commands that are about revisions leave it out, and say why when it is asked for', async () => {
  await using workspace = await createFleet({ managedBy: 'Graphile Worker' })

  expect((await workspace.migrate('upgrade', '+1')).stderr).not.toContain('ran')
  for (const words of [
    ['history'],
    ['check'],
    ['plan', '--downgrade'],
    ['drift'],
    ['downgrade', 'base', '--yes'],
    ['stamp', 'head', '--yes'],
  ]) {
    const all = await workspace.migrate(...words)
    expect(all).toMatchObject({ exitCode: 0 })
    expect(`${all.stdout}${all.stderr}`).not.toContain('jobs')
    const named = await workspace.migrate(...words, '-d', 'jobs')
    expectFailure(
      named,
      2,
      `jobs: it has no revisions, so there is nothing here for ${words[0]}: it is managed by Graphile Worker`,
    )
  }
  expectFailure(await workspace.migrate('revision', 'x', '--empty', '-d', 'jobs'), 2, 'it has no revisions')
  expectFailure(await workspace.migrate('downgrade', 'jobs/base'), 2, 'the target is for "jobs"')
  expect((await workspace.start(['history'], { cwd: join(workspace.root, 'databases/jobs') }).ended).exitCode).toBe(2)
})

test('a database that its program migrates by itself is created, and shown with who manages it', async () => {
  await using workspace = await createFleet({ command: null, managedBy: 'Keycloak', create: false })

  const before = await workspace.migrate('current', '--json')
  expect(before.json()).toMatchObject({ exitCode: 2, error: { code: 'DATABASE_MISSING', database: 'jobs' } })
  expect((await workspace.migrate('init')).stdout).toMatch(/^jobs +managed by Keycloak$/m)

  const current = await workspace.migrate('current', '--json', '--check-heads')
  expect(current.exitCode).toBe(0)
  expect(current.json().databases).toMatchObject([
    { name: 'main' },
    { name: 'jobs', targets: [{ current: [], heads: [], pending: [], steps: [], state: 'external' }] },
    { name: 'app' },
  ])
  expect((await workspace.migrate('current')).stdout).toMatch(/^jobs +- +managed by Keycloak$/m)
  expect((await workspace.migrate('upgrade')).stdout).toContain('nothing to do')
})

interface Jobs {
  /** Default: Node with the script. */
  readonly command?: readonly string[] | null
  /** Text of `show.mjs` in its folder. Default: says that it ran. */
  readonly script?: string
  readonly commandTimeout?: number
  readonly managedBy?: string
  /** Whether the server has the database. Default `true`. */
  readonly create?: boolean
}

/** Databases `main`, `jobs` and `app`, each after the one before it, of which `jobs` migrates itself. */
async function createFleet({ command, script = `console.log('ran')`, create = true, ...others }: Jobs = {}): Promise<
  TestWorkspace & { readonly main: string; readonly jobs: string; readonly app: string; readonly command: string }
> {
  const workspace = await createWorkspace()
  const main = await workspace.addDatabase('main')
  const jobs = await workspace.addDatabase('jobs', { create })
  const app = await workspace.addDatabase('app', { after: ['jobs'] })
  await workspace.addRevision('main', { id: a1, up: 'create table a ();\n', down: 'drop table a;\n' })
  await workspace.addRevision('app', { id: b1, up: 'create table b ();\n', down: 'drop table b;\n' })
  const words = command ?? [process.execPath, 'show.mjs']
  const declared = {
    kind: 'external',
    name: 'jobs',
    after: ['main'],
    ...(command !== null && { command: words }),
    ...others,
  }
  await workspace.write('databases/jobs/show.mjs', script)
  await workspace.write(
    'databases/jobs/database.ts',
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase(${JSON.stringify(declared)})\n`,
  )
  return { ...workspace, main, jobs, app, command: words.join(' ') }
}
