import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { ConnectionUrl, openConnection, type Row } from '@drover/engine'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { createMirrored, declareMirror, type Mirrored, mirroredIds } from './harness/mirrored.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { catalogOf, query, queryColumn } from './harness/query.ts'

/** What a name may hold that SQL, a shell and psql each take for something else. */
const hostile = `it's "quoted" \\ $(id) \`id\` :x; -- ü`

let workspace: Mirrored
const unique = `t${randomBytes(4).toString('hex')}`
const names = { test: `${unique} ${hostile}`, jobs: `${unique}_jobs`, keys: `${unique} keys` }

beforeAll(async () => {
  workspace = await createMirrored()
  await declareMirror(workspace, `mirrors: ['shop'], after: ['shop'], database: ${JSON.stringify(names.test)}`)
  for (const name of ['jobs', 'keys'] as const) {
    await workspace.write(
      `databases/${name}/database.ts`,
      `export default { kind: 'external', name: '${name}', database: '${names[name]}', managedBy: 'another program' }\n`,
    )
  }
})

afterAll(async () => {
  for (const name of Object.values(names)) await query(inject('serverUrl'), `drop database if exists ${quoted(name)}`)
  await workspace[Symbol.asyncDispose]()
})

test('the files are for the databases of tests and those that migrate themselves, and the same each time', async () => {
  const first = await workspace.migrate('snapshot', '--initdb', 'init/d', '--json')
  const texts = await readAll('init/d')
  const second = await workspace.migrate('snapshot', '--initdb', 'init/d')

  expect(first.json()).toMatchObject({
    ok: true,
    databases: [{ name: 'test', status: 'written' }],
    initdb: [
      { file: 'init/d/000_init_databases.sh', executable: true },
      { file: 'init/d/001_test_schema.sql', executable: false, database: 'test' },
    ],
  })
  expect(Object.keys(texts)).toEqual(['000_init_databases.sh', '001_test_schema.sql'])
  expect((await stat(join(workspace.root, 'init/d/000_init_databases.sh'))).mode & 0o777).toBe(0o755)
  expect((await stat(join(workspace.root, 'init/d/001_test_schema.sql'))).mode & 0o777).toBe(0o644)
  expect(second.stdout).toContain('wrote, for /docker-entrypoint-initdb.d:\n  init/d/000_init_databases.sh\n')
  expect(await readAll('init/d')).toEqual(texts)
})

test('--database chooses, and --dry-run writes nothing', async () => {
  const dry = await workspace.migrate('snapshot', '--initdb', 'elsewhere', '-d', 'shop,jobs', '--dry-run', '--json')

  expect(dry.json()).toMatchObject({
    databases: [{ name: 'shop', status: 'planned' }],
    initdb: [{ file: 'elsewhere/000_init_databases.sh' }, { file: 'elsewhere/001_shop_schema.sql', database: 'shop' }],
  })
  await expect(stat(join(workspace.root, 'elsewhere'))).rejects.toThrow('ENOENT')
  await expect(stat(join(workspace.root, 'databases/shop/schema.sql'))).rejects.toThrow('ENOENT')
})

test('a name that psql cannot be told is refused, and nothing is written', async () => {
  await using other = await createMirrored()
  await declareMirror(other, String.raw`mirrors: ['shop'], database: 'two\nlines'`)

  const ended = await other.migrate('snapshot', '--initdb', 'init')

  expectFailure(ended, 2, 'databases/test/database.ts: "database" has a line end', 'another name')
  await expect(stat(join(other.root, 'init'))).rejects.toThrow('ENOENT')
  await expect(stat(join(other.root, 'databases/test/schema.sql'))).rejects.toThrow('ENOENT')
})

test('a folder that cannot be written to is said', async () => {
  await workspace.write('file', '')

  expectFailure(await workspace.migrate('snapshot', '--initdb', 'file/x'), 2, 'file/x/000_init_databases.sh cannot be')
})

