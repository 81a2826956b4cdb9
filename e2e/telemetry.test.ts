import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { closeGate, gateSql } from './harness/gate.ts'
import { createWorkspace, type Ended, type TestWorkspace } from './harness/workspace.ts'

/** What the SDK has exported. Times are in milliseconds since 1970. */
interface RecordedSpan {
  readonly id: string
  readonly traceId: string
  readonly parent?: string
  readonly name: string
  readonly kind: number
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: { readonly code: number; readonly message?: string }
  readonly start: number
  readonly end: number
  readonly events: readonly string[]
  readonly scope: string
}

const failed = 2
const client = 2

test('a release has a span for itself, each database, its target, each revision and each statement, with when and where', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'one', ['000000000011', '000000000012', '000000000013'])
  await addDatabase(workspace, 'two', ['000000000021'])
  const before = Date.now()

  const { ended, spans } = await traced(workspace, 'upgrade')

  const after = Date.now()
  expect(ended).toMatchObject({ exitCode: 0 })
  expect(treeOf(spans)).toEqual([
    'release upgrade',
    '  database one',
    '    target one',
    '      apply 000000000011',
    '        statement',
    '      apply 000000000012',
    '        statement',
    '      apply 000000000013',
    '        statement',
    '  database two',
    '    target two',
    '      apply 000000000021',
    '        statement',
  ])
  const release = named(spans, 'release upgrade')
  expect(release.attributes).toMatchObject({
    'drover.command': 'upgrade',
    'drover.direction': 'up',
    'drover.databases': ['one', 'two'],
  })
  const revision = named(spans, 'apply 000000000012')
  const { hostname, port, pathname } = new URL(url)
  expect(revision).toMatchObject({
    kind: client,
    scope: 'drover',
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': pathname.slice(1),
      'server.address': hostname,
      'server.port': Number(port),
      'drover.revision': '000000000012',
      'drover.direction': 'up',
      'code.file.path': expect.stringMatching(/^databases\/one\/migrations\/\d+_000000000012\/migration\.sql$/),
    },
  })
  for (const span of spans) {
    expect(span.status.code).not.toBe(failed)
    expect(span.traceId).toBe(release.traceId)
    expect(span.start).toBeGreaterThanOrEqual(before - 1)
    expect(span.end).toBeGreaterThanOrEqual(span.start)
    expect(span.end).toBeLessThanOrEqual(after + 1)
    const parent = spans.find(({ id }) => id === span.parent)
    expect(span.start).toBeGreaterThanOrEqual(parent?.start ?? 0)
    expect(span.end).toBeLessThanOrEqual(parent?.end ?? Infinity)
  }
  // Those of one database one behind the other, also where they have shared a message.
  const own = spans.filter(({ name }) => name.startsWith('apply 00000000001')).toSorted((a, b) => a.start - b.start)
  own.slice(1).forEach((span, at) => expect(span.start).toBeGreaterThanOrEqual(own[at]!.end))
})

test('databases side by side have spans side by side', async () => {
  await using workspace = await createWorkspace()
  const one = await addDatabase(workspace, 'one', ['000000000011'], gateSql('gate'))
  const two = await addDatabase(workspace, 'two', ['000000000021'], gateSql('gate'))
  await using first = await closeGate(one)
  await using second = await closeGate(two)
  const running = start(workspace, ['upgrade', '--verbose'])
  await running.waitFor(`one: NOTICE: ${first.notice}`)
  await running.waitFor(`two: NOTICE: ${second.notice}`)
  await first.open()
  await second.open()
  expect(await running.ended).toMatchObject({ exitCode: 0 })

  const spans = await readSpans(workspace)
  const [left, right] = [named(spans, 'apply 000000000011'), named(spans, 'apply 000000000021')]
  expect(Math.max(left.start, right.start)).toBeLessThan(Math.min(left.end, right.end))
})

