import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  type DatabaseFacts,
  planDatabase,
  planServer,
  type ServerFacts,
  type WantedAccess,
  writeProvisioningScript,
} from '@drover/access'
import { openConnection, pinSearchPath, quoteIdentifier, quoteLiteral } from '@drover/engine'
import { parse } from 'libpg-query'
import { describe, expect, inject, onTestFinished, test } from 'vitest'

import { createCanary } from './harness/canary.ts'
import { count, inBatches, sampleTexts } from './harness/hostile-text.ts'
import { hasPsql, runPsql } from './harness/psql.ts'
import { query, queryColumn } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

/** Everything that has a name in what `init` does. */
const slots = [
  'owner',
  'app',
  'readonly',
  'stranger',
  'reader',
  'database',
  'extension',
  'schema',
  'table',
  'sequence',
] as const

type Names = Readonly<Record<(typeof slots)[number], string>>

const harmless: Names = {
  owner: 'the_owner',
  app: 'the_app',
  readonly: 'the_readonly',
  stranger: 'the_stranger',
  reader: 'the_reader',
  database: 'the_database',
  extension: 'the_extension',
  schema: 'the_schema',
  table: 'the_table',
  sequence: 'the_sequence',
}

describe('the steps of init', () => {
  test('with 10,000 names are the statements that they are with harmless ones, with exactly these names in them', async () => {
    const names = hostileNames().filter(isRoleName)
    expect(names.length).toBeGreaterThan(count / 2)
    const expected = await parseAll(allSteps(harmless))

    for (const index of names.keys()) {
      const own = namesAt(names, index)
      const sql = allSteps(own)
      expectSame(await parseAll(sql), expected, own, sql)
    }
  })

  test('with a name that no server can hold are refused, whatever is to have that name', () => {
    const unusable = hostileNames().filter((name) => !isHoldable(name))
    expect(unusable.length).toBeGreaterThan(count / 100)

    for (const name of unusable) {
      for (const slot of slots) {
        // Who reads Drover's tables without a name is PUBLIC.
        if (slot === 'reader' && name === '') continue
        expect(() => allSteps({ ...harmless, [slot]: name })).toThrow(
          expect.objectContaining({ code: 'NAME_UNUSABLE' }),
        )
      }
    }
  })

  test(
    'are carried out by the server with 10,000 names, and make these roles, grants and owners and no others',
    { timeout: 300_000 },
    async () => {
      await using canary = await createCanary()
      const { connection } = canary
      const { database } = connection.url
      await connection.send('create schema drover')
      const names = hostileNames().filter(isOwnName)
      expect(names.length).toBeGreaterThan(count / 2)

      for (const indexes of inBatches([...names.keys()], 50)) {
        const sets = indexes.map((index) => ({ ...namesAt(names, index), database }))
        await connection.send(
          `begin;\n${pinSearchPath}${sets.map((own) => `${setUp(own)};\n${carriedOut(own)}`).join(';\n')}`,
        )
        const [row] = await connection.send(readBack)
        await connection.send('rollback')
        const found: readonly unknown[] = JSON.parse(String(row?.['found']))
        expect(found.map((fact) => JSON.stringify(fact)).toSorted(byText)).toEqual(sets.flatMap(made).toSorted(byText))
      }
      expect(await canary.isWhole()).toBe(true)
    },
  )
})

