import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { hasPsql, runPsql } from './harness/psql.ts'
import { expectFailure } from './harness/pair.ts'
import { query, queryColumn, readApplied } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = {
  users: 'aaaa00000001',
  expand: 'aaaa00000002',
  backfill: 'aaaa00000003',
  contract: 'aaaa00000004',
  tokens: 'bbbb00000001',
  digest: 'bbbb00000002',
  plain: 'bbbb00000003',
} as const

interface People extends TestWorkspace {
  readonly urls: { readonly main: string; readonly credentials: string }
}

/**
 * Two databases whose first revisions are applied, with rows. In `main`, a name is to be split in two: expand, backfill,
 * contract. In `credentials`, a token is to be replaced by its digest: expand and contract.
 */
async function createPeople(): Promise<People> {
  const workspace = await createWorkspace()
  const credentials = await workspace.addDatabase('credentials')
  const main = await workspace.addDatabase('main', { after: ['credentials'] })
  await workspace.addRevision('main', {
    id: ids.users,
    up: 'create table users (full_name text not null);\n',
    down: 'drop table users;\n',
  })
  await workspace.addRevision('credentials', {
    id: ids.tokens,
    up: 'create table tokens (value text not null);\n',
    down: 'drop table tokens;\n',
  })
  await workspace.migrate('upgrade')
  await query(main, `insert into users values ('Ada Lovelace'), ('Alan Turing')`)
  await workspace.addRevision('main', {
    id: ids.expand,
    message: 'add first and last name',
    phase: 'expand',
    up: 'alter table users add first_name text, add last_name text, alter full_name drop not null;\n',
    down: 'alter table users drop first_name, drop last_name;\n',
  })
  await workspace.addRevision('main', {
    id: ids.backfill,
    message: 'split names',
    phase: 'backfill',
    up: `update users set first_name = split_part(full_name, ' ', 1), last_name = split_part(full_name, ' ', 2)\n  where first_name is null;\n`,
    down: 'select 1;\n',
  })
  await workspace.addRevision('main', {
    id: ids.contract,
    message: 'drop full name',
    phase: 'contract',
    up: 'alter table users alter first_name set not null, drop full_name;\n',
    down: `alter table users add full_name text;\nupdate users set full_name = first_name || ' ' || last_name;\n`,
  })
  await workspace.addRevision('credentials', {
    id: ids.digest,
    message: 'drop tokens in clear',
    phase: 'contract',
    up: 'alter table tokens drop value;\n',
    down: `alter table tokens add value text not null default '';\n`,
  })
  return { ...workspace, urls: { main, credentials } }
}

test('what a change takes goes in before a deploy, moves the data, and takes away after it', async () => {
  await using people = await createPeople()
  const { main, credentials } = people.urls

  const before = await people.migrate('upgrade', '--phase', 'expand')
  expect(before).toMatchObject({ exitCode: 0 })
  expect(before.stdout).toContain(
    `main: stops before ${ids.backfill} "split names" (backfill): run it after the deploy with: pnpm migrate upgrade --phase backfill -d main\n`,
  )
  expect(before.stdout).toContain(
    `credentials: stops before ${ids.digest} "drop tokens in clear" (contract): run it after the deploy with: pnpm migrate upgrade --phase contract -d credentials\n`,
  )
  expect(await readApplied(main)).toEqual([ids.users, ids.expand])
  expect(await readApplied(credentials)).toEqual([ids.tokens])

  // Both versions of the code can write.
  await query(main, `insert into users (full_name) values ('Grace Hopper')`)
  await query(main, `insert into users (first_name, last_name) values ('Edsger', 'Dijkstra')`)
  expect(await people.migrate('upgrade', '--phase', 'backfill')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`main: stops before ${ids.contract} "drop full name" (contract)`),
  })
  expect(await readApplied(main)).toEqual([ids.users, ids.expand, ids.backfill])

  const after = await people.migrate('upgrade', '--phase', 'contract')
  expect(after).toMatchObject({ exitCode: 0 })
  expect(after.stdout).not.toContain('stops before')
  expect(await queryColumn(main, 'select first_name from users order by 1')).toEqual(['Ada', 'Alan', 'Edsger', 'Grace'])
  expect(await readApplied(main)).toEqual([ids.users, ids.expand, ids.backfill, ids.contract])
  expect(await readApplied(credentials)).toEqual([ids.tokens, ids.digest])
})

