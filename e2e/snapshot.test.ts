import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { createThrowawayDatabase } from '@drover/server'
import { expect, inject, test } from 'vitest'

import { createMirrored, createWithSnapshot, declareMirror, mirroredIds, mirroredSnapshot } from './harness/mirrored.ts'
import { expectFailure } from './harness/pair.ts'
import { catalogOf, query, queryColumn, readApplied } from './harness/query.ts'

const [a1, b2, c3] = mirroredIds
const file = mirroredSnapshot

test('an empty database with the history of another one is made from its snapshot in one go, and is the same', async () => {
  await using workspace = await createMirrored()
  const written = await workspace.migrate('snapshot')
  expect(written).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`test: wrote ${file} (3 revisions`) })

  const planned = await workspace.migrate('plan')
  const dry = await workspace.migrate('upgrade', '--dry-run')
  const upgrade = await workspace.migrate('upgrade')

  expect(planned.stdout).toMatch(new RegExp(`^  loads ${file}: 3 revisions\n  4\\. ${a1} step 1 \\(loaded\\)$`, 'm'))
  expect(dry.stdout).toContain(`test: would apply 3 revisions\n  loads ${file}: 3 revisions\n  ${a1} step 1 (loaded)\n`)
  expect(upgrade).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^test +3 revisions applied$/m) })
  expect(upgrade.stderr).toMatch(new RegExp(`^test  loaded   ${file}: 3 revisions \\(`, 'm'))
  expect(upgrade.stderr).not.toMatch(/^test +applied/m)
  expect(await catalogOf(workspace.test)).toEqual(await catalogOf(workspace.shop))
  expect(await query(workspace.test, 'select * from products order by id')).toEqual(
    await query(workspace.shop, 'select * from products order by id'),
  )
  const records = 'select revision, checksum, state from drover.applied order by 1'
  expect(await query(workspace.test, records)).toEqual(await query(workspace.shop, records))
  expect(await queryColumn(workspace.test, 'select outcome from drover.run')).toEqual(['succeeded'])
  expect(await queryColumn(workspace.test, `insert into products (name) values ('four') returning id`)).toEqual(['4'])
})

test('it is a database like any other from then on', async () => {
  await using workspace = await createWithSnapshot()
  await workspace.migrate('upgrade', '-d', 'test')

  expect((await workspace.migrate('upgrade', '-d', 'test')).stdout).toContain('nothing to do')
  expect((await workspace.migrate('current', '-d', 'test')).stdout).toContain(`${c3} (head)  up to date`)
  expect((await workspace.migrate('drift', '-d', 'test')).exitCode).toBe(0)
})

test('it goes down by the revisions, up by the missing ones, and from empty by the snapshot again', async () => {
  await using workspace = await createWithSnapshot()
  await workspace.migrate('upgrade', '-d', 'test')

  expect((await workspace.migrate('downgrade', '-1', '-d', 'test', '--yes')).exitCode).toBe(0)
  expect(await readApplied(workspace.test)).toEqual([a1, b2])
  const again = await workspace.migrate('upgrade', '-d', 'test')
  expect(again.stderr).toMatch(new RegExp(`^test +applied +${c3} step 3`, 'm'))
  expect((await workspace.migrate('downgrade', 'base', '-d', 'test', '--yes')).exitCode).toBe(0)
  expect((await workspace.migrate('upgrade', '-d', 'test')).stderr).toContain(`loaded   ${file}`)
})

test('what came after an older snapshot runs as revisions, and so does what is missing of a database', async () => {
  await using workspace = await createWithSnapshot()
  await workspace.addRevision('shop', { id: 'd4d4d4d4d4d4', message: 'step 4', up: 'create table later ();\n' })

  const upgrade = await workspace.migrate('upgrade', '-d', 'test', '--json')

  expect(upgrade.json()).toMatchObject({
    ok: true,
    databases: [
      {
        name: 'test',
        targets: [{ snapshot: { file, revisions: [...mirroredIds] }, current: ['d4d4d4d4d4d4'], state: 'up-to-date' }],
      },
    ],
  })
  expect(await readApplied(workspace.test)).toEqual([...mirroredIds, 'd4d4d4d4d4d4'])
  await workspace.addRevision('shop', { id: 'e5e5e5e5e5e5', up: 'create table last ();\n' })
  const rest = await workspace.migrate('upgrade', '-d', 'test', '--json')
  expect(rest.json().databases[0].targets[0]).not.toHaveProperty('snapshot')
  expect(rest.json().databases[0].targets[0].steps).toMatchObject([{ revision: 'e5e5e5e5e5e5', status: 'applied' }])
})