describe('the script for an administrator', () => {
  test('with 10,000 names has the statements and commands that it has with harmless ones, with exactly these names', async () => {
    const names = hostileNames().filter(isRoleName)
    const expected = readScript(writeProvisioningScript(wantedOf(harmless)))
    const statements = await parseAll(expected.statements)
    const generated = await parseAll(expected.generated)

    for (const index of names.keys()) {
      const own = namesAt(names, index)
      const script = readScript(writeProvisioningScript(wantedOf(own)))
      expect({ own, commands: script.commands }).toEqual({ own, commands: expected.commands })
      expectSame(await parseAll(script.statements), statements, own, script.statements)
      expectSame(await parseAll(script.generated), generated, own, script.generated)
    }
  })

  test.skipIf(!hasPsql)(
    'makes what it says when psql runs it, and nothing gets out of it',
    { timeout: 180_000 },
    async () => {
      await using canary = await createCanary()
      const folder = await temporaryFolder()
      const names = [...worstNames(folder), ...hostileNames().filter(isOwnName).slice(0, 22)]

      for (const index of names.keys()) {
        const own = namesAt(names, index)
        await using _reserved = await reserve([own.database], [own.owner, own.app, own.readonly])
        await writeFile(join(folder, 'script.sql'), writeProvisioningScript({ ...wantedOf(own), extensions: [] }))

        for (const _ of ['first', 'again'])
          expect({ own, ...(await runPsql(canary.url, join(folder, 'script.sql'))) }).toMatchObject({
            own,
            exitCode: 0,
            stderr: '',
          })

        const roles = `rolname in (${[own.owner, own.app, own.readonly].map(quoteLiteral).join(', ')})`
        expect(await queryColumn(canary.url, `select count(*)::int from pg_roles where ${roles}`)).toEqual([3])
        await using inside = openConnection(canary.connection.url.withDatabase(own.database))
        const grants = await inside.send(grantsInside)
        expect(grants.map(({ grantee }) => grantee).toSorted(byText)).toEqual([own.app, own.readonly].toSorted(byText))
        expect(await canary.connection.send(grantsInside)).toEqual([])
      }
      expect(existsSync(join(folder, 'escaped'))).toBe(false)
      expect(await canary.isWhole()).toBe(true)
    },
  )
})

describe('10,000 slugs of tenants', () => {
  test(
    'make as many schemas, and what is made without a schema’s name lands in that of its tenant',
    { timeout: 300_000 },
    async () => {
      await using canary = await createCanary()
      const { connection } = canary
      const slugs = [...new Set(hostileNames().map((text) => text.slice(0, 40)))].filter((slug) =>
        isHoldable(`tenant_${slug}`),
      )
      expect(slugs.length).toBeGreaterThan(count / 2)

      for (const some of inBatches(slugs, 100)) {
        const making = some.map((slug) => {
          const schema = quoteIdentifier(`tenant_${slug}`)
          return `create schema ${schema}; set local search_path = ${schema};
create table note (slug varchar(60)); insert into note values (${quoteLiteral(slug)});`
        })
        const read = some.map(
          (slug, index) => `select ${index} as index, slug from ${quoteIdentifier(`tenant_${slug}`)}.note`,
        )
        const rows = await connection.send(
          `begin;\n${making.join('\n')}\n${pinSearchPath}${read.join(' union all ')} order by index`,
        )
        const schemas = await connection.send(
          `select nspname as name from pg_namespace join pg_class on relnamespace = pg_namespace.oid and relname = 'note'`,
        )
        await connection.send('rollback')
        expect(rows.map(({ slug }) => slug)).toEqual(some)
        expect(schemas.map(({ name }) => name).toSorted(byText)).toEqual(
          some.map((slug) => `tenant_${slug}`).toSorted(byText),
        )
      }
      expect(await canary.isWhole()).toBe(true)
    },
  )

  test('that are too long are refused, also where they begin with the same 63 bytes', () => {
    const long = sampleTexts().map((text) => `${text.toWellFormed().replaceAll('\0', '')}${'x'.repeat(64)}`)

    for (const slug of long) {
      for (const own of [`tenant_${slug}`, `tenant_${slug}1`, `tenant_${slug}2`])
        expect(() => quoteIdentifier(own)).toThrow('bytes, and PostgreSQL keeps 63')
    }
  })
})

