import {
  type Connection,
  type ConnectionUrl,
  openConnection,
  ownSchemas,
  quoteIdentifier,
  quoteLiteral,
  pinSearchPath,
} from '@drover/engine'
import { DroverError } from '@drover/history'
import * as v from 'valibot'

import type { RoleKind } from './declare.ts'
import { type Check, checks, isExpected, type TableCheck, tableChecks } from './expect.ts'
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
 * Tries every role on every database: logs in, reads and writes each table and view (no row is touched), creates tables and a
 * schema, reads and writes Drover's tables. Everything is rolled back. Privileges whose use would disturb others, TRUNCATE above
 * all, are looked up instead.
 *
 * A privilege that was taken from a role on one table, while it keeps others there, counts as the work of a revision. A table
 * on which it has nothing at all does not.
 * @throws {DroverError} `LOCKED` when somebody holds a lock for longer than two seconds, or what is wrong with the connection
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

/** A table, view or materialized view. */
interface Table {
  readonly schema: string
  readonly name: string
  /** What can be tried on it, whoever does: a view that joins tables cannot be written. */
  readonly checks: readonly TableCheck[]
  readonly isView: boolean
  /** The first column; none in a table without columns. */
  readonly column: string | null
  /** Whether it is a view that opens what its tables open to whoever reads it, and no more (`security_invoker`). */
  readonly isInvoker: boolean
  /** What the role itself was granted. */
  readonly granted: readonly string[]
  /** What the role may do with it by the catalogue. */
  readonly held: readonly TableCheck[]
  /** Whether by the catalogue the role may have foreign keys lead to it, be it to one column, or hang triggers on it. */
  readonly attach: boolean
}

/** @param before statements that take on the role; empty where it has logged in */
async function tryAll(
  connection: Connection,
  subject: Subject,
  own: boolean,
  before: string,
): Promise<readonly Result[]> {
  const { tables, schemas } = await readPlaces(connection, subject.role, before)
  const results: Result[] = []
  for (const check of checks) {
    const expected = isExpected(subject.kind, own, check)
    const different = new Set<string>()
    for (const attempt of attemptsOf(check, expected, tables, schemas)) {
      const allowed = 'sql' in attempt ? await isAllowed(connection, before, attempt.sql) : attempt.allowed
      if (allowed !== expected) different.add(attempt.what)
    }
    // Nothing to try it on is as good as what is expected.
    results.push({ check, expected, found: different.size === 0 ? expected : !expected, where: [...different] })
  }
  return results
}

/** A statement that is tried, or what the catalogue says where trying would disturb others. */
type Attempt = { readonly what: string; readonly sql: string } | { readonly what: string; readonly allowed: boolean }

function attemptsOf(
  check: Check,
  expected: boolean,
  tables: readonly Table[],
  schemas: readonly string[],
): readonly Attempt[] {
  const [ofDrover, others] = [
    tables.filter(({ schema }) => ownSchemas.includes(schema)),
    tables.filter(({ schema }) => !ownSchemas.includes(schema)),
  ]
  switch (check) {
    case 'connect':
      return [{ what: 'connect', sql: 'select 1' }]
    case 'ddl':
      return ddlAttempts(expected, others, schemas)
    case 'drover':
      return ofDrover.flatMap((table) => table.checks.map((one) => attemptOn(table, one)))
    default:
      return (
        others
          .filter((table) => table.checks.includes(check))
          // What a view of this kind opens is a matter of its tables, and of what revisions have taken away from those.
          .filter((table) => !(expected && (isNarrowed(table, check) || table.isInvoker)))
          .map((table) => attemptOn(table, check))
      )
  }
}

function isNarrowed({ granted }: Table, check: TableCheck): boolean {
  return granted.length > 0 && !granted.includes(check.toUpperCase())
}

function ddlAttempts(expected: boolean, tables: readonly Table[], schemas: readonly string[]): readonly Attempt[] {
  const makes: readonly Attempt[] = [
    { what: 'create schema', sql: 'create schema drover_probe' },
    { what: 'create temporary table', sql: 'create temporary table drover_probe (id integer)' },
  ]
  // What the owner has not made itself, it need not be able to change.
  if (expected) return [...makes, ...schemas.filter((schema) => schema === 'public').map(tableIn)]
  const attaches = tables.map((table): Attempt => ({
    what: `foreign keys or triggers on ${nameOf(table)}`,
    allowed: table.attach,
  }))
  return [...makes, ...schemas.map(tableIn), ...attaches]
}

function tableIn(schema: string): Attempt {
  return {
    what: `create table in ${schema}`,
    sql: `create table ${qualify(schema, 'drover_probe')} (id integer)`,
  }
}

