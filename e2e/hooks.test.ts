import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import postgres from 'postgres'
import { describe, expect, test } from 'vitest'

import { readEntries } from './harness/entries.ts'
import { closeGate, gateSql } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { expectFailure } from './harness/pair.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { query, readApplied, readOutcomes } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['0000000000a1', '0000000000a2'] as const

/** What `hooks` of a database names, and the text of each file. */
type HookFiles = Readonly<Partial<Record<'before' | 'after' | 'onFailure', Readonly<Record<string, string>>>>>

test('the hooks of a database run around its revisions, each in a transaction of its own, and nothing is recorded of them', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'main', {
    // Nothing of what it leaves behind in the session reaches the revisions.
    before: { 'before.sql': `${logEntry('before')}set search_path = nowhere;\nset role pg_monitor;\n` },
    after: {
      'after.sql': `set search_path = '';\n${logTransaction('after')}`,
      'notify.ts': codeHook(
        `await sql\`insert into log (entry) values (\${'notify ' + command + direction})\`; log('told')`,
      ),
    },
    onFailure: { 'failed.sql': logEntry('failed') },
  })

  const ended = await workspace.migrate('upgrade', '--json')

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(['before', 'up 1', 'up 2', 'after', 'notify upgradeup'])
  expect(await readApplied(url)).toEqual(ids)
  expect(await readOutcomes(url)).toEqual(['succeeded'])
  expect(ended.stderr).toContain('main  ran databases/main/hooks/before.sql (before, ')
  expect(ended.stderr).toContain('main: told\n')
  expect(ended.json().databases[0].targets[0].hooks).toEqual([
    hookJson('before', 'before.sql', 'done'),
    hookJson('after', 'after.sql', 'done'),
    hookJson('after', 'notify.ts', 'done'),
  ])
})

test('they run on a downgrade as well, and not where there is nothing to do', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'main', {
    before: { 'before.sql': logEntry('before') },
    after: { 'after.sql': logEntry('after') },
  })
  await workspace.migrate('upgrade')
  await query(url, 'truncate log')

  const idle = await workspace.migrate('upgrade')
  expect(idle).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual([])

  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(['before', 'down 2', 'after'])
})

test('init runs them, and --no-hooks leaves them out of everything', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'main', { before: { 'before.sql': logEntry('before') } })
  await addRunHooks(workspace, { before: { 'hooks/announce.ts': codeHook(`log('announced')`) } })

  const dry = await workspace.migrate('upgrade', '--dry-run', '--no-hooks')
  expect(dry.stdout).not.toContain('before')
  const without = await workspace.migrate('upgrade', '+1', '--no-hooks')
  expect(without).toMatchObject({ exitCode: 0 })
  expect(without.stderr).not.toContain('announced')
  expect(await readLog(url)).toEqual(['up 1'])

  const init = await workspace.migrate('init')
  expect(init).toMatchObject({ exitCode: 0 })
  expect(init.stderr).toContain('run: announced\n')
  expect(await readLog(url)).toEqual(['up 1', 'before', 'up 2'])
})

test('a dry run and a plan list them', async () => {
  await using workspace = await createWorkspace()
  await addDatabase(workspace, 'main', {
    before: { 'before.sql': 'select 1' },
    after: { 'after.sql': 'select 1' },
    onFailure: { 'failed.ts': codeHook('') },
  })
  await addRunHooks(workspace, { after: { 'hooks/tell.ts': codeHook('') } })

  const dry = await workspace.migrate('upgrade', '--dry-run')
  expect(dry.stdout).toBe(`main: would apply 2 revisions
  before: databases/main/hooks/before.sql
  ${ids[0]} revision ${ids[0]}
  ${ids[1]} revision ${ids[1]}
  after: databases/main/hooks/after.sql
  on failure: databases/main/hooks/failed.ts
after all: hooks/tell.ts
`)
  const plan = await workspace.migrate('plan')
  expect(plan.stdout).toContain('  before: databases/main/hooks/before.sql\n  1. ')
  expect(plan.stdout).toMatch(/ {2}on failure: \S+\nafter all: hooks\/tell\.ts\n$/)
  const document = (await workspace.migrate('plan', '--json')).json()
  expect(document.hooks).toEqual([{ moment: 'after', file: 'hooks/tell.ts', status: 'planned' }])
  expect(document.databases[0].targets[0].hooks).toContainEqual({
    moment: 'before',
    file: 'databases/main/hooks/before.sql',
    status: 'planned',
  })
  const markdown = await workspace.migrate('plan', '--markdown')
  expect(markdown.stdout).toContain(
    'Hooks of main: before `databases/main/hooks/before.sql`; after `databases/main/hooks/after.sql`; on failure `databases/main/hooks/failed.ts`.',
  )
})

