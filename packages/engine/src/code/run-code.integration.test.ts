import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, inject, it } from 'vitest'

import { exampleProxy } from '../connect/example-proxy.ts'
import { openConnection } from '../connect/connection.ts'
import { exampleHistory, exampleId } from '../run/example-plan.ts'
import { type ExampleRunner, exampleRunner, problemOf } from '../run/example-runner.ts'
import type { PlanRun, StepEvent } from '../run/run-plan.ts'
import { readScript } from '../source/script.ts'

describe('runCode', () => {
  it('commits what the code does together with the record of it', async () => {
    await using runner = await codeRunner('await sql`create table one ()`', 'await sql`drop table one`')

    expect(await runner.upgrade()).toMatchObject({ end: { kind: 'succeeded' }, finished: [{ direction: 'up' }] })
    const rows = await runner.connection.send(
      `select pg_class.xmin = applied.xmin as same, duration_ms >= 0 as lasted, run
from drover.applied, pg_class where relname = 'one'`,
    )
    expect(rows).toEqual([{ same: true, lasted: true, run: runner.run.id }])

    expect(await runner.downgrade()).toMatchObject({ end: { kind: 'succeeded' } })
    expect(await runner.applied()).toEqual([])
    expect(await runner.tables()).toEqual([])
  })

  it('keeps the record from what the code leaves behind in its session', async () => {
    await using runner = await codeRunner(`
      await sql\`set search_path = ''\`
      await sql\`create temporary table applied (id int)\`
      await sql\`set role pg_monitor\``)

    expect(await runner.upgrade()).toMatchObject({ end: { kind: 'succeeded' } })
    expect(await runner.applied()).toEqual([exampleId(1)])
  })

  it('does what is deferred to the commit before the record counts', async () => {
    await using runner = await codeRunner(`
      await sql\`create table parent (id int primary key)\`
      await sql\`create table child (id int references parent deferrable initially deferred)\`
      await sql\`insert into child values (1)\``)

    expect(problemOf(await runner.upgrade())).toMatchObject({ code: 'STATEMENT_FAILED', sqlstate: '23503' })
    expect(await runner.applied()).toEqual([])
  })

  it('runs nothing when another run has taken over', async () => {
    await using runner = await codeRunner('await sql`create table one ()`')
    await runner.connection.send('update drover.lease set token = token + 1')

    expect(problemOf(await runner.upgrade())).toMatchObject({ code: 'LEASE_LOST', revision: exampleId(1) })
    expect(await runner.tables()).toEqual([])
  })

  it('runs nothing when the revision is applied already', async () => {
    await using runner = await codeRunner('await sql`create table one ()`')
    await runner.upgrade()

    expect(problemOf(await runner.upgrade())).toMatchObject({ code: 'STATE_MOVED' })
    expect(await runner.tables()).toEqual(['one'])
  })

  it('runs all of it again while it cannot have a lock', async () => {
    await using runner = await codeRunner(`
      log('an attempt')
      await sql\`insert into busy values (1)\`
      await sql\`create table one ()\``)
    await runner.connection.send('create table busy (id int)')
    const holder = runner.database.connect()
    await holder.send('begin')
    await holder.send('lock table busy')

    const outcome = await runner.upgrade({
      onEvent: (event) => event.type === 'step-retried' && void holder.send('commit'),
    })

    expect(outcome).toMatchObject({ end: { kind: 'succeeded' } })
    expect(runner.events.filter(({ type }) => type === 'step-retried')).toMatchObject([
      { attempt: 1, reason: 'lock-timeout' },
    ])
    expect(await runner.connection.send('select id from busy')).toEqual([{ id: 1 }])
  })

  it('finds out whether it was applied when the answer to COMMIT is lost', async () => {
    await using runner = await codeRunner('await sql`create table one ()`')
    await using proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)
    proxy.swallowAnswersAfter('commit')

    const running = runner.upgrade({ connection })
    await expect.poll(() => runner.applied(), { timeout: 30_000 }).toEqual([exampleId(1)])
    proxy.cut()

    expect(await running).toMatchObject({ end: { kind: 'succeeded' }, finished: [{ direction: 'up' }] })
  })

  it('finds out that it was not applied when its connection is cut in the middle', async () => {
    await using runner = await codeRunner(`
      await sql\`create table one ()\`
      log('here')
      await sql\`select pg_sleep(60)\``)
    await using proxy = await exampleProxy(runner.database.url)
    await using connection = openConnection(proxy.url)

    const outcome = await runner.upgrade({
      connection,
      onEvent: (event) => {
        if (event.type === 'step-output') void endOthers(runner).then(() => proxy.cut())
      },
    })

    expect(problemOf(outcome)).toMatchObject({ code: 'CONNECTION_LOST', revision: exampleId(1) })
    expect(await runner.applied()).toEqual([])
    expect(await runner.tables()).toEqual([])
  })

  it('is interrupted as a whole when it is cancelled', async () => {
    const [interrupt, cancel] = [new AbortController(), new AbortController()]
    await using runner = await codeRunner(`
      await sql\`create table one ()\`
      log('here')
      for (;;);`)

    const outcome = await runner.upgrade({
      signal: interrupt.signal,
      cancel: cancel.signal,
      onEvent: (event) => {
        if (event.type !== 'step-output') return
        interrupt.abort()
        cancel.abort()
      },
    })

    expect(outcome).toMatchObject({ end: { kind: 'interrupted' }, finished: [], notTried: [{ direction: 'up' }] })
    expect(await runner.tables()).toEqual([])
  })

  it('says of a process that has ended by itself that nothing was kept', async () => {
    await using runner = await codeRunner(`
      await sql\`create table one ()\`
      console.error('good bye')
      process.kill(process.pid, 'SIGKILL')
      await new Promise(() => {})`)

    expect(problemOf(await runner.upgrade())).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: 'migrations/1/migration.ts: the process of its code was ended by SIGKILL',
      hint: expect.stringContaining('nothing of this revision was kept'),
      serverNotes: ['good bye'],
    })
    expect(await runner.applied()).toEqual([])
    expect(await runner.tables()).toEqual([])
  })
})