describe('the command line', () => {
  test(
    'makes databases with 30 sets of hostile names, proves them, and shows no password',
    { timeout: 300_000 },
    async () => {
      await using canary = await createCanary()
      const databases = hostileNames().filter((name) => isOwnName(name) && name !== '.' && name !== '..')
      const passwords = sampleTexts(undefined, 90).map((text) => text.replaceAll('\0', ''))

      for (let round = 0; round < 5; round += 1) {
        const sets = members.map((name, at): Set => {
          const index = round * members.length + at
          const role = (kind: number) => reservedWords[(round + at * 3 + kind) % reservedWords.length]!
          const password = (kind: number) => `pass-${passwords[index * 3 + kind]}-word`
          return {
            name,
            database: databases[index]!,
            roles: [role(0), role(1), role(2)],
            passwords: [password(0), password(1), password(2)],
          }
        })
        await using _reserved = await reserve(
          sets.map(({ database }) => database),
          sets.flatMap(({ roles }) => roles),
        )
        await using workspace = await createWorkspace()
        await declare(workspace, sets)
        const run = async (...words: readonly string[]) => {
          const ended = await workspace.migrate(...words)
          const { exitCode, stdout, stderr } = ended
          expect({ words, sets, exitCode, stderr }).toMatchObject({ words, exitCode: 0 })
          expect(`${stdout}${stderr}`).not.toMatch(/pass-|-word/)
          return words.includes('--json') ? ended.json() : stdout
        }

        const init = await run('init', '--json')
        expect(init.provisioning).toEqual(
          sets.map(({ name, database, roles: [owner] }) => ({
            name,
            steps: expect.arrayContaining([
              `create database ${quoteIdentifier(database)} owner ${quoteIdentifier(owner)}`,
              `set the password of ${owner}`,
            ]),
          })),
        )
        const again = await run('init')
        expect(again).toContain('nothing to do')
        expect(again).not.toContain('to its roles and grants')
        const access = await run('access', '--json')
        const everybody = sets.flatMap(({ roles }) => roles).toSorted(byText)
        for (const { roles } of access.databases) {
          expect(roles.map(({ role }: any) => role).toSorted(byText)).toEqual(everybody)
          expect(roles.map(({ how }: any) => how)).toEqual(everybody.map(() => 'login'))
        }
        expect(access.databases.map(({ name }: any) => name)).toEqual(members)
        for (const words of [['current'], ['upgrade'], ['drift']])
          expect((await run(...words, '--json')).databases.map(({ name }: any) => name)).toEqual(members)

        for (const { database, roles } of sets) {
          expect(
            await queryColumn(
              canary.url,
              `select pg_get_userbyid(datdba)::text from pg_database where datname = ${quoteLiteral(database)}`,
            ),
          ).toEqual([roles[0]])
          await using inside = openConnection(canary.connection.url.withDatabase(database))
          expect(await inside.send('select revision from drover.applied')).toHaveLength(1)
        }
      }
      expect(await canary.isWhole()).toBe(true)
    },
  )

  test('refuses names of roles and extensions that a database.ts may not hold, names the field, and changes nothing', async () => {
    const before = await queryColumn(inject('serverUrl'), everythingShared)
    const fields = ['owner', 'app', 'readonly', 'extensions'] as const
    // The last of these breaks two rules, each of which is told.
    const ofRoles = ['public', 'none', 'pg_monitor', 'pg_and more']
    const refused = [
      ...ofRoles,
      ...hostileNames()
        .filter((name) => !/^[a-z][a-z0-9_-]{0,62}$/.test(name))
        .slice(0, 40),
    ]
    await using workspace = await createWorkspace()
    for (const [index, name] of refused.entries()) {
      const field = index < ofRoles.length ? 'app' : fields[index % fields.length]!
      await workspace.write(
        `databases/d${index}/database.ts`,
        `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase(${JSON.stringify({
          name: `d${index}`,
          access: { [field]: field === 'extensions' ? [name] : name },
        })})\n`,
      )
    }

    const ended = await workspace.migrate('init', '--json')

    expect(ended.exitCode).toBe(2)
    const told = ended
      .json()
      .problems.map(
        ({ code, file, message }: any) => `${code} ${file} ${/"access\.[a-z]+(?:\.0)?"/.exec(message)?.[0]}`,
      )
    expect([...new Set<string>(told)].toSorted(byText)).toEqual(
      refused
        .map((_, index) => {
          const field = index < ofRoles.length ? 'app' : fields[index % fields.length]!
          return `CONFIG_INVALID databases/d${index}/database.ts "access.${field === 'extensions' ? 'extensions.0' : field}"`
        })
        .toSorted(byText),
    )
    expect(await queryColumn(inject('serverUrl'), everythingShared)).toEqual(before)
  })

  test('refuses names of databases and passwords that no server can hold, and changes nothing', async () => {
    const server = inject('serverUrl')
    // What the server would make of a name that is longer by one.
    const cut = 'x'.repeat(63)
    await using workspace = await createWorkspace()
    const set: Set = {
      name: 'alpha',
      database: 'ü'.repeat(32),
      roles: ['drover-select', 'drover-user', 'drover-table'],
      passwords: ['pass-1-word', 'pass-2-word', 'pass-3-word'],
    }
    await using _reserved = await reserve([cut], set.roles)
    await query(server, `create database ${quoteIdentifier(cut)}`)
    await declare(workspace, [set])
    const url = workspace.env['ALPHA_DATABASE_URL']!

    const longer = server.replace(/[^/]*$/, `${cut}x`)
    for (const [command, variable, code] of [
      ['init', url, 'NAME_UNUSABLE'],
      ['init', url.replace(/[^/]*$/, 'a%00b'), 'URL_INVALID'],
      ['init', url.replace('pass-1-word', 'pass-%00-word'), 'URL_INVALID'],
      ['init', url.replace(/[^/]*$/, ''), 'URL_INVALID'],
      ['current', longer, 'NAME_UNUSABLE'],
      ['upgrade', longer, 'NAME_UNUSABLE'],
    ] as const) {
      workspace.env['ALPHA_DATABASE_URL'] = variable
      const ended = await workspace.migrate(command, '--json')
      expect({ exitCode: ended.exitCode, problems: ended.json().problems }).toMatchObject({
        exitCode: 2,
        problems: [{ code }],
      })
      expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/pass-|-word/)
    }
    expect(await queryColumn(server, `select rolname from pg_roles where ${isTaken('rolname', set.roles)}`)).toEqual([])
    expect(await queryColumn(server.replace(/[^/]*$/, cut), `select to_regnamespace('drover')`)).toEqual([null])
  })
})