describe('when a hook fails', () => {
  test('before: no revision of its database is run, and the run is recorded as failed', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      before: { 'before.sql': `${logEntry('undone')}\nselect 1 / 0;` },
      onFailure: { 'failed.sql': logEntry('failed') },
    })

    const ended = await workspace.migrate('upgrade', '--json')

    expectFailure(ended, 1, 'main: databases/main/hooks/before.sql:3: division by zero', 'no revision of this database')
    expect(ended.json()).toMatchObject({ error: { code: 'HOOK_FAILED', sqlstate: '22012', statement: 'select 1 / 0' } })
    expect(await readLog(url)).toEqual(['failed'])
    expect(await readApplied(url)).toEqual([])
    expect(await readOutcomes(url)).toEqual(['failed'])
  })

  test('before, with --on-failure continue: the other databases are upgraded', async () => {
    await using workspace = await createWorkspace()
    const bad = await addDatabase(workspace, 'bad', { before: { 'before.sql': 'select 1 / 0;' } })
    const good = await addDatabase(workspace, 'good', {
      before: { 'before.sql': logEntry('before') },
      after: { 'after.sql': logEntry('after') },
    })

    const ended = await workspace.migrate('upgrade', '--on-failure', 'continue')

    expect(ended.exitCode).toBe(1)
    expect(ended.stdout).toMatch(
      /^bad +failed at databases\/bad\/hooks\/before\.sql: 0 revisions applied, 2 not tried$/m,
    )
    expect(await readApplied(bad)).toEqual([])
    expect(await readLog(good)).toEqual(['before', 'up 1', 'up 2', 'after'])
  })

  test('after: the run fails, the revisions stay, and that is said', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      after: { 'after.ts': codeHook(`await sql\`select 1 / 0\``), 'never.sql': logEntry('never') },
    })

    const ended = await workspace.migrate('upgrade')

    expectFailure(ended, 1, 'all revisions of this database were run and stay')
    expect(ended.stderr).toMatch(/databases\/main\/hooks\/after\.ts:3: division by zero/)
    expect(ended.stdout).toMatch(/^main +failed at databases\/main\/hooks\/after\.ts: 2 revisions applied$/m)
    expect(await readLog(url)).toEqual(['up 1', 'up 2'])
    expect(await readApplied(url)).toEqual(ids)
    expect(await readOutcomes(url)).toEqual(['failed'])
  })

  test('after, with --on-failure rollback: the revisions are undone', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', { after: { 'after.sql': 'select 1 / 0;' } })

    const ended = await workspace.migrate('upgrade', '--on-failure', 'rollback')

    expect(ended.exitCode).toBe(1)
    expect(await readLog(url)).toEqual(['up 1', 'up 2', 'down 2', 'down 1'])
    expect(await readApplied(url)).toEqual([])
  })

  test('on failure: it is told of the problem, and its own failure is only reported', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(
      workspace,
      'main',
      {
        before: { 'before.sql': logEntry('before') },
        after: { 'after.sql': logEntry('never') },
        onFailure: {
          'failed.ts': codeHook(
            'await sql`insert into log (entry) values (${[database, problem.code, problem.revision, problem.sqlstate].join(" ")})`',
          ),
          'broken.sql': 'select * from nowhere;',
        },
      },
      'select 1 / 0;',
    )

    const ended = await workspace.migrate('upgrade', '--json')

    expect(ended.exitCode).toBe(1)
    expect(await readLog(url)).toEqual(['before', 'up 1', `main STATEMENT_FAILED ${ids[1]} 22012`])
    const { error, warnings } = ended.json()
    expect(error).toMatchObject({ code: 'STATEMENT_FAILED', revision: ids[1] })
    expect(warnings).toMatchObject([
      { code: 'HOOK_FAILED', database: 'main', file: 'databases/main/hooks/broken.sql', sqlstate: '42P01' },
    ])
    expect(ended.stderr).toContain('warning: main: databases/main/hooks/broken.sql:1:15: relation "nowhere"')
  })
})

