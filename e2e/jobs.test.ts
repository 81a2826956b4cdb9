import { describe, expect, test } from 'vitest'

import { closeGate, type Gate, gateSql } from './harness/gate.ts'
import { createLog, logEntry, readLog } from './harness/log.ts'
import { expectFailure } from './harness/pair.ts'
import { hasStore, query, queryColumn, readApplied, readOutcomes } from './harness/query.ts'
import { createWorkspace, type Running, type TestWorkspace } from './harness/workspace.ts'

test('databases that nothing puts in order are upgraded side by side, and the summary keeps the order of the plan', async () => {
  await using workspace = await createWorkspace()
  const one = await addDatabase(workspace, 'one', { revisions: 2 })
  const says = `do $$ begin raise notice E'it says\\nsomething'; end $$;\n`
  const two = await addDatabase(workspace, 'two', { revisions: 2, up: says })
  await using gate = await one.close('up 1')

  const running = workspace.start(['upgrade', '--verbose'])
  await running.waitFor(gate.notice)
  await running.waitFor(`two  applied  ${two.ids[1]}`)
  expect(await readLog(two.url)).toEqual(['up 1', 'up 2'])
  expect(await readLog(one.url)).toEqual([])
  await gate.open()
  const ended = await running.ended

  expect(ended.exitCode).toBe(0)
  expect(ended.stdout).toMatch(/^one +2 revisions applied\ntwo +2 revisions applied\n4 revisions in /)
  // Whoever reads the lines of several databases has to see of each whose it is.
  const lines = ended.stderr.trimEnd().split('\n')
  expect(lines).toContain('two: something')
  expect(lines.filter((line) => !/^(?:one|two)(?: |:)/.test(line))).toEqual([])
})

test('no more databases are worked on at the same time than --jobs says, and with 1 they take their turns', async () => {
  await using workspace = await createWorkspace()
  const one = await addDatabase(workspace, 'one')
  const two = await addDatabase(workspace, 'two')
  const wide = await addDatabase(workspace, 'wide')
  await using first = await one.close('up 1')
  await using second = await two.close('up 1')

  const alone = workspace.start(['upgrade', '--jobs', '1', '--verbose'])
  await alone.waitFor(first.notice)
  expect(await countRuns(one, two, wide)).toEqual([1, 0, 0])
  await first.open()
  await alone.waitFor(second.notice)
  expect(await countRuns(one, two, wide)).toEqual([1, 1, 0])
  await second.open()
  expect(await alone.ended).toMatchObject({ exitCode: 0 })

  expect(await workspace.migrate('downgrade', '--yes')).toMatchObject({ exitCode: 0 })
  await using again = await one.close('up 1')
  await using still = await two.close('up 1')
  const pair = workspace.start(['upgrade', '--jobs', '2', '--verbose'])
  await Promise.all([pair.waitFor(again.notice), pair.waitFor(still.notice)])
  expect(await countRuns(one, two, wide)).toEqual([3, 3, 2])
  await again.open()
  await pair.waitFor(`wide  applied  ${wide.ids[0]}`)
  expect(await readApplied(two.url)).toEqual([])
  await still.open()
  expect(await pair.ended).toMatchObject({ exitCode: 0 })
})

test('what comes after a database, or depends on one of its revisions, waits for it, and the others do not', async () => {
  await using workspace = await createWorkspace()
  const base = await addDatabase(workspace, 'base')
  const idle = await addDatabase(workspace, 'idle', { after: ['base'], revisions: 0 })
  const later = await addDatabase(workspace, 'later', { after: ['idle'] })
  const needy = await addDatabase(workspace, 'needy', { dependsOn: [`base/${base.ids[0]}`] })
  const stranger = await addDatabase(workspace, 'stranger')
  await using baseGate = await base.close('up 1')
  await using laterGate = await later.close('down 1')

  const upgrade = workspace.start(['upgrade', '--verbose'])
  await upgrade.waitFor(baseGate.notice)
  await upgrade.waitFor(`applied  ${stranger.ids[0]}`)
  expect(await countRuns(later, needy)).toEqual([0, 0])
  await baseGate.open()
  expect(await upgrade.ended).toMatchObject({ exitCode: 0 })
  expect(await hasStore(idle.url)).toBe(false)

  const downgrade = workspace.start(['downgrade', '--yes', '--verbose'])
  await downgrade.waitFor(laterGate.notice)
  await downgrade.waitFor(`reverted ${needy.ids[0]}`)
  await downgrade.waitFor(`reverted ${stranger.ids[0]}`)
  expect(await countRuns(base)).toEqual([1])
  await laterGate.open()
  expect(await downgrade.ended).toMatchObject({ exitCode: 0 })
  expect(await readApplied(base.url)).toEqual([])
})

