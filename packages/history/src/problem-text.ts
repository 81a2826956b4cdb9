import type { Blocker, Problem } from './problem.ts'

/** How words of a problem are made to stand out. */
export interface Paint {
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
  readonly dim: (text: string) => string
  readonly strong: (text: string) => string
}

const asItIs = (text: string) => text
const plain: Paint = { bad: asItIs, warn: asItIs, dim: asItIs, strong: asItIs }

/**
 * A problem for people: what is wrong, where, what the server said, and what to do.
 * @param paint default: nothing stands out
 */
export function problemText(problem: Problem, paint: Paint = plain, kind: 'error' | 'warning' = 'error'): string {
  const database = problem.database === undefined ? '' : `${problem.database}: `
  const sqlstate = problem.sqlstate === undefined ? '' : paint.dim(` [${problem.sqlstate}]`)
  return [
    `${kind === 'error' ? paint.bad('error:') : paint.warn('warning:')} ${database}${harmless(problem.message)}${sqlstate}`,
    ...quoteFile(problem).map((line) => `    ${line}`),
    ...blockersText(problem.blockers ?? []).map((line) => `  ${line}`),
    ...(problem.serverNotes ?? []).flatMap((note) => harmless(note).split('\n')).map((line) => `  ${line}`),
    ...(problem.hint === undefined ? [] : [`  ${paint.strong('next:')} ${harmless(problem.hint)}`]),
  ].join('\n')
}

/** A text in which names and values may stand that others have chosen, with nothing in it that a terminal obeys. */
function harmless(text: string): string {
  return text.replaceAll(
    /[\p{Cc}--[\n\t]]/gv,
    (control) => `\\u${control.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )
}

/** What of a file is at fault: the place where it is known, and otherwise the statement. */
function quoteFile({ excerpt, statement }: Problem): readonly string[] {
  return excerpt ?? (statement === undefined ? [] : quoteStatement(statement))
}

/** Who is in the way, a few lines each: whoever sees five of them has seen enough. */
export function blockersText(blockers: readonly Blocker[]): readonly string[] {
  const most = 5
  const left = blockers.length - most
  return [
    ...blockers.slice(0, most).flatMap(blockerText).map(harmless),
    ...(left > 0 ? [`in the way: ${left} more`] : []),
  ]
}

function blockerText(blocker: Blocker): readonly string[] {
  const { statement, queryStart, queryAgeMs, hidden } = blocker
  const last = blocker.state === 'active' ? 'its query' : 'its last query'
  return [
    `in the way: ${nameBlocker(blocker)}${stateOf(blocker)}`,
    ...blocker.locks.map(
      ({ mode, relation, granted }) => `  ${granted ? 'holds' : 'waits for'} ${mode} on ${relation}`,
    ),
    ...(statement === undefined || statement === ''
      ? []
      : [
          `  ${last}${queryStart === undefined ? '' : `, since ${queryStart} (${duration(queryAgeMs ?? 0)} ago)`}: ${statement}`,
        ]),
    ...(hidden ? ['  its state and its query are hidden from this user: grant pg_monitor to it'] : []),
    ...adviceOn(blocker),
  ]
}

/** A session as people find it in `pg_stat_activity`, or a prepared transaction. */
export function nameBlocker({ pid, prepared, user, applicationName, backendType }: Blocker): string {
  const of = user === undefined ? '' : ` of user "${user}"`
  if (prepared !== undefined) return `the prepared transaction "${prepared}"${of}`
  if (backendType === 'autovacuum worker') return `process ${pid}, autovacuum`
  const name = applicationName === undefined || applicationName === '' ? '' : ` "${applicationName}"`
  return `process ${pid}${name}${of}${applicationName === 'drover' ? ', a session of Drover' : ''}`
}

function stateOf({ state, stateAgeMs, transactionAgeMs }: Blocker): string {
  const here = state === undefined ? '' : `, ${state}${stateAgeMs === undefined ? '' : ` for ${duration(stateAgeMs)}`}`
  return `${here}${transactionAgeMs === undefined ? '' : `, in a transaction for ${duration(transactionAgeMs)}`}`
}

/** What is not as for the session of an application. */
function adviceOn({ prepared, backendType, statement = '' }: Blocker): readonly string[] {
  if (prepared !== undefined) {
    return [`  it belongs to no session and outlives the server: rollback prepared '${prepared.replaceAll("'", "''")}'`]
  }
  if (backendType !== 'autovacuum worker') return []
  return statement.includes('wraparound')
    ? ['  it works against the wraparound of transaction ids and does not give way: wait for it']
    : ['  it gives way to whoever waits longer than deadlock_timeout: --lock-timeout 2s']
}

/** A statement is there to be recognised; whoever wants all of it has the file and the line. */
function quoteStatement(statement: string): readonly string[] {
  const lines = statement.split('\n')
  const most = 6
  return lines.length <= most ? lines : [...lines.slice(0, most), `… ${lines.length - most} more lines`]
}

/** A duration as people read it. */
export function duration(ms: number): string {
  // Rounded before it is compared: there is no "1000 ms", no "60.0 s" and no "1 min 60 s".
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
