import { type Connection, openConnection } from '../connect/connection.ts'
import type { ConnectionUrl } from '../connect/connection-url.ts'
import { sqlstateOf } from '../diagnose/statement-error.ts'
import { escapePattern } from '../sql/pattern.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { selectMembers } from './extension-members.ts'
import { pinSession, refuseUnusable, type UnseenPrivileges, writeCatalogQuery } from './catalog-query.ts'

/** So many schemas are asked for in one query: the server reads much of its catalogues however few those are. */
const atATime = 1000

/** SQLSTATE of a server that has no room left for locks. */
const outOfMemory = '53200'

/**
 * Gives any number of schemas a hash each, as `fingerprintSchemas` does. The server keeps some 80 KB for each schema that a connection
 * has read, and locks to the end of a query: every thousand has a connection of its own, and half of them where there is no room for the
 * locks of all.
 * @throws {DroverError} `PRIVILEGE_MISSING` as `fingerprintSchemas` does
 */
export async function fingerprintManySchemas(
  url: ConnectionUrl,
  schemas: readonly string[],
  unseen?: UnseenPrivileges,
): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>()
  for (let at = 0; at < schemas.length; at += atATime) {
    for (const [schema, hash] of await fingerprintSome(url, schemas.slice(at, at + atATime), unseen)) {
      hashes.set(schema, hash)
    }
  }
  return hashes
}

async function fingerprintSome(
  url: ConnectionUrl,
  schemas: readonly string[],
  unseen?: UnseenPrivileges,
): Promise<ReadonlyMap<string, string>> {
  try {
    await using connection = openConnection(url)
    return await fingerprintSchemas(connection, schemas, unseen)
  } catch (error) {
    if (sqlstateOf(error) !== outOfMemory || schemas.length < 2) throw error
    const half = Math.ceil(schemas.length / 2)
    const first = await fingerprintSome(url, schemas.slice(0, half), unseen)
    return new Map([...first, ...(await fingerprintSome(url, schemas.slice(half), unseen))])
  }
}

/**
 * Gives each of these schemas of a database a hash of everything in it, with one query: of what `readSchemaCatalog` tells, but for
 * the places of columns. The schema's own name has no part in it, nor where an extension was installed: the same history leaves
 * the same hash in every schema of every database. The hashes of two versions of Drover or of PostgreSQL do not compare.
 *
 * To write a view, a rule or a policy that reads tables, the server takes an ACCESS SHARE lock on each of these tables to the end of the
 * message. About 6,400 locks of that kind, for everybody on the server, are what it has memory for unless it is told otherwise.
 * Views are read under a lock of what they read, for which this waits two seconds at most.
 * @returns the hashes by schema; a schema that is not there has none
 * @throws {DroverError} `PRIVILEGE_MISSING` where we may not use a schema: the server would not tell its names from others
 */
export async function fingerprintSchemas(
  connection: Connection,
  schemas: readonly string[],
  unseen: UnseenPrivileges = {},
): Promise<ReadonlyMap<string, string>> {
  if (schemas.length === 0) return new Map()
  const rows = await connection.send(`${pinSession};
${boundWait}${writeCatalogQuery({ kind: 'schemas', schemas, label: ownLabel }, unseen)},
${extensions},
texts (space, line) as (
  -- Quoted, so that no name can be taken for the beginning of a definition.
  select lines.space, quote_literal(${withoutExtensions('lines.name')}) || ': ' || quote_literal(${withoutExtensions('lines.detail')})
  from lines
  cross join extensions
)
select spaces.nspname as schema, has_schema_privilege(spaces.oid, 'usage') as usable,
  encode(sha256(convert_to(coalesce(string_agg(texts.line, chr(10) order by texts.line collate "C"), ''), 'UTF8')), 'hex') as hash
from spaces
left join texts on texts.space = spaces.oid
group by spaces.oid, spaces.nspname`)
  refuseUnusable(rows.filter((row) => row['usable'] !== true).map((row) => String(row['schema'])))
  return new Map(rows.map((row) => [String(row['schema']), String(row['hash'])]))
}

/** Deparsing a view takes a lock on what it reads: whoever changes that should not have us in the way for long, nor we them. */
const boundWait = `set local lock_timeout = '2s';\n`

/** Nothing that the server would leave without quotes. */
const ownLabel = `'<schema>'`

/**
 * Regular expressions for what belongs to extensions and is not in pg_catalog. Whoever builds a history in the schema where an extension
 * is sees its objects without a schema, and everybody else with one.
 */
const extensions = `
members as (${selectMembers}
),
extensions (names, operators) as materialized (
  select
    ${quoteLiteral(String.raw`(^|[^\w$."])(?:`)} || string_agg(schema || '[.](?=(?:' || names || ${quoteLiteral(String.raw`)(?![\w$]))`)}, '|') || ')',
    'OPERATOR[(](?:' || string_agg(schema, '|') || ')[.](' || string_agg(operators, '|') || ')[)]'
  from (
    select
      ${escapePattern('quote_ident(schema)')} as schema,
      string_agg(distinct ${escapePattern('name')}, '|') filter (where not is_operator) as names,
      string_agg(distinct ${escapePattern('name')}, '|') filter (where is_operator) as operators
    from members
    where schema <> 'pg_catalog'
    group by schema
  ) as schemas
)`

/** SQL: a text with the schemas of extensions taken out, in the same way whether or not the schema is one that has a hash. */
function withoutExtensions(text: string): string {
  const named = `coalesce(regexp_replace(${text}, extensions.names, ${quoteLiteral('\\1')}, 'g'), ${text})`
  return `coalesce(regexp_replace(${named}, extensions.operators, ${quoteLiteral('\\1')}, 'g'), ${named})`
}
