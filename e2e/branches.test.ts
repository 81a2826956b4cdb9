import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { expectFailure } from './harness/pair.ts'
import { queryColumn, readApplied } from './harness/query.ts'
import { createShop, type Shop, shopIds } from './harness/shop.ts'
import type { Ended } from './harness/workspace.ts'

const { a1, a2, b1, b2, c1, c2 } = shopIds

/** The tables that are there, so what was really run. */
async function tablesOf(shop: Shop): Promise<readonly string[]> {
  return queryColumn(shop.url, `select tablename from pg_tables where schemaname = 'public' order by 1`)
}

/** The folders of its revisions. */
async function recordsOf(shop: Shop): Promise<readonly string[]> {
  return readdir(join(shop.root, 'databases/shop/migrations'))
}

function stepsOf(ended: Ended): readonly string[] {
  return ended.json().databases[0].targets[0].steps.map(({ revision }: { revision: string }) => revision)
}

describe('upgrade', () => {
  test('to head is refused where there are several, which are listed with their labels and the command to merge', async () => {
    await using shop = await createShop()

    const ended = await shop.migrate('upgrade', '--json')

    expectFailure(
      ended,
      3,
      `shop: the history has 2 heads: ${b2} "create b2", ${c2} "create c2"`,
      `join them with: pnpm migrate merge ${b2} ${c2}`,
    )
    expect(ended.json().error.code).toBe('SEVERAL_HEADS')
    expect(await tablesOf(shop)).toEqual([])
  })

  test('to heads applies every branch, each revision behind what it depends on', async () => {
    await using shop = await createShop()

    expect(await shop.migrate('upgrade', 'heads')).toMatchObject({ exitCode: 0 })

    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2, c1, c2])
    expect(await tablesOf(shop)).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2'])
  })

  test('to <label>@head applies that branch alone, and what it depends on in the other', async () => {
    await using shop = await createShop()

    expect(await shop.migrate('upgrade', 'billing@head')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2])

    expect(await shop.migrate('downgrade', 'base')).toMatchObject({ exitCode: 0 })
    expect(await shop.migrate('upgrade', 'search@head')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, c1, c2])
    expect(await tablesOf(shop)).toEqual(['a1', 'a2', 'b1', 'c1', 'c2'])
  })

  test('+1 goes on in the branch where the database stands, then in the other', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'c1c1')
    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, c1])

    expect(await shop.migrate('upgrade', '+1')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, c1, c2])
    expect(await shop.migrate('upgrade', '+1')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, c1, c2, b2])
  })

  test('+1 at a branch point has to be told which way', async () => {
    await using shop = await createShop()
    const d1 = 'd1d1d1d1d1d1'
    await shop.addRevision('shop', { id: d1, parents: [a2], labels: ['mail'], message: 'create d1' })
    await shop.migrate('upgrade', 'a2a2')

    const ended = await shop.migrate('upgrade', '+1', '--json')
    expectFailure(
      ended,
      3,
      `"+1" could go more than one way: ${b1} "create b1" (billing), ${d1} "create d1" (mail)`,
      '<label or id>@+1',
    )
    expect(ended.json().error.code).toBe('WALK_AMBIGUOUS')
    expect(await readApplied(shop.url)).toEqual([a1, a2])

    expect(await shop.migrate('upgrade', 'mail@+1')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, d1])
    expect(await shop.migrate('upgrade', 'billing@+2')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, d1, b1, b2])
  })
})

describe('downgrade', () => {
  test('to a branch point first lists every descendant and dependant, then reverts them in that order', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'heads')

    const planned = await shop.migrate('downgrade', 'a2a2', '--dry-run', '--json')
    const ended = await shop.migrate('downgrade', 'a2a2')

    expect(stepsOf(planned)).toEqual([c2, c1, b2, b1])
    const shown = `shop: will revert 4 revisions
  ${c2} create c2
    loses data: drop table c2
  ${c1} create c1
    loses data: drop table c1
  ${b2} create b2
    loses data: drop table b2
  ${b1} create b1
    loses data: drop table b1
`
    expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^shop: will revert/) })
    expect(ended.stderr.slice(0, shown.length)).toBe(shown)
    expect([...ended.stderr.matchAll(/reverted (\w+)/g)].map(([, id]) => id)).toEqual([c2, c1, b2, b1])
    expect(await readApplied(shop.url)).toEqual([a1, a2])
    expect(await tablesOf(shop)).toEqual(['a1', 'a2'])
  })

  test('to <label>@base leaves the other branch as it is', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'heads')

    expect(await shop.migrate('downgrade', 'search@base')).toMatchObject({ exitCode: 0 })

    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2])
    expect(await tablesOf(shop)).toEqual(['a1', 'a2', 'b1', 'b2'])
  })

  test('to <label>@base takes along what depends on that branch', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'heads')

    const ended = await shop.migrate('downgrade', 'billing@base', '--json')

    expect(ended.exitCode).toBe(0)
    expect(stepsOf(ended)).toEqual([c2, c1, b2, b1])
    expect(await readApplied(shop.url)).toEqual([a1, a2])
  })

  test('of one step is refused where two branches end, and goes down one of them when told which', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'heads')

    expectFailure(await shop.migrate('downgrade'), 3, '"-1" could go more than one way')
    expect(await shop.migrate('downgrade', 'billing@-1')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(shop.url)).toEqual([a1, a2, b1, c1, c2])
  })
})

