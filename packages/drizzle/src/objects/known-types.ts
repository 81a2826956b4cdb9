/**
 * Whether a type is there before any table is: one of PostgreSQL's own, or of an extension that is well known. Any other
 * may be an enum or the row of a table, which come with the tables.
 */
export function isKnownType(path: readonly string[]): boolean {
  const name = path.at(-1)?.toLowerCase()
  return name !== undefined && known.has(name)
}

const known = new Set([
  ...`any anyarray anycompatible anycompatiblearray anycompatiblemultirange anycompatiblenonarray anycompatiblerange anyelement
      anyenum anymultirange anynonarray anyrange cstring event_trigger internal language_handler record trigger unknown void`.split(
    /\s+/,
  ),
  ...`bigint bit boolean bool bpchar bytea char character cid cidr circle date datemultirange daterange decimal float float4 float8
      inet int int2 int2vector int4 int4multirange int4range int8 int8multirange int8range integer interval json jsonb jsonpath
      line lseg macaddr macaddr8 money name numeric nummultirange numrange oid oidvector path pg_lsn pg_snapshot point polygon
      real refcursor regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure
      regrole regtype smallint text tid time timestamp timestamptz timetz tsmultirange tsquery tsrange tstzmultirange
      tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml`.split(/\s+/),
  'double precision',
  'bit varying',
  'character varying',
  ...['timestamp', 'time'].flatMap((type) => [`${type} with time zone`, `${type} without time zone`]),
  ...`citext cube ean13 geography geometry halfvec hstore isbn lquery ltree ltxtquery seg sparsevec vector`.split(
    /\s+/,
  ),
])
