import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { createPair, ids, type Pair } from './harness/pair.ts'
import { readEntries } from './harness/entries.ts'
import { query, queryColumn } from './harness/query.ts'
import type { Ended } from './harness/workspace.ts'

/** One that needs encoding, as it is and as it stands in a URL. */
const password = 'S3same/0pen@#? %Cr3do'
const encoded = encodeURIComponent(password)

/** The password, or a piece of it that is long enough to be known again. */
const piece = /S3same|0pen|Cr3do/i

/** What follows a command where it needs more than its name, or would do something that later tests stand on. */
const argumentsOf: Readonly<Record<string, readonly string[]>> = {
  init: ['--yes', '--dry-run'],
  upgrade: ['--yes', '--dry-run'],
  downgrade: ['base', '--dry-run'],
  show: ['alpha/a1a1'],
  revision: ['a message'],
  stamp: ['head', '--dry-run'],
  adopt: ['--dry-run'],
  repair: ['--dry-run'],
  lock: ['status'],
  wait: ['--tries', '1'],
  // It refuses a document on stdout, and would otherwise upgrade; what it does is what wait and upgrade do.
  start: ['--json', '--', 'true'],
  // "server url" prints the URL of the development server, password included: that is what it is for.
  server: ['status'],
}

let pair: Pair
let role: string
let commands: readonly string[]
let urls: { readonly alpha: string; readonly beta: string; readonly server: string }

beforeAll(async () => {
  pair = await createPair()
  role = `drover_leak_${randomBytes(6).toString('hex')}`
  await query(inject('serverUrl'), `create role ${role} superuser login password '${password}'`)
  const as = (url: string) => Object.assign(new URL(url), { username: role, password: encoded }).href
  urls = { alpha: as(pair.urls.alpha), beta: as(pair.urls.beta), server: as(inject('serverUrl')) }
  // A command that is new is found here by itself.
  commands = (await pair.migrate('help')).stdout
    .split(/^Commands:$/m)[1]!
    .split(/^\S/m)[0]!
    .split('\n')
    .flatMap((line) => /^ {2}([a-z-]+)(?: |$)/.exec(line)?.[1] ?? [])
    .filter((name) => name !== 'help')
}, 120_000)

afterAll(async () => {
  await query(pair.urls.alpha, `reassign owned by ${role} to current_user; drop owned by ${role}`)
  await query(pair.urls.beta, `reassign owned by ${role} to current_user; drop owned by ${role}`)
  await pair[Symbol.asyncDispose]()
  await query(inject('serverUrl'), `drop role ${role}`)
})

test('every command is among those that are tried', () => {
  expect(commands).toEqual(expect.arrayContaining(['init', 'upgrade', 'current', 'check', 'drift', 'server']))
  expect(commands.length).toBeGreaterThan(15)
})

interface Case {
  readonly env: () => Record<string, string>
  /** What has to be said: the case is what it is called. */
  readonly told: readonly string[]
}

