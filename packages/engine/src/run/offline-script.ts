import { comesAfter, type Direction, type History, nameRevision, type Problem, type Step } from '@drover/history'

import { renewLease, returnLease, takeLease } from '../lease/lease.ts'
import type { HookScript, Moment } from '../hook/read-hook.ts'
import { holdHistoryLock } from '../lease/history-lock.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath, writeOwnBlock } from '../sql/search-path.ts'
import { batchOf } from '../source/batch.ts'
import { runsOutsideTransaction } from '../source/outside-transaction.ts'
import type { Script } from '../source/script.ts'
import { findMetaCommand, lineAt } from '../source/statements.ts'
import { insertRun, type RunColumns, updateRun } from '../store/runs.ts'
import { createStore, refuseForeignStore, storeSchema } from '../store/tables.ts'
import {
  cleanSession,
  guardStates,
  type Leased,
  leaseOf,
  limitTime,
  type Refusals,
  refuseBusy,
  refuseOthers,
  refuseUnless,
  writeGuard,
  writeHolderGuard,
  writeRecord,
  writeSession,
} from './guard.ts'
import { writeAdvance, writeBegin, writeStart } from './outside-record.ts'

/** What a script for psql is written from. */
export interface OfflinePlan {
  readonly history: History
  /** What the history is called in the database: the name of the database. */
  readonly name: string
  readonly direction: Direction
  /** In the order in which they run; at least one. */
  readonly scripts: readonly Script[]
  /** Those that run before the scripts, or behind them; those on failure are named and left out. Default: none. */
  readonly hooks?: readonly HookScript[]
  /** A UUID, the same for the scripts of all databases. The run of a script is known by it. */
  readonly release: string
  /** Drover's own version. */
  readonly version: string
  readonly gitCommit: string | undefined
  /** In milliseconds. A script cannot try again, so it waits longer than a run does. Default 5000. */
  readonly lockTimeoutMs?: number
  /** In milliseconds. Default 0: no limit. */
  readonly statementTimeoutMs?: number
}

/**
 * Writes a script that does, run by psql, what a run of the same plan does, and leaves what it leaves, Drover's own
 * tables included. It begins with a check that changes nothing: the database has to stand where the plan starts, and
 * nobody else may be changing it. The same plan gives the same text.
 */
export function writeOfflineScript(plan: OfflinePlan): string {
  const holder = holderOf(plan)
  const { scripts, hooks = [] } = plan
  const hooksAt = (moment: Moment) => hooks.filter((one) => one.moment === moment).map((one) => hook(plan, holder, one))
  return [
    head(plan),
    begin(plan, holder),
    ...hooksAt('before'),
    ...scripts.map((script, index) => step(plan, holder, script, index)),
    ...hooksAt('after'),
    end(plan, holder),
  ].join('\n')
}

/** What keeps a revision from being run by psql, although it may be sent to a server. */
export function findOfflineProblems(script: Script): readonly Problem[] {
  const { revision, file, sql } = script
  if (revision.language === 'typescript') {
    return [
      {
        code: 'REVISION_INVALID',
        revision: revision.id,
        file,
        message: `${nameRevision(revision)} runs code (${file}), which no script for psql can hold`,
        hint: `write scripts for what comes before it and after it, and let Drover run this one: pnpm migrate upgrade ${revision.id} -d <database>`,
      },
    ]
  }
  if (batchOf(script)) {
    return [
      {
        code: 'REVISION_INVALID',
        revision: revision.id,
        file,
        message: `${nameRevision(revision)} runs in batches (${file}), whose ends nobody knows before they run: no script for psql can hold them`,
        hint: `write scripts for what comes before it and after it, and let Drover run this one: pnpm migrate upgrade ${revision.id} -d <database>`,
      },
    ]
  }
  const at = findMetaCommand(sql)
  if (at === undefined) return []
  const line = lineAt(sql, at)
  return [
    {
      code: 'REVISION_INVALID',
      revision: revision.id,
      file,
      line,
      message: `${file}:${line}: ${nameRevision(revision)} has a backslash outside of any string, which psql takes for a command of its own`,
      hint: 'remove it: SQL has no use for it there',
    },
  ]
}

