import type { Direction, History } from '@drover/history'

import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath, writeOwnBlock } from '../sql/search-path.ts'
import { checksumOfStatements, type Script } from '../source/script.ts'
import { type Progress, selectBefore } from '../store/progress.ts'
import { isOfPlace } from '../store/place.ts'
import { completeStore, storeSchema } from '../store/tables.ts'
import {
  guardStates,
  type GuardOptions,
  type Holder,
  plainRefusals,
  type Refusals,
  refuseOthers,
  writeGuard,
} from './guard.ts'

/** A revision that is under way, whose file may be gone. */
export interface Begun {
  readonly revision: { readonly id: string }
  readonly direction: Direction
}

/**
 * The statements that mark a revision as begun, with none of its statements done: guarded like those of a revision in a
 * transaction, so that two runs cannot begin it both.
 */
export function writeStart(script: Script, history: History, holder: Holder, options: GuardOptions = {}): string {
  const { revision, direction, checksum } = script
  const progress = writeProgress(script, holder, 0)
  const record =
    direction === 'up'
      ? `insert into ${storeSchema}.applied (history, target, revision, checksum, state, run, duration_ms, progress)
values (${[holder.history, holder.target ?? '', revision.id, checksum].map(quoteLiteral).join(', ')}, 'running', ${holder.run}, 0, ${progress})`
      : `update ${storeSchema}.applied set state = 'running', progress = ${progress} where ${rowOf(script, holder)}`
  return `${completeStore}${writeGuard(script, history, holder, options)}${pinSearchPath}${record};
`
}

/** The statements that let a run go on with a revision that another one has begun. */
export function writeTakeover(script: Begun, holder: Holder, progress: Progress): string {
  const own = `progress = progress || jsonb_build_object('run', ${holder.run}::text)`
  // For how long it takes, the time in between does not count.
  const from = script.direction === 'up' ? `, applied_at = clock_timestamp(), applied_by = session_user` : ''
  return change(script, { ...holder, run: quoteLiteral(progress.run) }, progress.halfDone.done, `set ${own}${from}`)
}

/**
 * The statements that come before a statement which runs by itself. They remember what was there of the index that it
 * makes or drops, which tells later what is its work.
 */
export function writeBegin(script: Script, holder: Holder, done: number, refusals?: Refusals): string {
  const { text } = script.statements[done]!
  const { declaration, select } = selectBefore(text)
  const progress = `(${writeProgress(script, holder, done)}) || ${select}`
  return change(script, holder, done, `set progress = ${progress}`, refusals, declaration)
}

/** The statements that record how many statements are done now; with the last of them, the revision is. */
export function writeAdvance(script: Script, holder: Holder, from: number, to: number, refusals?: Refusals): string {
  if (to < script.statements.length) {
    return change(script, holder, from, `set progress = ${writeProgress(script, holder, to)}`, refusals)
  }
  if (script.direction === 'down') return change(script, holder, from, 'delete', refusals)
  const record = [
    `state = 'applied'`,
    'progress = null',
    `checksum = ${quoteLiteral(script.checksum)}`,
    `run = ${holder.run}`,
    'applied_at = clock_timestamp()',
    'duration_ms = extract(epoch from clock_timestamp() - applied_at) * 1000',
  ]
  return change(script, holder, from, `set ${record.join(', ')}`, refusals)
}

/** The statements that forget that a revision was begun, of which so many statements are recorded as done. */
export function writeUndo(script: Begun, holder: Holder, done: number): string {
  return change(script, holder, done, script.direction === 'up' ? 'delete' : `set state = 'applied', progress = null`)
}

function writeProgress({ revision, direction, statements }: Script, { run }: Holder, done: number): string {
  const next = statements[done]
  const progress = {
    revision: revision.id,
    direction,
    done,
    total: statements.length,
    ...(revision.transaction === 'own' ? { own: true } : next && { statement: next.text }),
    checksum: checksumOfStatements(statements.slice(0, done)),
  }
  return `${quoteLiteral(JSON.stringify(progress))}::jsonb || jsonb_build_object('run', ${run}::text)`
}

/**
 * A change of the row of a revision that is under way: refused unless the holder still has its lease, and the row says what
 * this run has written last. The statements of the revision may have left their role behind, or have said that commits need not
 * wait for the disk; both are theirs again afterwards.
 */
export function change(
  script: Begun,
  holder: Holder,
  done: number,
  what: string,
  refusals: Refusals = plainRefusals,
  declarations = '',
): string {
  const row = `${rowOf(script, holder)} and state = 'running'
    and progress ->> 'run' = ${holder.run}::text and progress ->> 'done' = '${done}'`
  const table = `${storeSchema}.applied`
  const statement = what === 'delete' ? `delete from ${table} where ${row}` : `update ${table} ${what} where ${row}`
  const body = `${refuseOthers(holder, refusals)}  ${statement};
  if not found then
    raise exception using errcode = '${guardStates.moved}', message = ${quoteLiteral(refusals.moved)};
  end if;
`
  // As a literal, because a statement of the revision, which may hold any dollar quote, is part of it.
  return `set local session authorization default; set local role none; set local synchronous_commit to default;
do ${quoteLiteral(writeOwnBlock({ body, declarations }))};
`
}

function rowOf({ revision }: Begun, holder: Holder): string {
  return `${isOfPlace(holder)} and revision = ${quoteLiteral(revision.id)}`
}