interface CodeRunner extends Omit<ExampleRunner, 'upgrade'> {
  readonly events: readonly StepEvent[]
  readonly upgrade: (options?: Options) => ReturnType<ExampleRunner['upgrade']>
  readonly downgrade: () => ReturnType<ExampleRunner['upgrade']>
}

type Options = NonNullable<Parameters<ExampleRunner['runScripts']>[2]>

/** A database, and one revision in TypeScript with these bodies of its functions. */
async function codeRunner(up: string, down = ''): Promise<CodeRunner> {
  await using opened = new AsyncDisposableStack()
  const runner = opened.use(await exampleRunner(inject('serverUrl')))
  const root = await realpath(await mkdtemp(join(tmpdir(), 'drover-code-')))
  opened.defer(() => rm(root, { recursive: true, force: true }))
  await mkdir(join(root, 'migrations', '1'), { recursive: true })
  const code = `export default {\n  async up({ sql, log }) {\n${up}\n  },\n  async down({ sql }) {\n${down}\n  },\n}\n`
  await writeFile(join(root, 'migrations', '1', 'migration.ts'), code)
  const revision = { ...exampleHistory(1).revisions[0]!, language: 'typescript' } as const
  const events: StepEvent[] = []
  const surroundings: PlanRun['surroundings'] = { root, environment: {} }
  const run = async (direction: 'up' | 'down', options: Options = {}) => {
    const script = await readScript(root, revision, direction)
    const onEvent = (event: StepEvent) => {
      events.push(event)
      options.onEvent?.(event)
    }
    return runner.runScripts([script], 1, { surroundings, ...options, onEvent })
  }
  const owned = opened.move()
  return {
    ...runner,
    events,
    upgrade: (options) => run('up', options),
    downgrade: () => run('down'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Has the server end what it is doing for others, as when their network is gone. Waits until it is done. */
async function endOthers({ database }: CodeRunner): Promise<void> {
  await database.connect().send(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and query like '%pg_sleep(60)%'`,
  )
}