/** Its lease is the one of the run that this very script has begun: neither token nor id are known beforehand. */
function holderOf({ name, release }: OfflinePlan): Leased {
  const history = quoteLiteral(name)
  return {
    history: name,
    lease: `run operator(pg_catalog.=) any (select id from ${storeSchema}.run where history operator(pg_catalog.=) ${history} and release operator(pg_catalog.=) ${quoteLiteral(release)} and outcome operator(pg_catalog.=) 'running')`,
    run: `(select run from ${storeSchema}.lease where history operator(pg_catalog.=) ${history})`,
  }
}

function head({ name, direction, scripts, hooks = [] }: OfflinePlan): string {
  const leftOut = hooks.filter(({ moment }) => moment === 'onFailure').map(({ file }) => comment(`  ${file}`))
  const steps = scripts.map(({ revision: { id, message } }) => comment(`  ${id} ${message}`))
  const elsewhere = scripts.flatMap(({ revision: { dependsOnElsewhere = [] } }) =>
    dependsOnElsewhere.map((other) => comment(`  ${other.database}/${other.revision}`)),
  )
  // The names below may hold any character, and psql sends comments along.
  return `${utf8}
-- ${command(direction)} of the database "${name}", ${scripts.length === 1 ? '1 revision' : `${scripts.length} revisions`}:
${steps.join('\n')}
--
-- Run it with: psql -X -v ON_ERROR_STOP=1 -f <this file> <url>
-- It refuses to begin where the database does not stand where it starts. Each revision is a transaction of its own${scripts.some(({ revision }) => revision.transaction !== undefined) ? ',\n-- unless it says otherwise' : ''};
-- after an error, what came before it stays: make a new script for the rest.
${elsewhere.length > 0 && direction === 'up' ? `--\n-- What these revisions need in other databases has to be there already:\n${elsewhere.join('\n')}\n` : ''}${leftOut.length > 0 ? `--\n-- What Drover runs after a failure is not part of it:\n${leftOut.join('\n')}\n` : ''}`
}

const utf8 = `set client_encoding = 'UTF8';`

function begin(plan: OfflinePlan, holder: Leased): string {
  const { name, direction, scripts } = plan
  const run = columnsOf(plan)
  const needed = whatIsNeeded(plan)
  const steps = scripts.map((script) => ({ direction, revision: script.revision.id }))
  return `-- Begin: is the database where this script starts, and nobody else changing it?
${open(plan)}${pinSearchPath}do $drover$
declare
  missing text;
  surplus text;
begin
  perform pg_advisory_unlock_all();
${refuseBusy({ history: name }, refusalsOf(plan))}  if to_regclass('${storeSchema}.applied') is null then
    missing := ${needed.present.length === 0 ? 'null' : quoteLiteral(needed.present.join(', '))};
  else
${refuseForeignStore({ mayBeMissing: false })};
    select string_agg(wanted.id, ', ') into missing
    from unnest(${array(needed.present)}) as wanted (id)
    where not exists (
      select from ${storeSchema}.applied
      where history = ${run.history} and target = '' and revision = wanted.id and state = 'applied'
    );
    select string_agg(revision, ', ' order by applied_at) into surplus
    from ${storeSchema}.applied
    where history = ${run.history} and target = '' and revision = any (${array(needed.absent)});
  end if;
  if missing is not null or surplus is not null then
    raise exception using
      errcode = '${guardStates.moved}',
      message = ${quoteLiteral(`nothing was changed: the database "${name}" is not where this script starts`)},
      detail = concat_ws('; ', 'not applied: ' || missing, 'applied: ' || surplus),
      hint = ${quoteLiteral(`see where it is with: pnpm migrate current -d ${name}; then make a new script`)};
  end if;
end
$drover$;
${mayBeNew(plan) ? `${createStore.trim()};\n` : ''}do $drover$
begin
${takeLease(run, name)};
  if not found then
    raise exception using
      errcode = '${guardStates.busy}',
      message = (
        select format(
          'nothing was changed: another run holds the database: "%s" of %s on %s, process %s, since %s',
          command, os_user, host, pid, acquired_at
        )
        from ${storeSchema}.lease
        where history = ${run.history}
      ),
      hint = 'run the script again when it has ended';
  end if;
end
$drover$;
${insertRun({ ...run, id: holder.run }, steps).trim()};
commit;
`
}

