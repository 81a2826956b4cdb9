import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { catalogOf, queryColumn, readApplied } from './harness/query.ts'
import { createRepositoryDatabases, databaseNames } from './harness/repository-databases.ts'
import { createWorkspace } from './harness/workspace.ts'

const a3 = 'a3a3a3a3a3a3'

async function readPlan(pair: Pair): Promise<any> {
  return JSON.parse(await readFile(join(pair.root, 'plan.json'), 'utf8'))
}

describe('plan', () => {
  test('shows the steps of all databases in the order in which they run, and changes nothing', async () => {
    await using pair = await createPair()

    const ended = await pair.migrate('plan')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toBe(`alpha: 2 revisions to apply
  1. ${ids.a1} create a1
  2. ${ids.a2} create a2
beta: 2 revisions to apply
  3. ${ids.b1} create b1
  4. ${ids.b2} create b2
`)
    await pair.expectUnchanged()
  })

  test('--downgrade shows what would be undone, last database first, and what data is lost', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade')
    await pair.remember()

    const ended = await pair.migrate('plan', '--downgrade')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toBe(`beta: 1 revision to revert
  1. ${ids.b2} create b2
       loses data: drop table b2
alpha: 1 revision to revert
  2. ${ids.a2} create a2
       loses data: drop table a2
`)
    await pair.expectUnchanged()
  })

  test('--out writes steps, the checksums of what will run, and what was applied; equal plans are equal files', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade', '+1', '-d', 'alpha')

    const ended = await pair.migrate('plan', '--out', 'plan.json', '--json')

    const plan = await readPlan(pair)
    const checksum = expect.stringMatching(/^sha256:[0-9a-f]{64}/)
    expect(plan).toEqual({
      formatVersion: 1,
      direction: 'up',
      target: 'head',
      allowOutOfOrder: false,
      scope: 'all',
      databases: [
        { name: 'alpha', current: [ids.a1], applied: checksum },
        { name: 'beta', current: [], applied: checksum },
      ],
      steps: [
        { database: 'alpha', revision: ids.a2, message: 'create a2', checksum },
        { database: 'beta', revision: ids.b1, message: 'create b1', checksum },
        { database: 'beta', revision: ids.b2, message: 'create b2', checksum },
      ],
    })
    expect(ended.json().plan).toEqual(plan)
    const text = await readFile(join(pair.root, 'plan.json'), 'utf8')
    await pair.migrate('plan', '--out', 'again.json')
    expect(await readFile(join(pair.root, 'again.json'), 'utf8')).toBe(text)
  })

  test('--check exits with 4 while anything is pending, and with 0 after that', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade', '-d', 'alpha')

    expectFailure(await pair.migrate('plan', '--check'), 4, 'beta: 2 revisions pending', 'pnpm migrate upgrade -d beta')
    expect((await pair.migrate('plan', '--check', '--json')).json()).toMatchObject({
      ok: false,
      exitCode: 4,
      problems: [{ code: 'PENDING', database: 'beta' }],
    })
    await pair.migrate('upgrade')
    expect(await pair.migrate('plan', '--check')).toMatchObject({ exitCode: 0, stderr: '' })
    expectFailure(await pair.migrate('plan', '--downgrade', '--check', '-d', 'beta'), 4, '1 revision to be reverted')
  })

  test('--markdown marks what loses data and what cannot be reverted', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade')
    await pair.addRevision('alpha', { id: a3, message: 'drop | a1', up: 'drop table a1;\n', down: null })

    expect((await pair.migrate('plan', '--markdown')).stdout).toBe(`### Upgrade to \`head\`

1 revision to apply in 1 database. **1 of them loses data.** **1 of them cannot be reverted.**

#### alpha

| # | revision | applies | |
| ---: | --- | --- | --- |
| 1 | \`${a3}\` | drop \\| a1 | **loses data**, **irreversible** |

- \`${a3}\` loses data: \`drop table a1\`

Nothing to apply in beta.
`)
    expectFailure(await pair.migrate('plan', '--markdown', '--json'), 2, '--json')
  })

  test('refuses what an upgrade would refuse', async () => {
    await using pair = await createPair()
    await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', up: '-- drover:unfilled\n' })

    expectFailure(await pair.migrate('plan'), 3, 'is not filled in yet')
    expectFailure(await pair.migrate('plan', '9999', '-d', 'alpha'), 2, '9999')
    expectFailure(
      await pair.migrate('plan', '-d', 'alpha', '--out', 'no/such/folder/plan.json'),
      2,
      'cannot be written',
    )
    await pair.expectUnchanged()
  })
})

