import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { hooksOf } from '../hooks/declared-hooks.ts'
import { exampleDatabase } from './example-database.ts'
import { loadRunHooks } from './load-run-hooks.ts'

let home: string
beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'drover-hooks-')))
})
afterAll(() => rm(home, { recursive: true }))

/** A root with that text in its `drover.config.ts`, and one hook. */
async function createRoot(text: string): Promise<string> {
  const root = await mkdtemp(join(home, 'root-'))
  await mkdir(join(root, 'hooks'))
  await writeFile(join(root, 'hooks', 'tell.ts'), '')
  await writeFile(join(root, 'drover.config.ts'), text)
  return root
}

describe('loadRunHooks', () => {
  it('finds none where there is no drover.config.ts', async () => {
    expect(await loadRunHooks(join(home, 'nowhere'))).toEqual([])
  })

  it('has them in the order of their moments, with paths from the root', async () => {
    const root = await createRoot(
      `export default { hooks: { onFailure: './hooks/tell.ts', before: ['hooks/tell.ts', './hooks/../hooks/tell.ts'] } }`,
    )

    expect(await loadRunHooks(root)).toEqual([
      { moment: 'before', file: 'hooks/tell.ts' },
      { moment: 'before', file: 'hooks/tell.ts' },
      { moment: 'onFailure', file: 'hooks/tell.ts' },
    ])
  })

  it.each([
    ['', 'drover.config.ts: has no default export'],
    ['\n\nthrow new Error("no")', 'drover.config.ts:3: cannot be loaded: no'],
    ['export default { hooks: 1 }', 'drover.config.ts: "hooks" must be the hooks: before, after, onFailure, and is 1'],
    [
      `export default { hooks: { after: './hooks/gone.ts' } }`,
      'drover.config.ts: "hooks.after" names hooks/gone.ts, and there is no such file',
    ],
  ])('says what is wrong with %j', async (text, message) => {
    await expect(loadRunHooks(await createRoot(text))).rejects.toMatchObject({
      problems: [{ code: 'CONFIG_INVALID', file: 'drover.config.ts', message }],
    })
  })
})

describe('hooksOf', () => {
  it('has those of a database with paths from the root', () => {
    const hooks = { before: ['./a.sql'], after: ['../shared/b.ts'], onFailure: [] }

    expect(hooksOf(exampleDatabase('main', { hooks }))).toEqual([
      { moment: 'before', file: 'databases/main/a.sql' },
      { moment: 'after', file: 'databases/shared/b.ts' },
    ])
    expect(hooksOf(exampleDatabase('main'))).toEqual([])
  })
})
