import { type Definitions, relabelNames } from './definitions.ts'
import { isNotOfExtension } from './dependency.ts'

/** SQL: an object was made by nobody else, whether an extension or PostgreSQL itself. */
const isNoPart = `other.oid >= 16384
    and not exists (
      select from pg_depend where classid = other.class and objid = other.oid and deptype in ('e', 'i')
    )`

/** What else a schema may hold, as parts of the catalogue query; see `catalog-query.ts`. */
export const writeOtherParts = (definitions: Definitions): readonly string[] => [
  `
  select
    spaces.oid, 'pg_statistic_ext'::regclass, statistic.oid, 0, format('statistics %s.%I', spaces.label, statistic.stxname),
    ${definitions.of(
      'spaces',
      definitions.headed(
        'pg_get_statisticsobjdef(statistic.oid)',
        `spaces.own || '.' || quote_ident(statistic.stxname)`,
        `spaces.label || '.' || quote_ident(statistic.stxname)`,
      ),
    )}, null, null, null
  from pg_statistic_ext as statistic
  join spaces on spaces.oid = statistic.stxnamespace
  where ${isNotOfExtension('pg_statistic_ext', 'statistic.oid')}`,
  // Rarer kinds: that they are there. Objects of initdb have an oid below 16384.
  `
  select
    spaces.oid, other.class, other.oid, 0,
    identified.type || ' ' || ${relabelNames('spaces', 'identified.identity')}, 'is there', null, null, null, null
  from (
    select 'pg_collation'::regclass as class, oid, collnamespace as space from pg_collation
    union all select 'pg_conversion'::regclass, oid, connamespace from pg_conversion
    union all select 'pg_opclass'::regclass, oid, opcnamespace from pg_opclass
    union all select 'pg_operator'::regclass, oid, oprnamespace from pg_operator
    union all select 'pg_opfamily'::regclass, oid, opfnamespace from pg_opfamily
    union all select 'pg_ts_config'::regclass, oid, cfgnamespace from pg_ts_config
    union all select 'pg_ts_dict'::regclass, oid, dictnamespace from pg_ts_dict
  ) as other
  join spaces on spaces.oid = other.space,
    lateral pg_identify_object(other.class, other.oid, 0) as identified
  where ${isNoPart}`,
]

/** Schemas, extensions, and what else is in no schema. */
export const databaseParts: readonly string[] = [
  `
  select
    spaces.oid, 'pg_namespace'::regclass, schema.oid, 0, format('schema %I', schema.nspname), 'a schema', null,
    schema.nspowner, schema.nspacl, 'n'::"char"
  from pg_namespace as schema
  join spaces on spaces.oid = schema.oid
  where ${isNotOfExtension('pg_namespace', 'schema.oid')}`,
  `
  select
    null, 'pg_extension'::regclass, extension.oid, 0, format('extension %I', extension.extname),
    format('version %s in schema %I', extension.extversion, schema.nspname), null, null, null, null
  from pg_extension as extension
  join pg_namespace as schema on schema.oid = extension.extnamespace`,
  `
  select
    null, 'pg_event_trigger'::regclass, trigger.oid, 0, format('event trigger %I', trigger.evtname),
    concat_ws(
      ', ',
      'on ' || trigger.evtevent,
      'when tag in (' || array_to_string(trigger.evttags, ', ') || ')',
      'execute ' || trigger.evtfoid::regprocedure,
      'enabled ' || trigger.evtenabled::text
    ),
    null, null, null, null
  from pg_event_trigger as trigger
  where ${isNotOfExtension('pg_event_trigger', 'trigger.oid')}`,
  `
  select
    null, other.class, other.oid, 0, identified.type || ' ' || identified.identity, 'is there', null, null, null, null
  from (
    select 'pg_cast'::regclass as class, oid from pg_cast
    union all select 'pg_foreign_data_wrapper'::regclass, oid from pg_foreign_data_wrapper
    union all select 'pg_foreign_server'::regclass, oid from pg_foreign_server
    union all select 'pg_language'::regclass, oid from pg_language
    union all select 'pg_publication'::regclass, oid from pg_publication
  ) as other,
    lateral pg_identify_object(other.class, other.oid, 0) as identified
  where ${isNoPart}`,
]