/** Privileges are looked at before rows are, and there are none to be touched. */
function attemptOn(table: Table, check: TableCheck): Attempt {
  const [what, name] = [nameOf(table), qualify(table.schema, table.name)]
  const lookedUp = { what, allowed: table.held.includes(check) }
  // Before privileges, PostgreSQL looks at whether it knows how to write through a view, column by column.
  if (table.isView && check !== 'select') return lookedUp
  switch (check) {
    case 'select':
      return { what, sql: `select from ${name} limit 0` }
    case 'insert':
      return { what, sql: `insert into ${name} select where false` }
    case 'update':
      return { what, sql: `update ${name} set ${quoteIdentifier(table.column ?? '')} = default where false` }
    case 'delete':
      return { what, sql: `delete from ${name} where false` }
    case 'truncate':
      // Its lock shuts out everybody, on the server and on its standbys, be it rolled back at once.
      return lookedUp
  }
}

function nameOf({ schema, name }: Table): string {
  return `${schema}.${name}`
}

/** What there is to be tried, and what the role has of what is looked up. */
async function readPlaces(
  connection: Connection,
  role: string,
  before: string,
): Promise<{ readonly tables: readonly Table[]; readonly schemas: readonly string[] }> {
  const send = connection.send(`${pinSearchPath}${boundedWait}${before}
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
      'checks', array['select'] || array_remove(array[
        case when events & 8 <> 0 then 'insert' end,
        case when events & 4 <> 0 and first.attname is not null then 'update' end,
        case when events & 16 <> 0 then 'delete' end,
        case when relkind in ('r', 'p') then 'truncate' end
      ], null),
      'isView', relkind in ('v', 'm'),
      'column', first.attname,
      'isInvoker', coalesce((
        select option_value::boolean from pg_options_to_table(reloptions) where option_name = 'security_invoker'
      ), false),
      'granted', (
        select coalesce(json_agg(item.privilege_type), '[]')
        from aclexplode(relacl) as item
        where pg_get_userbyid(item.grantee) = ${quoteLiteral(role)} and item.grantee <> relowner
      ),
      'held', array(
        select privilege
        from unnest(array[${tableChecks.map(quoteLiteral).join(', ')}]) as privilege
        where has_schema_privilege(space.oid, 'usage') and has_table_privilege(class.oid, privilege)
      ),
      'attach', has_schema_privilege(space.oid, 'usage')
        and (has_any_column_privilege(class.oid, 'references') or has_table_privilege(class.oid, 'trigger'))
    ) order by nspname collate "C", relname collate "C"), '[]')
    from pg_class as class
    join pg_namespace as space on space.oid = relnamespace
    -- The bits of pg_relation_is_updatable: 4 update, 8 insert, 16 delete.
    cross join lateral (
      select case relkind when 'v' then pg_relation_is_updatable(class.oid, true) when 'm' then 0 else 28 end as events
    ) as writable
    left join lateral (
      select attname from pg_attribute where attrelid = class.oid and attnum > 0 and not attisdropped order by attnum limit 1
    ) as first on true
    where relkind in ('r', 'p', 'v', 'm') and nspname !~ '^pg_' and nspname <> 'information_schema' and not exists (
      select from pg_depend where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e'
    )
  )
)::text as places`)
  const [row] = await send.catch((error: unknown) => {
    throw isLocked(error) ? lockedOut(error) : error
  })
  const { tables, schemas } = v.parse(placesJson, JSON.parse(String(row?.['places'])))
  return { tables, schemas: schemas ?? [] }
}

const placesJson = v.object({
  schemas: v.nullable(v.array(v.string())),
  tables: v.array(
    v.object({
      schema: v.string(),
      name: v.string(),
      checks: v.array(v.picklist(tableChecks)),
      isView: v.boolean(),
      column: v.nullable(v.string()),
      isInvoker: v.boolean(),
      granted: v.array(v.string()),
      held: v.array(v.picklist(tableChecks)),
      attach: v.boolean(),
    }),
  ),
})

/** Somebody may be holding a lock on a table for long, and everybody who comes later would wait behind us. */
const boundedWait = `set local lock_timeout = '2s';\n`

/** Whether a statement is allowed. Whatever else is wrong with it comes after that, and is of no interest here. */
async function isAllowed(connection: Connection, before: string, sql: string): Promise<boolean> {
  try {
    await connection.send(`begin;\n${boundedWait}${before}${sql};\nrollback`)
    return true
  } catch (error) {
    if (error instanceof DroverError) throw error
    await connection.send('rollback')
    if (isDenied(error)) return false
    if (isLocked(error)) throw lockedOut(error, sql)
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

function lockedOut(cause: unknown, statement?: string): DroverError {
  return new DroverError(
    {
      code: 'LOCKED',
      message: 'somebody holds a lock on a table for longer than two seconds, so who may use it could not be tried',
      hint: 'run the same command again when that is over',
      ...(statement !== undefined && { statement }),
    },
    { cause },
  )
}
