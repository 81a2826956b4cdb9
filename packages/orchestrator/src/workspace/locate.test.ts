import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { schemaPerTenant } from '@drover/config'
import { ConnectionUrl, type Environment } from '@drover/engine'
import { DroverError } from '@drover/history'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { exampleDatabase } from './example-database.ts'
import { isNamed, locateDatabases, readPassword } from './locate.ts'

const main = exampleDatabase('main', { url: ['DATABASE_URL'] })
const credentials = exampleDatabase('credentials', { url: ['CREDENTIALS_DATABASE_URL', 'CREDS_DATABASE_URL'] })
const gdpr = exampleDatabase('gdpr', { database: 'gdpr_data' })
const all = [main, credentials, gdpr]

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-locate-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function secret(text: string, name = 'secret'): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

/** A database whose URL a script prints. */
async function withCommand(name: string, script: string) {
  const program = await secret(`#!/bin/sh\n${script}\n`, `${name}.sh`)
  await chmod(program, 0o755)
  return exampleDatabase(name, { urlCommand: [program, 'read', 'op://production/$HOME'] })
}

const refuseToStart = () => Promise.reject(new Error('the development server has no part in this'))

/** Where databases are, as `<url> from <source>`; passwords in brackets. */
async function locate(environment: Environment, wanted = all): Promise<readonly string[]> {
  const located = await locateDatabases(wanted, [...all, ...wanted], environment, refuseToStart, folder)
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

  it('reads each part from the file that its variable with _FILE names as well', async () => {
    const environment = {
      POSTGRES_HOST_FILE: await secret('db\n', 'host'),
      POSTGRES_PORT_FILE: await secret('6432\n', 'port'),
      POSTGRES_USER_FILE: await secret('app\n', 'user'),
      POSTGRES_PASSWORD_FILE: await secret(' p@ss %41 \n', 'password'),
      POSTGRES_DB_FILE: await secret('other\n', 'database'),
    }

    expect(await locate(environment, [main])).toEqual([
      'postgres://app@db:6432/other [ p@ss %41 ] from POSTGRES_HOST_FILE',
    ])
    expect(await locate({ ...environment, POSTGRES_PASSWORD: 'nearer' }, [main])).toEqual([
      'postgres://app@db:6432/other [nearer] from POSTGRES_HOST_FILE',
    ])
  })

  it('names the variable of a part that is wrong, or whose file cannot be read', async () => {
    const POSTGRES_PORT_FILE = await secret('hunter2\n', 'port')

    expect(await problemsOf({ POSTGRES_HOST: 'db', POSTGRES_PORT_FILE }, [main])).toMatchObject([
      { code: 'URL_INVALID', message: 'POSTGRES_PORT_FILE is not a port' },
    ])
    expect(await problemsOf({ POSTGRES_HOST: 'db', POSTGRES_PASSWORD_FILE: '/nowhere' }, [main])).toMatchObject([
      { code: 'URL_INVALID', message: 'the file that POSTGRES_PASSWORD_FILE names cannot be read' },
    ])
  })

  it('reads the host of a server with an IPv6 address with and without brackets', async () => {
    for (const POSTGRES_HOST of ['::1', '[::1]']) {
      expect(await locate({ POSTGRES_HOST }, [main])).toEqual([
        'postgres://postgres@[::1]:5432/main [] from POSTGRES_HOST',
      ])
    }
  })

  it('makes of generated parts a URL that has the same parts', async () => {
    // As variables can hold it.
    const part = fc
      .string({ minLength: 1, unit: 'binary' })
      .filter((text) => text.isWellFormed() && !text.includes('\0') && text.trim() !== '')
    await fc.assert(
      fc.asyncProperty(part, part, part, async (user, password, name) => {
        const parts = { POSTGRES_HOST: 'db', POSTGRES_USER: user, POSTGRES_PASSWORD: password, POSTGRES_DB: name }
        const [located] = await locateDatabases([main], all, parts, refuseToStart)
        const DATABASE_URL = located!.url.revealUrl()
        const [again] = await locateDatabases([main], all, { DATABASE_URL }, refuseToStart)

        expect(again!.url).toMatchObject({ host: 'db', user: user.trim(), database: name.trim() })
        expect(again!.url.revealPassword()).toBe(password)
      }),
    )
  })

  it('takes what a command prints, which sees the environment and no shell', async () => {
    const database = await withCommand('ops', `echo "  postgres://app:$TOKEN@$1/$(basename "$2")  "; echo noise >&2`)

    expect(await locate({ TOKEN: 'hunter2', PATH: process.env['PATH'] }, [database])).toEqual([
      "postgres://app@read:5432/$HOME [hunter2] from the output of ops's urlCommand",
    ])
  })

  it('runs the command of a database once, that lists the tenants of another as well', async () => {
    const registry = await withCommand('listing', 'echo run >> runs.txt; echo postgres://a@b/c')
    const tenants = schemaPerTenant({ registry: { database: 'listing' } })
    const wanted = [registry, exampleDatabase('tenant', { tenants })]
    const environment = { TENANT_DATABASE_URL: 'postgres://a@b/tenants', PATH: process.env['PATH'] }

    const [first, second] = await locateDatabases(wanted, wanted, environment, refuseToStart, folder)

    expect(second!.tenants!.registry).toBe(first!.url)
    expect(await readFile(join(folder, 'runs.txt'), 'utf8')).toBe('run\n')
  })

  it('misses the URL of a database that lists tenants, wanted or not', async () => {
    const tenant = exampleDatabase('tenant', { tenants: schemaPerTenant({ registry: { database: 'main' } }) })

    expect(await problemsOf({ TENANT_DATABASE_URL: 'postgres://a@b/tenants' }, [tenant])).toEqual([
      {
        code: 'URL_MISSING',
        database: 'main',
        message: 'the URL of main is not set, where the tenants of tenant are listed',
        hint: 'set DATABASE_URL',
      },
    ])
  })

  it('runs a command in the root, for a database that is wanted and has no variable set', async () => {
    await secret('postgres://a@b/c', 'url.txt')
    const wanted = exampleDatabase('ops', { urlCommand: ['cat', 'url.txt'] })
    const other = exampleDatabase('other', { urlCommand: ['touch', 'was-run'] })
    const environment = { PATH: process.env['PATH'] }

    const located = await locateDatabases([wanted], [wanted, other], environment, refuseToStart, folder)
    const set = { ...environment, OTHER_DATABASE_URL: 'postgres://a@b/c' }
    const named = await locateDatabases([other], [wanted, other], set, refuseToStart, folder)

    expect([...located, ...named].map(({ url }) => String(url))).toEqual([
      'postgres://a@b:5432/c',
      'postgres://a@b:5432/c',
    ])
    expect(existsSync(join(folder, 'was-run'))).toBe(false)
    await expect(
      locateDatabases([wanted, other], [wanted, other], environment, refuseToStart, folder),
    ).rejects.toMatchObject({ code: 'URL_INVALID' })
    expect(existsSync(join(folder, 'was-run'))).toBe(true)
  })

  it.each([
    ['fails', 'echo "[ERROR] no session: postgres://app:hunter2@db/main" >&2; exit 6', 'ended with exit code 6'],
    ['fails without a word', 'exit 1', 'ended with exit code 1'],
    ['prints nothing', 'exit 0', 'printed nothing'],
    ['is ended', 'kill -TERM $$', 'was ended by SIGTERM'],
    ['prints without end', 'yes hunter2', 'printed more than 64 KiB'],
  ])('says what came of a command that %s, and not what it printed', async (_, script, told) => {
    const [problem, ...others] = await problemsOf({ PATH: process.env['PATH'] }, [await withCommand('ops', script)])

    expect(others).toEqual([])
    expect(problem).toMatchObject({
      code: 'URL_INVALID',
      database: 'ops',
      file: 'databases/ops/database.ts',
      message: `the urlCommand of ops, "${join(folder, 'ops.sh')}", ${told}`,
      hint: 'run it by hand, or set OPS_DATABASE_URL',
    })
    expect(JSON.stringify(problem)).not.toContain('hunter2')
  })

  it('shows what a command that fails says, without the URLs in it and what it printed', async () => {
    const script =
      'echo postgres://app:hunter2@db/main; echo "token hunter2 is old, see https://u:p@vault/x?t=1" >&2; exit 1'
    const [problem] = await problemsOf({ PATH: process.env['PATH'] }, [await withCommand('ops', script)])

    expect(problem?.serverNotes).toEqual(['token *** is old, see ***'])
  })

  it('names a command that is not there', async () => {
    const database = exampleDatabase('ops', { urlCommand: ['op-that-nobody-has', 'read'] })

    expect(await problemsOf({ PATH: process.env['PATH'] }, [database])).toMatchObject([
      { code: 'URL_INVALID', message: 'the urlCommand of ops, "op-that-nobody-has", cannot be run (ENOENT)' },
    ])
  })

  it('says of an output that is no URL what is wrong, and not what it is', async () => {
    const problems = await problemsOf({ PATH: process.env['PATH'] }, [await withCommand('ops', 'echo hunter2')])

    expect(problems).toMatchObject([
      { code: 'URL_INVALID', message: "the output of ops's urlCommand does not start with postgres://" },
    ])
    expect(JSON.stringify(problems)).not.toContain('hunter2')
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
    [true, { CREDS_POSTGRES_HOST_FILE: '/run/secrets/x' }],
    [false, { CREDS_DATABASE_URL: '' }],
    [false, { CREDS_POSTGRES_PORT: '5433' }],
    [false, { DATABASE_URL: 'x' }],
    [false, {}],
  ])('is %s with %j', (named, environment) => {
    expect(isNamed(credentials, environment)).toBe(named)
  })

  it('is true of a database with a command, which is not run', () => {
    expect(isNamed(exampleDatabase('ops', { urlCommand: ['false'] }), {})).toBe(true)
  })
})

describe('readPassword', () => {
  it('keeps the blanks at both ends of a password, and not the line end of a file', async () => {
    const environment = { PASSWORD_FILE: await secret(' of a file \n', 'password'), OTHER: ' of a variable ' }

    expect(readPassword('PASSWORD', environment)?.text).toBe(' of a file ')
    expect(readPassword('OTHER', environment)?.text).toBe(' of a variable ')
  })
})