describe('revision', () => {
  test('needs to be told which head to continue, and takes a label for it', async () => {
    await using shop = await createShop()
    const before = await recordsOf(shop)

    expectFailure(await shop.migrate('revision', 'x', '--empty'), 3, 'has 2 heads', '--head', 'pnpm migrate merge')
    expect(await recordsOf(shop)).toEqual(before)

    const ended = await shop.migrate('revision', 'add invoices', '--empty', '--head', 'billing@head', '--json')
    expect(ended.exitCode).toBe(0)
    expect(ended.json().databases[0].revisions[0]).toMatchObject({ parents: [b2], labels: [], dependsOn: [] })
  })

  test('starts a branch with --splice, with labels and dependencies that other commands show', async () => {
    await using shop = await createShop()
    const words = ['revision', 'add reports', '--empty', '--head', 'shop/a1a1']

    expectFailure(await shop.migrate(...words), 2, `${a1} "create a1" is not a head`, '--splice')
    const ended = await shop.migrate(
      ...words,
      '--splice',
      '--branch-label',
      'reports',
      '--branch-label',
      'numbers',
      '--depends-on',
      'billing@head',
      '--depends-on',
      'c1c1',
    )

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    const id = /made revision (\w{12})/.exec(ended.stdout)![1]!
    expect(ended.stdout).toContain(`shop: made revision ${id}, after ${a1}
  labels      reports, numbers
  depends on  ${b2}, ${c1}
  fill in databases/shop/migrations/`)
    const folder = (await recordsOf(shop)).find((name) => name.endsWith('_add_reports'))!
    expect(
      JSON.parse(await readFile(join(shop.root, 'databases/shop/migrations', folder, 'revision.json'), 'utf8')),
    ).toEqual({
      id,
      parents: [a1],
      message: 'add reports',
      created: expect.any(String),
      labels: ['reports', 'numbers'],
      dependsOn: [b2, c1],
    })
    expect((await shop.migrate('history')).stdout).toMatch(
      new RegExp(`^  ${id}  add reports .*reports.*numbers.*\\(head, depends on ${b2}, ${c1}\\)$`, 'm'),
    )
    const shown = (await shop.migrate('show', 'reports')).stdout
    expect(shown).toMatch(new RegExp(`^labels +reports, numbers$`, 'm'))
    expect(shown).toMatch(new RegExp(`^depends on +${b2}, ${c1}$`, 'm'))
    const [json] = (await shop.migrate('show', 'reports', '--json')).json().databases[0].revisions
    expect(json).toMatchObject({ labels: ['reports', 'numbers'], dependsOn: [b2, c1] })
  })

  test('makes another base with --head base', async () => {
    await using shop = await createShop()

    const ended = await shop.migrate('revision', 'start anew', '--empty', '--head', 'base', '--json')

    expect(ended.json()).toMatchObject({ exitCode: 0, databases: [{ revisions: [{ parents: [] }] }] })
  })

  test.each([
    ['a label that is taken', ['--branch-label', 'search'], `the label "search" is taken by ${c1} "create c1"`],
    ['a word of targets', ['--branch-label', 'head'], 'the label "head" is a word of its own in targets'],
    ['what could be an id', ['--branch-label', 'beef'], 'the label "beef" could be taken for an id'],
    ['an unknown dependency', ['--depends-on', 'nowhere'], 'no revision has the label "nowhere"'],
    ['several dependencies in one', ['--depends-on', 'heads'], '"heads" is not one revision'],
    ['a dependency below it', ['--depends-on', 'a1a1'], `comes after ${a1} "create a1" anyway`],
    ['an unknown database', ['--depends-on', 'nowhere/a1a1'], 'there is no database "nowhere"'],
    ['an unknown head', ['--head', 'ffff'], 'no revision has an id that starts with "ffff"'],
    ['a broken head', ['--head', 'a1a1++'], 'target "a1a1++", character 5'],
  ])('is refused with %s before a file is written', async (_, words, text) => {
    await using shop = await createShop()
    const before = await recordsOf(shop)
    const head = words[0] === '--head' ? [] : ['--head', 'billing@head']

    expectFailure(await shop.migrate('revision', 'x', '--empty', ...head, ...words), 2, text)

    expect(await recordsOf(shop)).toEqual(before)
  })

  test('can depend on a revision of another database', async () => {
    await using shop = await createShop()
    await shop.addDatabase('keys')
    await shop.addRevision('keys', { id: 'd1d1d1d1d1d1' })

    const words = ['--head', 'shop/billing@head', '--depends-on', 'keys/d1d1', '--depends-on', 'keys/head']
    const ended = await shop.migrate('revision', 'use keys', '--empty', ...words, '--json')

    expect(ended.exitCode).toBe(0)
    const [made] = ended.json().databases[0].revisions
    expect(made.dependsOn).toEqual(['keys/d1d1d1d1d1d1'])
    const record = JSON.parse(await readFile(join(shop.root, made.folder, 'revision.json'), 'utf8'))
    expect(record.dependsOn).toEqual(['keys/d1d1d1d1d1d1'])
    expect((await shop.migrate('show', `shop/${made.id}`)).stdout).toMatch(/^depends on +keys\/d1d1d1d1d1d1$/m)
  })
})