describe.skipIf(!hasPsql)('run as the image runs them', () => {
  beforeAll(async () => {
    const { exitCode, stderr } = await workspace.migrate('snapshot', '--initdb', 'init/d')
    if (exitCode !== 0) throw new Error(stderr)
    const [creating, loading] = await runAll()
    if (creating!.status !== 0 || loading!.status !== 0) throw new Error(`${creating!.stderr}${loading!.stderr}`)
  })

  test('they make the databases, each by its name, whatever is in it', async () => {
    const found = await queryColumn(
      inject('serverUrl'),
      `select datname from pg_database where datname like '${unique}%'`,
    )

    expect(new Set(found)).toEqual(new Set(Object.values(names)))
  })

  test('the tables are those of the history, and an upgrade has nothing to do', async () => {
    const url = urlOf(names.test)
    const at = { env: { TEST_DATABASE_URL: url } }

    const upgrade = await workspace.start(['upgrade', '-d', 'test'], at).ended
    const drift = await workspace.start(['drift', '-d', 'test'], at).ended
    await workspace.migrate('upgrade', '-d', 'shop')

    expect(upgrade).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing to do') })
    expect(drift).toMatchObject({ exitCode: 0 })
    expect(await catalogOf(url)).toEqual(await catalogOf(workspace.shop))
    expect(await ask(url, `select command, outcome from drover.run`)).toEqual([
      { command: 'snapshot --initdb', outcome: 'succeeded' },
    ])
    const records = 'select revision, checksum from drover.applied order by 1'
    expect(await ask(url, records)).toHaveLength(mirroredIds.length)
    expect(await ask(url, records)).toEqual(await ask(workspace.shop, records))
  })

  test('a later revision is applied to what they have made, and reverted again', async () => {
    const at = { env: { TEST_DATABASE_URL: urlOf(names.test) } }

    const down = await workspace.start(['downgrade', '-1', '-d', 'test', '--yes'], at).ended
    const up = await workspace.start(['upgrade', '-d', 'test'], at).ended

    expect(down.exitCode).toBe(0)
    expect(up).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^test +applied +c3c3c3c3c3c3/m) })
  })

  test('a second time the databases are left alone, and the schema is refused with nothing changed', async () => {
    const before = await catalogOf(urlOf(names.test))

    const [creating, loading] = await runAll()

    expect(creating).toMatchObject({ status: 0 })
    expect(loading!.status).not.toBe(0)
    expect(loading!.stderr).toContain('nothing was changed: the database "test" has had revisions already')
    expect(await catalogOf(urlOf(names.test))).toEqual(before)
  })

  test('the script that creates them is read by the entrypoint as well, where it is not executable', async () => {
    const script = join(workspace.root, 'init/d/000_init_databases.sh')

    const sourced = spawnSync('sh', ['-euc', `. "$1"; echo went on`, 'sh', script], {
      env: environment(),
      encoding: 'utf8',
    })

    expect(sourced).toMatchObject({ status: 0, stdout: expect.stringContaining('went on') })
  })
})

/** Runs the files in the order of their names: scripts of the shell as programs, and SQL by psql, in the first database. */
async function runAll(): Promise<readonly { readonly status: number | null; readonly stderr: string }[]> {
  const ended = []
  for (const file of Object.keys(await readAll('init/d'))) {
    const path = join(workspace.root, 'init/d', file)
    if (file.endsWith('.sh')) ended.push(spawnSync(path, { env: environment(), encoding: 'utf8' }))
    else {
      const { exitCode, stderr } = await runPsql(inject('serverUrl'), path)
      ended.push({ status: exitCode, stderr })
    }
  }
  return ended
}

/** What the image sets, and where the server is. */
function environment(): Record<string, string> {
  const { hostname, port, username, password } = new URL(inject('serverUrl'))
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    POSTGRES_USER: username,
    PGHOST: hostname,
    PGPORT: port,
    PGPASSWORD: decodeURIComponent(password),
  }
}

async function readAll(folder: string): Promise<Readonly<Record<string, string>>> {
  const files = (await readdir(join(workspace.root, folder))).toSorted()
  const texts = files.map(async (file) => [file, await readFile(join(workspace.root, folder, file), 'utf8')] as const)
  return Object.fromEntries(await Promise.all(texts))
}

/** The driver that tests use otherwise takes the name of a database from a URL as it stands there. */
async function ask(url: string, statement: string): Promise<readonly Row[]> {
  await using connection = openConnection(ConnectionUrl.parse(url, 'the test'))
  // Awaited here: the connection is closed when this function returns.
  return await connection.send(statement)
}

function urlOf(database: string): string {
  const url = new URL(inject('serverUrl'))
  url.pathname = `/${encodeURIComponent(database)}`
  return url.href
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
