import type { Definitions } from './definitions.ts'
import { isNotInternal, isNotOfExtension } from './dependency.ts'

/** Functions, procedures and aggregates, as parts of the catalogue query; see `catalog-query.ts`. */
export const writeRoutineParts = (definitions: Definitions): readonly string[] => [
  `
  select
    spaces.oid, 'pg_proc'::regclass, routine.oid, 0,
    format(
      '%s %s.%I(%s)',
      case routine.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end,
      spaces.label, routine.proname, ${definitions.inName('spaces', `pg_get_function_identity_arguments(routine.oid)`)}
    ),
    -- pg_get_functiondef() refuses aggregates.
    ${definitions.of(
      'spaces',
      `case
      when routine.prokind <> 'a' then ${definitions.ofRoutine('pg_get_functiondef(routine.oid)')}
      else (
        select concat_ws(
          ', ',
          'sfunc ' || aggregate.aggtransfn,
          'stype ' || format_type(aggregate.aggtranstype, null),
          'finalfunc ' || nullif(aggregate.aggfinalfn, 0)::regproc,
          'combinefunc ' || nullif(aggregate.aggcombinefn, 0)::regproc,
          'initcond ' || quote_literal(aggregate.agginitval),
          'sortop ' || nullif(aggregate.aggsortop, 0)::regoperator,
          'kind ' || nullif(aggregate.aggkind, 'n')::text,
          'parallel ' || routine.proparallel::text
        )
        from pg_aggregate as aggregate
        where aggregate.aggfnoid = routine.oid
      )
    end`,
    )},
    routine.proowner, routine.proacl, 'f'::"char"
  from pg_proc as routine
  join spaces on spaces.oid = routine.pronamespace
  where ${isNotOfExtension('pg_proc', 'routine.oid')}
    and ${isNotInternal('pg_proc', 'routine.oid')}`,
]
