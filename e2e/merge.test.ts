import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids } from './harness/pair.ts'
import { readApplied } from './harness/query.ts'
import { createShop, type Shop, shopIds } from './harness/shop.ts'

const { a1, a2, b1, b2, c1, c2 } = shopIds

/** How many revisions there are. */
async function countRevisions(shop: Shop): Promise<number> {
  return (await readdir(join(shop.root, 'databases/shop/migrations'))).length
}

test('merge joins all heads with a revision that can be applied and reverted as it is', async () => {
  await using shop = await createShop()

  const ended = await shop.migrate('merge')

  const id = /made revision (\w{12})/.exec(ended.stdout)?.[1]
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  expect(ended.stdout).toBe(`shop: made revision ${id}, after ${b2}, ${c2}
  it joins branches and changes nothing itself: apply it with pnpm migrate upgrade -d shop
`)
  const folders = await readdir(join(shop.root, 'databases/shop/migrations'))
  const folder = join(
    shop.root,
    'databases/shop/migrations',
    folders.find((name) => name.includes('_merge_'))!,
  )
  expect(JSON.parse(await readFile(join(folder, 'revision.json'), 'utf8'))).toEqual({
    id,
    parents: [b2, c2],
    message: `merge ${b2} and ${c2}`,
    created: expect.any(String),
  })
  expect(await readFile(join(folder, 'migration.sql'), 'utf8')).toBe('-- Joins two branches; nothing to change.\n')

  expect(await shop.migrate('check', '--offline')).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await shop.migrate('heads')).stdout).toContain(`shop  ${id}  merge`)
  expect(await shop.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2, c1, c2, id])
  expect(await shop.migrate('downgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2, c1, c2])
  expect(await shop.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await shop.migrate('current', '--check-heads')).toMatchObject({ exitCode: 0 })
})

test('merge joins what it is given, under the message that it is given', async () => {
  await using shop = await createShop()

  const ended = await shop.migrate(
    'merge',
    'search@head',
    'shop/b2b2',
    '-m',
    'Bring search and billing together',
    '--json',
  )

  expect(ended.json()).toMatchObject({
    command: 'merge',
    exitCode: 0,
    databases: [
      {
        name: 'shop',
        revisions: [
          {
            parents: [b2, c2],
            message: 'Bring search and billing together',
            folder: expect.stringMatching(/_bring_search_and_billing_together$/),
            labels: [],
            dependsOn: [],
          },
        ],
      },
    ],
  })
})

test('a history that branches again after a merge is upgraded, and a branch below the merge takes the merge along', async () => {
  await using shop = await createShop()
  const merge = (await shop.migrate('merge', '--json')).json().databases[0].revisions[0].id
  await shop.addRevision('shop', { id: 'e1e1e1e1e1e1', parents: [merge] })
  await shop.addRevision('shop', { id: 'f1f1f1f1f1f1', parents: [merge] })
  expect(await shop.migrate('upgrade', 'heads')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2, c1, c2, merge, 'e1e1e1e1e1e1', 'f1f1f1f1f1f1'])

  expect(await shop.migrate('downgrade', 'search@base')).toMatchObject({ exitCode: 0 })

  expect(await readApplied(shop.url)).toEqual([a1, a2, b1, b2])
})

test('merge joins more than two heads, one of which depends on another', async () => {
  await using shop = await createShop()
  const e1 = 'e1e1e1e1e1e1'
  await shop.addRevision('shop', { id: e1, parents: [a2], dependsOn: [b2] })

  const ended = await shop.migrate('merge', '--json')

  const [made] = ended.json().databases[0].revisions
  expect(made.parents.toSorted()).toEqual([b2, c2, e1])
  expect(await readFile(join(shop.root, made.files[0]), 'utf8')).toBe('-- Joins 3 branches; nothing to change.\n')
  expect(await shop.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect((await readApplied(shop.url)).at(-1)).toBe(made.id)
})

describe('merge is refused before a file is written', () => {
  test.each([
    ['an ancestor and its descendant', ['b1b1', 'b2b2'], `${b2} "create b2" descends from ${b1} "create b1"`],
    ['one revision', ['b2b2'], `only ${b2} "create b2" is given`],
    ['the same revision twice', ['b2b2', 'billing@head'], `${b2} "create b2" is named more than once`],
    ['an unknown revision', ['b2b2', 'nowhere'], 'no revision has the label "nowhere"'],
    ['an unknown database', ['nowhere/b2b2', 'nowhere/c2c2'], 'there is no database "nowhere"'],
  ])('with %s', async (_, words, text) => {
    await using shop = await createShop()

    expectFailure(await shop.migrate('merge', ...words), 2, text)

    expect(await countRevisions(shop)).toBe(6)
  })

  test('with a single head', async () => {
    await using pair = await createPair()

    const ended = await pair.migrate('merge', '-d', 'beta', '--json')

    expectFailure(ended, 2, `beta: there is nothing to merge: ${ids.b2} "create b2" is the only head`)
    expect(ended.json()).toMatchObject({ error: { code: 'USAGE', database: 'beta' }, databases: [] })
  })

  test('without one database, and with revisions of two', async () => {
    await using pair = await createPair()

    expectFailure(await pair.migrate('merge'), 2, 'a merge belongs to one database', 'alpha, beta')
    expectFailure(await pair.migrate('merge', 'alpha/a2a2', 'beta/b2b2'), 2, 'a merge belongs to one database')
  })
})