test('databases keep their order when the one between them is left out', async () => {
  await using workspace = await createWorkspace()
  const base = await addDatabase(workspace, 'base')
  await addDatabase(workspace, 'idle', { after: ['base'] })
  const later = await addDatabase(workspace, 'later', { after: ['idle'] })
  const stranger = await addDatabase(workspace, 'stranger')
  await using gate = await base.close('up 1')

  const running = workspace.start(['upgrade', '-d', 'base,later,stranger', '--verbose'])
  await running.waitFor(gate.notice)
  await running.waitFor(`applied  ${stranger.ids[0]}`)
  expect(await countRuns(later)).toEqual([0])
  await gate.open()
  expect(await running.ended).toMatchObject({ exitCode: 0 })
})

describe('when a database fails while another is worked on', () => {
  test('stop has that one finish the revision that it is at, and nothing is begun', async () => {
    await using fleet = await createFailingFleet()

    const running = await fleet.startAndFail('upgrade')
    await running.waitFor('bad    failed: slow will stop after what is running')
    await fleet.slowGate.open()
    const ended = await running.ended

    expectFailure(ended, 1, 'bad: ', 'division by zero')
    expect(ended.stdout).toMatch(/^bad +failed at .*: 0 revisions applied, 1 not tried$/m)
    expect(ended.stdout).toMatch(/^after +not tried: 1 revision left$/m)
    expect(ended.stdout).toMatch(/^slow +stopped because bad failed: 1 revision applied, 2 not tried$/m)
    expect(await readLog(fleet.slow.url)).toEqual(['up 1'])
    expect(await countRuns(fleet.after)).toEqual([0])
    expect(await Promise.all([fleet.bad, fleet.slow].map(({ url }) => readOutcomes(url)))).toEqual([
      ['failed'],
      ['interrupted'],
    ])

    await query(fleet.bad.url, 'update fault set divisor = 1')
    expect(await fleet.workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await readLog(fleet.slow.url)).toEqual(['up 1', 'up 2', 'up 3'])
    expect(await readLog(fleet.bad.url)).toEqual(['up 1', 'up 2'])
  })

  test('continue lets it go on, and what comes after the failed one is not tried', async () => {
    await using fleet = await createFailingFleet()

    const running = await fleet.startAndFail('upgrade', '--on-failure', 'continue')
    await expect.poll(() => readOutcomes(fleet.bad.url), { timeout: 60_000 }).toEqual(['failed'])
    await fleet.slowGate.open()
    const ended = await running.ended

    expectFailure(ended, 1, 'bad: ', 'division by zero')
    expect(ended.stdout).toMatch(/^after +not tried: 1 revision left$/m)
    expect(ended.stdout).toMatch(/^slow +3 revisions applied$/m)
    expect(await countRuns(fleet.after)).toEqual([0])
  })

  test('rollback has it stop, and undoes what all of them have done', async () => {
    await using fleet = await createFailingFleet()

    const running = await fleet.startAndFail('upgrade', '--on-failure', 'rollback', '--json')
    await running.waitFor('slow will stop after what is running')
    await fleet.slowGate.open()
    const ended = await running.ended

    expect(ended.exitCode).toBe(1)
    const statuses = ended
      .json()
      .databases.map(({ name, targets }: any) => [name, targets[0].steps.map((step: any) => step.status)])
    expect(statuses).toEqual([
      ['bad', ['failed', 'skipped']],
      ['after', ['skipped']],
      ['slow', ['applied', 'skipped', 'skipped', 'reverted']],
    ])
    expect(await readLog(fleet.slow.url)).toEqual(['up 1', 'down 1'])
    expect(await readApplied(fleet.slow.url)).toEqual([])
  })
})

