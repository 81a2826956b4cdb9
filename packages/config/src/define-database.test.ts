import { describe, expect, it } from 'vitest'

import { defineDatabase } from './define.ts'
import { type DatabaseConfig, parseDatabaseConfig } from './define-database.ts'

describe('defineDatabase', () => {
  it('returns the declaration as it is', () => {
    const declaration = { name: 'main', after: ['credentials'] } as const

    expect(defineDatabase(declaration)).toBe(declaration)
  })
})

describe('parseDatabaseConfig', () => {
  it('fills in every default of a declaration that is only a name', () => {
    expect(parseDatabaseConfig(defineDatabase({ name: 'main' }))).toEqual({
      ok: true,
      config: {
        name: 'main',
        aliases: [],
        schema: undefined,
        migrations: './migrations',
        objects: './objects',
        after: [],
        url: ['MAIN_DATABASE_URL'],
        database: 'main',
        protected: false,
        foreign: [],
      } satisfies DatabaseConfig,
    })
  })

  it('keeps everything that is declared', () => {
    const declaration = {
      name: 'credentials',
      aliases: ['creds'],
      schema: './src/schema.ts',
      migrations: './history',
      objects: './sql',
      after: ['main', 'gdpr'],
      url: ['CREDENTIALS_DATABASE_URL', 'CREDS_DATABASE_URL'],
      urlCommand: ['op', 'read', 'op://production/credentials/url'],
      database: 'drover_credentials',
      protected: true,
      personalData: './src/personal-data.ts',
      foreign: ['schema topology', 'table public.spatial_*'],
    } as const

    expect(parseDatabaseConfig(defineDatabase(declaration))).toEqual({ ok: true, config: declaration })
  })

  it('takes an option that is set to undefined for one that is left out', () => {
    const config = configOf({
      name: 'main',
      schema: undefined,
      after: undefined,
      url: undefined,
      urlCommand: undefined,
      protected: undefined,
    })

    expect(config).toEqual(configOf({ name: 'main' }))
  })

  it.each([
    ['main', 'MAIN_DATABASE_URL'],
    ['my-db', 'MY_DB_DATABASE_URL'],
    ['a-b_c-2', 'A_B_C_2_DATABASE_URL'],
  ])('reads the URL of %s from %s by default', (name, variable) => {
    expect(configOf({ name }).url).toEqual([variable])
  })

  it.each([
    'schema topology',
    'schema "two words"',
    'table public.spatial_*',
    'extension *',
    'materialized view public.totals',
    'function app.touch()',
    'default privileges for role owner on tables',
  ])('takes %s for a foreign object', (foreign) => {
    expect(configOf({ name: 'main', foreign: [foreign] }).foreign).toEqual([foreign])
  })

  it.each(['a', 'test_2', 'eu-west', 'a'.repeat(63)])('takes %s for a name', (name) => {
    expect(configOf({ name }).name).toBe(name)
  })

  it.each([
    ['', '""'],
    ['Main', '"Main"'],
    ['2main', '"2main"'],
    ['my db', '"my db"'],
    ['main/x', '"main/x"'],
    ['büro', '"büro"'],
    ['a'.repeat(64), 'at most 63'],
  ])('refuses %j for a name', (name, told) => {
    const [fault, ...others] = faultsOf({ name })

    expect(others).toEqual([])
    expect(fault).toMatch(/^"name" must be at most 63 lower-case letters, digits, "-" and "_", starting with a letter/)
    expect(fault).toContain(told)
  })

  it.each([
    [{}, '"name" is missing'],
    [{ name: 7 }, '"name" must be a string, and is 7'],
    [{ name: 'main', aliases: 'm' }, '"aliases" must be a list of names, and is "m"'],
    [{ name: 'main', aliases: [1] }, '"aliases.0" must be a name, and is 1'],
    [{ name: 'main', schema: 1 }, '"schema" must be a path, and is 1'],
    [{ name: 'main', schema: '' }, '"schema" must not be empty'],
    [{ name: 'main', migrations: null }, '"migrations" must be a path, and is null'],
    [{ name: 'main', migrations: '' }, '"migrations" must not be empty'],
    [{ name: 'main', objects: null }, '"objects" must be a path, and is null'],
    [{ name: 'main', objects: '' }, '"objects" must not be empty'],
    [{ name: 'main', after: 'gdpr' }, '"after" must be a list of database names, and is "gdpr"'],
    [{ name: 'main', after: ['gdpr', 1] }, '"after.1" must be the name of a database, and is 1'],
    [
      { name: 'main', url: 'MAIN_DATABASE_URL' },
      '"url" must be a list of environment variables, and is "MAIN_DATABASE_URL"',
    ],
    [{ name: 'main', url: [] }, '"url" must name at least one environment variable'],
    [
      { name: 'main', url: ['MAIN_DATABASE_URL', 'database_url'] },
      '"url.1" must look like MAIN_DATABASE_URL, and is "database_url"',
    ],
    [{ name: 'main', url: [null] }, '"url.0" must be the name of a variable, and is null'],
    [{ name: 'main', urlCommand: 'op read x' }, '"urlCommand" must be a program and its arguments, and is "op read x"'],
    [{ name: 'main', urlCommand: [] }, '"urlCommand" must name a program'],
    [{ name: 'main', urlCommand: ['', 'x'] }, '"urlCommand.0" must not be empty'],
    [{ name: 'main', urlCommand: ['op', 1] }, '"urlCommand.1" must be text, and is 1'],
    [{ name: 'main', database: '' }, '"database" must not be empty'],
    [{ name: 'main', protected: 'yes' }, '"protected" must be true or false, and is "yes"'],
    [{ name: 'main', schema: './schema.ts', personalData: '' }, '"personalData" must not be empty'],
    [{ name: 'main', personalData: './data.ts' }, '"personalData" needs "schema", whose columns it is compared with'],
    [{ name: 'main', foreign: 'schema topology' }, '"foreign" must be a list of objects, and is "schema topology"'],
    [
      { name: 'main', foreign: ['table public.a', 'tabel public.b'] },
      '"foreign.1" must be a kind and a name, such as "schema topology" or "table public.spatial_*", and is "tabel public.b"',
    ],
    [
      { name: 'main', foreign: ['table *_old'] },
      '"foreign.0" must be a kind and a name, such as "schema topology" or "table public.spatial_*", and is "table *_old"',
    ],
    [{ name: 'main', migration: './migrations' }, '"migration" is not an option'],
    [{ name: 'main', default: { name: 'main' } }, '"default" is not an option'],
  ])('says what is wrong with %j: %s', (exported, fault) => {
    expect(faultsOf(exported)).toEqual([fault])
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['main', '"main"'],
    [() => ({ name: 'main' }), 'Function'],
  ])('asks for a declaration where %s is exported', (exported, told) => {
    expect(faultsOf(exported)).toEqual([`the default export must be defineDatabase({ … }), and is ${told}`])
  })

  it('finds every fault at once', () => {
    expect(faultsOf({ nam: 'main', after: 'gdpr', protectd: true, protected: 1 })).toEqual([
      '"name" is missing',
      expect.stringContaining('"after"'),
      expect.stringContaining('"protected"'),
      '"nam" is not an option',
      '"protectd" is not an option',
    ])
  })

  it.each([
    ['where a list of variables belongs', { name: 'main', url: 'postgres://app:hunter2@db/main' }],
    ['as the name of a variable', { name: 'main', url: ['postgres://app:hunter2@db/main'] }],
    ['in the form of keywords', { name: 'main', url: ['host=db password=hunter2'] }],
    ['to a command', { name: 'main', urlCommand: ['echo', 'postgres://app:hunter2@db/main'] }],
    ['as the whole export', 'postgresql://app:hunter2@db/main'],
    ['as an option of its own', { name: 'main', connectionString: 'postgres://app:hunter2@db/main' }],
    ['as the name', { name: 'postgres://app:hunter2@db/main' }],
  ])('never repeats a connection string given %s', (_, exported) => {
    const faults = faultsOf(exported)

    expect(faults).toHaveLength(1)
    expect(faults[0]).not.toContain('hunter2')
  })
})

