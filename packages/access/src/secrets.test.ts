import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { generatePassword, readSecrets, writeSecrets } from './secrets.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-secrets-'))
})

afterAll(() => rm(folder, { recursive: true }))

test('passwords come back for the server that they were made for, and for no other', async () => {
  const file = join(folder, 'new', 'secrets.json')
  const passwords = new Map([['main_app', generatePassword()]])

  await writeSecrets(file, 'one', { passwords })

  expect((await readSecrets(file, 'one')).passwords).toEqual(passwords)
  expect((await readSecrets(file, 'another')).passwords.size).toBe(0)
  expect(await readFile(file, 'utf8')).not.toContain('"one"')
})

test('nobody else may read the file, also where it was there before', async () => {
  const file = join(folder, 'open.json')
  await writeFile(file, '{}', { mode: 0o644 })

  await writeSecrets(file, 'one', { passwords: new Map() })

  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test.each(['', '{', '[]', '{"server":1}', '{"server":1,"passwords":null}'])(
  'a file that holds something else counts as none: %s',
  async (text) => {
    const file = join(folder, 'odd.json')
    await writeFile(file, text)

    expect((await readSecrets(file, 'one')).passwords.size).toBe(0)
  },
)

test('no file is no passwords', async () => {
  expect((await readSecrets(join(folder, 'none.json'), 'one')).passwords.size).toBe(0)
})
