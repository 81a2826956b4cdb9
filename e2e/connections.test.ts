import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

import { describe, expect, test } from 'vitest'

import { createPair, expectFailure, ids } from './harness/pair.ts'
import { readApplied } from './harness/query.ts'

describe('.env', () => {
  test('is read in development, and a variable that is set counts more', async () => {
    await using pair = await createPair()
    await pair.write(
      '.env',
      `ALPHA_DATABASE_URL='${pair.urls.alpha}'\nBETA_DATABASE_URL=postgres://nobody@127.0.0.1:9/x\n`,
    )
    delete pair.env['ALPHA_DATABASE_URL']

    expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
    expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])
    expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
  })

  test('is not read in production', async () => {
    await using pair = await createPair()
    await pair.write('.env', `ALPHA_DATABASE_URL='${pair.urls.alpha}'\n`)
    delete pair.env['ALPHA_DATABASE_URL']
    pair.env['NODE_ENV'] = 'production'

    expectFailure(await pair.migrate('upgrade'), 2, 'the URL of alpha is not set', 'set ALPHA_DATABASE_URL')
    await pair.expectUnchanged()
  })
})

test('in production, the development server does not stand in for URLs that are not set', async () => {
  await using pair = await createPair()
  pair.env['NODE_ENV'] = 'production'
  delete pair.env['ALPHA_DATABASE_URL']
  delete pair.env['BETA_DATABASE_URL']

  const hint = 'set ALPHA_DATABASE_URL, BETA_DATABASE_URL; if this is no production, unset NODE_ENV'
  expectFailure(await pair.migrate('upgrade'), 2, 'NODE_ENV=production is set', hint)
  expect(existsSync(`${pair.root}/.drover`)).toBe(false)
})

test('parts lead to a database, the password in a file', async () => {
  await using pair = await createPair()
  const { hostname, port, username, password, pathname } = new URL(pair.urls.alpha)
  delete pair.env['ALPHA_DATABASE_URL']
  await pair.write('password', `${decodeURIComponent(password)}\n`)
  Object.assign(pair.env, {
    ALPHA_POSTGRES_HOST: hostname,
    ALPHA_POSTGRES_PORT: port,
    ALPHA_POSTGRES_USER: decodeURIComponent(username),
    ALPHA_POSTGRES_PASSWORD_FILE: `${pair.root}/password`,
    ALPHA_POSTGRES_DB: decodeURIComponent(pathname.slice(1)),
  })

  expect(await pair.migrate('upgrade', '-d', 'alpha')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])
})

test('a program prints the URL, in the root wherever the command is typed, and only for what the command is about', async () => {
  await using pair = await createPair()
  delete pair.env['ALPHA_DATABASE_URL']
  delete pair.env['BETA_DATABASE_URL']
  await pair.write('url.sh', `echo "$1" >> asked.txt; cat "$1.url"\n`)
  for (const [name, after] of [
    ['alpha', '[]'],
    ['beta', "['alpha']"],
  ] as const) {
    await pair.write(`${name}.url`, `${pair.urls[name]}\n`)
    await pair.write(
      `databases/${name}/database.ts`,
      `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: '${name}', after: ${after}, urlCommand: ['sh', 'url.sh', '${name}'] })\n`,
    )
  }
  await pair.write('asked.txt', '')

  const upgrade = await pair.start(['upgrade'], { cwd: `${pair.root}/databases/alpha` }).ended

  expect(upgrade).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.alpha)).toEqual([ids.a1, ids.a2])
  expect(await readFile(`${pair.root}/asked.txt`, 'utf8')).toBe('alpha\n')
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  expect(await readApplied(pair.urls.beta)).toEqual([ids.b1, ids.b2])
})

test('a server for shadows cannot be given certificates, and that is said', async () => {
  await using pair = await createPair()
  expect(await pair.migrate('upgrade')).toMatchObject({ exitCode: 0 })
  for (const parameters of ['sslmode=verify-ca', 'sslmode=verify-full&sslrootcert=/nowhere']) {
    pair.env['DROVER_SHADOW_URL'] = `${pair.urls.alpha}?${parameters}`
    expectFailure(await pair.migrate('drift'), 2, 'DROVER_SHADOW_URL names an authority or a certificate')
  }
})
