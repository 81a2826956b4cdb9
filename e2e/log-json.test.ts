import { describe, expect, test } from 'vitest'

import { readEntries } from './harness/entries.ts'
import { closeGate } from './harness/gate.ts'
import { createPair, ids } from './harness/pair.ts'
import { queryColumn } from './harness/query.ts'
import { createWorkspace } from './harness/workspace.ts'

const json = ['--log', 'json']
const ms = expect.any(Number)

test('a run says what it does in one document a line, and its result on stdout as ever', async () => {
  await using pair = await createPair()
  await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', message: 'last', phase: 'contract' })

  const ended = await pair.migrate('upgrade', ...json, '--color', 'always', '--jobs', '1')

  expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('5 revisions in') })
  expect(`${ended.stdout}${ended.stderr}`).not.toContain('\u001b')
  const entries = readEntries(ended)
  const finished = entries.filter(({ event }) => event === 'step-finished')
  expect(finished).toEqual(
    [
      ['alpha', ids.a1],
      ['alpha', ids.a2],
      ['beta', ids.b1],
      ['beta', ids.b2],
      ['beta', 'b3b3b3b3b3b3'],
    ].map(([database, revision]) => ({
      time: expect.any(String),
      message: expect.any(String),
      level: 'info',
      event: 'step-finished',
      command: 'upgrade',
      database,
      target: '',
      revision,
      direction: 'up',
      ...(revision === 'b3b3b3b3b3b3' && { phase: 'contract' }),
      durationMs: ms,
    })),
  )
  expect(finished[0]!['message']).toMatch(/^alpha applied a1a1a1a1a1a1 create a1 \(.+\)$/)
  expect(entries).toContainEqual(expect.objectContaining({ event: 'database-started', database: 'alpha', steps: 2 }))
  expect(entries.at(-1)).toMatchObject({ level: 'info', exitCode: 0 })
})

test('text is what people get without it', async () => {
  await using pair = await createPair()

  expect((await pair.migrate('upgrade', '+1')).stderr).toMatch(/^alpha {2}applied {2}a1a1a1a1a1a1 create a1 \(/)
  expect((await pair.migrate('upgrade', '--log', 'text')).stderr).toMatch(/^alpha {2}applied {2}a2a2a2a2a2a2/)
})

test('what fails is a document with everything that is known of it', async () => {
  await using pair = await createPair()
  const folder = await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'select 1;\nselect nothing;\n' })

  const ended = await pair.migrate('upgrade', ...json)

  expect(ended.exitCode).toBe(1)
  const problems = readEntries(ended).filter(({ level, event }) => level === 'error' && event === 'problem')
  expect(problems).toMatchObject([
    {
      code: 'STATEMENT_FAILED',
      message: expect.stringContaining('column "nothing" does not exist'),
      hint: expect.any(String),
      database: 'alpha',
      revision: 'a3a3a3a3a3a3',
      file: `${folder}/migration.sql`,
      line: 2,
      statement: 'select nothing',
      sqlstate: '42703',
    },
  ])
  expect(readEntries(ended).at(-1)).toMatchObject({ level: 'error', exitCode: 1 })
})

test('--quiet leaves warnings and problems only, and --json keeps stdout to itself', async () => {
  await using pair = await createPair()

  expect(await pair.migrate('upgrade', '+1', '--quiet', ...json)).toMatchObject({ exitCode: 0, stderr: '' })
  const both = await pair.migrate('upgrade', '--json', ...json)
  expect(both.json()).toMatchObject({ ok: true })
  expect(readEntries(both).length).toBeGreaterThan(2)
  await pair.write(`${pair.folders.alpha[0]}/migration.sql`, '-- why\ncreate table a1 (id integer);\n')
  const warned = await pair.migrate('upgrade', '--quiet', ...json)
  expect(warned.exitCode).toBe(0)
  expect(
    warned.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ level: 'warn', event: 'problem', code: 'APPLIED_REFORMATTED', database: 'alpha' }])
})

