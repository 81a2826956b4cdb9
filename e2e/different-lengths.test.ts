import { expect, test } from 'vitest'

import { createLog, logEntry, readLog } from './harness/log.ts'
import { readApplied, readOutcomes, readStore } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

test('downgrade until every database is at base, and once more, leaves those alone that have nothing left', async () => {
  await using workspace = await createWorkspace()
  const short = await addHistory(workspace, 'short', ['aaaa00000001'])
  const middle = await addHistory(workspace, 'middle', ['bbbb00000001', 'bbbb00000002'], ['short'])
  const long = await addHistory(workspace, 'long', ['cccc00000001', 'cccc00000002', 'cccc00000003'], ['middle'])
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })

  const first = await workspace.migrate('downgrade')
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^short +1 revision reverted$/m) })
  expect(await readAll(short, middle, long)).toEqual([[], ['bbbb00000001'], ['cccc00000001', 'cccc00000002']])

  const storeOfShort = await readStore(short)
  const second = await workspace.migrate('downgrade')
  expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^short +at base, nothing left/m) })
  expect(second.stdout).toMatch(/^middle +1 revision reverted$/m)
  expect(await readAll(short, middle, long)).toEqual([[], [], ['cccc00000001']])
  expect(await readStore(short)).toEqual(storeOfShort)

  const storeOfMiddle = await readStore(middle)
  const third = await workspace.migrate('downgrade')
  expect(third).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^middle +at base, nothing left/m) })
  expect(third.stdout).toMatch(/^long +1 revision reverted$/m)
  expect(await readAll(short, middle, long)).toEqual([[], [], []])

  const storeOfLong = await readStore(long)
  const onceMore = await workspace.migrate('downgrade')
  expect(onceMore).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/^nothing to do$/m) })
  for (const name of ['short', 'middle', 'long']) expect(onceMore.stdout).toMatch(new RegExp(`^${name} +at base`, 'm'))
  expect([await readStore(short), await readStore(middle), await readStore(long)]).toEqual([
    storeOfShort,
    storeOfMiddle,
    storeOfLong,
  ])
  expect(await readLog(long)).toEqual([
    'up cccc00000001',
    'up cccc00000002',
    'up cccc00000003',
    'down cccc00000003',
    'down cccc00000002',
    'down cccc00000001',
  ])
})

test('a downgrade that fails on one database exits 1 and says which were done, failed and not tried', async () => {
  await using workspace = await createWorkspace()
  const first = await addHistory(workspace, 'first', ['aaaa00000001'])
  const second = await addHistory(workspace, 'second', ['bbbb00000001'], ['first'])
  const failing = await workspace.addRevision('second', {
    id: 'bbbb00000002',
    up: logEntry('up bbbb00000002'),
    down: `${logEntry('down bbbb00000002')}drop table is_not_there;\n`,
  })
  const third = await addHistory(workspace, 'third', ['cccc00000001'], ['second'])
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })

  const failed = await workspace.migrate('downgrade', 'base', '--json')

  expect(failed.exitCode).toBe(1)
  expect(failed.json()).toMatchObject({
    ok: false,
    exitCode: 1,
    error: { code: 'STATEMENT_FAILED', database: 'second', revision: 'bbbb00000002', sqlstate: '42P01' },
  })
  const steps = failed
    .json()
    .databases.map(({ name, targets }: any) => [
      name,
      targets[0].steps.map((step: any) => [step.revision, step.status]),
    ])
  expect(steps).toEqual([
    ['third', [['cccc00000001', 'reverted']]],
    [
      'second',
      [
        ['bbbb00000002', 'failed'],
        ['bbbb00000001', 'skipped'],
      ],
    ],
    ['first', [['aaaa00000001', 'skipped']]],
  ])
  expect(await readAll(first, second, third)).toEqual([['aaaa00000001'], ['bbbb00000001', 'bbbb00000002'], []])
  expect(await readLog(second)).toEqual(['up bbbb00000001', 'up bbbb00000002'])
  expect(await readOutcomes(second)).toEqual(['succeeded', 'failed'])
  expect(await readOutcomes(first)).toEqual(['succeeded'])
  expect(await readLog(first)).toEqual(['up aaaa00000001'])

  const inWords = await workspace.migrate('downgrade', 'base')
  expect(inWords.exitCode).toBe(1)
  expect(inWords.stdout).toMatch(/^third +at base, nothing left/m)
  expect(inWords.stdout).toMatch(/^second +failed at bbbb00000002 .*: 0 revisions reverted, 1 not tried$/m)
  expect(inWords.stdout).toMatch(/^first +not tried: 1 revision left$/m)

  await workspace.write(`${failing}/down.sql`, logEntry('down bbbb00000002'))
  expect(await workspace.migrate('downgrade', 'base')).toMatchObject({ exitCode: 0 })
  expect(await readAll(first, second, third)).toEqual([[], [], []])
})