describe('branches and heads', () => {
  test('branches lists the branch points with what goes on there, and the labels to say which', async () => {
    await using shop = await createShop()

    expect(await shop.migrate('branches')).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: `shop: 1 branch point
  ${a2}  create a2
    ${b1}  create b1 [billing]
    ${c1}  create c1 [search]
`,
    })
    expect((await shop.migrate('branches', '--json')).json().databases).toEqual([
      {
        name: 'shop',
        branches: [
          {
            revision: a2,
            message: 'create a2',
            labels: [],
            children: [
              { revision: b1, message: 'create b1', labels: ['billing'] },
              { revision: c1, message: 'create c1', labels: ['search'] },
            ],
          },
        ],
      },
    ])
  })

  test('heads says more with --verbose', async () => {
    await using shop = await createShop()

    expect((await shop.migrate('heads')).stdout).toBe(`shop  ${b2}  create b2\nshop  ${c2}  create c2\n`)
    const { stdout } = await shop.migrate('heads', '--verbose')
    expect(stdout).toMatch(new RegExp(`^shop  ${b2}  2026-11-01T\\S+  ${b1}  ${shop.folders.b2}  create b2\n`))
  })
})

describe('current --check-heads', () => {
  test('is 0 when every head is applied, and 4 when a database is not up to date', async () => {
    await using shop = await createShop()
    await shop.migrate('upgrade', 'billing@head')

    const behind = await shop.migrate('current', '--check-heads', '--json')
    expectFailure(behind, 4, 'shop: not up to date: 2 revisions pending', 'pnpm migrate upgrade heads -d shop')
    expect(behind.json()).toMatchObject({
      exitCode: 4,
      error: { code: 'NOT_UP_TO_DATE', database: 'shop' },
      databases: [{ targets: [{ state: 'behind', pending: [c1, c2] }] }],
    })
    expect(await shop.migrate('current')).toMatchObject({ exitCode: 0 })

    await shop.migrate('upgrade', 'heads')
    expect(await shop.migrate('current', '--check-heads')).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('looks at the selected databases only, and one that cannot be reached is 2', async () => {
    await using shop = await createShop()
    await shop.addDatabase('keys')
    await shop.migrate('upgrade', 'heads', '-d', 'shop')
    await shop.addRevision('keys', { id: 'd1d1d1d1d1d1' })

    expect(await shop.migrate('current', '--check-heads', '-d', 'shop')).toMatchObject({ exitCode: 0 })
    expectFailure(await shop.migrate('current', '--check-heads'), 4, 'keys: not up to date: 1 revision pending')
    shop.env['SHOP_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'
    expect(await shop.migrate('current', '--check-heads')).toMatchObject({ exitCode: 2 })
  })
})
