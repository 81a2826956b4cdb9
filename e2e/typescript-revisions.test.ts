import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { closeGate } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { findPgBouncer, startPgBouncer } from './harness/pgbouncer.ts'
import { queryColumn, readApplied, readOutcomes, readRecords } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = ['aaaa00000001', 'aaaa00000002', 'aaaa00000003'] as const
const everything = ids.map((id) => `up ${id}`)

test('a revision in TypeScript is applied and reverted like any other, between others', async () => {
  await using workspace = await createWorkspace()
  const url = await addThree(workspace, `log('filling in'); progress(1, 1)`)

  expect((await workspace.migrate('plan')).stdout).toContain(`2. ${ids[1]} revision ${ids[1]} (runs code)`)
  const upgraded = await workspace.migrate('upgrade')
  expect(upgraded).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('3 revisions applied') })
  expect(upgraded.stderr).toMatch(/^main: filling in$/m)
  expect(upgraded.stderr).toMatch(/^main +aaaa00000002 revision aaaa00000002: 1 of 1 \(100 %\) rows/m)
  expect(upgraded.stdout).not.toContain('filling in')
  expect(await readApplied(url)).toEqual(ids)

  const reverted = await workspace.migrate('downgrade', 'base', '--yes', '--json')
  expect(reverted.json()).toMatchObject({ ok: true })
  expect(await readLog(url)).toEqual([...everything, ...ids.toReversed().map((id) => `down ${id}`)])
  expect(await readApplied(url)).toEqual([])
  expect(await readRecords(url)).toContainEqual(expect.stringMatching(/^run 2 main downgrade .*succeeded/))
})

test('a revision without a down is irreversible, and everything says so', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await createLog(url)
  const folder = await workspace.addRevision('main', { id: ids[0], code: codeOf(ids[0], '', { down: false }) })

  expect((await workspace.migrate('check', '--offline')).stdout).toContain(
    `${folder} is irreversible: it has no "down" in its migration.ts`,
  )
  expect((await workspace.migrate('plan')).stdout).toContain('(irreversible, runs code)')
  expect((await workspace.migrate('show', ids[0])).stdout).toMatch(/^reversible +no: it has no "down"/m)
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining(`write "down" in ${folder}/migration.ts`),
  })
  expect(await readApplied(url)).toEqual([ids[0]])
})

describe('a failure', () => {
  test.each([
    ['of the code', `throw new Error('no such bucket')`, 'MIGRATION_FAILED', undefined, /:5: no such bucket$/],
    [
      'of a statement',
      'await sql`insert into nowhere values (1)`',
      'STATEMENT_FAILED',
      '42P01',
      /:5: relation "nowhere"/,
    ],
    ['to go on', 'process.exit(0)', 'MIGRATION_FAILED', undefined, /:5: it calls process.exit/],
    [
      'to leave the transaction alone',
      'await sql.unsafe("commit")',
      'MIGRATION_FAILED',
      undefined,
      /:5: it begins or ends/,
    ],
  ])('%s names file and line, and nothing of the revision is kept', async (_, code, problemCode, sqlstate, message) => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, code)

    const ended = await workspace.migrate('upgrade', '--json')

    expect(ended.json()).toMatchObject({
      exitCode: 1,
      error: {
        code: problemCode,
        database: 'main',
        revision: ids[1],
        file: expect.stringMatching(/migration\.ts$/),
        line: 5,
        message: expect.stringMatching(message),
        ...(sqlstate !== undefined && { sqlstate }),
      },
    })
    expect(await readLog(url)).toEqual(everything.slice(0, 1))
    expect(await readApplied(url)).toEqual(ids.slice(0, 1))
    expect(await readOutcomes(url)).toEqual(['failed'])
  })

  test('that is a lock which somebody holds is tried again as a whole', async () => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, 'await sql`select pg_advisory_xact_lock_shared(hashtext(${"gate"}))`')
    await using gate = await closeGate(url)

    const running = workspace.start(['upgrade'])
    await running.waitFor(`retrying ${ids[1]}`)
    await gate.open()

    expect(await running.ended).toMatchObject({ exitCode: 0 })
    expect(await readLog(url)).toEqual(everything)
  })
})

