import { type Connection, quoteIdentifier, quoteLiteral, ownSchemas, storeSchema, pinSearchPath } from '@drover/engine'
import * as v from 'valibot'

import type { WantedAccess } from './declare.ts'

/** What a server says of the roles and the database that are wanted. */
export interface ServerFacts {
  /** Whether the reader is a superuser, and so may do everything. */
  readonly superuser: boolean
  /** Whether who may make roles has power over no others than those: since PostgreSQL 16. Default `false`. */
  readonly isRoleMakerBound?: boolean
  /** The wanted roles that exist, by name. */
  readonly roles: ReadonlyMap<string, RoleFacts>
  /** Missing when the database does not exist. */
  readonly database?: DatabaseRowFacts
}

/** A role that exists. */
export interface RoleFacts {
  readonly login: boolean
  /** What it may do beyond logging in, as ALTER ROLE says it: `superuser`, `createdb`, … */
  readonly attributes: readonly string[]
  /** Whether the reader has its privileges, as a superuser has those of every role. */
  readonly held: boolean
}

/** What `pg_database` says. */
interface DatabaseRowFacts {
  readonly owner: string
  /** Who has CONNECT or TEMPORARY without owning it; `''` is PUBLIC. */
  readonly grantees: readonly { readonly role: string; readonly privilege: string }[]
}

/** What is in a database. */
export interface DatabaseFacts {
  readonly schemas: readonly SchemaFacts[]
  /** What belongs to the reader and not to the owner, each as what ALTER calls it: `table "public"."users"`. */
  readonly misplaced: readonly string[]
  readonly extensions: readonly string[]
  /** Who has privileges on Drover's schema or on what is in it, beside its owner; `''` is PUBLIC. */
  readonly storeReaders: readonly string[]
}

/** A schema of the owner, or `public`. */
export interface SchemaFacts {
  readonly name: string
  /** What each role may do in it, as `<role> USAGE`; `''` is PUBLIC. */
  readonly privileges: ReadonlySet<string>
  /** The owner's default privileges in it, as `<role> r SELECT`, with the letter of `pg_default_acl`. */
  readonly defaults: ReadonlySet<string>
  readonly relations: readonly RelationFacts[]
}

/** A table, view or sequence of the owner. */
interface RelationFacts {
  readonly name: string
  readonly isSequence: boolean
  /** Whether nobody has ever been granted anything on it. */
  readonly isBare: boolean
}

/** A database that has just been created. */
export const emptyDatabase: DatabaseFacts = {
  schemas: [{ name: 'public', privileges: new Set(), defaults: new Set(), relations: [] }],
  misplaced: [],
  extensions: [],
  storeReaders: [],
}

/** Reads what a server says of the roles and the database that are wanted, from any of its databases. */
export async function readServer(connection: Connection, wanted: WantedAccess): Promise<ServerFacts> {
  const names = Object.values(wanted.roles).map(quoteLiteral).join(', ')
  const [row] = await connection.send(`${pinSearchPath}
select json_build_object(
  'superuser', (select rolsuper from pg_roles where rolname = current_user),
  'isRoleMakerBound', current_setting('server_version_num')::int >= 160000,
  'roles', (
    select coalesce(json_agg(json_build_object(
      'name', rolname, 'login', rolcanlogin,
      'attributes', array_remove(array[
        case when rolsuper then 'superuser' end,
        case when rolcreaterole then 'createrole' end,
        case when rolcreatedb then 'createdb' end,
        case when rolreplication then 'replication' end,
        case when rolbypassrls then 'bypassrls' end
      ], null),
      'held', pg_has_role(current_user, oid, 'usage')
    )), '[]')
    from pg_roles
    where rolname in (${names})
  ),
  'database', (
    select json_build_object('owner', pg_get_userbyid(datdba), 'grantees', (
      select coalesce(json_agg(json_build_object(
        'role', case item.grantee when 0 then '' else pg_get_userbyid(item.grantee) end, 'privilege', item.privilege_type
      )), '[]')
      from aclexplode(coalesce(datacl, acldefault('d', datdba))) as item
      where item.grantee <> datdba
    ))
    from pg_database
    where datname = ${quoteLiteral(wanted.database)}
  )
)::text as facts`)
  const { superuser, isRoleMakerBound, roles, database } = v.parse(serverJson, JSON.parse(String(row?.['facts'])))
  return {
    superuser,
    isRoleMakerBound,
    roles: new Map(roles.map(({ name, ...role }) => [name, role])),
    ...(database && { database }),
  }
}

const serverJson = v.object({
  superuser: v.boolean(),
  isRoleMakerBound: v.boolean(),
  roles: v.array(
    v.object({ name: v.string(), login: v.boolean(), attributes: v.array(v.string()), held: v.boolean() }),
  ),
  database: v.nullable(
    v.object({ owner: v.string(), grantees: v.array(v.object({ role: v.string(), privilege: v.string() })) }),
  ),
})