test.each<[string, (text: string) => string | undefined, string]>([
  ['missing', () => undefined, `${file} is missing`],
  ['edited by hand', (text) => text.replace('products', 'wares'), `${file} was edited by hand, or merged`],
  ['no snapshot', () => 'create table products ();\n', `${file} is not a snapshot that Drover has written`],
])('where the snapshot is %s, the history runs with a warning, and check finds it', async (_, change, fault) => {
  await using workspace = await createWithSnapshot()
  const changed = change(await readFile(join(workspace.root, file), 'utf8'))
  if (changed === undefined) await rm(join(workspace.root, file))
  else await workspace.write(file, changed)

  const check = await workspace.migrate('check', '--offline', '--json')
  const upgrade = await workspace.migrate('upgrade', '-d', 'test')

  expect(check.json()).toMatchObject({
    exitCode: 4,
    error: { code: 'SNAPSHOT_STALE', database: 'test', file, message: fault },
  })
  expect(check.json().error.hint).toContain('pnpm migrate snapshot -d test')
  expect(upgrade.exitCode).toBe(0)
  expect(upgrade.stderr).toContain(`warning: test: the revisions run one by one: ${fault}`)
  expect(await readApplied(workspace.test)).toEqual([...mirroredIds])
})

test('an edited revision makes the snapshot stale, and a comment in one does not', async () => {
  await using workspace = await createWithSnapshot()
  const migration = `${workspace.folders[2]}/migration.sql`
  const before = await readFile(join(workspace.root, migration), 'utf8')

  await workspace.write(migration, `-- why\n${before}`)
  expect((await workspace.migrate('check', '--offline')).exitCode).toBe(0)
  await workspace.write(migration, before.replaceAll('made_at', 'was_made_at'))

  const check = await workspace.migrate('check', '--offline')
  expectFailure(check, 4, `${file} was made before ${c3} "step 3" was edited`, 'pnpm migrate snapshot -d test')
  const upgrade = await workspace.migrate('upgrade', '-d', 'test')
  expect(upgrade.stderr).toContain('warning: test: the revisions run one by one')
  expect(await queryColumn(workspace.test, `select to_regclass('was_made_at') is not null`)).toEqual([true])
})

test('check builds both and finds a snapshot that builds something else', async () => {
  await using workspace = await createWithSnapshot()
  const good = await workspace.migrate('check', '-d', 'test')
  // What somebody does who knows about the checksum.
  const text = await readFile(join(workspace.root, file), 'utf8')
  const { parseSnapshot, writeSnapshot } = await import('@drover/engine')
  const reading = parseSnapshot(file, text)
  if (reading.kind !== 'read') throw new Error('it cannot be read')
  const forge = (body: string) =>
    workspace.write(
      file,
      writeSnapshot({
        migrations: 'databases/shop/migrations',
        heads: [c3],
        revisions: reading.snapshot.revisions,
        body,
        command: 'pnpm migrate snapshot -d test',
      }),
    )

  await forge(reading.snapshot.body.replace(/^CREATE TRIGGER [^;]*;$/m, ''))
  const differs = await workspace.migrate('check', '-d', 'test')
  await forge(`${reading.snapshot.body}\nselect 1 / 0;\n`)
  const broken = await workspace.migrate('check', '-d', 'test')
  const offline = await workspace.migrate('check', '-d', 'test', '--offline')
  const anew = await workspace.migrate('snapshot')

  expect(good.stdout).toMatch(new RegExp(`^  ${file} builds what the history builds \\(\\d+ objects compared\\)$`, 'm'))
  expectFailure(
    differs,
    4,
    'build different schemas, in 1 place: table public.products: trigger products_touch is missing',
  )
  expectFailure(broken, 4, `${file} cannot be loaded: division by zero`, 'pnpm migrate snapshot -d test')
  expect(offline.exitCode).toBe(0)
  expect(anew.stdout).toContain(`wrote ${file}`)
  expect(withoutTimes(await readFile(join(workspace.root, file), 'utf8'))).toBe(withoutTimes(text))
})

test('the file is the same each time, although a revision fills in the time', async () => {
  await using workspace = await createWithSnapshot()
  const first = await readFile(join(workspace.root, file), 'utf8')

  const second = await workspace.migrate('snapshot', '--json')

  expect(second.json()).toMatchObject({ databases: [{ name: 'test', file, status: 'unchanged', heads: [c3] }] })
  expect(await readFile(join(workspace.root, file), 'utf8')).toBe(first)
  expect(first).not.toMatch(/\\restrict|Dumped|transaction_timeout|^COPY /m)
})

test('--dry-run writes nothing, and what is not to be written is not', async () => {
  await using workspace = await createMirrored()

  const dry = await workspace.migrate('snapshot', '--dry-run', '-d', 'shop,test')

  expect(dry.stdout).toContain('shop: would write databases/shop/schema.sql (3 revisions')
  expect(dry.stdout).toContain(`test: would write ${file} (3 revisions`)
  await expect(readFile(join(workspace.root, file))).rejects.toThrow('ENOENT')
  const loneRevision = await workspace.migrate('revision', 'x', '--empty', '-d', 'test')
  expectFailure(loneRevision, 2, 'it has the history of shop, and no revisions of its own', '-d shop')
})