describe('a process', () => {
  test('sees no secret of any database in its environment, its own least of all', async () => {
    await using workspace = await createWorkspace()
    await workspace.addDatabase('gdpr')
    const url = await addThree(
      workspace,
      `log('sees ' + Object.keys(process.env).filter((name) => name !== 'NODE_COMPILE_CACHE').sort().join(' '))
    const { readFileSync } = await import('node:fs')
    if (process.platform === 'linux') log('kernel ' + readFileSync('/proc/self/environ') + readFileSync('/proc/self/cmdline'))
    log('values ' + JSON.stringify([process.env, process.argv, process.execArgv]))`,
    )
    const secret = 'postgres://somebody:hunter2@127.0.0.1:1/elsewhere'
    const own = new URL(url)

    const ended = await workspace.start(['upgrade', '-d', 'main'], {
      env: {
        CREDENTIALS_DATABASE_URL: secret,
        OTHER_DATABASE_URL: secret,
        DROVER_ADMIN_URL: secret,
        POSTGRES_PASSWORD: 'hunter2',
        PGPASSWORD: 'hunter2',
        GDPR_POSTGRES_PASSWORD: 'hunter2',
        AWS_SECRET_ACCESS_KEY: 'hunter2',
        NODE_OPTIONS: '--title=hunter2',
        LANG: 'C.UTF-8',
      },
    }).ended

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stderr).toMatch(/^main: sees HOME LANG PATH$/m)
    expect(ended.stderr).not.toContain('hunter2')
    const values = ended.stderr.split('\n').filter((line) => /^main: (?:kernel|values)/.test(line))
    expect(values).toHaveLength(process.platform === 'linux' ? 2 : 1)
    for (const told of values) {
      expect(told).not.toContain(own.host)
      expect(told).not.toContain('***')
      expect(told).not.toContain(workspace.env['GDPR_DATABASE_URL'])
    }
  })

  test.concurrent.each([
    ['never waits', 'for (;;);'],
    ['waits for ever', 'await new Promise(() => {})'],
  ])('that %s dies with its runner, and the rerun applies what the server has undone', async (_, code) => {
    await using workspace = await createWorkspace()
    const marker = join(workspace.root, 'first')
    const url = await addThree(
      workspace,
      `const { existsSync, writeFileSync } = await import('node:fs')
    if (!existsSync('${marker}')) {
      writeFileSync('${marker}', '')
      await sql\`insert into log (entry) values ('undone')\`
      console.log('process ' + process.pid)
      ${code}
    }`,
    )
    const running = workspace.start(['upgrade'])
    await running.waitFor('main: process ')

    running.kill('SIGKILL')

    expect(await running.ended).toMatchObject({ exitCode: 137 })
    const rerun = await workspace.migrate('upgrade')
    expect(rerun).toMatchObject({ exitCode: 0 })
    expect(await readLog(url)).toEqual(everything)
    expect(await readOutcomes(url)).toEqual(['lost', 'succeeded'])
  })
})

test('two runners at once run the code once', async () => {
  await using workspace = await createWorkspace()
  const url = await addThree(workspace, `console.log('at work'); await sql\`select pg_sleep(0.2)\``)

  const ended = await Promise.all([workspace.migrate('upgrade'), workspace.migrate('upgrade')])

  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(ended.filter(({ stderr }) => stderr.includes('main: at work'))).toHaveLength(1)
  expect(await readLog(url)).toEqual(everything)
})

describe('SIGINT', () => {
  const waiting = `log('at work')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))`

  test('aborts the signal: code that throws then has changed nothing', async () => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, `${waiting}\n    signal.throwIfAborted()`)
    const running = workspace.start(['upgrade'])
    await running.waitFor('main: at work')

    running.kill('SIGINT')

    expect(await running.ended).toMatchObject({
      exitCode: 130,
      stdout: expect.stringMatching(/^main +interrupted: 1 revision applied, 2 not tried$/m),
    })
    expect(await readApplied(url)).toEqual(ids.slice(0, 1))
    expect(await readLog(url)).toEqual(everything.slice(0, 1))
  })

  test('aborts the signal: code that goes on to its end is applied', async () => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, waiting)
    const running = workspace.start(['upgrade'])
    await running.waitFor('main: at work')

    running.kill('SIGINT')

    expect(await running.ended).toMatchObject({
      exitCode: 130,
      stdout: expect.stringMatching(/^main +interrupted: 2 revisions applied, 1 not tried$/m),
    })
    expect(await readApplied(url)).toEqual(ids.slice(0, 2))
    expect(await readLog(url)).toEqual(everything.slice(0, 2))
  })

  test('for the second time ends code that does not listen', async () => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, `log('at work'); for (;;);`)
    const running = workspace.start(['upgrade'])
    await running.waitFor('main: at work')

    running.kill('SIGINT')
    await running.waitFor('SIGINT: ')
    running.kill('SIGINT')

    expect(await running.ended).toMatchObject({ exitCode: 130 })
    expect(await readLog(url)).toEqual(everything.slice(0, 1))
  })
})

