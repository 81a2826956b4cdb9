import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { readApplied } from './harness/query.ts'

describe('what is typed wrong is refused with 2 or 3, says what to type, and touches nothing', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await createPair()
    await pair.addRevision('alpha', { id: 'a2a2ffffffff' })
  })
  afterAll(() => pair[Symbol.asyncDispose]())

  test.each<[string, string, number, ...string[]]>([
    ['an unknown command', 'upgrad', 2, `unknown command 'upgrad'`, 'Did you mean upgrade?'],
    ['an unknown option', 'upgrade --dry', 2, `unknown option '--dry'`, 'pnpm migrate help'],
    ['an option before the command', '-d alpha upgrade', 2, `unknown option '-d'`, 'options stand behind the command'],
    ['a bad duration', 'upgrade --lock-timeout soon', 2, '--lock-timeout', `'soon'`, 'such as 500ms, 2s, 10m or 1h'],
    ['a bad choice', 'upgrade --on-failure explode', 2, '--on-failure', `'explode'`, 'stop'],
    ['a bad colour', 'current --color sometimes', 2, '--color', 'auto, always, never'],
    ['a missing argument', 'show', 2, `missing required argument 'revision'`],
    ['a missing message', 'revision', 2, 'the message is missing', 'add circle capacity'],
    ['a missing value', 'upgrade --database', 2, `'-d, --database <name>' argument missing`],
    ['one argument too many', 'upgrade head base', 2, 'too many arguments'],
    ['an unknown action of the server', 'server restart', 2, '"restart"', 'start, stop, status or url'],
    ['an unknown database', 'upgrade -d gamma', 2, 'no database "gamma"', 'alpha, beta'],
    ['an empty name', 'upgrade -d alpha,', 2, 'no database ""', 'alpha, beta'],
    ['an unknown database in a target', 'upgrade gamma/head', 2, '"gamma"', 'alpha, beta'],
    ['a target outside the selection', 'upgrade beta/head -d alpha', 2, '"beta"', 'not among: alpha'],
    ['an unknown revision', 'upgrade alpha/9999', 2, 'alpha: no revision', '"9999"', 'pnpm migrate history'],
    [
      'an ambiguous prefix',
      'upgrade alpha/a2a2',
      2,
      `"a2a2" could be any of ${ids.a2} "create a2", a2a2ffffffff`,
      'more characters',
    ],
    [
      'a malformed target',
      'upgrade alpha/2nd',
      2,
      'character 7',
      '"2nd" is neither an id (0-9, a-f) nor a label',
      'head, heads, base, +N, -N',
    ],
    ['a prefix that is too short', 'upgrade alpha/a1', 2, '"a1" is too short', 'at least 4 characters'],
    ['an id that is too long', `upgrade alpha/${ids.a1}0`, 2, 'longer than the 12 characters'],
    ['an empty target', 'upgrade alpha/', 2, 'ends too early'],
    ['a walk to nowhere', 'upgrade +0', 2, 'goes nowhere'],
    ['a revision for several databases', 'upgrade a1a1', 2, 'given to 2 databases', '<database>/a1a1', 'alpha, beta'],
    ['an upgrade that walks down', 'upgrade -1', 2, '"-1" walks the other way', 'pnpm migrate downgrade -1'],
    ['a downgrade that walks up', 'downgrade +1', 2, '"+1" walks the other way', 'pnpm migrate upgrade +1'],
    ['a walk beyond the head', 'upgrade +3 -d beta', 3, 'beta: "+3" walks too far', 'only 2 revisions', '+2'],
    ['an unknown command for tenants', 'tenant uprade', 2, `unknown command 'uprade'`, 'Did you mean upgrade?'],
    ['a tenant without a slug', 'tenant create', 2, `missing required argument 'slug'`],
    ['too many connections', 'tenant upgrade --connections 17', 2, '--connections', 'a number from 1 to 16'],
    ['a canary that is no number', 'tenant upgrade --canary some', 2, '--canary', 'from 1, or "spread"'],
    ['a sample of nothing', 'tenant list --sample 0', 2, '--sample', 'from 1'],
    ['an unknown command for fleets', 'fleet wroker', 2, `unknown command 'wroker'`, 'Did you mean worker?'],
    ['too many connections for a fleet', 'fleet worker --connections 17', 2, '--connections', 'a number from 1 to 16'],
    ['a fleet where there are no tenants', 'fleet status', 2, 'none of these databases has tenants'],
    [
      'tenants where there are none',
      'tenant list',
      2,
      'none of these databases has tenants',
      'tenants: schemaPerTenant()',
    ],
    ['an unknown database for show', 'show gamma/a1a1', 2, 'no database "gamma"', 'alpha, beta'],
    ['a database for show outside the selection', 'show beta/b1b1 -d alpha', 2, '"beta"', 'not among: alpha'],
    ['a target for show that is no revision', 'show base', 2, '"base" is not one revision', 'prefix'],
  ])('%s: %s', async (_, words, exitCode, ...texts) => {
    const ended = await pair.migrate(...words.split(' '))

    expectFailure(ended, exitCode, ...texts)
    expect(ended.stdout).toBe('')
    await pair.expectUnchanged()
  })

  test('a group of commands alone prints its help on stderr', async () => {
    const ended = await pair.migrate('tenant')

    expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^Usage: migrate tenant <command>/)
  })

  test('no command at all prints the help on stderr', async () => {
    const ended = await pair.migrate()

    expect(ended).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/^Usage: [^]*upgrade/) })
  })
})

test('a downgrade that is not possible on one of several databases reverts nothing on the others', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await pair.migrate('downgrade', '-d', 'beta')
  await pair.remember()

  expectFailure(await pair.migrate('downgrade', '-2'), 3, 'beta: "-2" walks too far', 'only 1 revision to revert')
  expectFailure(await pair.migrate('downgrade', `beta/${ids.b2}`), 3, `cannot downgrade to ${ids.b2}`, 'not applied')
  await pair.expectUnchanged()
})

test('TESTING=true selects the database test, and says so where there is none', async () => {
  await using pair = await createPair()
  pair.env['TESTING'] = 'true'

  expectFailure(await pair.migrate('upgrade'), 2, 'TESTING=true selects the database "test"', '--database')
  await pair.expectUnchanged()
  expect(await pair.migrate('current', '-d', 'alpha')).toMatchObject({ exitCode: 0 })
  await pair.addDatabase('test')
  expect((await pair.migrate('current')).stdout).toBe('test  base  up to date\n')
})

test('a target may call its database by an alias', async () => {
  await using pair = await createPair()
  await pair.write('databases/beta/database.ts', `export default { name: 'beta', aliases: ['creds'] }\n`)

  expect(await pair.migrate('upgrade', 'creds/+1')).toMatchObject({ exitCode: 0 })
  expect((await pair.migrate('show', 'creds/b1b1')).stdout).toContain(`revision     ${ids.b1}\n`)
  expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[], [ids.b1]])
})

test('outside a workspace a command says what it looked for', async () => {
  await using pair = await createPair()

  const ended = await pair.start(['upgrade'], { cwd: '/' }).ended

  expectFailure(ended, 2, 'databases/<name>/database.ts', 'workspace')
})

test('in the folder of a database a command is about that database alone', async () => {
  await using pair = await createPair()

  const ended = await pair.start(['upgrade'], { cwd: `${pair.root}/databases/beta/migrations` }).ended

  expect(ended).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.alpha)).toEqual([])
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
})
