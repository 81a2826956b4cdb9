import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { readApplied, readStore } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const ids = {
  tenants: '0b1f6a2c9d34',
  statuses: '5c77e0a1b2f8',
  passkeys: '9ae43d10c6b5',
  billing: 'd21b58f07e6c',
  owners: '61f0c9e4a7d3',
  merge: '47bd92c05e1a',
  accounts: '3f9c1a7be204',
} as const

/** `main` has a branch and its merge; `credentials` has one revision, which the branch depends on. */
async function createBranching(): Promise<TestWorkspace & { readonly urls: Record<'credentials' | 'main', string> }> {
  const workspace = await createWorkspace()
  const credentials = await workspace.addDatabase('credentials')
  const main = await workspace.addDatabase('main', { after: ['credentials'] })
  const add = (key: keyof typeof ids, message: string, parents: readonly (keyof typeof ids)[], more: object = {}) =>
    workspace.addRevision(key === 'accounts' ? 'credentials' : 'main', {
      id: ids[key],
      message,
      parents: parents.map((parent) => ids[parent]),
      ...more,
    })
  await add('accounts', 'create accounts', [])
  await add('tenants', 'create tenants', [])
  await add('statuses', 'add statuses', ['tenants'])
  await add('passkeys', 'add passkeys', ['statuses'], { labels: ['passkeys'] })
  await add('billing', 'add billing', ['statuses'], { dependsOn: [`credentials/${ids.accounts}`] })
  await add('owners', 'require passkeys', ['passkeys'])
  await add('merge', 'merge billing', ['owners', 'billing'], { down: null })
  return { ...workspace, urls: { credentials, main } }
}

const utf8 = { LANG: 'C.UTF-8' }

describe('the graph', () => {
  test('is drawn with --format graph, with box characters where the locale is UTF-8', async () => {
    await using workspace = await createBranching()

    const ended = await workspace.start(['history', '--format', 'graph'], { env: utf8 }).ended

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toBe(`credentials (databases/credentials/migrations)
  ●  3f9c1a7be204  create accounts (head, base)

main (databases/main/migrations)
  ●    47bd92c05e1a  merge billing (head, irreversible)
  ├─╮
  │ ●  d21b58f07e6c  add billing (depends on credentials/3f9c1a7be204)
  ● │  61f0c9e4a7d3  require passkeys
  ● │  9ae43d10c6b5  add passkeys [passkeys]
  ├─╯
  ●    5c77e0a1b2f8  add statuses
  ●    0b1f6a2c9d34  create tenants (base)
`)
  })

  test('is drawn in ASCII in any other locale, and with --ascii', async () => {
    await using workspace = await createBranching()
    const words = ['history', '-d', 'main', '--format', 'graph']

    const unknown = await workspace.migrate(...words)
    const latin = await workspace.start(words, { env: { ...utf8, LC_ALL: 'de_DE.ISO-8859-1' } }).ended
    const asked = await workspace.start([...words, '--ascii'], { env: utf8 }).ended

    expect(unknown.stdout).toBe(`main (databases/main/migrations)
  *    47bd92c05e1a  merge billing (head, irreversible)
  +-.
  | *  d21b58f07e6c  add billing (depends on credentials/3f9c1a7be204)
  * |  61f0c9e4a7d3  require passkeys
  * |  9ae43d10c6b5  add passkeys [passkeys]
  +-'
  *    5c77e0a1b2f8  add statuses
  *    0b1f6a2c9d34  create tenants (base)
`)
    expect([latin.stdout, asked.stdout]).toEqual([unknown.stdout, unknown.stdout])
  })

  test('tells more with --verbose', async () => {
    await using workspace = await createBranching()

    const { stdout } = await workspace.start(
      ['history', '-d', 'main', '--format', 'graph', '--verbose', '--range', '5c77:'],
      { env: utf8 },
    ).ended

    expect(stdout).toMatch(/^ {2}├─╮$/m)
    expect(stdout).toMatch(/^ {2}│ {6}after {4}61f0c9e4a7d3 require passkeys$/m)
    expect(stdout).toMatch(/^ {2}│ {15}d21b58f07e6c add billing$/m)
    expect(stdout).toMatch(/^ {2}│ {6}folder {3}databases\/main\/migrations\/\d{14}_47bd92c05e1a$/m)
  })
})

test('without a terminal there is a line for each revision, as with --format list', async () => {
  await using workspace = await createBranching()

  const ended = await workspace.migrate('history', '-d', 'main')

  expect(ended).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: `main (databases/main/migrations)
  47bd92c05e1a  merge billing (head, irreversible)
  61f0c9e4a7d3  require passkeys
  d21b58f07e6c  add billing (depends on credentials/3f9c1a7be204)
  9ae43d10c6b5  add passkeys [passkeys]
  5c77e0a1b2f8  add statuses
  0b1f6a2c9d34  create tenants (base)
`,
  })
  expect((await workspace.migrate('history', '-d', 'main', '--format', 'list')).stdout).toBe(ended.stdout)
  const verbose = await workspace.migrate('history', '-d', 'main', '--verbose')
  expect(verbose.stdout).toMatch(
    /^ {2}47bd92c05e1a {2}2026-\S+Z {2}61f0c9e4a7d3 d21b58f07e6c {2}databases\/main\/\S+ {2}merge billing \(/m,
  )
})