test('code that was edited after it was applied is refused, and a downgrade may be improved no more than it', async () => {
  await using workspace = await createWorkspace()
  await addThree(workspace, '')
  await workspace.migrate('upgrade', ids[1])
  const file = await edit(workspace, (code) => code.replace('async up(', '// faster\n  async up('))

  expect(await workspace.migrate('upgrade')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining(`restore ${file}`),
  })
  expect((await workspace.migrate('check', '--json')).json()).toMatchObject({ error: { code: 'APPLIED_EDITED', file } })
})

test('no script for psql holds code', async () => {
  await using workspace = await createWorkspace()
  await addThree(workspace, '')

  const ended = await workspace.migrate('upgrade', 'base:head', '--sql', '--json')

  expect(ended.json()).toMatchObject({
    exitCode: 2,
    error: { code: 'REVISION_INVALID', revision: ids[1], message: expect.stringContaining('runs code') },
  })
})

test('a shadow runs the code as well, so that what it makes is no drift', async () => {
  await using workspace = await createWorkspace()
  await addThree(workspace, 'await sql`create table made_by_code (id int primary key)`', { firstMakesLog: true })
  await workspace.migrate('upgrade')

  expect(await workspace.migrate('drift')).toMatchObject({ exitCode: 0 })
})

test('the next revision from the schema comes after code as after anything else', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main', { schema: schemaWith('') })
  await workspace.migrate('revision', 'add people')
  const made = await workspace.migrate('revision', 'fill in', '--ts', '--json')
  const [file] = made.json().databases[0].revisions[0].files
  await workspace.write(
    file,
    codeOf('x', '').replace(/await sql`insert into log .*/g, 'await sql`insert into people values (1)`'),
  )
  await workspace.write('databases/main/schema.ts', schemaWith(', name: text()'))

  expect(await workspace.migrate('revision', 'add names')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('proved: up, down and up again on a shadow with rows'),
  })

  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(url, 'select id from people where name is null')).toEqual([1])
})

describe('a folder', () => {
  test.each([
    ['a migration.sql beside the code', 'migration.sql', 'select 1;\n', 'has a migration.sql and a migration.ts'],
    ['a down.sql beside the code', 'down.sql', 'select 1;\n', 'whose "down" is the way back'],
    [
      'code outside a transaction',
      'revision.json',
      JSON.stringify({
        id: ids[1],
        parents: [ids[0]],
        message: 'x',
        created: '2026-11-20T00:00:00Z',
        transaction: 'none',
      }),
      'always runs in a transaction',
    ],
  ])('with %s is refused', async (_, name, text, told) => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, '')
    const file = await edit(workspace, (code) => code)
    await workspace.write(join(file, '..', name), text)

    const ended = await workspace.migrate('upgrade')

    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain(told)
    expect(await readLog(url)).toEqual([])
  })

  test('whose text and module disagree about the way back is refused before anything is run', async () => {
    await using workspace = await createWorkspace()
    const url = await addThree(workspace, '')
    await edit(workspace, (code) =>
      code
        .replace('async down(', "['do' + 'wn']: async (")
        .replace(
          ") {\n    await sql`insert into log (entry) values ('down",
          ") => {\n    await sql`insert into log (entry) values ('down",
        ),
    )

    expect((await workspace.migrate('upgrade', '--json')).json()).toMatchObject({
      exitCode: 1,
      error: { code: 'REVISION_INVALID', message: expect.stringContaining('its default export has "down"') },
    })
    expect(await readLog(url)).toEqual(everything.slice(0, 1))
  })
})

