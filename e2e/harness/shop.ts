import { createWorkspace, type TestWorkspace } from './workspace.ts'

/** A workspace with one database, `shop`, whose history branches. */
export interface Shop extends TestWorkspace {
  readonly url: string
  /** Folders of the revisions, from the root. */
  readonly folders: Readonly<Record<keyof typeof shopIds, string>>
}

/**
 * The ids of its revisions. Each creates a table that is called like its key. After `a1` and `a2` the history branches:
 * `b1`, `b2` with the label billing, and `c1`, `c2` with the label search; `c1` depends on `b1`.
 */
export const shopIds = {
  a1: 'a1a1a1a1a1a1',
  a2: 'a2a2a2a2a2a2',
  b1: 'b1b1b1b1b1b1',
  b2: 'b2b2b2b2b2b2',
  c1: 'c1c1c1c1c1c1',
  c2: 'c2c2c2c2c2c2',
} as const

/** Makes it. Nothing is applied. */
export async function createShop(): Promise<Shop> {
  const workspace = await createWorkspace()
  const url = await workspace.addDatabase('shop')
  const { a1, a2, b1, c1 } = shopIds
  const add = (
    key: keyof typeof shopIds,
    place: {
      readonly parents?: readonly string[]
      readonly labels?: readonly string[]
      readonly dependsOn?: readonly string[]
    } = {},
  ) =>
    workspace.addRevision('shop', {
      id: shopIds[key],
      message: `create ${key}`,
      up: `create table ${key} (id integer);\n`,
      down: `drop table ${key};\n`,
      ...place,
    })
  const folders = {
    a1: await add('a1'),
    a2: await add('a2', { parents: [a1] }),
    b1: await add('b1', { parents: [a2], labels: ['billing'] }),
    b2: await add('b2', { parents: [b1] }),
    c1: await add('c1', { parents: [a2], labels: ['search'], dependsOn: [b1] }),
    c2: await add('c2', { parents: [c1] }),
  }
  return { ...workspace, url, folders }
}
