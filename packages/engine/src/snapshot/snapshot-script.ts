import { type Problem, type Revision, throwProblems } from '@drover/history'

import { guardStates, writeRecords } from '../run/guard.ts'
import { lineAt, findMetaCommand } from '../source/statements.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { insertRun, updateRun } from '../store/runs.ts'
import { createStore, refuseForeignStore, storeSchema } from '../store/tables.ts'
import type { SchemaSnapshot } from './snapshot-file.ts'

/** What a script for psql is written from that makes a database from its snapshot. */
export interface SnapshotPlan {
  /** What the history is called in the database: the name of the database. */
  readonly name: string
  readonly snapshot: SchemaSnapshot
  /** Those that the snapshot stands for, in run order, with the checksums of their up sides; at least one. */
  readonly revisions: readonly { readonly revision: Revision; readonly checksum: string }[]
  /** A UUID: of the run, and of its release. */
  readonly run: string
  /** Drover's own version. */
  readonly version: string
}

/**
 * Writes a script that, run by psql in an empty database, does what loading the snapshot does, and leaves what that leaves, Drover's
 * own tables included: in one transaction. The same snapshot gives the same text.
 * @throws {DroverError} `SNAPSHOT_FAILED` when psql would take a part of the snapshot for a command of its own
 */
export function writeSnapshotScript({ name, snapshot, revisions, run, version }: SnapshotPlan): string {
  throwProblems(findMeta(snapshot))
  const history = quoteLiteral(name)
  const id = quoteLiteral(run)
  const steps = revisions.map(({ revision }) => ({ direction: 'up', revision: revision.id }) as const)
  // Who runs the script is known only when it is run.
  const columns = {
    history,
    id,
    release: id,
    command: quoteLiteral('snapshot --initdb'),
    osUser: 'session_user',
    host: `coalesce(host(inet_client_addr()), 'local')`,
    pid: 'pg_backend_pid()',
    version: quoteLiteral(version),
    gitCommit: 'null',
  }
  return `set client_encoding = 'UTF8';
begin;
${pinSearchPath}do $drover$
begin
  if to_regclass('${storeSchema}.applied') is not null then
${refuseForeignStore({ mayBeMissing: false })};
    if exists (select from ${storeSchema}.applied where history = ${history}) then
      raise exception using
        errcode = '${guardStates.moved}',
        message = ${quoteLiteral(`nothing was changed: the database "${name}" has had revisions already`)},
        hint = ${quoteLiteral(`this script is for an empty database; run what is missing with: pnpm migrate upgrade -d ${name}`)};
    end if;
  end if;
end
$drover$;
${createStore.trim()};
${insertRun(columns, steps).trim()};
reset search_path;

${snapshot.sql.trimEnd()}

${writeRecords(revisions, { history: name, run: id })};
${updateRun(id, 'succeeded').trim()};
commit;
reset all;
`
}

function findMeta({ file, sql }: SchemaSnapshot): readonly Problem[] {
  const at = findMetaCommand(sql)
  if (at === undefined) return []
  const line = lineAt(sql, at)
  return [
    {
      code: 'SNAPSHOT_FAILED',
      file,
      line,
      message: `${file}:${line}: there is a backslash outside of any string, which psql takes for a command of its own`,
      hint: 'find the object with it in the history, and define it without',
    },
  ]
}
