import { checksum } from '@drover/history'
import { describe, expect, inject, it } from 'vitest'

import { exampleScripts } from '../run/example-plan.ts'
import { exampleRunner, problemOf } from '../run/example-runner.ts'
import type { StepEvent } from '../run/run-plan.ts'
import { parseSnapshot, type SchemaSnapshot, writeSnapshot } from './snapshot-file.ts'

const revisions = [{ up: 'create table a ()' }, { up: 'create table b ()' }, { up: 'create table c ()' }]
const scripts = exampleScripts(revisions)
const file = 'databases/test/schema.sql'

/** A snapshot of the first revisions, with a script of its own. */
function snapshotOf(body: string, count = 2): SchemaSnapshot {
  const held = scripts.slice(0, count).map((script) => ({ id: script.revision.id, digest: '0'.repeat(64) }))
  const text = writeSnapshot({ migrations: 'migrations', heads: [], revisions: held, body, command: 'snapshot' })
  const reading = parseSnapshot(file, text)
  if (reading.kind !== 'read') throw new Error(JSON.stringify(reading))
  return reading.snapshot
}

describe('runPlan, with a snapshot', () => {
  it('loads it instead of the revisions that it stands for, records these, and runs the others', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const events: StepEvent[] = []
    const snapshot = snapshotOf(
      `set check_function_bodies = false;\nselect pg_catalog.set_config('search_path', '', false);\ncreate table public.from_snapshot ();`,
    )

    const outcome = await runner.runScripts(scripts, 3, { snapshot, onEvent: (event) => events.push(event) })

    expect(outcome.end.kind).toBe('succeeded')
    expect(outcome.finished.map(({ revision }) => revision.id)).toEqual(scripts.map(({ revision }) => revision.id))
    expect(await runner.tables()).toEqual(['c', 'from_snapshot'])
    expect(await runner.applied()).toEqual(scripts.map(({ revision }) => revision.id))
    expect(events.map(({ type }) => type)).toEqual(['snapshot-loaded', 'step-started', 'step-finished'])
    const rows = await runner.connection.send(
      'select checksum, run, duration_ms > 0 as timed from drover.applied order by revision limit 2',
    )
    expect(rows).toEqual([
      { checksum: checksum('create table a ()'), run: runner.run.id, timed: true },
      { checksum: checksum('create table b ()'), run: runner.run.id, timed: true },
    ])
  })

  it('runs all the others in one transaction behind it, and prepares the place for the first alone', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const snapshot = snapshotOf('create table public.from_snapshot ();', 1)

    const outcome = await runner.runScripts(scripts, 3, {
      snapshot,
      transaction: 'all',
      opening: 'create table prepared ();\n',
    })

    expect(outcome).toMatchObject({ end: { kind: 'succeeded' }, notTried: [] })
    expect(await runner.tables()).toEqual(['b', 'c', 'from_snapshot', 'prepared'])
    expect(await runner.applied()).toEqual(scripts.map(({ revision }) => revision.id))
  })

  it('leaves nothing behind when a statement of it fails, and says which', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const snapshot = snapshotOf('create table public.a ();\nselect 1 / 0;\n')

    const outcome = await runner.runScripts(scripts, 3, { snapshot })

    expect(problemOf(outcome)).toMatchObject({
      code: 'STATEMENT_FAILED',
      file,
      statement: 'select 1 / 0',
      hint: expect.stringContaining(`nothing of ${file} was kept`),
    })
    expect(outcome.notTried).toHaveLength(3)
    expect(await runner.tables()).toEqual([])
    expect(await runner.applied()).toEqual([])
  })

  it('says what to do where the database has been made from it before', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const snapshot = snapshotOf('create table public.a ();')
    await runner.connection.send('create table public.a ()')

    const outcome = await runner.runScripts(scripts, 3, { snapshot })

    expect(problemOf(outcome)).toMatchObject({
      code: 'STATEMENT_FAILED',
      hint: expect.stringContaining('pnpm migrate stamp head -d <database>'),
    })
  })

  it('is refused where one of the revisions is applied, and changes nothing', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    await runner.upgrade(revisions.slice(0, 1))

    const outcome = await runner.runScripts(scripts, 3, { snapshot: snapshotOf('create table public.other ();') })

    expect(problemOf(outcome)).toMatchObject({ code: 'STATE_MOVED', file })
    expect(await runner.tables()).toEqual(['a'])
  })

  it('does not begin once the run is to stop', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.runScripts(scripts, 3, {
      snapshot: snapshotOf('create table public.a ();'),
      signal: AbortSignal.abort(),
    })

    expect(outcome.end.kind).toBe('interrupted')
    expect(await runner.tables()).toEqual([])
  })

  it('is loaded once, however many do it at the same time', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const snapshot = snapshotOf('create table public.a ();')
    const load = () => runner.runScripts(scripts.slice(0, 2), 3, { snapshot, connection: runner.database.connect() })

    const outcomes = await Promise.all([load(), load(), load()])

    expect(outcomes.filter(({ end }) => end.kind === 'succeeded')).toHaveLength(1)
    expect(await runner.applied()).toHaveLength(2)
  })
})
