import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { readFiles } from './harness/runners.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

describe('what cannot be exported', () => {
  test('code and batches are refused with their files, and nothing is written', async () => {
    await using workspace = await createUsers()
    const code = await workspace.addRevision('main', { id: 'aaaa00000002', code: 'export async function up() {}\n' })
    const batch = await workspace.addRevision('main', {
      id: 'aaaa00000003',
      batch: { until: 'unchanged' },
      up: 'delete from users;\n',
    })

    const ended = await workspace.migrate('export', '--format', 'goose', '--out', 'out', '--json')

    expect(ended.exitCode).toBe(3)
    expect(ended.json().problems).toEqual([
      expect.objectContaining({ code: 'EXPORT_REFUSED', revision: 'aaaa00000002', file: `${code}/migration.ts` }),
      expect.objectContaining({ code: 'EXPORT_REFUSED', revision: 'aaaa00000003', file: `${batch}/migration.sql` }),
    ])
    expect(ended.stderr).toContain('next: write what it does as SQL, or have Drover (pnpm migrate upgrade -d main)')
    await expect(readdir(join(workspace.root, 'out'))).rejects.toThrow('ENOENT')
  })

  test('several databases are refused: a folder takes one', async () => {
    await using workspace = await createUsers()
    await workspace.addDatabase('other', { create: false })

    expectFailure(
      await workspace.migrate('export', '--format', 'goose', '--out', 'out'),
      2,
      'a folder takes the history of one database, and there are 2: main, other',
      'next: name the database: -d <name>',
    )
  })
})

describe('the folder', () => {
  test('is made what it has to be each time: what is the same stays, what is gone is removed', async () => {
    await using workspace = await createUsers()
    const added = await workspace.addRevision('main', { id: 'aaaa00000002', message: 'two', up: 'select 2;\n' })
    const run = (...words: readonly string[]) =>
      workspace.migrate('export', '--format', 'golang-migrate', '--out', 'out', ...words, '--json')
    const out = join(workspace.root, 'out')

    const dry = await run('--dry-run')
    expect(statusesOf(dry.json())).toEqual(['planned', 'planned', 'planned', 'planned'])
    await expect(readdir(out)).rejects.toThrow('ENOENT')

    expect(statusesOf((await run()).json())).toEqual(['written', 'written', 'written', 'written'])
    const first = await readFiles(out)
    expect(statusesOf((await run()).json())).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged'])
    expect(await readFiles(out)).toEqual(first)

    await rm(join(workspace.root, added), { recursive: true })
    const [name] = first.keys()
    await writeFile(join(out, name!), `${first.get(name!)}-- edited\n`)
    await writeFile(join(out, 'README.md'), 'how we migrate\n')
    expect(statusesOf((await run('--dry-run')).json())).toEqual(['unchanged', 'planned', 'stale', 'stale'].toSorted())
    expect(statusesOf((await run()).json())).toEqual(['removed', 'removed', 'unchanged', 'written'])
    expect([...(await readFiles(out)).keys()]).toEqual([...[...first.keys()].slice(0, 2), 'README.md'])
  })

  test('is not touched where files are in it that no export has written, or that of another database', async () => {
    await using workspace = await createUsers()
    await workspace.addDatabase('other', { create: false })
    await workspace.addRevision('other', { id: 'bbbb00000001' })
    const run = (database: string) => workspace.migrate('export', '--format', 'dbmate', '--out', 'out', '-d', database)
    await workspace.write('out/20200101000000_by_hand.sql', '-- migrate:up\n-- migrate:down\n')

    expectFailure(
      await run('main'),
      3,
      'out/20200101000000_by_hand.sql is there already, and was not exported from databases/main/migrations',
      'next: choose another folder, or move the file away',
    )
    expect(await readdir(join(workspace.root, 'out'))).toEqual(['20200101000000_by_hand.sql'])

    await rm(join(workspace.root, 'out'), { recursive: true })
    expect(await run('main')).toMatchObject({ exitCode: 0 })
    const before = await readFiles(join(workspace.root, 'out'))
    expectFailure(await run('other'), 3, 'was not exported from databases/other/migrations')
    expect(await readFiles(join(workspace.root, 'out'))).toEqual(before)
  })

  test('says what it holds, and what it lacks', async () => {
    await using workspace = await createUsers()
    await workspace.write('out', 'a file\n')

    expectFailure(
      await workspace.migrate('export', '--format', 'sql', '--out', 'out'),
      2,
      'out cannot be read (ENOTDIR)',
    )
    const ended = await workspace.migrate('export', '--format', 'sql', '--out', 'sql')
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(
      /^main: 1 revision for sql in sql: 3 files written\n {2}wrote sql\/\d{14}_aaaa00000001\.up\.sql\n/,
    )
    expect((await workspace.migrate('export', '--format', 'sql', '--out', 'sql')).stdout).toBe(
      'main: 1 revision for sql in sql: 3 as they were\n',
    )
  })
})

function statusesOf(document: any): readonly string[] {
  return document.databases[0].files.map(({ status }: { status: string }) => status).toSorted()
}

async function createUsers(): Promise<TestWorkspace> {
  const workspace = await createWorkspace()
  await workspace.addDatabase('main', { create: false })
  await workspace.addRevision('main', {
    id: 'aaaa00000001',
    up: 'create table users (name text);\n',
    down: 'drop table users;\n',
  })
  return workspace
}