test('a hook is not run for a run that has lost its lease', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'main', {
    before: { 'first.sql': 'delete from drover.lease;', 'second.sql': logEntry('never') },
    onFailure: { 'failed.ts': codeHook('await sql`insert into log (entry) values (${problem.code})`') },
  })

  const ended = await workspace.migrate('upgrade')

  expectFailure(ended, 1, 'the hook databases/main/hooks/second.sql was not run: this run no longer holds the database')
  expect(ended.stderr).toContain('warning: main: the hook databases/main/hooks/failed.ts was not run')
  expect(await readLog(url)).toEqual([])
})

describe('what is not fit to be run is refused before anything is', () => {
  test.each([
    ['a file that is not there', {}, 'names databases/main/hooks/missing.sql, and there is no such file', 2],
    [
      'an end of its transaction',
      { 'missing.sql': 'select 1;\ncommit;' },
      'hooks/missing.sql:2: a hook begins or ends',
      2,
    ],
    ['a statement outside of any', { 'missing.sql': 'vacuum;' }, 'a statement that PostgreSQL does not run in a', 2],
    ['something that is never closed', { 'missing.sql': `select 'x;` }, 'is never closed', 2],
    ['one that is not filled in', { 'missing.sql': '-- drover:unfilled\n' }, 'is not filled in yet', 3],
  ])('%s', async (_, files: Readonly<Record<string, string>>, message, exitCode) => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', { before: files })
    await declareDatabase(workspace, 'main', { before: ['./hooks/missing.sql'] })

    const ended = await workspace.migrate('upgrade')

    expectFailure(ended, exitCode, message)
    expect(await readLog(url)).toEqual([])
  })
})

