import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'

/** A schema, and the role that it belongs to if there is one. */
export interface OwnedSchema {
  readonly schema: string
  readonly role?: string
}

/** Somebody who can do something in a schema and should not. */
export type ForeignPrivilege =
  | {
      readonly kind: 'privilege'
      readonly schema: string
      /** On what, as the server names it: `schema app`, `table app.users`, `table column app.users.code`. */
      readonly object: string
      /** A role; or `public`, which is everybody, as no role can have that name. */
      readonly grantee: string
      /** As SQL writes them, sorted: `SELECT`. */
      readonly privileges: readonly string[]
    }
  | {
      readonly kind: 'default privilege'
      readonly schema: string
      /** Of what a role has yet to make in the schema: `tables`. */
      readonly object: string
      /** The role whose objects they will be. */
      readonly maker: string
      readonly grantee: string
      readonly privileges: readonly string[]
    }
  /** Somebody who may act as the schema's own role. */
  | { readonly kind: 'member'; readonly schema: string; readonly role: string; readonly member: string }

/**
 * Finds who has privileges in these schemas and is neither the owner of the schema, its own role nor allowed, with two queries: on
 * the schema, on what is in it, on what will be made in it, and by being a member of its own role. Whoever owns an object in somebody
 * else's schema counts as one who has privileges on it. A role of one of the schemas is a stranger in the others.
 *
 * Not told: superusers, who need no privileges; what everybody may do with functions and types unless it is revoked, which takes a
 * privilege on the schema first; and the members of roles that are allowed.
 * @param allowedRoles roles that may have privileges everywhere; `public` is everybody
 */
export async function findForeignPrivileges(
  connection: Connection,
  schemas: readonly OwnedSchema[],
  allowedRoles: readonly string[],
): Promise<readonly ForeignPrivilege[]> {
  if (schemas.length === 0) return []
  return find(connection, writeSpaces(schemas, ownedSchemas), allowedRoles, selectGranted)
}

/**
 * Finds who may connect to these databases, or make anything in them, and is neither the owner, the database's own role nor allowed; and who
 * is a member of its own role. What is in them can only be asked there.
 * @param databases with the database in place of the schema, as in what is returned
 * @param allowedRoles roles that may connect to all of them; `public` is everybody
 */
export async function findForeignConnects(
  connection: Connection,
  databases: readonly OwnedSchema[],
  allowedRoles: readonly string[],
): Promise<readonly ForeignPrivilege[]> {
  if (databases.length === 0) return []
  return find(connection, writeSpaces(databases, ownedDatabases), allowedRoles, selectConnects)
}

async function find(
  connection: Connection,
  spaces: string,
  allowedRoles: readonly string[],
  select: string,
): Promise<readonly ForeignPrivilege[]> {
  const prelude = `${pinSearchPath}set local jit = off;
set local quote_all_identifiers = off;
with ${spaces},
${writeAllowed(allowedRoles)}`
  const granted = await connection.send(prelude + select)
  const members = await connection.send(prelude + selectMembers)
  return [
    ...granted.map((row): ForeignPrivilege => {
      const { maker } = row
      const stranger = {
        schema: String(row['schema']),
        object: String(row['object']),
        grantee: String(row['grantee']),
        privileges: String(row['privileges']).split(', '),
      }
      return typeof maker === 'string'
        ? { kind: 'default privilege', ...stranger, maker }
        : { kind: 'privilege', ...stranger }
    }),
    ...members.map((row): ForeignPrivilege => ({
      kind: 'member',
      schema: String(row['schema']),
      role: String(row['role']),
      member: String(row['member']),
    })),
  ]
}

/** What is looked at, with whom it belongs to. */
function writeSpaces(owned: readonly OwnedSchema[], from: string): string {
  const wanted = owned.map(
    ({ schema, role }) => `(${quoteLiteral(schema)}::name, ${role === undefined ? 'null' : quoteLiteral(role)}::name)`,
  )
  return `spaces as materialized (
  select own.*, pg_roles.oid as role
  from (values ${wanted.join(', ')}) as wanted (name, role)
  join (${from}) as own using (name)
  left join pg_roles on rolname = wanted.role
)`
}

const ownedSchemas = 'select oid, nspname as name, nspowner as owner, nspacl as acl from pg_namespace'
const ownedDatabases = 'select oid, datname as name, datdba as owner, datacl as acl from pg_database'