describe('--range', () => {
  const { tenants, statuses, passkeys, billing, owners, merge, accounts } = ids

  test.for<[range: string, shown: readonly string[]]>([
    ['main/5c77:61f0', [owners, passkeys, statuses]],
    ['main/5c77:', [merge, owners, billing, passkeys, statuses]],
    ['main/:d21b', [billing, statuses, tenants]],
    ['main/base+2:passkeys@head', [merge, owners, billing, passkeys, statuses]],
    ['main/passkeys:head', [merge, owners, passkeys]],
    ['main/passkeys:+1', [owners, passkeys]],
    ['credentials/:', [accounts]],
  ])('%s', async ([range, shown]) => {
    await using workspace = await createBranching()

    const text = await workspace.migrate('history', '--range', range)
    const document = (await workspace.migrate('history', '--range', range, '--json')).json()

    expect(text).toMatchObject({ exitCode: 0, stderr: '' })
    expect(text.stdout.match(/^ {2}[0-9a-f]{12}/gm)?.map((line) => line.trim())).toEqual(shown)
    expect(document.databases).toHaveLength(1)
    expect(document.databases[0].revisions.map(({ id }: any) => id)).toEqual(shown.toReversed())
  })

  test('without a revision in it is for all databases', async () => {
    await using workspace = await createBranching()

    const { stdout } = await workspace.migrate('history', '--range', 'head:')

    expect(stdout).toContain(`  ${accounts}  create accounts`)
    expect(stdout).toContain(`  ${merge}  merge billing`)
    expect(stdout).not.toContain(statuses)
  })

  test('shows in the graph that the history goes on below it', async () => {
    await using workspace = await createBranching()

    const { stdout } = await workspace.start(['history', '--range', `main/${passkeys}:head`, '--format', 'graph'], {
      env: utf8,
    }).ended

    expect(stdout).toBe(`main (databases/main/migrations)
  ●  47bd92c05e1a  merge billing (head, irreversible)
  ├─╮
  │ ~
  ●  61f0c9e4a7d3  require passkeys
  ●  9ae43d10c6b5  add passkeys [passkeys]
  ~
`)
  })

  test.for<[range: string, exitCode: number, code: string, ...texts: string[]]>([
    ['5c77:', 2, 'USAGE', 'revision "5c77" is given to 2 databases', '--range <database>/5c77: (credentials, main)'],
    [':passkeys@head', 2, 'USAGE', 'revision "passkeys" is given to 2 databases'],
    ['gdpr/base:head', 2, 'DATABASE_UNKNOWN', 'there is no database "gdpr"'],
    ['main/61f0:5c77', 2, 'RANGE_UNRELATED', 'is the wrong way round', 'turn it round: main/5c77:61f0'],
    ['main/61f0:d21b', 2, 'RANGE_UNRELATED', 'is not below'],
    ['main/9999:', 2, 'REVISION_UNKNOWN', 'main: no revision'],
    ['main/head-1:', 3, 'WALK_AMBIGUOUS', 'main: '],
    ['head-9:', 3, 'WALK_TOO_FAR', 'credentials: '],
    ['main/head', 2, 'TARGET_INVALID', 'a ":" is missing'],
    ['main/he:ad', 2, 'TARGET_INVALID', 'range "main/he:ad", character'],
  ])('%s is refused', async ([range, exitCode, code, ...texts]) => {
    await using workspace = await createBranching()

    const ended = await workspace.migrate('history', '--range', range, '--json')

    expectFailure(ended, exitCode, ...texts)
    expect(ended.json().error.code).toBe(code)
  })

  test('names only databases that the command is about', async () => {
    await using workspace = await createBranching()

    const ended = await workspace.migrate('history', '-d', 'credentials', '--range', 'main/5c77:')

    expectFailure(ended, 2, 'the range is for "main", which is not among: credentials')
  })
})