test('code runs without any secret in its environment or its arguments', async () => {
  await using workspace = await createWorkspace()
  const spy = codeHook('log(JSON.stringify([process.env, process.argv, process.execArgv]))')
  const url = await addDatabase(workspace, 'main', { after: { 'spy.ts': spy } })
  await addRunHooks(workspace, { before: { 'hooks/spy.ts': spy } })
  const secrets = { DROVER_ADMIN_URL: url, OTHER_PASSWORD: 'hunter2', SLACK_TOKEN: 'hunter2' }

  const ended = await workspace.start(['upgrade'], { env: secrets }).ended

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(ended.stderr).toMatch(/^run: \[\{.*"PATH":/m)
  expect(ended.stderr).toMatch(/^main: \[\{.*"PATH":/m)
  expect(ended.stderr).not.toContain('hunter2')
  expect(ended.stderr).not.toMatch(/postgres(?:ql)?:\/\/|DATABASE_URL/)
})

describe('hooks of the run as a whole', () => {
  test('run once, before and behind all databases, also side by side', async () => {
    await using workspace = await createWorkspace()
    const urls = await Promise.all(
      ['one', 'two'].map((name) => addDatabase(workspace, name, { after: { 'after.sql': logEntry('after') } })),
    )
    await addRunHooks(workspace, {
      before: { 'hooks/first.ts': codeHook(`log('first of ' + command + ', ' + typeof sql)`) },
      after: { 'hooks/last.ts': codeHook(`log('last')`) },
      onFailure: { 'hooks/failed.ts': codeHook(`log('failed')`) },
    })

    const ended = await workspace.migrate('upgrade', '--jobs', '2', '--log', 'json', '--json')

    const entries = readEntries(ended)
    const said = entries.map(({ event, database, message }) => [event, database, message].join(' '))
    const first = said.indexOf('hook-output  first of upgrade, undefined')
    const last = said.indexOf('hook-output  last')
    const works = entries.flatMap(({ database }, at) => (database === undefined ? [] : [at]))
    expect(first).toBeGreaterThan(-1)
    expect(works.length).toBeGreaterThan(0)
    expect(works.every((at) => at > first && at < last)).toBe(true)
    expect(said.some((text) => text.includes('failed'))).toBe(false)
    expect(entries).toContainEqual(
      expect.objectContaining({
        event: 'hook-finished',
        database: 'two',
        moment: 'after',
        file: 'databases/two/hooks/after.sql',
        durationMs: expect.any(Number),
      }),
    )
    expect(ended.json().hooks).toEqual([
      { moment: 'before', file: 'hooks/first.ts', status: 'done', durationMs: expect.any(Number) },
      { moment: 'after', file: 'hooks/last.ts', status: 'done', durationMs: expect.any(Number) },
    ])
    for (const url of urls) expect(await readLog(url)).toEqual(['up 1', 'up 2', 'after'])
  })

  test('a failure before leaves every database as it is; one of a database is told to those on failure', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', { after: { 'after.sql': 'select 1 / 0;' } })
    const onFailure = { 'hooks/failed.ts': codeHook(`log(problems.map(({ code, file }) => code + ' ' + file).join())`) }
    await addRunHooks(workspace, { before: { 'hooks/bad.ts': codeHook(`throw new Error('not today')`) }, onFailure })

    const refused = await workspace.migrate('upgrade')
    expectFailure(refused, 1, 'hooks/bad.ts:3: not today', 'run the same command again: no revision was run')
    expect(refused.stderr).toContain('run: HOOK_FAILED hooks/bad.ts\n')
    expect(refused.stdout).toMatch(/^main +not tried: 2 revisions left$/m)
    expect(await readLog(url)).toEqual([])

    await addRunHooks(workspace, { after: { 'hooks/last.ts': codeHook(`log('last')`) }, onFailure })
    const failed = await workspace.migrate('upgrade')
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toContain('run: HOOK_FAILED databases/main/hooks/after.sql\n')
    expect(failed.stderr).not.toContain('run: last')
  })

  test('are no SQL, and a declaration that is wrong is refused by what runs releases alone', async () => {
    await using workspace = await createWorkspace()
    await addDatabase(workspace, 'main', {})
    await writeFile(
      join(workspace.root, 'drover.config.ts'),
      `export default { hooks: { before: './x.sql' }, hook: 1 }\n`,
    )

    const ended = await workspace.migrate('upgrade')
    expectFailure(
      ended,
      2,
      'drover.config.ts: "hooks.before" must be the path of a file of TypeScript',
      '"hook" is not',
    )
    expect(await workspace.migrate('current')).toMatchObject({ exitCode: 0 })
  })
})

describe('signals', () => {
  test('SIGINT during a hook before: its transaction ends, and no revision is begun', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      before: { 'before.sql': `${logEntry('before')}${gateSql('gate')}` },
      after: { 'after.sql': logEntry('never') },
    })
    await using gate = await closeGate(url)

    const running = workspace.start(['upgrade', '--verbose'])
    await running.waitFor(gate.notice)
    running.kill('SIGINT')
    await running.waitFor('SIGINT: finishing')
    await gate.open()
    const ended = await running.ended

    expect(ended.exitCode).toBe(130)
    expect(ended.stdout).toMatch(/^main +interrupted: 0 revisions applied, 2 not tried$/m)
    expect(await readLog(url)).toEqual(['before'])
    expect(await readOutcomes(url)).toEqual(['interrupted'])
  })

  test('a second SIGINT cancels a hook before, and nothing of it stays', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      before: { 'before.sql': `${logEntry('before')}${gateSql('gate')}` },
    })
    await using gate = await closeGate(url)

    const running = workspace.start(['upgrade', '--verbose'])
    await running.waitFor(gate.notice)
    running.kill('SIGINT')
    await running.waitFor('SIGINT: finishing')
    running.kill('SIGINT')
    const ended = await running.ended

    expect(ended.exitCode).toBe(130)
    expect(await readLog(url)).toEqual([])
    expect(await readOutcomes(url)).toEqual(['interrupted'])
  })

  test('a second SIGINT cancels a hook after, which is a failure: nothing would run it later', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      after: { 'after.sql': `${logEntry('after')}${gateSql('gate')}` },
    })
    await using gate = await closeGate(url)

    const running = workspace.start(['upgrade', '--verbose'])
    await running.waitFor(gate.notice)
    running.kill('SIGINT')
    await running.waitFor('SIGINT: finishing')
    running.kill('SIGINT')
    const ended = await running.ended

    expectFailure(ended, 1, 'databases/main/hooks/after.sql', 'all revisions of this database were run and stay')
    expect(await readLog(url)).toEqual(['up 1', 'up 2'])
  })

  test('SIGINT during the last revision: the hooks after it are run, because nothing would run them later', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', { after: { 'after.sql': logEntry('after') } }, gateSql('gate'))
    await using gate = await closeGate(url)

    const running = workspace.start(['upgrade', '--verbose'])
    await running.waitFor(gate.notice)
    running.kill('SIGINT')
    await running.waitFor('SIGINT: finishing')
    await gate.open()
    const ended = await running.ended

    expect(await readLog(url)).toEqual(['up 1', 'up 2', 'after'])
    expect(ended.exitCode).toBe(0)
  })

  test('SIGINT during a hook before all databases leaves them as they are', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {})
    const wait = `log('waiting'); await new Promise((resolve) => signal.addEventListener('abort', resolve))`
    await addRunHooks(workspace, {
      before: { 'hooks/wait.ts': codeHook(wait), 'hooks/never.ts': codeHook(`log('never')`) },
      onFailure: { 'hooks/failed.ts': codeHook(`log('never')`) },
    })

    const running = workspace.start(['upgrade'])
    await running.waitFor('run: waiting')
    running.kill('SIGINT')
    const ended = await running.ended

    expect(ended.exitCode).toBe(130)
    expect(ended.stdout).toMatch(/^main +not tried: 2 revisions left$/m)
    expect(ended.stderr).not.toContain('never')
    expect(await readLog(url)).toEqual([])
  })

  test('code before the revisions has the signal, and what it throws then is no failure', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      before: {
        'wait.ts': codeHook(
          `log('waiting'); await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))`,
        ),
      },
      onFailure: { 'failed.sql': logEntry('never') },
    })

    const running = workspace.start(['upgrade'])
    await running.waitFor('main: waiting')
    running.kill('SIGINT')
    const ended = await running.ended

    expect(ended.exitCode).toBe(130)
    expect(await readLog(url)).toEqual([])
    expect(await readOutcomes(url)).toEqual(['interrupted'])
  })
})