test('a rollback leaves what came before something that cannot be undone', async () => {
  await using workspace = await createWorkspace()
  const first = await addDatabase(workspace, 'first')
  const second = await addDatabase(workspace, 'second', { after: ['first'], down: 'select 1 / 0;\n' })
  await workspace.addRevision('second', { id: 'eeee00000001', up: 'select no_such_column;\n' })
  const alone = await addDatabase(workspace, 'alone')

  const ended = await workspace.migrate('upgrade', '--on-failure', 'rollback', '--jobs', '1')

  expectFailure(ended, 1, 'no_such_column', 'division by zero')
  expect(ended.stdout).toMatch(/^alone +1 revision applied, 1 rolled back$/m)
  expect(ended.stdout).toMatch(/^first +1 revision applied, 0 rolled back$/m)
  expect(ended.stdout).toMatch(/^second +failed at eeee00000001 .*: 1 revision applied, 0 rolled back$/m)
  expect(await readApplied(first.url)).toEqual(first.ids)
  expect(await readApplied(second.url)).toEqual(second.ids)
  expect(await readApplied(alone.url)).toEqual([])
})

test('SIGINT lets every database finish the revision that it is at, begins no other, and exits 130', async () => {
  await using workspace = await createWorkspace()
  const one = await addDatabase(workspace, 'one', { revisions: 2 })
  const two = await addDatabase(workspace, 'two', { revisions: 2 })
  const wide = await addDatabase(workspace, 'wide')
  await using first = await one.close('up 1')
  await using second = await two.close('up 1')
  const running = workspace.start(['upgrade', '--jobs', '2', '--verbose'])
  await Promise.all([running.waitFor(first.notice), running.waitFor(second.notice)])

  running.kill('SIGINT')
  await running.waitFor('SIGINT: finishing')
  await Promise.all([first.open(), second.open()])
  const ended = await running.ended

  expect(ended.exitCode).toBe(130)
  expect(ended.stdout).toMatch(/^one +interrupted: 1 revision applied, 1 not tried$/m)
  expect(ended.stdout).toMatch(/^two +interrupted: 1 revision applied, 1 not tried$/m)
  expect(ended.stdout).toMatch(/^wide +not tried: 1 revision left$/m)
  expect(await Promise.all([one, two].map(({ url }) => readOutcomes(url)))).toEqual([['interrupted'], ['interrupted']])
  expect(await countRuns(wide)).toEqual([0])
  expect(await workspace.migrate('upgrade', '--wait-lock', '0')).toMatchObject({ exitCode: 0 })
  expect(await readLog(one.url)).toEqual(['up 1', 'up 2'])
})

test('releases over the same databases at the same moment all end well, and every revision is applied once', async () => {
  await using workspace = await createWorkspace()
  const databases = [
    await addDatabase(workspace, 'one', { revisions: 3 }),
    await addDatabase(workspace, 'two', { revisions: 3 }),
    await addDatabase(workspace, 'wide', { revisions: 3 }),
  ]

  const ended = await Promise.all(Array.from({ length: 4 }, () => workspace.migrate('upgrade')))

  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0])
  for (const { url, ids } of databases) {
    expect(await readLog(url)).toEqual(['up 1', 'up 2', 'up 3'])
    expect(await readApplied(url)).toEqual(ids)
  }
})

test('an upgrade and a downgrade that both wait for a third run do not wait for each other', async () => {
  await using workspace = await createWorkspace()
  await addDatabase(workspace, 'one', { revisions: 2 })
  const two = await addDatabase(workspace, 'two', { after: ['one'], revisions: 2 })
  await addDatabase(workspace, 'wide', { after: ['two'], revisions: 2 })
  expect(await workspace.migrate('upgrade', '+1')).toMatchObject({ exitCode: 0 })
  await using gate = await two.close('up 2')
  const holder = workspace.start(['upgrade', '-d', 'two', '--verbose'])
  await holder.waitFor(gate.notice)

  const waiting = [workspace.start(['upgrade']), workspace.start(['downgrade', 'base', '--yes'])]
  await Promise.all(waiting.map((one) => one.waitFor('waiting for another run')))
  await gate.open()

  expect(await holder.ended).toMatchObject({ exitCode: 0 })
  // Whichever comes second finds that its plan no longer fits.
  for (const one of waiting) expect((await one.ended).stderr).not.toContain('another run holds the database')
})

