import { expect } from 'vitest'

import { catalogOf, hasStore, queryColumn, readStore } from './query.ts'
import { createWorkspace, type Ended, type TestWorkspace } from './workspace.ts'

/** A workspace with two databases, `alpha` and, after it, `beta`. */
export interface Pair extends TestWorkspace {
  readonly urls: { readonly alpha: string; readonly beta: string }
  /** Folders of the revisions, from the root, oldest first. */
  readonly folders: { readonly alpha: readonly string[]; readonly beta: readonly string[] }
  /** From now on, `expectUnchanged` compares with how the databases are now. Before the first call: with how they were made. */
  remember(): Promise<void>
  /** Nothing is in either database that was not there: no schema, no table, no row of Drover's. */
  expectUnchanged(): Promise<void>
}

/** The ids of the revisions of a pair. Each of them creates a table: `a1`, `a2`, `b1`, `b2`. */
export const ids = { a1: 'a1a1a1a1a1a1', a2: 'a2a2a2a2a2a2', b1: 'b1b1b1b1b1b1', b2: 'b2b2b2b2b2b2' } as const

let asMade: Promise<readonly string[]> | undefined

/** Makes a pair with two revisions in each database. Nothing is applied. `name` is the last part of its path. */
export async function createPair(name?: string): Promise<Pair> {
  const workspace = await createWorkspace(name)
  const alpha = await workspace.addDatabase('alpha')
  const beta = await workspace.addDatabase('beta', { after: ['alpha'] })
  const add = (database: string, key: keyof typeof ids) =>
    workspace.addRevision(database, {
      id: ids[key],
      message: `create ${key}`,
      up: `create table ${key} (id integer);\n`,
      down: `drop table ${key};\n`,
    })
  const folders = {
    alpha: [await add('alpha', 'a1'), await add('alpha', 'a2')],
    beta: [await add('beta', 'b1'), await add('beta', 'b2')],
  }
  const look = () => Promise.all([alpha, beta].map(everythingIn))
  // Every database is made from the same template, so one look at one of them will do.
  asMade ??= everythingIn(alpha)
  let before = [await asMade, await asMade]
  return {
    ...workspace,
    urls: { alpha, beta },
    folders,
    remember: async () => {
      before = await look()
    },
    expectUnchanged: async () => expect(await look()).toEqual(before),
  }
}

/**
 * A command that refused or failed: its exit code, what it said, and that it told what to do next. What a stranger
 * cannot use must not be there: stack traces, and values that nobody gave a name.
 */
export function expectFailure(ended: Ended, exitCode: number, ...texts: readonly string[]): void {
  for (const text of texts) expect(ended.stderr).toContain(text)
  expect(ended.exitCode).toBe(exitCode)
  expect(ended.stderr).toMatch(/^error: /m)
  expect(ended.stderr).toMatch(/^(?: {2}next: |see: )\S/m)
  expect(ended.stderr).not.toMatch(/^\s+at \S+ ?\(|node:internal|\bundefined\b|\[object |\bNaN\b/m)
}

/** Schemas, everything in them, and Drover's own rows with the transactions that wrote them. */
async function everythingIn(url: string): Promise<readonly string[]> {
  const schemas = await queryColumn(
    url,
    `select 'schema ' || nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`,
  )
  return [...schemas, ...(await catalogOf(url)), ...((await hasStore(url)) ? await readStore(url) : [])]
}