test('without a phase everything runs, and a downgrade does not know of phases', async () => {
  await using people = await createPeople()

  expect((await people.migrate('upgrade')).stdout).not.toContain('stops before')
  expect(await readApplied(people.urls.main)).toContain(ids.contract)

  expect(await people.migrate('downgrade', ids.users, '-d', 'main')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(people.urls.main)).toEqual([ids.users])
  expectFailure(await people.migrate('downgrade', '--phase', 'expand'), 2, 'unknown option')
  expect((await people.migrate('downgrade', '--help')).stdout).toContain('whatever their phase')
})

test('every command that shows revisions shows their phases, to people and to programs', async () => {
  await using people = await createPeople()

  expect((await people.migrate('current')).stdout).toContain(
    'behind: 3 revisions pending, of which 1 expand, 1 backfill, 1 contract',
  )
  expect((await people.migrate('history', '-d', 'main')).stdout).toContain('drop full name (head, contract)')
  expect((await people.migrate('show', ids.backfill)).stdout).toMatch(/^phase +backfill$/m)
  const [shown] = (await people.migrate('show', ids.backfill, '--json')).json().databases
  expect(shown.revisions).toMatchObject([{ id: ids.backfill, phase: 'backfill' }])
  const [, main] = (await people.migrate('current', '--json')).json().databases
  expect(main.targets[0].pendingPhases).toEqual([
    { revision: ids.expand, phase: 'expand' },
    { revision: ids.backfill, phase: 'backfill' },
    { revision: ids.contract, phase: 'contract' },
  ])

  const planned = await people.migrate('plan', '--phase', 'backfill')
  expect(planned.stdout).toBe(`main: 2 revisions to apply
  1. ${ids.expand} add first and last name (expand)
  2. ${ids.backfill} split names (backfill)
credentials: nothing to apply
credentials: stops before ${ids.digest} "drop tokens in clear" (contract): run it after the deploy with: pnpm migrate upgrade --phase contract -d credentials
main: stops before ${ids.contract} "drop full name" (contract): run it after the deploy with: pnpm migrate upgrade --phase contract -d main
`)
  expect((await people.migrate('plan', '--phase', 'backfill', '--markdown')).stdout).toContain(`phase \`backfill\``)
  expect((await people.migrate('upgrade', '--dry-run', '--phase', 'expand')).stdout).toContain(
    `main: stops before ${ids.backfill}`,
  )
  const { databases } = (await people.migrate('upgrade', '--phase', 'expand', '--json')).json()
  expect(databases[1].targets[0]).toMatchObject({
    pending: [ids.backfill, ids.contract],
    heldBack: [
      {
        revision: ids.backfill,
        message: 'split names',
        phase: 'backfill',
        hint: 'run it after the deploy with: pnpm migrate upgrade --phase backfill -d main',
      },
    ],
    steps: [{ revision: ids.expand, phase: 'expand', status: 'applied' }],
  })
})

test('plan --check asks for what the phase has left, and for nothing behind that', async () => {
  await using people = await createPeople()

  expectFailure(
    await people.migrate('plan', '--check', '--phase', 'expand'),
    4,
    'main: 1 revision pending',
    'pnpm migrate upgrade --phase expand -d main',
  )
  await people.migrate('upgrade', '--phase', 'expand')
  expect(await people.migrate('plan', '--check', '--phase', 'expand')).toMatchObject({ exitCode: 0 })
  expectFailure(await people.migrate('plan', '--check', '--phase', 'backfill'), 4, 'main: 1 revision pending')
  expectFailure(await people.migrate('plan', '--check'), 4, 'main: 2 revisions pending', 'credentials: 1 revision')
})

