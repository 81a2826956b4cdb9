import {
  type Connection,
  type ConnectionUrl,
  openConnection,
  quoteIdentifier,
  quoteLiteral,
  storeSchema,
  pinSearchPath,
} from '@drover/engine'
import { DroverError } from '@drover/history'
import * as v from 'valibot'

import type { RoleKind } from './declare.ts'
import { type Check, checks, isExpected } from './expect.ts'
import { qualify } from './read.ts'

/** A role that is tried. */
export interface Subject {
  readonly role: string
  readonly kind: RoleKind
  /** Name of the database that it belongs to. */
  readonly of: string
  /** Missing where it is not known: then an administrator takes on the role. */
  readonly password?: string
}

/** A database that the roles are tried on. */
export interface Place {
  readonly name: string
  /** Its own URL; the login in it is not used. */
  readonly url: ConnectionUrl
  /** Of somebody who may take on the roles. */
  readonly administrator?: ConnectionUrl
}

/** What one role can do in one database. */
export interface Proof {
  readonly database: string
  readonly subject: Subject
  /** `login`: by logging in; `set role`: an administrator took on the role, and connecting is what the catalogue says. */
  readonly how: 'login' | 'set role' | 'not tried'
  /** Why it could not be tried. */
  readonly reason?: string
  /** Those that could be tried. Where a role cannot connect, there is nothing else. */
  readonly results: readonly Result[]
}

/** One thing that was tried. */
export interface Result {
  readonly check: Check
  readonly expected: boolean
  readonly found: boolean
  /** Where it is not as expected: tables and schemas, or what the server said. */
  readonly where: readonly string[]
}

/**
 * Tries every role on every database: logs in, reads and writes each table (no row is touched), creates a table and a schema,
 * reads Drover's tables. Everything is rolled back.
 *
 * A privilege that was taken from a role on one table, while it keeps others there, counts as the work of a revision. A table
 * on which it has nothing at all does not.
 */
export async function proveAccess(subjects: readonly Subject[], places: readonly Place[]): Promise<readonly Proof[]> {
  const confirmed = new Set<string>()
  const proofs: Proof[] = []
  for (const place of places) {
    // Its own roles first: a password that is right at home says something elsewhere.
    const own = subjects.filter((subject) => subject.of === place.name)
    for (const subject of own) proofs.push(await proveOne(subject, place, confirmed))
  }
  for (const place of places) {
    const strangers = subjects.filter((subject) => subject.of !== place.name)
    for (const subject of strangers) proofs.push(await proveOne(subject, place, confirmed))
  }
  return places.flatMap((place) => proofs.filter((proof) => proof.database === place.name))
}

/** @param confirmed roles whose password is known to be right; this adds to it */
async function proveOne(subject: Subject, place: Place, confirmed: Set<string>): Promise<Proof> {
  const { role, password } = subject
  const own = subject.of === place.name
  const about = { database: place.name, subject }
  const refused = (how: Proof['how'], reason?: string): Proof => {
    const expected = isExpected(subject.kind, own, 'connect')
    return {
      ...about,
      how,
      results: [{ check: 'connect', expected, found: false, where: reason === undefined ? [] : [reason] }],
    }
  }
  if (password !== undefined) {
    await using connection = openConnection(place.url.withLogin(role, password))
    const answer = await tryLogin(connection)
    if (answer !== 'refused') confirmed.add(role)
    if (answer === 'welcome') return { ...about, how: 'login', results: await tryAll(connection, subject, own, '') }
    if (answer === 'unwelcome') return refused('login')
    if (own) return refused('login', 'the server refuses the password')
    // A login that works at home and not here is not known here.
    if (confirmed.has(role)) return refused('login')
  }
  if (!place.administrator) {
    const reason = password === undefined ? 'its password is not known' : 'its password is refused'
    return {
      ...about,
      how: 'not tried',
      reason: `${reason}, and there is no administrator to take on the role`,
      results: [],
    }
  }
  await using connection = openConnection(place.administrator)
  const [row] = await connection.send(
    `${pinSearchPath}select has_database_privilege(oid, current_database(), 'connect') as welcome from pg_roles where rolname = ${quoteLiteral(role)}`,
  )
  if (!row) return refused('set role', 'there is no such role')
  if (row['welcome'] !== true) return refused('set role')
  const takeOn = `set local role ${quoteIdentifier(role)};\n`
  if (!(await isAllowed(connection, takeOn, 'select 1'))) {
    const reason = `"${place.administrator.user}" may not take on the role`
    return { ...about, how: 'not tried', reason, results: [] }
  }
  return { ...about, how: 'set role', results: await tryAll(connection, subject, own, takeOn) }
}

/** `unwelcome`: the password is right, and the database closed to the role. */
async function tryLogin(connection: Connection): Promise<'welcome' | 'unwelcome' | 'refused'> {
  try {
    await connection.send('select 1')
    return 'welcome'
  } catch (error) {
    if (error instanceof DroverError && error.code === 'AUTHENTICATION_FAILED') return 'refused'
    if (isDenied(error)) return 'unwelcome'
    throw error
  }
}

interface Table {
  readonly schema: string
  readonly name: string
  /** A column that can be written; none in a table without columns. */
  readonly column: string | null
  /** What the role itself was granted. */
  readonly granted: readonly string[]
}