describe('parseDatabaseConfig, of a database that migrates itself', () => {
  it('fills in every default of a declaration that is only a name', () => {
    expect(configOf({ kind: 'external', name: 'key-cloak' })).toMatchObject({
      name: 'key-cloak',
      aliases: [],
      after: [],
      url: ['KEY_CLOAK_DATABASE_URL'],
      database: 'key-cloak',
      external: { commandTimeoutMs: 600_000, managedBy: 'another program' },
    })
  })

  it('keeps everything that is declared', () => {
    const declaration = {
      kind: 'external',
      name: 'jobs',
      aliases: ['j'],
      after: ['main'],
      url: ['WORKER_DATABASE_URL'],
      database: 'drover_jobs',
      command: ['graphile-worker', '--schema-only'],
      commandTimeout: 1.5,
      managedBy: 'Graphile Worker',
    } as const

    expect(configOf(defineDatabase(declaration))).toMatchObject({
      aliases: ['j'],
      after: ['main'],
      url: ['WORKER_DATABASE_URL'],
      database: 'drover_jobs',
      external: {
        command: ['graphile-worker', '--schema-only'],
        commandTimeoutMs: 1500,
        managedBy: 'Graphile Worker',
      },
    })
  })

  it('is managed by its command where nobody else is named', () => {
    const config = configOf({ kind: 'external', name: 'jobs', command: ['openfga', 'migrate'] })

    expect(config.external?.managedBy).toBe('openfga migrate')
  })

  it.each([
    [{ kind: 'extern', name: 'jobs' }, '"kind" must be "external" or "snapshot", or left out, and is "extern"'],
    [{ name: 'jobs', command: ['migrate'] }, '"command" is not an option'],
    [{ kind: 'external', name: 'jobs', schema: './schema.ts' }, '"schema" is not an option'],
    [{ kind: 'external', name: 'jobs', migrations: './migrations' }, '"migrations" is not an option'],
    [{ kind: 'external', name: 'jobs', command: [] }, '"command" must name a program'],
    [
      { kind: 'external', name: 'jobs', command: 'migrate' },
      '"command" must be a list: a program and its arguments, and is "migrate"',
    ],
    [{ kind: 'external', name: 'jobs', command: ['migrate', 1] }, '"command.1" must be a word of a command, and is 1'],
    [
      { kind: 'external', name: 'jobs', commandTimeout: 0 },
      '"commandTimeout" must be a number of seconds, at least 1, and is 0',
    ],
    [{ kind: 'external', name: 'jobs', managedBy: '' }, '"managedBy" must not be empty'],
  ])('says what is wrong with %j: %s', (exported, fault) => {
    expect(faultsOf(exported)).toEqual([fault])
  })

  it('refuses a URL in the command, which is printed, and does not repeat it', () => {
    const command = ['migrate', '--database=postgres://jobs:hunter2@db/jobs']

    const faults = faultsOf({ kind: 'external', name: 'jobs', command })

    expect(faults).toEqual([
      expect.stringContaining('"command.1" must not hold a URL: the command has it in DATABASE_URL'),
    ])
    expect(faults[0]).not.toContain('hunter2')
  })
})

