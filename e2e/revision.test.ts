import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { createPair, expectFailure, ids, type Pair } from './harness/pair.ts'
import { queryColumn, readApplied } from './harness/query.ts'

interface NewRevision {
  readonly id: string
  readonly folder: string
  readonly files: readonly [string, string]
}

async function make(pair: Pair, ...words: readonly string[]): Promise<NewRevision> {
  const ended = await pair.migrate(...words, '--json')
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  return ended.json().databases[0].revisions[0]
}

test('a new revision is a folder after the head that check accepts, with an up and a down to fill in', async () => {
  await using pair = await createPair()

  const ended = await pair.migrate('revision', 'Add circle capacity (½)', '-d', 'beta', '--empty')

  const folder = (await readdir(join(pair.root, 'databases/beta/migrations'))).find((name) =>
    name.endsWith('_add_circle_capacity_1_2'),
  )
  expect(folder).toMatch(/^\d{14}_/)
  const path = `databases/beta/migrations/${folder}`
  const record = JSON.parse(await readFile(join(pair.root, path, 'revision.json'), 'utf8'))
  expect(record).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{12}$/),
    parents: [ids.b2],
    message: 'Add circle capacity (½)',
    created: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  })
  expect(ended).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: `beta: made revision ${record.id}, after ${ids.b2}\n  fill in ${path}/migration.sql\n  fill in ${path}/down.sql\n`,
  })

  const check = await pair.migrate('check')
  expect(check).toMatchObject({ exitCode: 0, stderr: '' })
  expect(check.stdout).toMatch(/^beta: ok$/m)
  expect(check.stdout).toContain(`  ${path}/migration.sql is not filled in yet\n`)
  expect((await pair.migrate('heads')).stdout).toContain(record.id)
})

test('an upgrade is refused while either side is not filled in; once both are, it applies and reverts', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await pair.remember()
  const { id, files } = await make(pair, 'revision', 'add circle capacity', '-d', 'beta', '--empty')
  const [up, down] = files

  expectFailure(
    await pair.migrate('upgrade'),
    3,
    `beta: ${up} is not filled in yet`,
    `beta: ${down} is not`,
    'drover:unfilled',
  )
  await pair.write(up, 'alter table b1 add column capacity integer;\n')
  const half = await pair.migrate('upgrade')
  expectFailure(
    half,
    3,
    `beta: ${down} is not filled in yet`,
    'or delete the file to declare the revision irreversible',
  )
  expect(half.stderr).not.toContain(up)
  await pair.expectUnchanged()

  const columns = () =>
    queryColumn(
      pair.urls.beta,
      `select attname from pg_attribute where attrelid = 'b1'::regclass and attnum > 0 and not attisdropped`,
    )
  await pair.write(down, 'alter table b1 drop column capacity;\n')
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2, id])
  expect(await columns()).toEqual(['id', 'capacity'])

  expect(await pair.migrate('downgrade', '-d', 'beta')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
  expect(await columns()).toEqual(['id'])
})

test('without its down.sql a new revision is irreversible, and may be applied', async () => {
  await using pair = await createPair()
  const { folder, files } = await make(pair, 'revision', 'one way', '-d', 'beta', '--empty')
  await pair.write(files[0], 'select 1;\n')
  await rm(join(pair.root, files[1]))

  expect((await pair.migrate('check')).stdout).toContain(`  ${folder} is irreversible: it has no down.sql`)
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expectFailure(await pair.migrate('downgrade'), 3, 'cannot be reverted: it has no down.sql')
})

test('revision-<database> and revision-<alias> are the same command for one database', async () => {
  await using pair = await createPair()
  await pair.write(
    'databases/beta/database.ts',
    `export default { name: 'beta', aliases: ['creds'], after: ['alpha'] }\n`,
  )

  const first = await make(pair, 'revision-beta', 'add passkeys', '--empty')
  const second = await make(pair, 'revision-creds', 'add devices', '--empty')

  expect([first.folder, second.folder]).toEqual([
    expect.stringMatching(/^databases\/beta\/migrations\/\d{14}_add_passkeys$/),
    expect.stringMatching(/^databases\/beta\/migrations\/\d{14}_add_devices$/),
  ])
  expectFailure(await pair.migrate('revision-gamma', 'x', '--empty'), 2, 'no database "gamma"', 'alpha, beta')
})

test('the second revision comes after the first, even when both are made within a second', async () => {
  await using pair = await createPair()

  const made = [await make(pair, 'revision-beta', 'x', '--empty'), await make(pair, 'revision-beta', 'y', '--empty')]

  const { revisions } = (await pair.migrate('history', '-d', 'beta', '--json')).json().databases[0]
  expect(revisions.map(({ id }: { id: string }) => id)).toEqual([ids.b1, ids.b2, ...made.map(({ id }) => id)])
})

test('a workspace of several databases is asked for one of them; the folder of a database answers', async () => {
  await using pair = await createPair()

  expectFailure(
    await pair.migrate('revision', 'x', '--empty'),
    2,
    'belongs to one database',
    '--database',
    'alpha, beta',
  )
  expectFailure(await pair.migrate('revision', 'x', '--empty', '-d', 'alpha,beta'), 2, 'belongs to one database')

  const inside = await pair.start(['revision', 'x', '--empty'], { cwd: join(pair.root, 'databases/beta') }).ended
  expect(inside).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^beta: made revision/) })
})

test('without a message, or without a schema and --empty, it says what to type', async () => {
  await using pair = await createPair()

  expectFailure(await pair.migrate('revision', '  ', '--empty', '-d', 'beta'), 2, 'the message is missing')
  expectFailure(
    await pair.migrate('revision', 'say "hi"', '-d', 'beta'),
    2,
    String.raw`pnpm migrate revision "say \"hi\"" --empty -d beta`,
  )
  expect(await readdir(join(pair.root, 'databases/beta/migrations'))).toHaveLength(2)
})
