import type { Definitions } from './definitions.ts'
import { isNotOfExtension } from './dependency.ts'

/** Types that stand for themselves, as parts of the catalogue query; see `catalog-query.ts`. */
export const writeTypeParts = (definitions: Definitions): readonly string[] => [
  // The row types of tables, and the array and multirange types that come with others, have nothing of their own to say.
  `
  select
    spaces.oid, 'pg_type'::regclass, type.oid, 0,
    format(
      '%s %s.%I',
      case type.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite type' when 'r' then 'range' else 'type' end,
      spaces.label, type.typname
    ),
    ${definitions.of(
      'spaces',
      `case type.typtype
      when 'e' then (
        select coalesce(string_agg(quote_literal(enumlabel), ', ' order by enumsortorder), 'no labels')
        from pg_enum
        where enumtypid = type.oid
      )
      when 'd' then concat_ws(
        ' ',
        format_type(type.typbasetype, type.typtypmod),
        'collate ' || (
          select type.typcollation::regcollation::text
          from pg_type as base
          where base.oid = type.typbasetype and base.typcollation <> type.typcollation
        ),
        case when type.typnotnull then 'not null' end,
        'default ' || pg_get_expr(type.typdefaultbin, 0)
      )
      when 'r' then (
        select concat_ws(
          ', ',
          'subtype ' || format_type(rngsubtype, null),
          'multirange ' || format_type(rngmultitypid, null),
          'canonical ' || nullif(rngcanonical, 0)::regproc,
          'subtype_diff ' || nullif(rngsubdiff, 0)::regproc
        )
        from pg_range
        where rngtypid = type.oid
      )
      when 'c' then 'a list of columns'
      else 'a base type'
    end`,
    )},
    type.typowner, type.typacl, 'T'::"char"
  from pg_type as type
  join spaces on spaces.oid = type.typnamespace
  left join pg_class as row_of on row_of.oid = type.typrelid
  where ${isNotOfExtension('pg_type', 'type.oid')}
    and type.typtype <> 'm'
    and (row_of.oid is null or row_of.relkind = 'c')
    and not exists (select from pg_type as element where element.typarray = type.oid)`,
  `
  select
    spaces.oid, 'pg_constraint'::regclass, constr.oid, 0,
    format('domain %s.%I constraint %I', spaces.label, type.typname, constr.conname),
    ${definitions.of('spaces', `pg_get_constraintdef(constr.oid)`)}, null, null, null
  from pg_type as type
  join spaces on spaces.oid = type.typnamespace
  join pg_constraint as constr on constr.contypid = type.oid
  where ${isNotOfExtension('pg_type', 'type.oid')}`,
]
