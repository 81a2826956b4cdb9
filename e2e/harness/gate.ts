import postgres from 'postgres'

/** A lock that a test holds, so that a revision comes to a halt until the test lets it go on. */
export interface Gate extends AsyncDisposable {
  /** SQL for a revision: says that it is there (`--verbose` prints it) and waits, at most a minute. */
  readonly sql: string
  /** What the revision prints when it comes to the gate. */
  readonly notice: string
  open(): Promise<void>
}

/** SQL for a revision that comes to a gate with that name, should it be closed. */
export function gateSql(name: string): string {
  return `do $$ begin raise notice '${noticeAt(name)}'; end $$;
set local lock_timeout = '60s';
select pg_advisory_xact_lock_shared(hashtext('${name}'));
`
}

function noticeAt(name: string): string {
  return `waiting at ${name}`
}

/** Closes a gate in a database. Opens it at the latest when disposed of. */
export async function closeGate(url: string, name = 'gate'): Promise<Gate> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  await sql`select pg_advisory_lock(hashtext(${name}))`
  const open = () => sql.end({ timeout: 5 })
  return {
    sql: gateSql(name),
    notice: noticeAt(name),
    open,
    [Symbol.asyncDispose]: open,
  }
}