function configOf(exported: unknown): DatabaseConfig {
  const result = parseDatabaseConfig(exported)
  if (!result.ok) throw new Error(result.faults.join('\n'))
  return result.config
}

function faultsOf(exported: unknown): readonly string[] {
  const result = parseDatabaseConfig(exported)
  return result.ok ? [] : result.faults
}

describe('access', () => {
  it('names the roles after the database, unless they are named', () => {
    expect(configOf({ name: 'my-db', access: { app: 'web', extensions: ['citext'] } }).access).toEqual({
      owner: 'my-db_owner',
      app: 'web',
      readonly: 'my-db_readonly',
      extensions: ['citext'],
    })
    expect(configOf({ name: 'main' }).access).toBeUndefined()
  })

  it.each([
    [{ owner: 'pg_main' }, '"access.owner" must not start with "pg_"'],
    [{ app: 'public' }, '"access.app" must not be "public" or "none"'],
    [{ readonly: 'none' }, '"access.readonly" must not be "public" or "none"'],
    [{ app: 'Main App' }, '"access.app" must be at most 63'],
    [{ readonly: 1 }, '"access.readonly" must be the name of a role'],
    [{ extensions: 'citext' }, '"access.extensions" must be a list of extensions'],
    [{ admin: 'root' }, '"access.admin" is not an option'],
    [{ app: 'main_owner' }, '"access" must name three different roles'],
    ['main_owner', '"access" must be the roles of the database'],
  ])('is refused when it is %j', (access, fault) => {
    expect(faultsOf({ name: 'main', access })).toEqual([expect.stringContaining(fault)])
  })

  it('is refused when a name would be cut off by the server', () => {
    const name = 'm'.repeat(60)

    expect(faultsOf({ name, access: {} })).toEqual([
      `"access.owner" must be at most 63 characters, and is ${name}_owner`,
      `"access.app" must be at most 63 characters, and is ${name}_app`,
      `"access.readonly" must be at most 63 characters, and is ${name}_readonly`,
    ])
  })
})