/** The databases of a workspace, in the order of their names. */
const members = ['alpha', 'beta', 'delta', 'epsilon', 'gamma', 'zeta'] as const

/** What a `database.ts` may call a role, and SQL something else. */
const reservedWords = [
  'select',
  'user',
  'table',
  'current_user',
  'session_user',
  'current_role',
  'all',
  'null',
  'true',
  'default',
  'grant',
  'drop-table-canary--',
  'a--',
  'b-_-_',
  'authorization',
  'x'.repeat(63),
  `y${'-'.repeat(62)}`,
  'group',
  'in',
  'or-1-1--',
] as const

/** What one database is called, and its owner, application and reader. */
interface Set {
  readonly name: (typeof members)[number]
  readonly database: string
  readonly roles: readonly [string, string, string]
  readonly passwords: readonly [string, string, string]
}

/** Declares databases in a workspace, each with a revision, and has the environment say where they are. */
async function declare(workspace: TestWorkspace, sets: readonly Set[]): Promise<void> {
  const server = inject('serverUrl')
  workspace.env['DROVER_ADMIN_URL'] = server
  for (const { name, database, roles, passwords } of sets) {
    const [owner, app, readonly] = roles
    await workspace.write(
      `databases/${name}/database.ts`,
      `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase(${JSON.stringify({
        name,
        access: { owner, app, readonly },
      })})\n`,
    )
    const id = `${name.length}${members.indexOf(name)}00000000aa`
    await workspace.addRevision(name, { id, parents: [], up: 'create table note (id integer);\n' })
    const variable = name.toUpperCase()
    const login = [owner, passwords[0]].map(encodeURIComponent).join(':')
    workspace.env[`${variable}_DATABASE_URL`] =
      `postgres://${login}@${new URL(server).host}/${encodeURIComponent(database)}`
    workspace.env[`${variable}_APP_PASSWORD`] = passwords[1]
    workspace.env[`${variable}_READONLY_PASSWORD`] = passwords[2]
  }
}

