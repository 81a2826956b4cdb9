import { appendFile, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { query, readApplied } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

/** Enough for a history to be remembered. */
const many = 500
const idOf = (number: number) => number.toString(16).padStart(12, '0')
const head = idOf(many - 1)

/** Where it is kept what the history of `main` came to. */
const memoOf = ({ root }: TestWorkspace) => join(root, 'node_modules/.cache/drover/main.history.json')

interface Settled extends TestWorkspace {
  readonly url: string
  /** Folder of each revision, from the root. */
  readonly folders: readonly string[]
}

/** A workspace with a long history, all of which is applied, and remembered. */
async function createSettled(): Promise<Settled> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  const folders: string[] = []
  for (let number = 0; number < many; number += 1) {
    folders.push(await workspace.addRevision('main', { id: idOf(number) }))
  }
  expect(await workspace.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  // What was written a moment ago could be written once more without its times telling.
  for (let attempt = 0; attempt < 30 && !(await isThere(memoOf(workspace))); attempt += 1) {
    await setTimeout(500)
    expect(await upgrade(workspace)).toBe(upToDate(head))
  }
  expect(await isThere(memoOf(workspace))).toBe(true)
  return { ...workspace, url, folders }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** The first line of an upgrade, and its exit code where that is not 0. */
async function upgrade(workspace: TestWorkspace, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await workspace.migrate('upgrade', ...args)
  return exitCode === 0 ? stdout.split('\n')[0]! : `${exitCode} ${stderr.split('\n')[0]}`
}

const upToDate = (id: string) => `main  up to date, at ${id}`

/** Has the memo say another head than the files do: whoever says it has not read them. */
async function mark(workspace: TestWorkspace): Promise<void> {
  const memo = await readFile(memoOf(workspace), 'utf8')
  await writeFile(memoOf(workspace), memo.replaceAll(head, 'feedfeedfeed'))
}

const unread = upToDate('feedfeedfeed')

test('files that have not changed since all of them were applied are not read again', async () => {
  await using workspace = await createSettled()
  const ways = [['upgrade'], ['upgrade', 'heads'], ['upgrade', '--dry-run'], ['upgrade', '--json'], ['plan', '--json']]
  const run = async () => Promise.all(ways.map(async (way) => withoutTimes(await workspace.migrate(...way))))
  const remembered = await run()

  workspace.env['DROVER_READ_ALL'] = '1'
  expect(await run()).toEqual(remembered)
  workspace.env['DROVER_READ_ALL'] = '0'
  await mark(workspace)

  expect(await upgrade(workspace)).toBe(unread)
  expect(await upgrade(workspace, 'heads')).toBe(unread)
  // What goes elsewhere, or only looks, reads.
  expect(await upgrade(workspace, head)).toBe(upToDate(head))
  expect(await workspace.migrate('current')).toMatchObject({ stdout: expect.stringContaining(head) })
  workspace.env['DROVER_READ_ALL'] = 'perhaps'
  expect(await upgrade(workspace)).toBe('2 error: DROVER_READ_ALL is neither 1 nor 0')
})

/** Output of a run that is the same in each. */
function withoutTimes({ exitCode, stdout, stderr }: Awaited<ReturnType<TestWorkspace['migrate']>>): unknown {
  return { exitCode, stderr, stdout: stdout.replaceAll(/"(?:durationMs|created)": ?[^,\n]+/g, '') }
}

test('whatever is done to the files is seen', async () => {
  await using workspace = await createSettled()
  const file = join(workspace.root, workspace.folders[7]!, 'migration.sql')
  const text = await readFile(file, 'utf8')
  await mark(workspace)

  // Of the same length, and as old as before by its own account.
  const { atime, mtime } = await stat(file)
  await writeFile(file, text.replace('1', '2'))
  await utimes(file, atime, mtime)
  expect(await upgrade(workspace)).toMatch(
    /^3 error: main: .*"revision 000000000007".* was edited after it was applied/,
  )

  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
  expect(await upgrade(workspace)).toBe(upToDate(head))

  await appendFile(join(workspace.root, workspace.folders[8]!, 'revision.json'), '}')
  expect(await upgrade(workspace)).toMatch(/^2 error: main: .*revision\.json is not JSON/)
})

test('a revision more is applied, and one that is gone is missed', async () => {
  await using workspace = await createSettled()
  await mark(workspace)
  const added = await workspace.addRevision('main', { id: 'aaaaaaaaaaaa', up: 'create table added ();\n' })

  expect(await upgrade(workspace)).toBe('main  1 revision applied')
  expect(await upgrade(workspace)).toBe(upToDate('aaaaaaaaaaaa'))

  await rm(join(workspace.root, added), { recursive: true })
  expect(await upgrade(workspace)).toMatch(/^3 error: main: revision aaaaaaaaaaaa is applied in the database/)
})

test('whatever is done to the database is seen', async () => {
  await using workspace = await createSettled()
  await mark(workspace)
  const { url } = workspace

  await query(url, `update drover.applied set checksum = 'sha256:0' where revision = '${idOf(3)}'`)
  expect(await upgrade(workspace)).toMatch(/^3 error: main: .* was edited after it was applied/)

  await query(url, `delete from drover.applied where revision = '${idOf(3)}'`)
  expect(await upgrade(workspace)).toMatch(/^3 error: main: .* is not applied, although/)

  await query(url, 'drop schema drover cascade')
  expect(await upgrade(workspace)).toBe(`main  ${many} revisions applied`)
  expect(await readApplied(url)).toHaveLength(many)
  expect(await upgrade(workspace)).toBe(unread)
})

test('another database with the same history is asked for itself', async () => {
  await using workspace = await createSettled()
  await mark(workspace)
  const other = await workspace.addDatabase('main')

  expect(await upgrade(workspace)).toBe(`main  ${many} revisions applied`)
  expect(await readApplied(other)).toHaveLength(many)
  expect(await upgrade(workspace)).toBe(unread)
})

test('a revision elsewhere that depends on a history which was not read finds what it depends on', async () => {
  await using workspace = await createSettled()
  await mark(workspace)
  const url = await workspace.addDatabase('other', { after: ['main'] })
  await workspace.addRevision('other', { id: 'bbbbbbbbbbbb', dependsOn: [`main/${idOf(9)}`] })

  const applied = await workspace.migrate('upgrade')
  expect(applied.stdout).toMatch(/^main +up to date, at feedfeedfeed\nother +1 revision applied\n/)
  await workspace.addRevision('other', { id: 'cccccccccccc', dependsOn: ['main/dddddddddddd'] })
  const refused = await workspace.migrate('upgrade')
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('main/dddddddddddd') })
  expect(await readApplied(url)).toEqual(['bbbbbbbbbbbb'])
})

test('a memo that is damaged, or a folder where it should be, is passed over', async () => {
  await using workspace = await createSettled()
  await mark(workspace)

  await writeFile(memoOf(workspace), '{"version":')
  expect(await upgrade(workspace)).toBe(upToDate(head))
  await mark(workspace)
  expect(await upgrade(workspace)).toBe(unread)
  await rm(memoOf(workspace))
  await mkdir(memoOf(workspace))
  expect(await upgrade(workspace)).toBe(upToDate(head))
  expect(await upgrade(workspace)).toBe(upToDate(head))
})