describe('parseDatabaseConfig, of a database that has the history of another', () => {
  it('fills in every default', () => {
    expect(configOf({ kind: 'snapshot', name: 'test', mirrors: ['gdpr'] })).toEqual({
      name: 'test',
      mirrors: 'gdpr',
      aliases: [],
      schema: undefined,
      migrations: './migrations',
      objects: './objects',
      after: [],
      url: ['TEST_DATABASE_URL'],
      database: 'test',
      protected: false,
      foreign: [],
    } satisfies DatabaseConfig)
  })

  it('keeps everything that is declared', () => {
    const declaration = {
      kind: 'snapshot',
      name: 'test',
      mirrors: ['gdpr'],
      aliases: ['t'],
      after: ['gdpr'],
      url: ['TESTS_DATABASE_URL'],
      database: 'gdpr_test',
      protected: true,
      access: { owner: 'o', app: 'a', readonly: 'r' },
      foreign: ['schema topology'],
    } as const

    expect(configOf(defineDatabase(declaration))).toMatchObject({
      mirrors: 'gdpr',
      aliases: ['t'],
      after: ['gdpr'],
      url: ['TESTS_DATABASE_URL'],
      database: 'gdpr_test',
      protected: true,
      access: { owner: 'o', app: 'a', readonly: 'r' },
      foreign: ['schema topology'],
    })
  })

  it.each([
    [{ kind: 'snapshot', name: 'test' }, '"mirrors" is missing'],
    [
      { kind: 'snapshot', name: 'test', mirrors: 'gdpr' },
      '"mirrors" must be a list with the name of one database, and is "gdpr"',
    ],
    [{ kind: 'snapshot', name: 'test', mirrors: [] }, '"mirrors" must name the database whose history this one has'],
    [
      { kind: 'snapshot', name: 'test', mirrors: ['gdpr', 'main'] },
      '"mirrors" must name one database: several histories in one are not supported',
    ],
    [{ kind: 'snapshot', name: 'test', mirrors: ['gdpr'], schema: './schema.ts' }, '"schema" is not an option'],
    [{ kind: 'snapshot', name: 'test', mirrors: ['gdpr'], migrations: './m' }, '"migrations" is not an option'],
    [{ name: 'test', mirrors: ['gdpr'] }, '"mirrors" is not an option'],
  ])('says what is wrong with %j: %s', (exported, fault) => {
    const [first, ...others] = faultsOf(exported)

    expect(others).toEqual([])
    expect(first).toContain(fault)
  })
})