test('an upgrade that fails on one database does not begin those after it, and the rerun continues', async () => {
  await using workspace = await createWorkspace()
  const first = await addHistory(workspace, 'first', ['aaaa00000001'])
  const second = await addHistory(workspace, 'second', ['bbbb00000001'], ['first'])
  const failing = await workspace.addRevision('second', {
    id: 'bbbb00000002',
    up: `${logEntry('up bbbb00000002')}select 1 / 0;\n`,
  })
  const third = await addHistory(workspace, 'third', ['cccc00000001'], ['second'])

  const failed = await workspace.migrate('upgrade')

  expect(failed.exitCode).toBe(1)
  expect(failed.stdout).toMatch(/^first +1 revision applied$/m)
  expect(failed.stdout).toMatch(/^second +failed at bbbb00000002 .*: 1 revision applied$/m)
  expect(failed.stdout).toMatch(/^third +not tried: 1 revision left$/m)
  expect(await readAll(first, second, third)).toEqual([['aaaa00000001'], ['bbbb00000001'], []])
  expect(await readLog(second)).toEqual(['up bbbb00000001'])
  expect(await readLog(third)).toEqual([])

  await workspace.write(`${failing}/migration.sql`, logEntry('up bbbb00000002'))
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readLog(first)).toEqual(['up aaaa00000001'])
  expect(await readLog(second)).toEqual(['up bbbb00000001', 'up bbbb00000002'])
  expect(await readLog(third)).toEqual(['up cccc00000001'])
})

test('with --on-failure continue, databases that do not come after the failed one are moved all the same', async () => {
  await using workspace = await createWorkspace()
  const broken = await addHistory(workspace, 'broken', [])
  await workspace.addRevision('broken', { id: 'aaaa00000001', up: 'select 1 / 0;\n' })
  const dependent = await addHistory(workspace, 'dependent', ['bbbb00000001'], ['broken'])
  const stranger = await addHistory(workspace, 'stranger', ['cccc00000001'])

  const upgrade = await workspace.migrate('upgrade', '--on-failure', 'continue')

  expect(upgrade.exitCode).toBe(1)
  expect(await readAll(broken, dependent, stranger)).toEqual([[], [], ['cccc00000001']])
  expect(upgrade.stdout).toMatch(/^dependent +not tried: 1 revision left$/m)
})

/** A database whose revisions write down that they ran. */
async function addHistory(
  workspace: TestWorkspace,
  name: string,
  ids: readonly string[],
  after: readonly string[] = [],
): Promise<string> {
  const url = await workspace.addDatabase(name, { after })
  await createLog(url)
  for (const id of ids)
    await workspace.addRevision(name, { id, up: logEntry(`up ${id}`), down: logEntry(`down ${id}`) })
  return url
}

function readAll(...urls: readonly string[]): Promise<readonly (readonly string[])[]> {
  return Promise.all(urls.map(readApplied))
}