describe('--indicate-current', () => {
  test('says what is applied, and where the database stands', async () => {
    await using workspace = await createBranching()
    expect(await workspace.migrate('upgrade', `main/${ids.passkeys}`)).toMatchObject({ exitCode: 0 })
    const before = await readStore(workspace.urls.main)
    const words = ['history', '-d', 'main', '--indicate-current']

    const list = await workspace.migrate(...words)
    const graph = await workspace.start([...words, '--format', 'graph'], { env: utf8 }).ended
    const { databases } = (await workspace.migrate(...words, '--json')).json()

    expect(list).toMatchObject({ exitCode: 0, stderr: '' })
    expect(list.stdout).toBe(`main (databases/main/migrations)
  47bd92c05e1a  merge billing (pending, head, irreversible)
  61f0c9e4a7d3  require passkeys (pending)
  d21b58f07e6c  add billing (pending, depends on credentials/3f9c1a7be204)
  9ae43d10c6b5  add passkeys [passkeys] (current)
  5c77e0a1b2f8  add statuses (applied)
  0b1f6a2c9d34  create tenants (applied, base)
`)
    expect(graph.stdout).toBe(`main (databases/main/migrations)
  ○    47bd92c05e1a  merge billing (pending, head, irreversible)
  ├─╮
  │ ○  d21b58f07e6c  add billing (pending, depends on credentials/3f9c1a7be204)
  ○ │  61f0c9e4a7d3  require passkeys (pending)
  ◉ │  9ae43d10c6b5  add passkeys [passkeys] (current)
  ├─╯
  ●    5c77e0a1b2f8  add statuses (applied)
  ●    0b1f6a2c9d34  create tenants (applied, base)
`)
    expect(databases[0].revisions.map(({ id, isCurrent, isApplied }: any) => [id, isCurrent, isApplied])).toEqual([
      [ids.tenants, false, true],
      [ids.statuses, false, true],
      [ids.passkeys, true, true],
      [ids.billing, false, false],
      [ids.owners, false, false],
      [ids.merge, false, false],
    ])
    expect(await readStore(workspace.urls.main)).toEqual(before)
  })

  test('writes nothing into a database that has had nothing yet', async () => {
    await using workspace = await createBranching()

    const { stdout, exitCode } = await workspace.migrate('history', '--indicate-current')

    expect(exitCode).toBe(0)
    expect(stdout.match(/\(pending/g)).toHaveLength(7)
    expect(await readApplied(workspace.urls.main)).toEqual([])
  })

  test('warns of applied revisions that no file tells of', async () => {
    await using workspace = await createBranching()
    const folder = await workspace.addRevision('credentials', { id: '8d02b64e91fa', parents: [ids.accounts] })
    await workspace.migrate('upgrade', '-d', 'credentials')
    await rm(join(workspace.root, folder), { recursive: true })

    const ended = await workspace.migrate('history', '-d', 'credentials', '--indicate-current')

    expect(ended.exitCode).toBe(0)
    expect(ended.stderr).toMatch(/^warning: credentials: .*8d02b64e91fa/)
    expect(ended.stdout).toContain(`  ${ids.accounts}  create accounts (`)
  })

  test('fails for a database that cannot be reached, and shows it unmarked beside the others', async () => {
    await using workspace = await createBranching()
    workspace.env['MAIN_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'

    const ended = await workspace.migrate('history', '--indicate-current')
    const document = (await workspace.migrate('history', '--indicate-current', '--json')).json()

    expectFailure(ended, 2, 'error: main: ')
    expect(ended.stdout).toContain(`  ${ids.accounts}  create accounts (pending, head, base)\n`)
    expect(ended.stdout).toContain(`  ${ids.tenants}  create tenants (base)\n`)
    expect(document).toMatchObject({ ok: false, exitCode: 2, error: { code: 'UNREACHABLE', database: 'main' } })
    expect(document.databases.map(({ revisions }: any) => 'isApplied' in revisions[0])).toEqual([true, false])
  })
})

describe('a picture', () => {
  test('for Mermaid is one flowchart of all databases', async () => {
    await using workspace = await createBranching()
    await workspace.migrate('upgrade', '-d', 'credentials')

    const ended = await workspace.migrate('history', '--format', 'mermaid', '--indicate-current')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(/^flowchart BT\n {2}subgraph credentials__group\["credentials"\]\n/)
    expect(ended.stdout).toContain('    credentials__3f9c1a7be204["3f9c1a7be204<br/>create accounts"]:::current\n')
    expect(ended.stdout).toContain('    main__9ae43d10c6b5["9ae43d10c6b5<br/>add passkeys<br/>[passkeys]"]:::pending\n')
    expect(ended.stdout).toContain('  main__5c77e0a1b2f8 --> main__9ae43d10c6b5\n')
    expect(ended.stdout).toContain('  credentials__3f9c1a7be204 -.-> main__d21b58f07e6c\n')
  })

  test('for Graphviz is one graph of all databases', async () => {
    await using workspace = await createBranching()

    const ended = await workspace.migrate('history', '--format', 'dot', '-d', 'main')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(/^digraph history \{\n[^]*\n\}\n$/)
    expect(ended.stdout).toContain(`    "main/9ae43d10c6b5" [label="9ae43d10c6b5\\nadd passkeys\\n[passkeys]"]\n`)
    expect(ended.stdout).toContain('  "main/5c77e0a1b2f8" -> "main/9ae43d10c6b5"\n')
    expect(ended.stdout).toContain('  "credentials/3f9c1a7be204" -> "main/d21b58f07e6c" [style=dashed]\n')
  })

  test('of no known kind is refused', async () => {
    await using workspace = await createBranching()

    const ended = await workspace.migrate('history', '--format', 'svg')

    expect(ended).toMatchObject({ exitCode: 2, stdout: '' })
    expect(ended.stderr).toContain('Allowed choices are list, graph, mermaid, dot')
  })
})