test('a failure marks statement, revision, target, database and release, and shows no password', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')
  await workspace.addRevision('main', { id: '0000000000a1' })
  await workspace.addRevision('main', { id: '0000000000a2', up: 'select 1;\nselect 1 / 0;\n' })
  await workspace.addRevision('main', { id: '0000000000a3' })
  await addDatabase(workspace, 'other', ['0000000000b1'])

  const { ended, spans } = await traced(workspace, 'upgrade', '--on-failure', 'continue')

  expect(ended.exitCode).toBe(1)
  expect(treeOf(spans, (span) => span.status.code === failed)).toEqual([
    'release upgrade',
    '  database main',
    '    target main',
    '      apply 0000000000a2',
    '        statement',
  ])
  expect(named(spans, 'apply 0000000000a1').status.code).not.toBe(failed)
  expect(named(spans, 'apply 0000000000b1').status.code).not.toBe(failed)
  expect(spans.some(({ name }) => name.includes('0000000000a3'))).toBe(false)
  const ofFailed = spans.filter(({ status }) => status.code === failed)
  expect(named(ofFailed, 'statement')).toMatchObject({
    status: { message: expect.stringContaining('migration.sql:2: division by zero') },
    attributes: {
      'error.type': '22012',
      'db.response.status_code': '22012',
      'code.file.path': expect.stringMatching(/_0000000000a2\/migration\.sql$/),
      'code.line.number': 2,
    },
  })
  const url = new URL(workspace.env['MAIN_DATABASE_URL']!)
  expect(JSON.stringify(spans)).not.toMatch(/postgres(?:ql)?:\/\//)
  if (url.password !== '') expect(JSON.stringify(spans)).not.toContain(url.password)
})

test('statements have spans also outside a transaction, and so do hooks and what is rolled back', async () => {
  await using workspace = await createWorkspace()
  await workspace.addDatabase('main')
  await workspace.write('databases/main/before.sql', 'select 1;')
  await workspace.write('databases/main/after.ts', `export default { run() { throw new Error('no') } }\n`)
  await workspace.write(
    'databases/main/database.ts',
    `export default { name: 'main', hooks: { before: './before.sql', after: './after.ts' } }\n`,
  )
  await workspace.addRevision('main', { id: '0000000000a1', up: 'create table a (b integer);\n' })
  await workspace.addRevision('main', {
    id: '0000000000a2',
    transaction: 'none',
    up: 'select 1;\n\ncreate index concurrently a_b on a (b);\n',
    down: 'drop index concurrently a_b;\n',
  })

  const { ended, spans } = await traced(workspace, 'upgrade', '--on-failure', 'rollback')

  expect(ended.exitCode).toBe(1)
  expect(treeOf(spans)).toEqual([
    'release upgrade',
    '  database main',
    '    target main',
    '      hook before',
    '      apply 0000000000a1',
    '        statement',
    '      apply 0000000000a2',
    '        statement',
    '        statement',
    '      hook after',
    '  rollback main',
    '    target main',
    '      revert 0000000000a2',
    '        statement',
    '      revert 0000000000a1',
    '        statement',
  ])
  const lines = spans.filter(({ name }) => name === 'statement').map(({ attributes }) => attributes['code.line.number'])
  expect(lines).toEqual([1, 1, 3, 1, 1])
  expect(named(spans, 'hook before').attributes).toMatchObject({ 'code.file.path': 'databases/main/before.sql' })
  expect(named(spans, 'hook after')).toMatchObject({
    status: { code: failed },
    attributes: { 'error.type': 'HOOK_FAILED' },
  })
})

test('what is refused before anything runs fails the release', async () => {
  await using workspace = await createWorkspace()
  await addDatabase(workspace, 'main', ['0000000000a1'], '-- drover:unfilled\n')

  const { ended, spans } = await traced(workspace, 'upgrade')

  expect(ended.exitCode).toBe(3)
  expect(treeOf(spans)).toEqual(['release upgrade'])
  expect(spans[0]).toMatchObject({ status: { code: failed }, attributes: { 'error.type': 'UNFILLED' } })
})