test('a lock that a hook cannot have is waited for, like that of a revision', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'main', {
    before: { 'before.sql': `lock table log;\n${logEntry('before')}` },
  })
  const holder = postgres(url, { max: 1, prepare: false, fetch_types: false })
  await using _ = { [Symbol.asyncDispose]: () => holder.end({ timeout: 5 }) }
  await holder.unsafe('begin; lock table log;').simple()

  const running = workspace.start(['upgrade'])
  await running.waitFor('retrying databases/main/hooks/before.sql (somebody holds a lock that it needs')
  await holder.unsafe('commit').simple()

  expect(await running.ended).toMatchObject({ exitCode: 0 })
  expect(await readLog(url)).toEqual(['before', 'up 1', 'up 2'])
})

describe('scripts for psql', () => {
  test.skipIf(!hasPsql)('have the hooks of SQL, which run where they would run otherwise', async () => {
    await using workspace = await createWorkspace()
    const url = await addDatabase(workspace, 'main', {
      before: { 'before.sql': logEntry('before') },
      after: { 'after.sql': `set search_path = '';\n${logTransaction('after')}` },
      onFailure: { 'failed.ts': codeHook('') },
    })

    const { stdout, exitCode } = await workspace.migrate('upgrade', '--sql')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(
      '-- What Drover runs after a failure is not part of it:\n--   databases/main/hooks/failed.ts\n',
    )
    await workspace.write('script.sql', stdout)
    expect(await runPsql(url, join(workspace.root, 'script.sql'))).toMatchObject({ exitCode: 0 })

    expect(await readLog(url)).toEqual(['before', 'up 1', 'up 2', 'after'])
    expect(await readOutcomes(url)).toEqual(['succeeded'])
  })

  test('cannot hold code, which is refused unless hooks are left out', async () => {
    await using workspace = await createWorkspace()
    await addDatabase(workspace, 'main', { after: { 'after.ts': codeHook('') } })
    await addRunHooks(workspace, { before: { 'hooks/first.ts': codeHook('') } })

    const ended = await workspace.migrate('upgrade', '--sql')
    expectFailure(ended, 2, 'hooks/first.ts runs code', '--no-hooks')
    expect(await workspace.migrate('upgrade', '--sql', '--no-hooks')).toMatchObject({ exitCode: 0 })
    await writeFile(join(workspace.root, 'drover.config.ts'), 'export default {}\n')
    expectFailure(
      await workspace.migrate('upgrade', 'base:head', '--sql'),
      2,
      'databases/main/hooks/after.ts runs code',
    )
  })
})