/** @param before statements that take on the role; empty where it has logged in */
async function tryAll(
  connection: Connection,
  subject: Subject,
  own: boolean,
  before: string,
): Promise<readonly Result[]> {
  const { tables, schemas } = await readPlaces(connection, subject.role)
  const results: Result[] = []
  for (const check of checks) {
    const expected = isExpected(subject.kind, own, check)
    const attempts = attemptsOf(check, expected, tables, schemas)
    const different: string[] = []
    for (const { what, sql } of attempts)
      if ((await isAllowed(connection, before, sql)) !== expected) different.push(what)
    // Nothing to try it on is as good as what is expected.
    results.push({ check, expected, found: different.length === 0 ? expected : !expected, where: different })
  }
  return results
}

interface Attempt {
  readonly what: string
  readonly sql: string
}

function attemptsOf(
  check: Check,
  expected: boolean,
  tables: readonly Table[],
  schemas: readonly string[],
): readonly Attempt[] {
  if (check === 'connect') return [{ what: 'connect', sql: 'select 1' }]
  if (check === 'ddl') {
    // What the owner has not made itself, it need not be able to change.
    const tried = expected ? schemas.filter((schema) => schema === 'public') : schemas
    return [
      { what: 'create schema', sql: 'create schema drover_probe' },
      ...tried.map((schema) => ({
        what: `create table in ${schema}`,
        sql: `create table ${qualify(schema, 'drover_probe')} (id integer)`,
      })),
    ]
  }
  const ofDrover = tables.filter(({ schema }) => schema === storeSchema)
  if (check === 'drover') return ofDrover.flatMap((table) => [attemptOn(table, 'select'), attemptOn(table, 'insert')])
  const isNarrowed = ({ granted }: Table) => granted.length > 0 && !granted.includes(check.toUpperCase())
  return tables
    .filter((table) => table.schema !== storeSchema && !(expected && isNarrowed(table)))
    .filter((table) => check !== 'update' || table.column !== null)
    .map((table) => attemptOn(table, check))
}

/** Privileges are looked at before rows are, and there are none to be touched. */
function attemptOn({ schema, name, column }: Table, check: 'select' | 'insert' | 'update' | 'delete'): Attempt {
  const table = qualify(schema, name)
  switch (check) {
    case 'select':
      return { what: `${schema}.${name}`, sql: `select from ${table} limit 0` }
    case 'insert':
      return { what: `${schema}.${name}`, sql: `insert into ${table} select where false` }
    case 'update':
      return {
        what: `${schema}.${name}`,
        sql: `update ${table} set ${quoteIdentifier(column ?? '')} = default where false`,
      }
    case 'delete':
      return { what: `${schema}.${name}`, sql: `delete from ${table} where false` }
  }
}

async function readPlaces(
  connection: Connection,
  role: string,
): Promise<{ readonly tables: readonly Table[]; readonly schemas: readonly string[] }> {
  const [row] = await connection.send(`${pinSearchPath}
select json_build_object(
  'schemas', (
    select json_agg(nspname order by nspname collate "C")
    from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
  ),
  'tables', (
    select coalesce(json_agg(json_build_object(
      'schema', nspname,
      'name', relname,
      'column', (
        select attname from pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped order by attnum limit 1
      ),
      'granted', (
        select coalesce(json_agg(item.privilege_type), '[]')
        from aclexplode(relacl) as item
        where pg_get_userbyid(item.grantee) = ${quoteLiteral(role)} and item.grantee <> relowner
      )
    ) order by nspname collate "C", relname collate "C"), '[]')
    from pg_class as class
    join pg_namespace as space on space.oid = relnamespace
    where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema' and not exists (
      select from pg_depend where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e'
    )
  )
)::text as places`)
  const { tables, schemas } = v.parse(placesJson, JSON.parse(String(row?.['places'])))
  return { tables, schemas: schemas ?? [] }
}

const placesJson = v.object({
  schemas: v.nullable(v.array(v.string())),
  tables: v.array(
    v.object({
      schema: v.string(),
      name: v.string(),
      column: v.nullable(v.string()),
      granted: v.array(v.string()),
    }),
  ),
})

/** Whether a statement is allowed. Whatever else is wrong with it comes after that, and is of no interest here. */
async function isAllowed(connection: Connection, before: string, sql: string): Promise<boolean> {
  try {
    await connection.send(`begin;\nset local lock_timeout = '2s';\n${before}${sql};\nrollback`)
    return true
  } catch (error) {
    if (error instanceof DroverError) throw error
    await connection.send('rollback')
    if (isDenied(error)) return false
    if (isLocked(error)) throw lockedOut(sql, error)
    return true
  }
}

function isDenied(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && error.code === '42501')) return false
  // A trigger may raise the same, and is only called when the privileges suffice.
  return !('routine' in error && error.routine === 'exec_stmt_raise')
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '55P03' || error.code === '57014')
}

function lockedOut(statement: string, cause: unknown): DroverError {
  return new DroverError(
    {
      code: 'LOCKED',
      message: 'somebody holds a lock on a table for longer than two seconds, so who may use it could not be tried',
      hint: 'run the same command again when that is over',
      statement,
    },
    { cause },
  )
}