test.each(['0', '-1', '1.5', 'many', ''])('--jobs %j is refused, and the option is named', async (jobs) => {
  await using workspace = await createWorkspace()
  await addDatabase(workspace, 'main')

  for (const command of ['init', 'upgrade', 'downgrade']) {
    expectFailure(await workspace.migrate(command, '--jobs', jobs), 2, '--jobs', 'a number of databases, from 1')
  }
})

/** A database whose revisions write down that they ran. */
interface AddedDatabase {
  readonly url: string
  readonly ids: readonly string[]
  /** Closes the gate that a revision comes to first, on its way up or down. */
  close(step: `${'up' | 'down'} ${number}`): Promise<Gate>
}

async function addDatabase(
  workspace: TestWorkspace,
  name: string,
  options: {
    readonly after?: readonly string[]
    readonly revisions?: number
    readonly dependsOn?: readonly string[]
    /** SQL of each revision. */
    readonly up?: string
    readonly down?: string
  } = {},
): Promise<AddedDatabase> {
  const { after = [], revisions = 1, dependsOn = [], up = '', down = '' } = options
  const url = await workspace.addDatabase(name, { after })
  await createLog(url)
  const ids = Array.from({ length: revisions }, (_, at) => idOf(name, at + 1))
  const sqlOf = (step: string, sql: string) => `${gateSql(`${name} ${step}`)}${sql}${logEntry(step)}`
  for (const [at, id] of ids.entries()) {
    const number = at + 1
    await workspace.addRevision(name, {
      id,
      dependsOn,
      up: sqlOf(`up ${number}`, up),
      down: sqlOf(`down ${number}`, down),
    })
  }
  return { url, ids, close: (step) => closeGate(url, `${name} ${step}`) }
}

/** How many runs have begun on databases that a release has come to. */
async function countRuns(...databases: readonly AddedDatabase[]): Promise<readonly number[]> {
  return Promise.all(
    databases.map(async ({ url }) => (await queryColumn(url, 'select count(*)::int from drover.run'))[0]),
  )
}

/** An id that no other database has. */
function idOf(database: string, number: number): string {
  return `${Buffer.from(database.padEnd(4)).toString('hex').slice(0, 8)}${String(number).padStart(4, '0')}`
}

/** A workspace in which `bad` fails while `slow` is in the middle of its first revision; `after` comes after `bad`. */
interface FailingFleet extends AsyncDisposable {
  readonly workspace: TestWorkspace
  readonly bad: AddedDatabase
  readonly slow: AddedDatabase
  readonly after: AddedDatabase
  /** Holds up the first revision of `slow`. */
  readonly slowGate: Gate
  /** Starts a command, and lets `bad` fail as soon as both are at work. */
  startAndFail(...args: readonly string[]): Promise<Running>
}

async function createFailingFleet(): Promise<FailingFleet> {
  await using made = new AsyncDisposableStack()
  const workspace = made.use(await createWorkspace())
  const bad = await addDatabase(workspace, 'bad', { revisions: 2, up: 'select 1 / divisor from fault;\n' })
  await query(bad.url, 'create table fault as select 0 as divisor')
  const after = await addDatabase(workspace, 'after', { after: ['bad'] })
  const slow = await addDatabase(workspace, 'slow', { revisions: 3 })
  const slowGate = made.use(await slow.close('up 1'))
  const badGate = made.use(await bad.close('up 1'))
  const owned = made.move()
  return {
    workspace,
    bad,
    slow,
    after,
    slowGate,
    startAndFail: async (...args) => {
      const running = workspace.start([...args, '--verbose'])
      await Promise.all([badGate, slowGate].map(({ notice }) => running.waitFor(notice)))
      await badGate.open()
      return running
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