test('TRACEPARENT is gone on with, and an interrupted run exports what it did', async () => {
  await using workspace = await createWorkspace()
  const url = await addDatabase(workspace, 'main', ['0000000000a1', '0000000000a2'], gateSql('gate'))
  await using gate = await closeGate(url)
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const running = start(workspace, ['upgrade', '--verbose'], { TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01` })
  await running.waitFor(gate.notice)
  running.kill('SIGTERM')
  await running.waitFor('SIGTERM: finishing')
  await gate.open()

  expect((await running.ended).exitCode).toBe(143)
  const spans = await readSpans(workspace)
  expect(named(spans, 'release upgrade')).toMatchObject({ traceId, parent: 'b7ad6b7169203331' })
  expect(treeOf(spans)).toContain('      apply 0000000000a1')
})

describe('without an SDK', () => {
  test('nothing of OpenTelemetry is loaded', async () => {
    await using workspace = await createWorkspace()
    await addDatabase(workspace, 'main', ['0000000000a1'])
    const file = join(workspace.root, 'modules')
    const recorder = new URL('harness/record-modules.ts', import.meta.url).href

    const env = { NODE_OPTIONS: `--import=${recorder}`, DROVER_MODULES_FILE: file }
    expect(await workspace.start(['upgrade'], { env }).ended).toMatchObject({ exitCode: 0 })

    const modules = JSON.parse(await readFile(file, 'utf8')) as readonly string[]
    expect(modules).toContainEqual(expect.stringContaining('/trace/start-trace.ts'))
    expect(modules.filter((url) => /opentelemetry|\/src\/trace\/(?!start-trace)/.test(url))).toEqual([])
  })
})

/** A database with some revisions, all of which run the same. */
async function addDatabase(
  workspace: TestWorkspace,
  name: string,
  ids: readonly string[],
  up = 'select 1;\n',
): Promise<string> {
  const url = await workspace.addDatabase(name)
  for (const id of ids) await workspace.addRevision(name, { id, up })
  return url
}

function start(workspace: TestWorkspace, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const recorder = new URL('harness/record-spans.ts', import.meta.url).href
  const file = join(workspace.root, 'spans')
  return workspace.start(args, { env: { NODE_OPTIONS: `--import=${recorder}`, DROVER_SPANS_FILE: file, ...more } })
}

async function traced(
  workspace: TestWorkspace,
  ...args: readonly string[]
): Promise<{ readonly ended: Ended; readonly spans: readonly RecordedSpan[] }> {
  const ended = await start(workspace, args).ended
  return { ended, spans: await readSpans(workspace) }
}

/** All spans, in the order in which they began. */
async function readSpans(workspace: TestWorkspace): Promise<readonly RecordedSpan[]> {
  const spans = JSON.parse(await readFile(join(workspace.root, 'spans'), 'utf8')) as readonly RecordedSpan[]
  return spans.toSorted((a, b) => a.start - b.start)
}

function named(spans: readonly RecordedSpan[], name: string): RecordedSpan {
  const found = spans.filter((span) => span.name === name)
  expect(found).toHaveLength(1)
  return found[0]!
}

/** The names of spans below each other. Databases may begin in any order, and are sorted by their names. */
function treeOf(
  spans: readonly RecordedSpan[],
  isShown: (span: RecordedSpan) => boolean = () => true,
): readonly string[] {
  const ids = new Set(spans.map(({ id }) => id))
  const below = (parent: string | undefined, depth: number): readonly string[] =>
    spans
      .filter((span) =>
        parent === undefined ? span.parent === undefined || !ids.has(span.parent) : span.parent === parent,
      )
      .toSorted((a, b) => (depth === 1 ? a.name.localeCompare(b.name) : a.start - b.start))
      .filter(isShown)
      .flatMap((span) => [`${'  '.repeat(depth)}${span.name}`, ...below(span.id, depth + 1)])
  return below(undefined, 0)
}