/** The names of what a server has for all its databases. */
const everythingShared = `
select 'role ' || rolname from pg_roles where rolname !~ '^(drover_|t[0-9a-f]{10}_)'
union all
select 'database ' || datname from pg_database where datname ~ '^d[0-9]'
order by 1`

function hostileNames(): readonly string[] {
  // Half of a surrogate pair is what a text that was cut in the wrong place ends with.
  return [...new Set(sampleTexts().map((text, index) => (index % 40 === 0 ? `${text}\ud83d` : text)))]
}

function isHoldable(name: string): boolean {
  return name !== '' && !name.includes('\0') && name.isWellFormed() && Buffer.byteLength(name) <= 63
}

/** PostgreSQL takes these two for something else, quoted or not. */
function isRoleName(name: string): boolean {
  return isHoldable(name) && name !== 'public' && name !== 'none'
}

/** Whether whoever asks for a role or a schema of this name gets it: PostgreSQL keeps some for itself. */
function isOwnName(name: string): boolean {
  return isRoleName(name) && !name.startsWith('pg_')
}

/** A name for everything. Over all indexes, each name is the name of each thing once; those of near indexes have none in common. */
function namesAt(names: readonly string[], index: number): Names {
  const step = Math.floor(names.length / slots.length)
  const at = (slot: keyof Names) => names[(index + slots.indexOf(slot) * step) % names.length]!
  return {
    owner: at('owner'),
    app: at('app'),
    readonly: at('readonly'),
    stranger: at('stranger'),
    reader: at('reader'),
    database: at('database'),
    extension: at('extension'),
    schema: at('schema'),
    table: at('table'),
    sequence: at('sequence'),
  }
}

function wantedOf({ owner, app, readonly, stranger, database, extension }: Names): WantedAccess {
  return { name: 'main', database, roles: { owner, app, readonly }, extensions: [extension], strangers: [stranger] }
}

/** Every step that there is, as SQL. */
function allSteps(own: Names): readonly string[] {
  const wanted = wantedOf(own)
  const fresh: ServerFacts = { superuser: false, roles: new Map() }
  const role = { login: false, attributes: ['superuser'], held: false }
  const changed: ServerFacts = {
    superuser: false,
    roles: new Map([own.owner, own.app, own.readonly].map((name) => [name, role])),
    database: databaseOfStranger(own),
  }
  return [
    ...planServer(wanted, fresh, new Set()),
    ...planServer(wanted, changed, new Set()),
    ...planDatabase(wanted, insideOf(own)),
  ].flatMap((step) => {
    if (step.where === 'password') return []
    return step.when === undefined ? [step.sql] : [step.sql, `select 1 where ${step.when}`]
  })
}

function databaseOfStranger(own: Names): ServerFacts['database'] & {} {
  const grantees = ['', own.stranger].map((role) => ({ role, privilege: 'CONNECT' }))
  return { owner: own.stranger, grantees }
}

function insideOf(own: Names): DatabaseFacts {
  return {
    schemas: [
      {
        name: own.schema,
        privileges: new Set([' CREATE']),
        defaults: new Set(),
        relations: [
          { name: own.table, isSequence: false, isBare: true },
          { name: own.sequence, isSequence: true, isBare: true },
        ],
      },
    ],
    misplaced: [],
    extensions: [],
    storeReaders: ['', own.reader],
  }
}

/** Makes what is to be there already. */
function setUp(own: Names): string {
  const schema = quoteIdentifier(own.schema)
  return [
    `create role ${quoteIdentifier(own.stranger)}`,
    `create role ${quoteIdentifier(own.reader)}`,
    `grant connect on database ${quoteIdentifier(own.database)} to ${quoteIdentifier(own.stranger)}`,
    `grant usage on schema drover to ${quoteIdentifier(own.reader)}`,
    `create schema ${schema}`,
    `create table ${schema}.${quoteIdentifier(own.table)} ()`,
    `create sequence ${schema}.${quoteIdentifier(own.sequence)}`,
  ].join(';\n')
}