function writeAllowed(roles: readonly string[]): string {
  const allowed = roles.length === 0 ? 'false' : `rolname in (${roles.map(quoteLiteral).join(', ')})`
  return `-- 0 is everybody.
allowed as materialized (
  select oid from pg_roles where rolsuper or ${allowed}
  ${roles.includes('public') ? 'union all select 0' : ''}
)`
}

const selectConnects = `
select spaces.name as schema, string_agg(item.privilege_type, ', ' order by item.privilege_type collate "C") as privileges,
  'database ' || quote_ident(spaces.name) as object, null as maker,
  case item.grantee when 0 then 'public' else pg_get_userbyid(item.grantee) end as grantee
from spaces
cross join lateral aclexplode(coalesce(spaces.acl, acldefault('d', spaces.owner))) as item
where item.grantee <> spaces.owner
  and item.grantee is distinct from spaces.role
  and item.grantee not in (select oid from allowed)
group by spaces.name, item.grantee
order by spaces.name collate "C", 5`

const selectGranted = `,
relations as materialized (
  select class.oid, class.relnamespace, class.relkind, class.relowner, class.relacl
  from pg_class as class
  join spaces on spaces.oid = class.relnamespace
  where class.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
),
things (space, class, id, part, owner, acl, acl_kind) as (
  select oid, 'pg_namespace'::regclass::oid, oid, 0, owner, acl, 'n'::"char" from spaces
  union all
  select relnamespace, 'pg_class'::regclass, oid, 0, relowner, relacl, (case relkind when 'S' then 's' else 'r' end)::"char"
  from relations
  union all
  -- Columns have no owner of their own.
  select relations.relnamespace, 'pg_class'::regclass, attribute.attrelid, attribute.attnum, null, attribute.attacl, null
  from relations
  join pg_attribute as attribute on attribute.attrelid = relations.oid
  where attribute.attacl is not null
  union all
  select spaces.oid, 'pg_proc'::regclass, routine.oid, 0, routine.proowner, routine.proacl, 'f'
  from pg_proc as routine
  join spaces on spaces.oid = routine.pronamespace
  union all
  -- The row types of tables and the array types go with their tables and elements.
  select spaces.oid, 'pg_type'::regclass, type.oid, 0, type.typowner, type.typacl, 'T'
  from pg_type as type
  join spaces on spaces.oid = type.typnamespace
  left join pg_class as row_of on row_of.oid = type.typrelid
  where (row_of.oid is null or row_of.relkind = 'c') and type.typelem = 0 and type.typtype <> 'm'
),
items (space, class, id, part, object, maker, grantee, privilege) as (
  select things.space, things.class, things.id, things.part, null, null, item.grantee, item.privilege_type
  from things
  cross join lateral aclexplode(coalesce(things.acl, acldefault(things.acl_kind, things.owner))) as item
  where not (item.grantee = 0 and things.acl_kind in ('f', 'T'))
  union all
  select
    defaults.defaclnamespace, null, null, null,
    case defaults.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' else 'types' end,
    defaults.defaclrole, item.grantee, item.privilege_type
  from pg_default_acl as defaults
  cross join lateral aclexplode(defaults.defaclacl) as item
  where defaults.defaclnamespace <> 0 and not (item.grantee = 0 and defaults.defaclobjtype in ('f', 'T'))
    and item.grantee <> defaults.defaclrole
),
strangers as materialized (
  select spaces.name, items.class, items.id, items.part, items.object, items.maker, items.grantee,
    string_agg(items.privilege, ', ' order by items.privilege collate "C") as privileges
  from items
  join spaces on spaces.oid = items.space
  where items.grantee <> spaces.owner
    and items.grantee is distinct from spaces.role
    and items.grantee not in (select oid from allowed)
  group by spaces.name, items.class, items.id, items.part, items.object, items.maker, items.grantee
)
select name as schema, privileges,
  coalesce(object, (select type || ' ' || identity from pg_identify_object(class, id, part))) as object,
  pg_get_userbyid(maker) as maker,
  case grantee when 0 then 'public' else pg_get_userbyid(grantee) end as grantee
from strangers
order by name collate "C", maker is not null, 3, 5`

const selectMembers = `
select spaces.name as schema, pg_get_userbyid(membership.roleid) as role, pg_get_userbyid(membership.member) as member
from spaces
join pg_auth_members as membership on membership.roleid = spaces.role
where membership.member <> spaces.owner and membership.member not in (select oid from allowed)
group by 1, 2, 3
order by spaces.name collate "C", 3`