test('a plan keeps its phase, and is stale once a revision has changed its own', async () => {
  await using people = await createPeople()
  await people.migrate('plan', '--phase', 'expand', '--out', 'plan.json')
  expect(JSON.parse(await readFile(join(people.root, 'plan.json'), 'utf8'))).toMatchObject({ phase: 'expand' })

  expectFailure(await people.migrate('upgrade', '--plan', 'plan.json', '--phase', 'contract'), 2, '--phase')
  const ended = await people.migrate('upgrade', '--plan', 'plan.json')

  expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`stops before ${ids.backfill}`) })
  expect(await readApplied(people.urls.main)).toEqual([ids.users, ids.expand])
  await people.migrate('plan', '--phase', 'backfill', '--out', 'plan.json')
  const folder = (await people.migrate('show', ids.backfill, '--json')).json().databases[0].revisions[0].folder
  const record = await readFile(join(people.root, folder, 'revision.json'), 'utf8')
  await people.write(`${folder}/revision.json`, record.replace('"backfill"', '"contract"'))
  expectFailure(
    await people.migrate('upgrade', '--plan', 'plan.json'),
    3,
    `${ids.backfill} "split names" would not be applied`,
    'pnpm migrate plan head --phase backfill --out plan.json',
  )
})

test('a revision of one database waits for a contract of another, and runs once that is applied', async () => {
  await using people = await createPeople()
  await people.addRevision('main', {
    id: ids.plain,
    message: 'use digests',
    parents: [ids.users],
    dependsOn: [`credentials/${ids.digest}`],
    up: 'create table digests ();\n',
  })

  for (const databases of [[], ['-d', 'main']]) {
    const ended = await people.migrate('upgrade', 'heads', '--phase', 'expand', ...databases)
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toContain(
      `main: stops before ${ids.plain} "use digests", which waits for credentials/${ids.digest} (contract): after the deploy, run that first: pnpm migrate upgrade credentials/${ids.digest} --phase contract\n`,
    )
  }
  expect(await readApplied(people.urls.main)).toEqual([ids.users, ids.expand])

  await people.migrate('upgrade', `credentials/${ids.digest}`, '--phase', 'contract')
  expect(await people.migrate('upgrade', 'heads', '--phase', 'expand')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(people.urls.main)).toEqual([ids.users, ids.expand, ids.plain])
})

describe.skipIf(!hasPsql)('as scripts for psql', () => {
  test('they hold what the phase runs, and what they stop before is said beside them', async () => {
    await using people = await createPeople()

    const script = await people.migrate('upgrade', '--sql', '--phase', 'backfill', '-d', 'main')

    expect(script).toMatchObject({ exitCode: 0 })
    expect(script.stderr).toContain(`main: stops before ${ids.contract}`)
    await people.write('main.sql', script.stdout)
    expect(await runPsql(people.urls.main, join(people.root, 'main.sql'))).toMatchObject({ exitCode: 0 })
    expect(await readApplied(people.urls.main)).toEqual([ids.users, ids.expand, ids.backfill])
  })
})

test('a range says itself what it takes', async () => {
  await using people = await createPeople()

  expectFailure(await people.migrate('upgrade', ':', '--sql', '--phase', 'expand', '-d', 'main'), 2, 'together with')
})

test('a new revision has the phase that it is given, and one that there is not is refused', async () => {
  await using people = await createPeople()

  const made = await people.migrate('revision', 'drop it', '--empty', '--phase', 'contract', '-d', 'main', '--json')

  const [{ revisions }] = made.json().databases
  expect(revisions).toMatchObject([{ phase: 'contract' }])
  const file = `${revisions[0].folder}/revision.json`
  const record = await readFile(join(people.root, file), 'utf8')
  expect(JSON.parse(record)).toMatchObject({ message: 'drop it', phase: 'contract' })
  expectFailure(await people.migrate('revision', 'x', '--empty', '--phase', 'late', '-d', 'main'), 2, '--phase')
  await people.write(file, record.replace('"contract"', '"late"'))
  expectFailure(
    await people.migrate('history'),
    2,
    `${file} is not a revision: "phase" must be "expand", "backfill" or`,
  )
})

test('revisions that are made from a schema have it as well, all of them', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main', { schema: peopleSchema('') })
  expect(await workspace.migrate('revision', 'add people', '--no-proof')).toMatchObject({ exitCode: 0 })
  await workspace.write('databases/main/schema.ts', peopleSchema(', name: text()', `index('by_name').on(table.id)`))

  const made = await workspace.migrate('revision', 'names', '--concurrently', '--no-proof', '--phase', 'expand')

  expect(made).toMatchObject({ exitCode: 0 })
  const [{ revisions }] = (await workspace.migrate('history', '--json')).json().databases
  expect(revisions.map(({ message, phase }: any) => [message, phase])).toEqual([
    ['add people', undefined],
    ['names', 'expand'],
    ['names: indexes', 'expand'],
  ])
})