/** What `init` does then, as one message. */
function carriedOut(own: Names): string {
  const wanted = { ...wantedOf(own), extensions: [] }
  const schema = quoteIdentifier(own.schema)
  const misplaced = [
    `schema ${schema}`,
    `table ${schema}.${quoteIdentifier(own.table)}`,
    `sequence ${schema}.${quoteIdentifier(own.sequence)}`,
  ]
  const facts: ServerFacts = { superuser: true, roles: new Map(), database: databaseOfStranger(own) }
  return [...planServer(wanted, facts, new Set()), ...planDatabase(wanted, { ...insideOf(own), misplaced })]
    .flatMap((step) => (step.where === 'password' ? [] : [step.sql]))
    .join(';\n')
}

/** What the server is to have of a set of names afterwards, each as JSON. */
function made({ owner, app, readonly, stranger, reader, schema, table, sequence }: Names): readonly string[] {
  return [
    ...[owner, app, readonly, stranger, reader].map((role) => ['role', role]),
    ['schema', schema, owner],
    ['relation', table, owner],
    ['relation', sequence, owner],
    ...[app, readonly].flatMap((role) => [
      ['connect', role],
      ['usage', schema, role],
      ['default', owner, schema, 'r', role],
      ['default', owner, schema, 'S', role],
      ['grant', table, role],
      ['grant', sequence, role],
    ]),
  ].map((fact) => JSON.stringify(fact))
}

/** The same, of everything that this transaction has made. */
const readBack = `
with fact as (
  select json_build_array('role', rolname) as fact from pg_authid where xmin = pg_current_xact_id()::xid
  union all
  select json_build_array('schema', nspname, pg_get_userbyid(nspowner))
  from pg_namespace
  where xmin = pg_current_xact_id()::xid and nspname <> 'drover'
  union all
  select json_build_array('relation', relname, pg_get_userbyid(relowner))
  from pg_class
  where xmin = pg_current_xact_id()::xid and relkind in ('r', 'S')
  union all
  select json_build_array('connect', pg_get_userbyid(grantee))
  from pg_database
  cross join aclexplode(datacl)
  where datname = current_database() and grantee <> datdba
  union all
  select json_build_array('usage', nspname, pg_get_userbyid(grantee))
  from pg_namespace
  cross join aclexplode(nspacl)
  where pg_namespace.xmin = pg_current_xact_id()::xid and nspname <> 'drover' and grantee <> nspowner
  union all
  select json_build_array('default', pg_get_userbyid(defaclrole), nspname, defaclobjtype, pg_get_userbyid(grantee))
  from (select distinct defaclrole, defaclnamespace, defaclobjtype, grantee from pg_default_acl cross join aclexplode(defaclacl)) as item
  join pg_namespace on pg_namespace.oid = defaclnamespace
  where grantee <> defaclrole
  union all
  select json_build_array('grant', relname, pg_get_userbyid(grantee))
  from (
    select distinct relname, relowner, grantee
    from pg_class
    cross join aclexplode(relacl)
    where pg_class.xmin = pg_current_xact_id()::xid
  ) as item
  where grantee <> relowner
)
select json_agg(fact)::text as found from fact`

type Tree = unknown

async function parseAll(statements: readonly string[]): Promise<readonly Tree[]> {
  return (await parse(statements.join(';\n'))).stmts ?? []
}

/** Expects the trees of statements with harmless names, and in the place of each of these the hostile one. */
function expectSame(found: readonly Tree[], expected: readonly Tree[], own: Names, sql: readonly string[]): void {
  const names = new Map(
    slots.flatMap((slot) => [
      [harmless[slot], own[slot]],
      // A name that SQL is to read as a name again.
      [`"${harmless[slot]}"`, `"${own[slot].replaceAll('"', '""')}"`],
    ]),
  )
  if (!isSame(found, expected, names)) expect({ own, sql, found }).toEqual({ own, sql, found: expected })
}

function isSame(found: Tree, expected: Tree, names: ReadonlyMap<string, string>): boolean {
  if (typeof expected === 'string') return found === (names.get(expected) ?? expected)
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return false
    return expected.every((one, index) => isSame(found[index], one, names))
  }
  if (typeof expected !== 'object' || expected === null) return found === expected
  if (typeof found !== 'object' || found === null) return false
  const keys = fieldsOf(expected)
  if (keys.length !== fieldsOf(found).length) return false
  return keys.every((key) => isSame(Reflect.get(found, key), Reflect.get(expected, key), names))
}