function step(plan: OfflinePlan, holder: Leased, script: Script, index: number): string {
  const { scripts, direction, history } = plan
  const { id, message } = script.revision
  const previous: Step | undefined = scripts[index - 1]
  const refusals = refusalsOf(plan, id)
  const heading = `${comment(`${index + 1} of ${scripts.length}: ${direction === 'up' ? 'apply' : 'revert'} ${id} ${message}`)}
${comment(script.file)}
`
  if (script.revision.transaction === 'none') {
    return `${heading}-- Outside a transaction: statement by statement, each recorded when it is done.
${open(plan)}${writeStart(script, history, holder, { previous, refusals })}commit;
${writeSession({ statementTimeoutMs: plan.statementTimeoutMs ?? 0 })}${utf8}
${writeStatements(plan, holder, script, refusals)}
${open(plan)}${pinSearchPath}${renewLease(leaseOf(holder))};
commit;
`
  }
  if (script.revision.transaction === 'own') {
    return `${heading}-- In transactions of its own: recorded when all of it is done.
${open(plan)}${writeStart(script, history, holder, { previous, refusals })}${holdHistoryLock(holder)};
commit;
${writeSession({ statementTimeoutMs: plan.statementTimeoutMs ?? 0 })}${utf8}
${script.statements.map(({ text }) => `${text};\n`).join('')}${transaction(writeAdvance(script, holder, 0, script.statements.length, refusals))}${cleanSession} select pg_catalog.pg_advisory_unlock_all();
${open(plan)}${pinSearchPath}${renewLease(leaseOf(holder))};
commit;
`
  }
  const guard = writeGuard(script, history, holder, { previous, refusals })
  return `${heading}${open(plan)}${guard}
${closed(script)}
${writeRecord(script, holder)};
${renewInTransaction(holder)}commit;
`
}

function hook(plan: OfflinePlan, holder: Leased, script: HookScript): string {
  const { moment, file } = script
  return `${comment(`Hook, ${moment === 'before' ? 'before the first revision' : 'behind the last revision'}: ${file}`)}
${open(plan)}${writeHolderGuard(holder, refusalsOf(plan, `the hook ${file}`))}
${closed(script)}
${renewInTransaction(holder)}commit;
`
}

/** A role or a search_path that was left behind must not be in the way. */
function renewInTransaction(holder: Leased): string {
  return `do $drover$
${writeOwnBlock({ body: `${renewLease(leaseOf(holder))};\n` })}
$drover$;
`
}

function writeStatements(plan: OfflinePlan, holder: Leased, script: Script, refusals: Refusals): string {
  const { length } = script.statements
  if (length === 0) return transaction(writeAdvance(script, holder, 0, 0, refusals))
  const parts = script.statements.map(({ text }, done) => {
    const advance = writeAdvance(script, holder, done, done + 1, refusals)
    // A block or a procedure may end transactions itself.
    if (!runsOutsideTransaction(text) && !/^(?:call|do)\b/i.test(text)) {
      return `begin;\n${limitTime(limitsOf(plan))}${text};\n${advance}commit;\n`
    }
    return `${transaction(writeBegin(script, holder, done, refusals))}${text};\n${transaction(advance)}`
  })
  return parts.join('')
}

