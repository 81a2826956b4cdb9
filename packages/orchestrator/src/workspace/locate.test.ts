import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ConnectionUrl } from '@drover/engine'
import { DroverError } from '@drover/history'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { exampleDatabase } from './example-database.ts'
import { type Environment, isNamed, locateDatabases } from './locate.ts'

const main = exampleDatabase('main', { url: ['DATABASE_URL'] })
const credentials = exampleDatabase('credentials', { url: ['CREDENTIALS_DATABASE_URL', 'CREDS_DATABASE_URL'] })
const gdpr = exampleDatabase('gdpr', { database: 'gdpr_data' })
const all = [main, credentials, gdpr]

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-locate-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function secret(text: string): Promise<string> {
  const path = join(folder, 'secret')
  await writeFile(path, text)
  return path
}

const refuseToStart = () => Promise.reject(new Error('the development server has no part in this'))

/** Where databases are, as `<url> from <source>`; passwords in brackets. */
async function locate(environment: Environment, wanted = all): Promise<readonly string[]> {
  const located = await locateDatabases(wanted, all, environment, refuseToStart)
  return located.map(({ url }) => `${String(url)} [${url.revealPassword()}] from ${url.source}`)
}

async function problemsOf(environment: Environment, wanted = all) {
  const error: unknown = await locate(environment, wanted).catch((thrown: unknown) => thrown)
  if (!(error instanceof DroverError)) throw new Error(`it did not refuse: ${String(error)}`)
  return error.problems
}

