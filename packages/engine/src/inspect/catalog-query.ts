import { DroverError } from '@drover/history'

import { pinFormats } from '../sql/formats.ts'
import { escapePattern, escapeReplacement } from '../sql/pattern.ts'
import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import { ownSchemas } from '../store/tables.ts'
import { writeTypeParts } from './data-types.ts'
import { bareDefinitions, bothDefinitions, type Definitions, qualifiedDefinitions } from './definitions.ts'
import { isNotOfExtension } from './dependency.ts'
import { databaseParts, writeOtherParts } from './other-objects.ts'
import { writeRelationParts } from './relations.ts'
import { writeRoutineParts } from './routines.ts'

/** Whose privileges a catalogue does not tell. */
export interface UnseenPrivileges {
  /** Roles whose privileges are left out everywhere. Default none. */
  readonly unseenRoles?: readonly string[]
  /** By schema, the role that it belongs to, whose privileges are left out there. Default none. */
  readonly ownRoles?: ReadonlyMap<string, string>
}

/** What a catalogue query is about. */
export type CatalogScope =
  | { readonly kind: 'database' }
  /** What is in these schemas, with `label` (SQL) in place of their names, and the names of their own objects without a schema. */
  | { readonly kind: 'schemas'; readonly schemas: readonly string[]; readonly label: string }
  /** What is in one schema, with `label` (SQL) in place of its name, each definition with and without schemas. */
  | { readonly kind: 'schema'; readonly schema: string; readonly label: string }

/** What decides how the server writes names and constants, for this message only. */
export const pinSession = `set local search_path = pg_catalog;
set local quote_all_identifiers = off;
set local standard_conforming_strings = on;
${pinFormats}`

/**
 * Common table expressions, of which `lines` (space, name, detail, bare_detail) is the catalogue and `spaces` what it was read from.
 *
 * Every part has the columns of `things`: the schema that the object is in, its place in pg_description (`class`, `id`, `part`), its
 * name, what there is to say of it in one or two forms, and for objects with privileges their owner, ACL and the letter that
 * acldefault() knows it by.
 */
export function writeCatalogQuery(scope: CatalogScope, { unseenRoles = [], ownRoles }: UnseenPrivileges = {}): string {
  const definitions = definitionsOf[scope.kind]
  const parts = [
    // Nothing compares the places of columns, and they are laborious to count.
    ...writeRelationParts(definitions, scope.kind !== 'schemas'),
    ...writeTypeParts(definitions),
    ...writeRoutineParts(definitions),
    ...writeOtherParts(definitions),
    ...(scope.kind === 'database' ? databaseParts : []),
  ]
  return `
with spaces as materialized (${selectSpaces(scope, ownRoles)}),
relations as materialized (
  select class.*, spaces.path, format('%s %s.%I', kind.name, spaces.label, class.relname) as name,
    format('%s.%I', spaces.own, class.relname) as own_name, format('%s.%I', spaces.label, class.relname) as label_name
  -- The offset has the server read pg_class once: its index by name and schema looks like a help here, and is none.
  from (select * from pg_class where relkind in ('r', 'p', 'f', 'v', 'm', 'S', 'c') offset 0) as class
  join spaces on spaces.oid = class.relnamespace
  join (
    values ('r', 'table'), ('p', 'table'), ('f', 'foreign table'), ('v', 'view'), ('m', 'materialized view'),
      ('S', 'sequence'), ('c', 'composite type')
  ) as kind (letter, name) on kind.letter = class.relkind
  where ${isNotOfExtension('pg_class', 'class.oid')}
    and (class.relkind <> 'c' or ${isNotOfExtension('pg_type', 'class.reltype')})
),
things (space, class, id, part, name, detail, bare_detail, owner, acl, acl_kind) as materialized (
${parts.join('\n  union all')}
),
lines (space, name, detail, bare_detail) as (
  select space, name, detail, bare_detail
  from things
  union all
  select things.space, things.name || ' privileges', coalesce(granted.list, 'none'), null
  from things
  left join spaces on spaces.oid = things.space
  cross join lateral (${listPrivileges('things.acl', unseenRoles)}) as granted
  cross join lateral (${listPrivileges('acldefault(things.acl_kind, things.owner)', unseenRoles)}) as fresh
  -- Without an ACL, the privileges are those of a fresh object.
  where things.acl is not null and granted.list is distinct from fresh.list
  union all
  select things.space, things.name || ' comment', description.description, null
  from things
  join pg_description as description
    on description.classoid = things.class and description.objoid = things.id and description.objsubid = things.part
  union all
  select
    spaces.oid,
    format(
      'default privileges for role %s%s on %s',
      case when defaults.defaclrole in (owners.database, owners.reader) then 'owner' else quote_ident(pg_get_userbyid(defaults.defaclrole)) end,
      ' in schema ' || spaces.label,
      case defaults.defaclobjtype
        when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
        when 'T' then 'types' when 'n' then 'schemas' else 'large objects'
      end
    ),
    coalesce(granted.list, 'none'), null
  from pg_default_acl as defaults
  cross join (
    select datdba as database, current_user::regrole::oid as reader from pg_database where datname = current_database()
  ) as owners
  left join spaces on spaces.oid = defaults.defaclnamespace
  left join lateral (
    select defaults.defaclacl as acl, defaults.defaclrole as owner
  ) as things on true
  left join lateral (${listPrivileges('things.acl', unseenRoles)}) as granted on true
  where ${scope.kind === 'database' ? 'defaults.defaclnamespace = 0 or ' : ''}(spaces.oid is not null and granted.list is not null)
)`
}