test('notices of the servers are documents, whatever is in them', async () => {
  await using pair = await createPair()
  await pair.addRevision('alpha', {
    id: 'a3a3a3a3a3a3',
    up: `do $$ begin raise notice E'one "two"\\n{"three":'; end $$;\n`,
  })

  const entries = readEntries(await pair.migrate('upgrade', '--verbose', ...json))

  const notices = entries.filter(({ event, message }) => event === 'notice' && message.includes('"two"\n{"three":'))
  expect(notices).toMatchObject([{ level: 'info', database: 'alpha' }])
})

describe('before anything has run', () => {
  test.each<[string, string, number, string, string]>([
    ['an unknown command', 'upgrad', 2, 'USAGE', 'Did you mean upgrade?'],
    ['an unknown option', 'upgrade --dry', 2, 'USAGE', `unknown option '--dry'`],
    ['an option and no command', '', 2, 'USAGE', `unknown option '--log`],
    ['a bad value', 'upgrade --lock-timeout soon', 2, 'USAGE', 'such as 500ms'],
    ['an unknown database', 'upgrade -d gamma', 2, 'DATABASE_UNKNOWN', 'no database "gamma"'],
    ['an unknown revision', 'upgrade alpha/9999', 2, 'REVISION_UNKNOWN', '"9999"'],
    ['a walk too far', 'upgrade +9', 3, 'WALK_TOO_FAR', 'walks too far'],
  ])('%s is a document', async (_, words, exitCode, code, text) => {
    await using pair = await createPair()

    for (const how of [['--log', 'json'], ['--log=json']]) {
      const ended = await pair.migrate(...words.split(' ').filter((word) => word !== ''), ...how)

      expect(ended).toMatchObject({ exitCode, stdout: '' })
      const [first] = readEntries(ended)
      expect(first).toMatchObject({ level: 'error', event: 'problem', code, message: expect.stringContaining(text) })
      expect(first!['hint']).toEqual(expect.any(String))
    }
    await pair.expectUnchanged()
  })

  test('a way of logging that there is not is refused in words', async () => {
    await using pair = await createPair()

    expect(await pair.migrate('current', '--log', 'xml')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Allowed choices are text, json'),
    })
  })

  test.each([
    [
      'while a command is loaded',
      `module.registerHooks({ load(url, context, next) {
      if (url.includes('/commands/')) throw new Error('it is broken')
      return next(url, context)
    } })`,
    ],
    ['while it looks at the databases', `Map.groupBy = () => { throw new Error('it is broken') }`],
  ])('a crash %s is a document', async (_, code) => {
    await using pair = await createPair()
    const preload = `import * as module from 'node:module'; ${code}`
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` }

    const ended = await pair.start(['check', '--verbose', ...json], { env }).ended

    expect(ended.exitCode).toBe(1)
    expect(readEntries(ended)).toContainEqual(
      expect.objectContaining({ level: 'error', code: 'INTERNAL', message: expect.stringContaining('it is broken') }),
    )
  })
})

test('a run that is interrupted says so, and how it ended', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await workspace.addRevision('main', { id: ids.a1, up: gate.sql })
  await workspace.addRevision('main', { id: ids.a2 })
  const running = workspace.start(['upgrade', '--verbose', ...json])
  await running.waitFor(gate.notice)

  running.kill('SIGINT')
  await running.waitFor('"signal"')
  await gate.open()
  const ended = await running.ended

  expect(ended.exitCode).toBe(130)
  expect(readEntries(ended)).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'signal', signal: 'SIGINT', command: 'upgrade' }),
  )
  expect(await queryColumn(url, 'select revision from drover.applied')).toEqual([ids.a1])
})

test('waiting for another run says who that is', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await workspace.addRevision('main', { id: ids.a1, up: gate.sql })
  const first = workspace.start(['upgrade', '--verbose'])
  await first.waitFor(gate.notice)

  const second = workspace.start(['upgrade', ...json])
  await second.waitFor('lease-waiting')
  await gate.open()
  await first.ended

  expect(readEntries(await second.ended)).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      event: 'lease-waiting',
      database: 'main',
      holder: expect.objectContaining({ pid: first.pid, command: 'upgrade', since: expect.any(String) }),
    }),
  )
})
