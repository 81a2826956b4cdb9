import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { storeSchema } from '../store/tables.ts'
import { typeParts } from './data-types.ts'
import { isNotOfExtension } from './dependency.ts'
import { otherParts } from './other-objects.ts'
import { relationParts } from './relations.ts'
import { routineParts } from './routines.ts'

/**
 * Reads the schema of a database as sorted lines of text, each beginning with the object that it is about, fit for comparing
 * and for showing the difference. In one message, from the catalogues alone.
 *
 * Left out: system schemas, Drover's own, everything that belongs to an extension (the indexes and triggers on its tables
 * included), owners, tablespaces, statistics, and the order in which dropped columns once stood. Privileges are
 * shown where they differ from those of a fresh object, with `owner` in place of the owner's name; whose default privileges
 * they are is `owner` where it is the owner of the database or whoever reads this.
 * @param unseenRoles roles of the server whose privileges are left out as well. Default none
 */
export async function readCatalog(
  connection: Connection,
  unseenRoles: readonly string[] = [],
): Promise<readonly string[]> {
  const rows = await connection.send(`${pinSession};\n${selectCatalog(unseenRoles)}`)
  return rows.flatMap((row) => toLines(String(row['name']), String(row['detail']))).toSorted(compareText)
}

/** What decides how the server writes names and constants, for this message only. Compiling the query costs more than it saves. */
const pinSession = `set local search_path = pg_catalog;
set local quote_all_identifiers = off;
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local timezone = 'UTC';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local jit = off`

/**
 * Every part has the columns of `things`: the object's place in pg_description (`class`, `id`, `part`), its name, what
 * there is to say of it, and for objects with privileges their owner, ACL and the letter that acldefault() knows it by.
 */
const selectCatalog = (unseen: readonly string[]) => `
with spaces as materialized (
  select oid, nspname
  from pg_namespace
  where nspname !~ '^pg_' and nspname not in ('information_schema', '${storeSchema}')
),
relations as materialized (
  select class.*, format('%s %I.%I', kind.name, spaces.nspname, class.relname) as name
  from pg_class as class
  join spaces on spaces.oid = class.relnamespace
  join (
    values ('r', 'table'), ('p', 'table'), ('f', 'foreign table'), ('v', 'view'), ('m', 'materialized view'),
      ('S', 'sequence'), ('c', 'composite type')
  ) as kind (letter, name) on kind.letter = class.relkind
  where ${isNotOfExtension('pg_class', 'class.oid')}
    and (class.relkind <> 'c' or ${isNotOfExtension('pg_type', 'class.reltype')})
),
things (class, id, part, name, detail, owner, acl, acl_kind) as materialized (
${[...relationParts, ...typeParts, ...routineParts, ...otherParts].join('\n  union all')}
),
entries as (
  select things.name, things.detail, granted.list, fresh.list as fresh_list
  from things
  left join lateral (${listPrivileges('coalesce(things.acl, acldefault(things.acl_kind, things.owner))', unseen)}) as granted on true
  left join lateral (${listPrivileges('acldefault(things.acl_kind, things.owner)', unseen)}) as fresh on true
)
select name, detail
from entries
union all
select name || ' privileges', coalesce(list, 'none')
from entries
where list is distinct from fresh_list
union all
select things.name || ' comment', description.description
from things
join pg_description as description
  on description.classoid = things.class and description.objoid = things.id and description.objsubid = things.part
union all
select
  format(
    'default privileges for role %s%s on %s',
    case when defaults.defaclrole in (owners.database, owners.reader) then 'owner' else quote_ident(pg_get_userbyid(defaults.defaclrole)) end,
    ' in schema ' || quote_ident(spaces.nspname),
    case defaults.defaclobjtype
      when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
      when 'T' then 'types' when 'n' then 'schemas' else 'large objects'
    end
  ),
  coalesce(granted.list, 'none')
from pg_default_acl as defaults
cross join (
  select datdba as database, current_user::regrole::oid as reader from pg_database where datname = current_database()
) as owners
left join spaces on spaces.oid = defaults.defaclnamespace
left join lateral (
  select defaults.defaclacl as acl, defaults.defaclrole as owner
) as things on true
left join lateral (${listPrivileges('things.acl', unseen)}) as granted on true
where defaults.defaclnamespace = 0 or (spaces.oid is not null and granted.list is not null)`

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
      where item.grantee = things.owner or ${isSeen}
      group by 1
    ) as items
  `
}

/** One line, or one for each line of a definition, numbered so that sorting keeps them in order. */
function toLines(name: string, detail: string): readonly string[] {
  const lines = detail.replace(/\n+$/, '').split('\n')
  if (lines.length === 1) return [`${name}: ${lines[0]}`]
  return lines.map((line, index) => `${name} ${String(index + 1).padStart(4, '0')}: ${line}`)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
