import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { createPair, expectFailure, ids } from './harness/pair.ts'

test('a sound workspace is ok, with the number of revisions in the files and in the databases', async () => {
  await using pair = await createPair()
  await pair.migrate('upgrade', '+1', '-d', 'alpha')
  await pair.remember()

  expect(await pair.migrate('check')).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: `alpha: ok
  2 revisions, head ${ids.a2}
  1 revision applied in the database
beta: ok
  2 revisions, head ${ids.b2}
  0 revisions applied in the database
`,
  })
  await pair.expectUnchanged()
})

test('--offline looks at no database, and says so', async () => {
  await using pair = await createPair()
  pair.env['BETA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'

  const offline = await pair.migrate('check', '--offline')

  expect(offline).toMatchObject({ exitCode: 0, stderr: '' })
  expect(offline.stdout).toMatch(/^the files only: nothing was compared with a database$/m)
  expectFailure(await pair.migrate('check'), 4, 'beta: no server answers at 127.0.0.1:9')
})

test('without a database in the environment and without a development server, the files are checked and no server is started', async () => {
  await using pair = await createPair()
  delete pair.env['ALPHA_DATABASE_URL']
  delete pair.env['BETA_DATABASE_URL']

  const ended = await pair.migrate('check', '--json')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.json()).toMatchObject({ compared: false })
  expect((await pair.migrate('server', 'status', '--json')).json().server).toEqual({ running: false })
})

test('what is wrong with one database does not keep the others from being checked', async () => {
  await using pair = await createPair()
  await pair.write(`${pair.folders.alpha[0]}/revision.json`, '{')
  await pair.write(`${pair.folders.beta[1]}/migration.sql`, 'begin;\n')

  const ended = await pair.migrate('check')

  expectFailure(
    ended,
    4,
    `${pair.folders.alpha[0]}/revision.json is not JSON`,
    `${pair.folders.beta[1]}/migration.sql:1`,
  )
  expect(ended.stdout).toMatch(/^alpha: 1 problem\nbeta: 1 problem$/m)
  const { databases } = (await pair.migrate('check', '--json')).json()
  expect(databases.map(({ problems }: { problems: { code: string }[] }) => problems.map(({ code }) => code))).toEqual([
    ['REVISION_INVALID'],
    ['OWN_TRANSACTION'],
  ])
  await pair.expectUnchanged()
})

test('-d checks one database alone, and an irreversible revision is a note', async () => {
  await using pair = await createPair()
  await pair.write(`${pair.folders.alpha[0]}/revision.json`, '{')
  await rm(join(pair.root, pair.folders.beta[1]!, 'down.sql'))

  const ended = await pair.migrate('check', '-d', 'beta')

  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toContain(`beta: ok\n  2 revisions, head ${ids.b2}\n  ${pair.folders.beta[1]} is irreversible`)
  expect(ended.stdout).not.toContain('alpha')
})
