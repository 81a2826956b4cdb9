/**
 * SQL: what belongs to extensions and has a name that definitions mention, as rows with the `schema`, the `name` as definitions
 * write it, and whether it `is_operator`.
 */
export const selectMembers = `
  select
    space.nspname as schema,
    coalesce(quote_ident(coalesce(class.relname, type.typname, routine.proname, opclass.opcname)), operator.oprname) as name,
    operator.oid is not null as is_operator
  from pg_depend as depend
  left join pg_class as class on depend.classid = 'pg_class'::regclass and class.oid = depend.objid
  left join pg_type as type on depend.classid = 'pg_type'::regclass and type.oid = depend.objid
  left join pg_proc as routine on depend.classid = 'pg_proc'::regclass and routine.oid = depend.objid
  left join pg_opclass as opclass on depend.classid = 'pg_opclass'::regclass and opclass.oid = depend.objid
  left join pg_operator as operator on depend.classid = 'pg_operator'::regclass and operator.oid = depend.objid
  join pg_namespace as space on space.oid = coalesce(
    class.relnamespace, type.typnamespace, routine.pronamespace, opclass.opcnamespace, operator.oprnamespace
  )
  where depend.refclassid = 'pg_extension'::regclass and depend.deptype = 'e'`