/** Without where in the text something stands. */
function fieldsOf(tree: object): readonly string[] {
  return Object.keys(tree).filter((key) => !['location', 'stmt_location', 'stmt_len'].includes(key))
}

/** A script as psql reads it. */
interface PsqlScript {
  /** The names of its backslash commands. */
  readonly commands: readonly string[]
  readonly statements: readonly string[]
  /** What its statements before `\gexec` return, and psql runs. */
  readonly generated: readonly string[]
}

function readScript(text: string): PsqlScript {
  const commands: string[] = []
  const statements: string[] = []
  const generated: string[] = []
  let statement = ''
  const token =
    /--[^\n]*|\\(?<command>\w+)[^\n]*|(?<end>;)|(?<variable>:'\w+')|(?<escaped>[Ee]'(?:[^'\\]|''|\\.)*')|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^]/gsu
  for (const { 0: found, groups = {} } of text.matchAll(token)) {
    if (groups['command'] !== undefined) {
      commands.push(groups['command'])
      if (groups['command'] !== 'gexec') continue
      const [literal] = /(?<=^\s*select )(?:E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*')/s.exec(statement) ?? ['']
      generated.push(valueOf(literal))
      statements.push(statement.replace(literal, () => `'generated'`))
      statement = ''
    } else if (groups['end'] !== undefined) {
      statements.push(statement)
      statement = ''
    } else if (!found.startsWith('--')) {
      statement += groups['variable'] === undefined ? found : `'variable'`
    }
  }
  return { commands: [...commands, ...(statement.trim() === '' ? [] : [statement])], statements, generated }
}

function valueOf(literal: string): string {
  const inner = literal.replace(/^E?'|'$/g, '').replaceAll("''", "'")
  return literal.startsWith('E') ? inner.replaceAll('\\\\', '\\') : inner
}

/** Names that psql could take for something else: a command of the shell or its own, a variable, where to connect to. */
function worstNames(folder: string): readonly string[] {
  const touch = `touch ${folder}/escaped`
  return [
    `\n\\! ${touch}\n`,
    `\r\\! ${touch}\r`,
    `'; \\! ${touch}`,
    `\`${touch}\``,
    `'\`${touch}\`'`,
    `\\'\`${touch}\``,
    'host=127.0.0.1 port=1',
    'dbname=postgres',
    'postgresql://127.0.0.1:1/x',
    `:a :'a' :"a"`,
    `"`,
    `'`,
    '\\',
    ' ',
    '-',
    'a b',
    'größe 数 😀',
    'all',
  ]
}

/** What the script has granted in a database. */
const grantsInside = `select distinct pg_get_userbyid(grantee) as grantee
from pg_default_acl
cross join aclexplode(defaclacl)
where grantee <> defaclrole`

function isTaken(column: string, names: readonly string[]): string {
  return `${column} = any (array[${names.map(quoteLiteral).join(', ')}]::text[])`
}

/** Drops the databases and the roles of these names when disposed of. Nobody may have them beforehand. */
async function reserve(databases: readonly string[], roles: readonly string[]): Promise<AsyncDisposable> {
  const server = inject('serverUrl')
  const taken = await queryColumn(
    server,
    `select rolname::text from pg_roles where ${isTaken('rolname', roles)}
union all
select datname::text from pg_database where ${isTaken('datname', databases)}`,
  )
  expect(taken).toEqual([])
  return {
    [Symbol.asyncDispose]: async () => {
      for (const name of databases) await query(server, `drop database if exists ${quoteIdentifier(name)} with (force)`)
      await query(server, `drop role if exists ${roles.map(quoteIdentifier).join(', ')}`)
    },
  }
}

async function temporaryFolder(): Promise<string> {
  // Short, because its path is part of names.
  const folder = await mkdtemp(join(tmpdir(), 'dp-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

function byText(one: unknown, other: unknown): number {
  return String(one) < String(other) ? -1 : Number(String(one) > String(other))
}