const cases: readonly [name: string, given: Case][] = [
  ['all is well', { env: () => ({}), told: ['2 revisions pending', 'nothing to repair'] }],
  [
    'a server refuses the login, or has no such database',
    {
      env: () => ({ ALPHA_DATABASE_URL: wrong(urls.alpha), BETA_DATABASE_URL: urls.beta.replace(/[^/]*$/, 'nowhere') }),
      told: ['refused the login', 'has no database \\"nowhere\\"'],
    },
  ],
  [
    'a server is not there, or has no TLS',
    {
      env: () => ({
        ALPHA_DATABASE_URL: `${urls.alpha}?sslmode=require`,
        BETA_DATABASE_URL: urls.beta.replace(/:\d+\//, ':9/'),
        DROVER_SHADOW_URL: `${urls.server}?sslmode=require`,
        DROVER_ADMIN_URL: `${urls.server}?sslmode=require`,
      }),
      told: ['does not offer the TLS', 'no server answers'],
    },
  ],
  [
    'a certificate is not there, whose key has a password',
    {
      env: () => ({ BETA_DATABASE_URL: withKey(urls.beta), DROVER_SHADOW_URL: withKey(urls.server) }),
      told: ['sslcert of BETA_DATABASE_URL names cannot be read'],
    },
  ],
  [
    'a password is not encoded, or stands in a parameter',
    {
      env: () => ({
        ALPHA_DATABASE_URL: `postgres://${role}@127.0.0.1/beta?password=${encoded}`,
        BETA_DATABASE_URL: `postgres://${role}:${password}@127.0.0.1/beta`,
        DROVER_SHADOW_URL: `postgres://${role}:${password}@127.0.0.1/postgres`,
        DROVER_ADMIN_URL: `postgres://${role}:${password}@127.0.0.1/postgres`,
      }),
      told: ['BETA_DATABASE_URL is not a valid URL', 'ALPHA_DATABASE_URL has the parameter \\"password\\"'],
    },
  ],
  [
    'a password is in a text that is no URL, or taken for the path of a file',
    {
      env: () => ({
        ALPHA_DATABASE_URL: `host=127.0.0.1 password='${password}'`,
        BETA_DATABASE_URL: '',
        BETA_DATABASE_URL_FILE: password,
        DROVER_SHADOW_URL: `host=127.0.0.1 password='${password}'`,
      }),
      told: ['ALPHA_DATABASE_URL does not start with postgres://', 'BETA_DATABASE_URL_FILE names cannot be read'],
    },
  ],
  [
    'a password is given as a part, and taken for another',
    {
      env: () => ({
        BETA_DATABASE_URL: '',
        BETA_POSTGRES_HOST: '127.0.0.1',
        BETA_POSTGRES_PORT: password,
        BETA_POSTGRES_PASSWORD: password,
      }),
      told: ['BETA_POSTGRES_PORT is not a port'],
    },
  ],
  [
    'Drover falls over while it looks at the databases',
    { env: () => ({ NODE_OPTIONS: `--import=${preload('Map.groupBy = broken')}` }), told: ['it is broken'] },
  ],
]

describe.each(cases)('%s', (_, { env, told }) => {
  test('no command prints a password', async () => {
    const environment = {
      ALPHA_DATABASE_URL: urls.alpha,
      BETA_DATABASE_URL: urls.beta,
      DROVER_SHADOW_URL: urls.server,
      DROVER_ADMIN_URL: urls.server,
      ...env(),
    }
    const said: string[] = []
    for (const command of commands) {
      // With --json problems are printed twice: as text to stderr, and as data to stdout.
      const options = told.includes('nothing to repair') ? ['--verbose'] : ['--verbose', '--json']
      const words = [command, ...options, ...(argumentsOf[command] ?? [])]
      const ended = await pair.start(words, { env: environment }).ended
      expectNoSecret(words.join(' '), ended)
      said.push(ended.stdout, ended.stderr)
    }
    for (const command of ['upgrade --dry-run', 'current', 'init --dry-run', 'check']) {
      const ended = await pair.start([...command.split(' '), '--verbose', '--log', 'json'], { env: environment }).ended
      expectNoSecret(`${command} --log json`, ended)
      readEntries(ended)
    }

    for (const text of told) expect(said.join('\n')).toContain(text)
  })
})

test('no password is printed when the driver falls over while it logs in', async () => {
  const pbkdf2 = "process.getBuiltinModule('crypto').pbkdf2Sync = broken"
  const env = {
    ALPHA_DATABASE_URL: urls.alpha,
    BETA_DATABASE_URL: urls.beta,
    NODE_OPTIONS: `--import=${preload(pbkdf2)}`,
  }
  const ended = await pair.start(['current', '--json', '--verbose'], { env }).ended

  expectNoSecret('current', ended)
  expect(ended.exitCode).not.toBe(0)
  expect(ended.stderr).toContain('it is broken')
})

test('no run prints or keeps a password, whether it is done or fails or loses its connection', async () => {
  const env = { ALPHA_DATABASE_URL: urls.alpha, BETA_DATABASE_URL: urls.beta, DROVER_SHADOW_URL: urls.server }
  const run = async (line: string) => {
    const ended = await pair.start(line.split(' '), { env }).ended
    expectNoSecret(line, ended)
    return `${ended.stdout}${ended.stderr}`
  }

  expect(await run('upgrade --verbose --log json')).toContain('4 revisions')
  await run('current --json --verbose')
  await run('drift --verbose')
  await run('downgrade base --yes --json -d beta')
  await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'select nothing;\n' })
  expect(await run('upgrade --verbose -d alpha')).toContain('column "nothing" does not exist')
  await run('upgrade --json -d alpha')
  expect(await run('upgrade --verbose -d alpha --log json')).toContain('does not exist')
  await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', up: 'select pg_terminate_backend(pg_backend_pid());\n' })
  expect(await run('upgrade --verbose -d beta')).toContain('was lost')
  await run('check --verbose')
  await run(`stamp alpha/${ids.a1} --purge --yes --verbose`)

  for (const url of [pair.urls.alpha, pair.urls.beta]) {
    const kept = await queryColumn(
      url,
      'select applied::text from drover.applied union all select run::text from drover.run union all select lease::text from drover.lease',
    )
    expect(kept.length).toBeGreaterThan(1)
    expect(kept.filter((row: string) => piece.test(row))).toEqual([])
  }
})

test('a command that prints the URL may say what it likes when it fails', async () => {
  const words = JSON.stringify(['sh', '-c', 'echo "$LEAK"; echo "I know $LEAK, and its $PASSWORD" >&2; exit 3'])
  await pair.write(
    'databases/beta/database.ts',
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: 'beta', after: ['alpha'], urlCommand: ${words} })\n`,
  )
  const env = { ALPHA_DATABASE_URL: urls.alpha, BETA_DATABASE_URL: '', LEAK: urls.beta, PASSWORD: encoded }

  for (const line of ['current --verbose', 'current --json', 'upgrade --verbose', 'check --json', 'plan --verbose']) {
    const ended = await pair.start(line.split(' '), { env }).ended
    expectNoSecret(line, ended)
    expect(`${ended.stdout}${ended.stderr}`).toContain('ended with exit code 3')
  }
  // It is not run for another database.
  expect(await pair.start(['current', '-d', 'alpha'], { env }).ended).toMatchObject({ exitCode: 0 })
})

function expectNoSecret(command: string, { stdout, stderr }: Ended): void {
  const leaks = `${stdout}\n${stderr}`.split('\n').filter((line) => piece.test(line))
  expect({ command, leaks }).toEqual({ command, leaks: [] })
}

function withKey(url: string): string {
  return `${url}?sslmode=require&sslcert=/nowhere&sslkey=/nowhere&sslpassword=${encoded}`
}

function wrong(url: string): string {
  return Object.assign(new URL(url), { password: `${encoded}x` }).href
}

/** A module that is loaded before everything else. */
function preload(code: string): string {
  return `data:text/javascript,${encodeURIComponent(`const broken = () => { throw new Error('it is broken') };${code}`)}`
}