describe('a backfill that was interrupted', () => {
  /** A backfill of two statements outside a transaction, which stops at the second; a contract comes after it. */
  async function createInterrupted(): Promise<TestWorkspace & { readonly url: string }> {
    const workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await workspace.addRevision('main', { id: ids.users, up: 'create table users (old text, new text);\n' })
    await workspace.addRevision('main', {
      id: ids.backfill,
      message: 'move the data',
      phase: 'backfill',
      transaction: 'none',
      up: `update users set new = old where old < 'm';\nupdate users set new = old where old::int > 0;\n`,
    })
    await workspace.addRevision('main', {
      id: ids.contract,
      message: 'drop the old',
      phase: 'contract',
      up: 'alter table users drop old;\n',
    })
    await workspace.migrate('upgrade', '+1')
    await query(url, `insert into users values ('1'), ('a')`)
    const failed = await workspace.migrate('upgrade', '--phase', 'backfill')
    expectFailure(failed, 1, 'go on with: pnpm migrate upgrade -d main --resume --phase backfill')
    return { ...workspace, url }
  }

  const refusal = `main: ${ids.contract} "drop the old" (contract) must not run yet: the backfill ${ids.backfill} "move the data", which it comes after, is not finished`

  test('keeps the contract behind it from being planned and run, until it is finished', async () => {
    await using workspace = await createInterrupted()

    for (const words of [
      ['upgrade'],
      ['upgrade', '--phase', 'contract'],
      ['upgrade', ids.contract],
      ['plan'],
      ['upgrade', '--sql'],
      ['upgrade', '--dry-run'],
    ]) {
      expectFailure(await workspace.migrate(...words), 3, refusal, '--resume --phase backfill')
    }
    const { problems } = (await workspace.migrate('upgrade', '--json')).json()
    expect(problems).toMatchObject([
      { code: 'HALF_DONE', revision: ids.backfill },
      { code: 'BACKFILL_UNFINISHED', revision: ids.contract, database: 'main' },
    ])
    const backfill = await workspace.migrate('upgrade', '--phase', 'backfill')
    expectFailure(backfill, 3, 'is half applied')
    expect(backfill.stderr).not.toContain('must not run yet')
    expect(await queryColumn(workspace.url, 'select old from users order by 1')).toEqual(['1', 'a'])

    await query(workspace.url, `delete from users where old = 'a'`)
    expect(await workspace.migrate('upgrade', '--resume', '--phase', 'backfill')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`stops before ${ids.contract}`),
    })
    expect(await readApplied(workspace.url)).toEqual([ids.users, ids.backfill])
    expect(await workspace.migrate('upgrade', '--phase', 'contract')).toMatchObject({ exitCode: 0 })
    expect(await queryColumn(workspace.url, 'select new from users')).toEqual(['1'])
  })
})

test('what has no phase is gone on with in the phase that was asked for, and nothing behind it is run', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: ids.plain,
    transaction: 'none',
    up: 'create table one ();\nselect count(*) from one;\nselect 1 / count(*) from one;\n',
  })
  await workspace.addRevision('main', { id: ids.contract, phase: 'contract', up: 'create table other ();\n' })

  const failed = await workspace.migrate('upgrade', '--phase', 'expand')
  expectFailure(failed, 1, 'go on with: pnpm migrate upgrade -d main --resume --phase expand')
  await query(url, 'alter table one add id int; insert into one values (1)')
  expect(await workspace.migrate('upgrade', '-d', 'main', '--resume', '--phase', 'expand')).toMatchObject({
    exitCode: 0,
  })

  expect(await readApplied(url)).toEqual([ids.plain])
})

/** A Drizzle schema with one table, which has these columns beside its key. */
function peopleSchema(columns: string, indexes = ''): string {
  return `import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
export const people = pgTable('people', { id: integer().primaryKey()${columns} }, (table) => [${indexes}])
export const unused = [index, text]
`
}