function transaction(statements: string): string {
  return `begin;\n${statements}commit;\n`
}

function end(plan: OfflinePlan, holder: Leased): string {
  const { name, direction, scripts } = plan
  const last = [scripts.at(-1)!.revision.id]
  const [present, absent] = direction === 'up' ? [last, []] : [[], last]
  const refusals = refusalsOf(plan)
  return `-- End: the lease is given back, and the run has succeeded.
${open(plan)}${pinSearchPath}do $drover$
begin
${refuseOthers(holder, refusals)}${refuseUnless({ history: name }, present, absent, refusals)}end
$drover$;
${returnLease(leaseOf(holder))};
${updateRun(holder.run, 'succeeded').trim()};
commit;
`
}

/** Every transaction begins with a clean session, which has to be told again what the script is encoded in. */
function open(plan: OfflinePlan): string {
  return `begin;
${cleanSession} ${utf8}
${limitTime(limitsOf(plan))}`
}

function limitsOf({ lockTimeoutMs = 5000, statementTimeoutMs = 0 }: OfflinePlan): Parameters<typeof limitTime>[0] {
  return { lockTimeoutMs, statementTimeoutMs }
}

/** The text of a file, ended so that what follows is not taken for a part of it. */
export function closed({ sql, statements }: Pick<Script, 'sql' | 'statements'>): string {
  const last = statements.at(-1)
  const isOpen = last !== undefined && sql[last.end] !== ';'
  return `${sql.trimEnd()}${isOpen ? '\n;' : ''}`
}

/** Who runs the script is known only when it is run: the user and the process of the connection stand for them. */
function columnsOf({ name, direction, release, version, gitCommit }: OfflinePlan): RunColumns {
  return {
    history: quoteLiteral(name),
    id: 'gen_random_uuid()',
    release: quoteLiteral(release),
    command: quoteLiteral(command(direction)),
    osUser: 'session_user',
    host: `coalesce(host(inet_client_addr()), 'local')`,
    pid: 'pg_backend_pid()',
    version: quoteLiteral(version),
    gitCommit: gitCommit === undefined ? 'null' : quoteLiteral(gitCommit),
  }
}

/** What has to be applied, and what must not be, before the first of the scripts. */
function whatIsNeeded({ history, direction, scripts }: OfflinePlan): {
  readonly present: readonly string[]
  readonly absent: readonly string[]
} {
  const own = scripts.map((script) => script.revision.id)
  const isOwn = new Set(own)
  const around = scripts.flatMap((script) =>
    direction === 'up' ? comesAfter(script.revision) : history.followers.get(script.revision.id)!,
  )
  const others = [...new Set(around)].filter((id) => !isOwn.has(id))
  return direction === 'up' ? { present: others, absent: own } : { present: own, absent: others }
}

/** Whether the script may be the first thing that Drover does in the database. */
function mayBeNew(plan: OfflinePlan): boolean {
  return whatIsNeeded(plan).present.length === 0
}

function refusalsOf({ name }: OfflinePlan, id?: string): Refusals {
  const what = id === undefined ? 'nothing was changed' : `${id} was not run`
  return {
    busy: `${what}: another run is in the middle of a revision of the database "${name}"`,
    leaseLost: `${what}: this script does not hold the database "${name}" (any more): it did not begin, or another run took over`,
    moved: `${what}: what is applied in the database "${name}" is not what this script needs`,
  }
}

function array(ids: readonly string[]): string {
  return `array[${ids.map(quoteLiteral).join(', ')}]::text[]`
}

function command(direction: Direction): string {
  return direction === 'up' ? 'upgrade' : 'downgrade'
}

/** A text as one line of comment, whatever is in it. */
export function comment(text: string): string {
  return `-- ${text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')}`
}