/**
 * Refuses schemas that a search_path would leave out.
 * @throws {DroverError} `PRIVILEGE_MISSING`
 */
export function refuseUnusable(schemas: readonly string[]): void {
  if (schemas.length === 0) return
  const names = schemas.toSorted().map((schema) => quoteIdentifier(schema))
  throw new DroverError({
    code: 'PRIVILEGE_MISSING',
    message: `there is no right to use ${names.length === 1 ? 'the schema' : `${names.length} schemas, the first of them`} ${names[0]}, so what is in it cannot be compared`,
    hint: `connect as the role that owns it, or as an administrator: grant usage on schema ${names[0]} to <role>`,
  })
}

const definitionsOf: Readonly<Record<CatalogScope['kind'], Definitions>> = {
  database: qualifiedDefinitions,
  schemas: bareDefinitions,
  schema: bothDefinitions,
}

/**
 * The schemas: `own` is the name and `label` what is written for it, with forms of both for regular expressions, `path` the
 * search_path that has it, and `role` whom it belongs to.
 */
function selectSpaces(scope: CatalogScope, ownRoles: ReadonlyMap<string, string> = new Map()): string {
  if (scope.kind === 'database') {
    return `
  select oid, nspname, quote_ident(nspname) as own, quote_ident(nspname) as label, null::text as path, null::oid as role,
    ${escapePattern('quote_ident(nspname)')} as own_pattern, ${escapeReplacement('quote_ident(nspname)')} as label_template
  from pg_namespace
  where nspname !~ '^pg_' and nspname not in (${['information_schema', ...ownSchemas].map(quoteLiteral).join(', ')})
`
  }
  const schemas = scope.kind === 'schema' ? [scope.schema] : scope.schemas
  const wanted = schemas.map((schema) => {
    const role = ownRoles.get(schema)
    return `(${quoteLiteral(schema)}::name, ${role === undefined ? 'null' : quoteLiteral(role)}::name)`
  })
  const always = `'"' || replace(nspname, '"', '""') || '"'`
  return `
  select namespace.oid, nspname, quote_ident(nspname) as own, ${always} as quoted, ${scope.label} as label,
    format('pg_catalog, %I, pg_temp', nspname) as path, pg_roles.oid as role,
    ${escapePattern('quote_ident(nspname)')} as own_pattern, ${escapePattern(always)} as quoted_pattern,
    ${escapePattern(`'''' || replace(nspname, '''', '''''') || ''''`)} as literal_pattern, ${escapeReplacement(scope.label)} as label_template
  from (values ${wanted.join(', ')}) as wanted (schema, owner)
  join pg_namespace as namespace on nspname = wanted.schema
  left join pg_roles on rolname = wanted.owner
`
}

/** An ACL as one line of text that does not depend on the order of grants, without what is granted to roles that are not seen. */
function listPrivileges(acl: string, unseen: readonly string[]): string {
  const isSeen =
    unseen.length === 0 ? 'true' : `pg_get_userbyid(item.grantee) not in (${unseen.map(quoteLiteral).join(', ')})`
  return `
    select string_agg(grantee || ': ' || privileges, '; ' order by grantee collate "C", privileges collate "C") as list
    from (
      select
        case item.grantee when 0 then 'public' when things.owner then 'owner' else pg_get_userbyid(item.grantee) end as grantee,
        string_agg(
          lower(item.privilege_type) || case when item.is_grantable then ' with grant option' else '' end,
          ', ' order by item.privilege_type collate "C"
        ) as privileges
      from aclexplode(${acl}) as item
      where item.grantee = things.owner or (${isSeen} and item.grantee is distinct from spaces.role)
      group by 1
    ) as items
  `
}