describe('upgrade --plan', () => {
  test('runs the plan and nothing else, as often as databases have been brought back to where it starts', async () => {
    await using pair = await createPair()
    await pair.migrate('plan', '+1', '--out', 'plan.json')
    await pair.addRevision('alpha', { id: a3 })

    const ended = await pair.migrate('upgrade', '--plan', 'plan.json')

    expect(ended).toMatchObject({ exitCode: 0 })
    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1])
    expect(await readApplied(pair.urls.beta)).toEqual([ids.b1])
    await pair.migrate('downgrade', 'base')
    expect(await pair.migrate('upgrade', '--plan', 'plan.json')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1])
  })

  test('runs the plans of the databases of this repository, up and down', async () => {
    await using planned = await createRepositoryDatabases()
    await using direct = await createRepositoryDatabases()
    const scratch = await createWorkspace()
    await using _ = scratch
    const file = join(scratch.root, 'plan.json')

    for (const [command, options] of [
      ['upgrade', []],
      ['downgrade', ['--downgrade']],
    ] as const) {
      await direct.migrate(command)
      expect(await planned.migrate('plan', ...options, '--out', file)).toMatchObject({ exitCode: 0 })
      expect(await planned.migrate(command, '--plan', file)).toMatchObject({ exitCode: 0 })
      for (const name of databaseNames) {
        expect(await readApplied(planned.urls[name])).toEqual(await readApplied(direct.urls[name]))
        expect(await catalogOf(planned.urls[name])).toEqual(await catalogOf(direct.urls[name]))
      }
    }
  })

  test('shows its steps with --dry-run, and writes them as scripts with --sql', async () => {
    await using pair = await createPair()
    await pair.migrate('plan', '+1', '-d', 'alpha', '--out', 'plan.json')

    expect((await pair.migrate('upgrade', '--plan', 'plan.json', '--dry-run')).stdout).toBe(
      `alpha: would apply 1 revision\n  ${ids.a1} create a1\n`,
    )
    const script = await pair.migrate('upgrade', '--plan', 'plan.json', '--sql')
    expect(script.stdout).toContain('create table a1')
    expect(script.stdout).not.toContain('create table a2')
    await pair.expectUnchanged()
  })

  /** What can move between the plan and its run, and what is said of it. */
  const moves: readonly (readonly [string, (pair: Pair) => Promise<unknown>, readonly string[]])[] = [
    [
      'the head',
      (pair) => pair.addRevision('alpha', { id: a3, message: 'one more' }),
      ['alpha: "head" has moved since plan.json was made', `${a3} "one more" would be applied as well`],
    ],
    [
      'a file that it runs',
      (pair) => pair.write(`${pair.folders.beta[1]}/migration.sql`, 'create table other ();\n'),
      ['beta: ', '/migration.sql was edited after the plan was made'],
    ],
    [
      'a comment in a file that it runs',
      (pair) => pair.write(`${pair.folders.beta[1]}/migration.sql`, '-- why\ncreate table b2 (id integer);\n'),
      ['beta: ', '/migration.sql was edited after the plan was made'],
    ],
    [
      'a revision, which is gone',
      (pair) => rm(join(pair.root, pair.folders.beta[1]!), { recursive: true }),
      [`beta: ${ids.b2} "create b2" is in the plan, and its folder is no longer in databases/beta/migrations`],
    ],
    [
      'a database, which has had more',
      (pair) => pair.migrate('upgrade', '+1', '-d', 'beta'),
      [`beta: what is applied has changed since plan.json was made: it was at the base then, and is at ${ids.b1} now`],
    ],
    [
      'a database of it, which has had all of it',
      (pair) => pair.migrate('upgrade', '-d', 'alpha'),
      [`alpha: what is applied has changed since plan.json was made: it was at the base then, and is at ${ids.a2} now`],
    ],
    [
      'the databases of the workspace',
      (pair) => pair.addDatabase('gamma'),
      ['plan.json was made for other databases (alpha, beta): it says nothing of gamma'],
    ],
    [
      'a branch, so that there are two heads',
      (pair) => pair.addRevision('alpha', { id: a3, parents: [ids.a1] }),
      ['alpha: "head" can no longer be planned as it was for plan.json', '2 heads'],
    ],
  ]

  test.each(moves)('is refused when this has moved: %s', async (_, move, texts) => {
    await using pair = await createPair()
    await pair.migrate('plan', '--out', 'plan.json')
    await move(pair)
    await pair.remember()

    const ended = await pair.migrate('upgrade', '--plan', 'plan.json')
    const told = await pair.migrate('upgrade', '--plan', 'plan.json', '--json')

    expectFailure(ended, 3, ...texts)
    expect(told.json()).toMatchObject({ exitCode: 3, error: { code: 'PLAN_STALE' } })
    await pair.expectUnchanged()
  })

  test('is refused when what is applied is the same, and its SQL was another', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade', '+1')
    await pair.migrate('plan', '--out', 'plan.json')
    await pair.migrate('downgrade', 'base', '-d', 'alpha')
    await pair.write(`${pair.folders.alpha[0]}/migration.sql`, 'create table a1 (id bigint);\n')
    await pair.migrate('upgrade', '+1', '-d', 'alpha')
    await pair.remember()

    const ended = await pair.migrate('upgrade', '--plan', 'plan.json')

    expectFailure(ended, 3, `it is at ${ids.a1} as it was then, with other revisions below, or other SQL in them`)
    await pair.expectUnchanged()
  })

  test('is refused for other databases than it was made for, and says for which it was', async () => {
    await using pair = await createPair()
    await pair.migrate('plan', '-d', 'alpha', '--out', 'plan.json')

    expectFailure(
      await pair.migrate('upgrade', '--plan', 'plan.json', '-d', 'beta'),
      3,
      'plan.json was made for other databases (alpha): it says nothing of beta, and alpha is not among',
    )
    expectFailure(await pair.migrate('downgrade', '--plan', 'plan.json'), 3, 'plan.json is the plan of an upgrade')
    await pair.expectUnchanged()
    expect(await pair.migrate('upgrade', '--plan', 'plan.json')).toMatchObject({ exitCode: 0 })
    expect(await queryColumn(pair.urls.beta, `select to_regnamespace('drover') is null`)).toEqual([true])
  })

  test('is a usage error together with a target, and with a file that is no plan', async () => {
    await using pair = await createPair()
    await pair.migrate('plan', '--out', 'plan.json')
    const text = await readFile(join(pair.root, 'plan.json'), 'utf8')
    await pair.write('other.json', text.replace('"formatVersion": 1', '"formatVersion": 2'))
    await pair.write('misspelt.json', text.replace('"target"', '"tagret"'))
    await pair.write('broken.json', text.slice(0, 40))

    expectFailure(await pair.migrate('upgrade', 'head', '--plan', 'plan.json'), 2, 'together with --plan')
    expectFailure(await pair.migrate('upgrade', '--plan', 'nowhere.json'), 2, 'nowhere.json cannot be read')
    expectFailure(await pair.migrate('upgrade', '--plan', 'other.json'), 2, 'other.json has format 2')
    expectFailure(
      await pair.migrate('upgrade', '--plan', 'misspelt.json'),
      2,
      '"target" is missing',
      '"tagret" is not a field',
    )
    expectFailure(await pair.migrate('upgrade', '--plan', 'broken.json'), 2, 'it is not JSON')
    await pair.expectUnchanged()
  })
})

test('downgrade --plan is refused when a way back was edited or is gone', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await pair.migrate('plan', '--downgrade', '--out', 'plan.json')
  await pair.write(`${pair.folders.beta[1]}/down.sql`, 'drop table b2;\nselect 1;\n')
  await rm(join(pair.root, pair.folders.alpha[1]!, 'down.sql'))
  await pair.remember()

  const ended = await pair.migrate('downgrade', '--plan', 'plan.json', '--yes')

  expectFailure(ended, 3, '/down.sql was edited after the plan was made', 'and down.sql is gone')
  await pair.expectUnchanged()
})