/** Reads what is in the wanted database, over a connection to it. */
export async function readDatabase(connection: Connection, wanted: WantedAccess): Promise<DatabaseFacts> {
  const [row] = await connection.send(`${pinSearchPath}
with owners as materialized (
  select oid, rolname = ${quoteLiteral(wanted.roles.owner)} as wanted
  from pg_roles
  where rolname = current_user or rolname = ${quoteLiteral(wanted.roles.owner)}
),
spaces as materialized (
  select oid, nspname, nspowner, nspacl
  from pg_namespace
  where nspname !~ '^pg_' and nspname not in (${['information_schema', ...ownSchemas].map(quoteLiteral).join(', ')})
    and (nspname = 'public' or nspowner in (select oid from owners))
    and ${isOfNoExtension('pg_namespace', 'oid')}
),
relations as materialized (
  select class.*
  from pg_class as class
  join pg_namespace as space on space.oid = class.relnamespace
  where class.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and space.nspname !~ '^pg_' and space.nspname <> 'information_schema'
    and class.relowner in (select oid from owners) and ${isOfNoExtension('pg_class', 'class.oid')}
),
misplaced (place, name) as (
  select 1, format('schema %I', nspname)
  from pg_namespace
  where ${isOfReader('nspowner')} and nspname !~ '^pg_' and nspname <> 'information_schema'
    and ${isOfNoExtension('pg_namespace', 'oid')}
  union all
  select 2, format(
    '%s %s',
    case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end,
    oid::regclass
  )
  from relations
  where ${isOfReader('relowner')} and not exists (
    select from pg_depend
    where classid = 'pg_class'::regclass and objid = relations.oid and refclassid = 'pg_class'::regclass and deptype in ('a', 'i')
      and relkind = 'S'
  )
  union all
  select 3, format('type %s', type.oid::regtype)
  from pg_type as type
  left join pg_class as class on class.oid = type.typrelid
  where ${isOfReader('typowner')} and (typtype in ('e', 'd', 'r') or class.relkind = 'c')
    and typnamespace::regnamespace::text not in ('pg_catalog', 'information_schema') and ${isOfNoExtension('pg_type', 'type.oid')}
  union all
  select 4, format('routine %s', oid::regprocedure)
  from pg_proc
  where ${isOfReader('proowner')} and pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
    and ${isOfNoExtension('pg_proc', 'oid')}
)
select json_build_object(
  'schemas', (
    select coalesce(json_agg(json_build_object(
      'name', nspname,
      'privileges', (
        select coalesce(json_agg(concat_ws(' ', ${grantee}, item.privilege_type)), '[]')
        from aclexplode(coalesce(nspacl, acldefault('n', nspowner))) as item
      ),
      'defaults', (
        select coalesce(json_agg(concat_ws(' ', ${grantee}, defaclobjtype, item.privilege_type)), '[]')
        from pg_default_acl
        cross join aclexplode(defaclacl) as item
        where defaclnamespace = spaces.oid and defaclrole in (select oid from owners where owners.wanted)
      ),
      'relations', (
        select coalesce(json_agg(json_build_object(
          'name', relname, 'isSequence', relkind = 'S', 'isBare', relacl is null
        ) order by relname collate "C"), '[]')
        from relations
        where relnamespace = spaces.oid
      )
    ) order by nspname collate "C"), '[]')
    from spaces
  ),
  'misplaced', (select coalesce(json_agg(name order by place, name collate "C"), '[]') from misplaced),
  'extensions', (select coalesce(json_agg(extname), '[]') from pg_extension),
  'storeReaders', (
    select coalesce(json_agg(distinct ${grantee}), '[]')
    from (
      select nspacl as acl, nspowner as owner from pg_namespace where nspname = ${quoteLiteral(storeSchema)}
      union all
      select relacl, relowner
      from pg_class
      where relnamespace in (select oid from pg_namespace where nspname = ${quoteLiteral(storeSchema)})
    ) as things
    cross join aclexplode(things.acl) as item
    where item.grantee <> things.owner and item.grantee not in (select oid from owners)
  )
)::text as facts`)
  const { schemas, ...facts } = v.parse(databaseJson, JSON.parse(String(row?.['facts'])))
  return {
    ...facts,
    schemas: schemas.map((schema) => ({
      ...schema,
      privileges: new Set(schema.privileges),
      defaults: new Set(schema.defaults),
    })),
  }
}

const grantee = `case item.grantee when 0 then '' else pg_get_userbyid(item.grantee) end`

const databaseJson = v.object({
  schemas: v.array(
    v.object({
      name: v.string(),
      privileges: v.array(v.string()),
      defaults: v.array(v.string()),
      relations: v.array(v.object({ name: v.string(), isSequence: v.boolean(), isBare: v.boolean() })),
    }),
  ),
  misplaced: v.array(v.string()),
  extensions: v.array(v.string()),
  storeReaders: v.array(v.string()),
})

function isOfReader(owner: string): string {
  return `${owner} in (select oid from owners where not owners.wanted)`
}

function isOfNoExtension(catalog: string, oid: string): string {
  return `not exists (
    select from pg_depend where classid = '${catalog}'::regclass and objid = ${oid} and deptype = 'e'
  )`
}

/**
 * What PostgreSQL keeps of the passwords of roles, by name; `undefined` when the reader may not know, which only superusers do.
 */
export async function readVerifiers(
  connection: Connection,
  names: readonly string[],
): Promise<ReadonlyMap<string, string | null> | undefined> {
  try {
    const rows = await connection.send(
      `${pinSearchPath}select rolname::text as name, rolpassword as verifier from pg_authid where rolname in (${names.map(quoteLiteral).join(', ')})`,
    )
    return new Map(
      rows.map((row) => [String(row['name']), typeof row['verifier'] === 'string' ? row['verifier'] : null]),
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42501') return undefined
    throw error
  }
}

/** A relation as SQL names it. */
export function qualify(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}