/** A database with a log, two revisions that write to it, and hooks. */
async function addDatabase(workspace: TestWorkspace, name: string, hooks: HookFiles, last = ''): Promise<string> {
  const url = await workspace.addDatabase(name)
  await createLog(url)
  for (const [index, id] of ids.entries()) {
    const up = `${index === 1 ? last : ''}${logEntry(`up ${index + 1}`)}`
    await workspace.addRevision(name, { id, up, down: logEntry(`down ${index + 1}`) })
  }
  const declared: Record<string, readonly string[]> = {}
  for (const [moment, files] of Object.entries(hooks)) {
    declared[moment] = Object.keys(files).map((file) => `./hooks/${file}`)
    for (const [file, text] of Object.entries(files)) await workspace.write(`databases/${name}/hooks/${file}`, text)
  }
  await declareDatabase(workspace, name, declared)
  return url
}

async function declareDatabase(
  workspace: TestWorkspace,
  name: string,
  hooks: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  await workspace.write(
    `databases/${name}/database.ts`,
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase(${JSON.stringify({ name, hooks })})\n`,
  )
}

async function addRunHooks(workspace: TestWorkspace, hooks: HookFiles): Promise<void> {
  const declared = Object.fromEntries(Object.entries(hooks).map(([moment, files]) => [moment, Object.keys(files)]))
  await workspace.write(
    'drover.config.ts',
    `import { defineWorkspace } from '@drover/config'\n\nexport default defineWorkspace(${JSON.stringify({ hooks: declared })})\n`,
  )
  for (const files of Object.values(hooks)) {
    for (const [file, text] of Object.entries(files)) await workspace.write(file, text)
  }
}

/** Text of a hook in TypeScript, with everything that it may be given at hand. */
function codeHook(body: string): string {
  return `export default {
  async run({ sql, log, signal, command, direction, database, problem, problems }: any) {
    ${body}
  },
}
`
}

/** SQL that writes down that it runs, whatever the search_path. */
function logTransaction(entry: string): string {
  return `insert into public.log (entry) values ('${entry}');\n`
}

function hookJson(moment: string, file: string, status: string): Readonly<Record<string, unknown>> {
  return { moment, file: `databases/main/hooks/${file}`, status, durationMs: expect.any(Number) }
}