test('init --from-snapshot makes any empty database from its snapshot, and says where it does not', async () => {
  await using workspace = await createMirrored()
  await workspace.migrate('snapshot', '-d', 'shop')

  const plain = await workspace.migrate('upgrade', '--dry-run', '-d', 'shop')
  const init = await workspace.migrate('init', '--from-snapshot')

  expect(plain.stdout).not.toContain('loads')
  expect(init.exitCode).toBe(0)
  expect(init.stderr).toContain('shop  loaded   databases/shop/schema.sql: 3 revisions')
  expect(init.stderr).toContain(`warning: test: the revisions run one by one: ${file} is missing`)
  expect(await catalogOf(workspace.shop)).toEqual(await catalogOf(workspace.test))

  await workspace.addRevision('shop', { id: 'd4d4d4d4d4d4', up: 'create table later ();\n' })
  const later = await workspace.migrate('upgrade', '--from-snapshot', '-d', 'shop')
  expect(later.exitCode).toBe(0)
  expect(later.stderr).toContain('warning: shop: the revisions run one by one: the database has had some already')
})

test('a database that somebody has made from the file by hand is left alone, with the way on, and nothing half done', async () => {
  await using workspace = await createWithSnapshot()
  await query(workspace.test, await readFile(join(workspace.root, file), 'utf8'))
  const before = await catalogOf(workspace.test)

  const upgrade = await workspace.migrate('upgrade', '-d', 'test')

  expectFailure(upgrade, 1, `error: test: ${file}:`, 'already exists', 'pnpm migrate stamp head -d test')
  expect(await catalogOf(workspace.test)).toEqual(before)
  expect(await readApplied(workspace.test)).toEqual([])
  expect((await workspace.migrate('stamp', 'head', '-d', 'test', '--yes')).exitCode).toBe(0)
  expect((await workspace.migrate('upgrade', '-d', 'test')).stdout).toContain('nothing to do')
})

test('a plan says what it loads, and is stale when that is another one', async () => {
  await using workspace = await createWithSnapshot()
  const out = await workspace.migrate('plan', '--out', 'plan.json', '-d', 'test', '--markdown')
  expect(out.stdout).toContain(`Loads \`${file}\`, which stands for 3 revisions.`)
  const text = await readFile(join(workspace.root, file), 'utf8')

  await rm(join(workspace.root, file))
  const stale = await workspace.migrate('upgrade', '--plan', 'plan.json')
  await workspace.write(file, text)
  const done = await workspace.migrate('upgrade', '--plan', 'plan.json')

  expectFailure(stale, 3, 'schema.sql', 'make a new plan')
  expect(done).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`test  loaded   ${file}`) })
})

test('ten at once load it once', async () => {
  await using workspace = await createWithSnapshot()

  const ended = await Promise.all(
    Array.from({ length: 10 }, () => workspace.migrate('upgrade', '-d', 'test', '--json')),
  )

  expect(ended.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: 10 }, () => 0))
  expect(ended.filter((one) => one.json().databases[0].targets[0].snapshot)).toHaveLength(1)
  expect(await queryColumn(workspace.test, 'select count(*) from made_at')).toEqual(['1'])
})

test('what PGlite cannot replay is dumped by the pg_dump of this machine, and refused where none fits', async () => {
  await using workspace = await createMirrored()
  await workspace.addRevision('shop', {
    id: 'd4d4d4d4d4d4',
    code: `import { defineMigration } from '@drover/config'

export default defineMigration({
  up: async ({ sql }) => {
    await sql\`create table by_code (id integer)\`
  },
  down: async ({ sql }) => {
    await sql\`drop table by_code\`
  },
})
`,
  })

  const none = await workspace.start(['snapshot'], { env: { PATH: '/nowhere' } }).ended
  const [version] = await queryColumn(
    inject('serverUrl'),
    `select current_setting('server_version_num')::integer / 10000`,
  )

  if (Number(version) > 15) {
    expectFailure(none, 3, 'PGlite cannot replay the history', `no pg_dump of PostgreSQL ${version} or later was found`)
    await expect(readFile(join(workspace.root, file))).rejects.toThrow('ENOENT')
  } else {
    expect(none.exitCode).toBe(0)
    expect(await readFile(join(workspace.root, file), 'utf8')).toContain('CREATE TABLE public.by_code')
  }
})

test.each([
  [`mirrors: ['gone']`, '"mirrors" names "gone", and there is no such database'],
  [`mirrors: ['shop', 'other']`, '"mirrors" must name one database: several histories in one are not supported\n'],
  [`mirrors: ['shop'], schema: './schema.ts'`, '"schema" is not an option'],
])('a declaration with %s is refused', async (more, fault) => {
  await using workspace = await createMirrored()
  await declareMirror(workspace, more)

  expectFailure(await workspace.migrate('upgrade'), 2, `error: databases/test/database.ts: ${fault}`)
})

test('the snapshot loads into PostgreSQL by any client, without Drover', async () => {
  await using workspace = await createWithSnapshot()
  await workspace.migrate('upgrade', '-d', 'shop')
  await using made = await createThrowawayDatabase(inject('serverUrl'))

  await query(made.url, await readFile(join(workspace.root, file), 'utf8'))

  expect(await catalogOf(made.url)).toEqual(await catalogOf(workspace.shop))
})

/** A snapshot without what depends on when it was made. */
function withoutTimes(text: string): string {
  return text.replaceAll(/^(?:INSERT INTO public\.made_at|-- content:).*$/gm, '')
}