describe('locateDatabases', () => {
  it('reads the URL of each database from its variable', async () => {
    const environment = {
      DATABASE_URL: 'postgres://app:one@db:5432/main',
      CREDENTIALS_DATABASE_URL: 'postgres://creds:two@vault:5433/credentials',
      GDPR_DATABASE_URL: 'postgres://app@db/gdpr',
    }

    expect(await locate(environment)).toEqual([
      'postgres://app@db:5432/main [one] from DATABASE_URL',
      'postgres://creds@vault:5433/credentials [two] from CREDENTIALS_DATABASE_URL',
      'postgres://app@db:5432/gdpr [] from GDPR_DATABASE_URL',
    ])
  })

  it('takes the first variable that is set, in the order in which the database names them', async () => {
    const CREDENTIALS_DATABASE_URL = 'postgres://a@first/x'
    const CREDS_DATABASE_URL = 'postgres://a@second/x'

    expect(await locate({ CREDS_DATABASE_URL, CREDENTIALS_DATABASE_URL }, [credentials])).toEqual([
      'postgres://a@first:5432/x [] from CREDENTIALS_DATABASE_URL',
    ])
    expect(await locate({ CREDS_DATABASE_URL, CREDENTIALS_DATABASE_URL: ' ' }, [credentials])).toEqual([
      'postgres://a@second:5432/x [] from CREDS_DATABASE_URL',
    ])
  })

  it('reads a URL from the file that the variable with _FILE names, blanks around it or not', async () => {
    const environment = { DATABASE_URL_FILE: await secret('postgres://app:three@db/main\n') }

    expect(await locate(environment, [main])).toEqual(['postgres://app@db:5432/main [three] from DATABASE_URL_FILE'])
  })

  it('joins the parts, with a default for all but the host', async () => {
    expect(await locate({ POSTGRES_HOST: 'db' }, [main])).toEqual([
      'postgres://postgres@db:5432/main [] from POSTGRES_HOST',
    ])
    expect(await locate({ GDPR_POSTGRES_HOST: 'db' }, [gdpr])).toEqual([
      'postgres://postgres@db:5432/gdpr_data [] from GDPR_POSTGRES_HOST',
    ])
    const parts = { HOST: 'db', PORT: '6432', USER: 'app', PASSWORD: 'p@ss/w:rd%', DB: 'other' }
    const environment = Object.fromEntries(Object.entries(parts).map(([name, value]) => [`POSTGRES_${name}`, value]))
    expect(await locate(environment, [main])).toEqual(['postgres://app@db:6432/other [p@ss/w:rd%] from POSTGRES_HOST'])
  })

  it('takes empty parts for parts that are not set', async () => {
    const environment = { POSTGRES_HOST: 'db', POSTGRES_PORT: '', POSTGRES_USER: '', POSTGRES_DB: '' }

    expect(await locate(environment, [main])).toEqual(['postgres://postgres@db:5432/main [] from POSTGRES_HOST'])
  })

  it('prefers the URL to its file, and the file to the parts', async () => {
    const parts = { POSTGRES_HOST: 'parts' }
    const file = { DATABASE_URL_FILE: await secret('postgres://a@file/x') }

    expect(await locate({ ...parts, ...file, DATABASE_URL: 'postgres://a@url/x' }, [main])).toEqual([
      'postgres://a@url:5432/x [] from DATABASE_URL',
    ])
    expect(await locate({ ...parts, ...file, DATABASE_URL: '' }, [main])).toEqual([
      'postgres://a@file:5432/x [] from DATABASE_URL_FILE',
    ])
  })

  it('uses the development server for all when the environment names none, not even one that is not wanted', async () => {
    const server = { urlFor: (name: string) => ConnectionUrl.parse(`postgres://dev@local/${name}`, 'the server') }

    const located = await locateDatabases([gdpr], all, { DATABASE_URL: '' }, () => Promise.resolve(server))

    expect(located.map(({ url, development }) => [String(url), development])).toEqual([
      ['postgres://dev@local:5432/gdpr_data', true],
    ])
    await expect(locate({ DATABASE_URL: 'postgres://a@b/c' }, [gdpr])).rejects.toThrow('the URL of gdpr is not set')
  })

  it('names every database whose URL is missing, with the variables that may hold it', async () => {
    expect(await problemsOf({ DATABASE_URL: 'postgres://a@b/c' })).toMatchObject([
      {
        code: 'URL_MISSING',
        database: 'credentials',
        hint: expect.stringContaining('CREDENTIALS_DATABASE_URL or CREDS_'),
      },
      { code: 'URL_MISSING', database: 'gdpr', hint: expect.stringContaining('set GDPR_DATABASE_URL') },
    ])
  })

  it('names everything that is wrong with the URLs at once, and never what is in them', async () => {
    const problems = await problemsOf({
      DATABASE_URL: 'mysql://app:hunter2@db/main',
      CREDENTIALS_DATABASE_URL_FILE: join(folder, 'hunter2'),
      GDPR_POSTGRES_HOST: 'db',
      GDPR_POSTGRES_PORT: 'hunter2',
    })

    expect(problems.map(({ code, database, message }) => [code, database, message.split(' ')[0]])).toEqual([
      ['URL_INVALID', 'main', 'DATABASE_URL'],
      ['URL_INVALID', 'credentials', 'the'],
      ['URL_INVALID', 'gdpr', 'GDPR_POSTGRES_PORT'],
    ])
    expect(problems[1]?.message).toBe('the file that CREDENTIALS_DATABASE_URL_FILE names cannot be read')
    expect(JSON.stringify(problems)).not.toContain('hunter2')
  })

  it.each(['0', '65536', '5432.5', '-1', '54a'])('refuses %s for a port', async (port) => {
    const problems = await problemsOf({ POSTGRES_HOST: 'db', POSTGRES_PORT: port }, [main])

    expect(problems).toMatchObject([{ code: 'URL_INVALID', message: 'POSTGRES_PORT is not a port' }])
  })
})

describe('isNamed', () => {
  it.each<[boolean, Environment]>([
    [true, { CREDS_DATABASE_URL: 'x' }],
    [true, { CREDENTIALS_DATABASE_URL_FILE: '/run/secrets/x' }],
    [true, { CREDS_POSTGRES_HOST: 'db' }],
    [false, { CREDS_DATABASE_URL: '' }],
    [false, { CREDS_POSTGRES_PORT: '5433' }],
    [false, { DATABASE_URL: 'x' }],
    [false, {}],
  ])('is %s with %j', (named, environment) => {
    expect(isNamed(credentials, environment)).toBe(named)
  })
})