test('revision --ts writes a file that refuses to run until it is filled in, and then runs', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')

  const made = await workspace.migrate('revision', 'fill in slugs', '-d', 'main', '--ts', '--json')
  const [{ folder, files }] = made.json().databases[0].revisions
  expect(files).toEqual([`${folder}/migration.ts`])

  const refused = await workspace.migrate('upgrade')
  expect(refused).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('write its code and remove the line "// drover:unfilled"'),
  })
  const check = await workspace.migrate('check')
  // Its two sides are one file, which is complained of once.
  for (const text of [refused.stderr, check.stdout]) expect(text.split('is not filled in yet')).toHaveLength(2)
  const text = await readFile(join(workspace.root, files[0]), 'utf8')
  await workspace.write(files[0], text.replace(/^\/\/ drover:unfilled.*\n/m, ''))
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  expect(await queryColumn(url, 'select revision from drover.applied')).toEqual([])
})

test('revision --sql is --empty under another name', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')

  const made = await workspace.migrate('revision', 'fill in slugs', '-d', 'main', '--sql', '--json')

  const [{ folder, files }] = made.json().databases[0].revisions
  expect(files).toEqual([`${folder}/migration.sql`, `${folder}/down.sql`])
  expect(await workspace.migrate('revision', 'both', '-d', 'main', '--sql', '--ts')).toMatchObject({ exitCode: 2 })
})

test('stamp records code without running it', async () => {
  await using workspace = await createWorkspace()
  const url = await addThree(workspace, '')

  expect(await workspace.migrate('stamp', 'head', '--yes')).toMatchObject({ exitCode: 0 })

  expect(await readApplied(url)).toEqual(expect.arrayContaining([...ids]))
  expect(await readLog(url)).toEqual([])
  expect(await workspace.migrate('check')).toMatchObject({ exitCode: 0 })
})

test('code runs over PgBouncer in transaction mode', async ({ skip }) => {
  const program = findPgBouncer()
  if (program === undefined) return skip('PgBouncer is not installed (Debian: apt-get install pgbouncer)')
  await using bouncer = await startPgBouncer(program, inject('serverUrl'))
  await using workspace = await createWorkspace()
  const url = await addThree(workspace, 'log((await sql`select ${[1, 2]}::int[] as numbers`)[0].numbers.length)')
  workspace.env['MAIN_DATABASE_URL'] = bouncer.through(url)

  const ended = await workspace.migrate('upgrade')

  expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^main: 2$/m) })
  expect(await readLog(url)).toEqual(everything)
})

/** Three revisions that write down that they ran, of which the second is code; the first may make what they write into. */
async function addThree(
  workspace: TestWorkspace,
  code: string,
  { firstMakesLog = false }: { readonly firstMakesLog?: boolean } = {},
): Promise<string> {
  const url = await workspace.addDatabase('main')
  if (!firstMakesLog) await createLog(url)
  const log = 'create table log (id integer generated always as identity, entry text not null);\n'
  const first = entry(ids[0])
  await workspace.addRevision('main', { ...first, up: `${firstMakesLog ? log : ''}${first.up}` })
  await workspace.addRevision('main', { id: ids[1], code: codeOf(ids[1], code) })
  await workspace.addRevision('main', entry(ids[2]))
  return url
}

function entry(id: string) {
  return { id, up: logEntry(`up ${id}`), down: logEntry(`down ${id}`) }
}

/** `up` runs `code` in its fifth line. */
function codeOf(id: string, code: string, { down = true }: { readonly down?: boolean } = {}): string {
  const back = `
  async down({ sql }) {
    await sql\`insert into log (entry) values ('down ${id}')\`
  },`
  return `import { defineMigration } from '@drover/config'

export default defineMigration({
  async up({ sql, log, progress, signal }) {
    ${code}
    await sql\`insert into log (entry) values ('up ${id}')\`
  },${down ? back : ''}
})
`
}

/** A Drizzle schema of one table with these columns besides its key. */
function schemaWith(columns: string): string {
  return `import { integer, pgTable, text } from 'drizzle-orm/pg-core'\n\nexport const people = pgTable('people', { id: integer().primaryKey()${columns} })\n`
}

/** Edits the code; returns its path from the root. */
async function edit(workspace: TestWorkspace, change: (code: string) => string): Promise<string> {
  const made = (await workspace.migrate('history', '--json')).json().databases[0].revisions
  const file = `${made.find((one: { readonly id: string }) => one.id === ids[1]).folder}/migration.ts`
  const path = join(workspace.root, file)
  const code = await readFile(path, 'utf8')
  await rm(path)
  await workspace.write(file, change(code))
  return file
}
