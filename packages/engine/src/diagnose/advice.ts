import type { Blocker } from '@drover/history'

import { quoteIdentifier } from '../sql/quote.ts'
import { isConflict, readServerError, type ServerError } from './server-error.ts'

/** The statement that failed, and where it stands. */
export interface FailedStatement {
  readonly file: string
  /** Of its revision, if it is part of one. */
  readonly id: string | undefined
  readonly direction: 'up' | 'down'
  /** Empty when it was none of the statements of the revision. */
  readonly text: string
  /** Who held the lock that was not to be had, as far as it is known. */
  readonly blockers?: readonly Blocker[]
}

/**
 * What to do about an error of a statement of a revision, as an order that reads on with "then run the same command again".
 * By its SQLSTATE, by the fields that the server gives with it, and only where they do not tell by the words of its message,
 * which may be in another language.
 */
export function adviseOn(error: ServerError, failed: FailedStatement): string {
  const advice = error.sqlstate === undefined ? undefined : advices.get(error.sqlstate)
  return typeof advice === 'string' ? advice : (advice?.(error, failed) ?? `correct ${failed.file}`)
}

/** What tells of the state of the server, whatever the statement was. */
const serverStates: ReadonlySet<string> = new Set(['25006', '53100', '53200', '57014'])

/**
 * What to do about an error of a statement of Drover's own, in the same form. `undefined` where it does not tell of the state of
 * the server.
 */
export function adviseOnServer(error: unknown): string | undefined {
  const told = readServerError(error)
  if (told.sqlstate === undefined || !serverStates.has(told.sqlstate)) return undefined
  return adviseOn(told, { file: '', id: undefined, direction: 'up', text: '' })
}

type Advice = string | ((error: ServerError, failed: FailedStatement) => string | undefined)

const advices: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  // locks and other sessions
  ['55P03', adviseOnLock],
  [
    '40P01',
    'run it when the application is less busy, or lock the tables at the beginning of the revision, in the order in which the application does',
  ],
  ['40001', 'somebody changed the same rows at the same time: wait until they are done'],
  ['55006', adviseOnObjectInUse],
  ['57014', adviseOnCancelled],

  // rows that are in the way
  ['23505', adviseOnDuplicates],
  ['23502', adviseOnNulls],
  ['23503', adviseOnMissingRows],
  ['23514', adviseOnCheck],
  [
    '23P01',
    ({ constraint }) =>
      `change the rows that DETAIL names: ${named('the exclusion constraint', constraint)} keeps them apart`,
  ],
  ['22001', 'shorten the values, or make the column longer'],
  ['22003', 'correct the values, or give the column a type with room for them'],
  ['22P02', 'correct the values that cannot be read as the new type, or say with "using" how they are converted'],
  ['22007', 'correct the value, or say with to_date(…) or to_timestamp(…) how it is written'],
  ['22008', 'correct the value: it is no such day or time, or DateStyle reads day and month the other way round'],
  ['22012', 'keep the divisor from being 0, with nullif(…, 0)'],
  ['22023', 'correct the value: PostgreSQL does not take it here'],
  ['428C9', 'leave the column out, or write "overriding system value" where it is an identity column'],

  // what is not there
  ['42P01', adviseOnMissingTable],
  [
    '42703',
    (_, failed) => `correct the name of the column in ${failed.file}: written as "Name" it needs its quotes everywhere`,
  ],
  ['42704', adviseOnMissingObject],
  ['42883', adviseOnMissingFunction],
  ['3F000', 'create the schema in an earlier revision, or correct its name'],
  [
    '3D000',
    "create the database, or correct its name: databases are the server's, and no revision of this one makes them",
  ],
  ['58P01', 'install what the file belongs to on the server: an extension or a library of its operating system'],

  // what is there already
  ['42P07', adviseOnPresent],
  ['42701', adviseOnPresent],
  ['42710', adviseOnPresent],
  ['42P06', adviseOnPresent],
  ['42723', 'write "create or replace", or drop the one that is there'],
  ['2BP01', adviseOnDependants],
  ['42939', "choose another name: those that begin with pg_ are PostgreSQL's own"],
  ['42P04', 'leave it out: databases are made by pnpm migrate init'],

  // definitions that do not fit
  ['42601', adviseOnSyntax],
  ['42804', adviseOnType],
  ['42846', 'convert it in two steps, over text, or write a function for it and name that after "using"'],
  [
    '42830',
    'give the columns that are referred to a primary key or a unique constraint first; a unique index with "where" will not do',
  ],
  ['42P16', adviseOnTableDefinition],
  ['42P17', adviseOnDefinition],
  ['42P13', adviseOnFunctionDefinition],
  [
    '42P10',
    'name the columns of a unique index after "on conflict"; those of one with "where" need that "where" as well',
  ],
  ['42702', 'write the name of the table before the column'],
  ['42725', 'write the types of the arguments, with casts'],
  [
    '42809',
    ({ hint }) => (hint ? 'write what HINT says' : 'use the command for what it is: a table, a view, an index, …'),
  ],
  ['0A000', adviseOnUnsupported],
  ['54000', adviseOnProgramLimit],
  ['54001', 'split the statement up, or end the recursion; the limit is max_stack_depth'],
  ['54011', 'put some of the columns into a table of their own: dropped ones count too'],
  ['54023', 'give the function fewer arguments: one of a composite or json type'],

  // transactions
  ['25001', adviseOnOutside],
  ['2D000', adviseOnOutside],
  ['25006', 'use the URL of the primary: this is a standby, or default_transaction_read_only is on'],
  ['25P02', 'let the first error through: an earlier statement failed, and the transaction takes no others'],
  ['55P04', 'put the use of the new value into a revision after this one: it must be committed first'],
  ['55000', adviseOnState],

  // rights and means
  ['42501', adviseOnPrivilege],
  [
    '53100',
    'make room on the disk of the server; building an index or rewriting a table needs as much again as it has',
  ],
  ['53200', adviseOnMemory],
  ['53400', 'raise the setting that the message names, or change fewer rows at a time'],
  ['P0001', 'see what raised it: CONTEXT names the function, and a trigger has no other way to refuse'],
  ['XX000', adviseOnInternal],
  [
    'XX001',
    'change nothing more: a table of the server is damaged. Restore it from a backup; pg_amcheck finds out how far it goes',
  ],
  ['XX002', 'rebuild the index with "reindex", and check the tables with pg_amcheck: it is damaged'],
])

function adviseOnLock(_: ServerError, { text, blockers = [] }: FailedStatement): string {
  if (/\b(?:nowait|skip\s+locked)\b/i.test(text))
    return 'leave NOWAIT out: a lock that is not to be had is tried for again'
  const idle = blockers.filter(({ state }) => state === 'idle in transaction')
  if (idle.length > 0) {
    const calls = idle.map(({ pid }) => `pg_terminate_backend(${pid})`).join(', ')
    return `end what has been left open, with "select ${calls}" or with --kill-blockers-after 1m`
  }
  if (blockers.length > 0 && blockers.every(({ backendType }) => backendType === 'autovacuum worker')) {
    return 'wait until autovacuum is through with the table, or give it --lock-timeout 2s: unless it works against wraparound, autovacuum gives way to whoever waits longer than deadlock_timeout'
  }
  return 'end what holds the lock, or wait for a quieter hour; a longer --lock-timeout makes the application wait as long'
}

function adviseOnObjectInUse({ message }: ServerError): string {
  return message.includes('pending trigger events')
    ? 'put "set constraints all immediate" before the statement, or the change of the rows into a revision of its own'
    : 'end the sessions that are using it'
}

function adviseOnCancelled({ message }: ServerError): string {
  if (message.includes('statement timeout')) return 'raise --statement-timeout, or do less in one statement'
  if (message.includes('user request'))
    return 'ask who cancelled it: somebody called pg_cancel_backend, or pressed Ctrl-C in Drover'
  return 'raise --statement-timeout, unless an administrator has cancelled it'
}

function adviseOnDuplicates(error: ServerError, { file, text }: FailedStatement): string {
  if (isConflict(error)) return 'wait a moment: somebody was making the same object at the same time'
  const columns = columnsIn(error)
  const table = tableOf(error)
  // Code does not tell its statement.
  if (text === '' || /^(?:insert|update|merge|with|copy)\b/i.test(text)) {
    return `write "on conflict" in ${file}, or remove the row that is there: ${named('the constraint', error.constraint)} lets no second one in`
  }
  if (columns === undefined || table === undefined) return 'remove the duplicates first'
  return `find the duplicates with "select ${columns}, count(*) from ${table} group by ${columns} having count(*) > 1" and remove them`
}

function adviseOnNulls(error: ServerError, { text }: FailedStatement): string {
  const table = tableOf(error) ?? 'the table'
  const column = error.column === undefined ? 'the column' : quoteIdentifier(error.column)
  if (/\badd\s+(?:column\s+)?(?!constraint)[^,]*\bnot\s+null\b/i.test(text)) {
    return `add ${column} without "not null", fill it in in a revision of its own, and then "alter table ${table} alter column ${column} set not null"; or give it a default`
  }
  if (/^alter\b/i.test(text)) return `fill it in first: "update ${table} set ${column} = … where ${column} is null"`
  return `give ${column} of ${table} a value, or a default`
}

function adviseOnMissingRows(error: ServerError, { text }: FailedStatement): string {
  const table = tableOf(error) ?? 'the table'
  const constraint = error.constraint === undefined ? 'the constraint' : quoteIdentifier(error.constraint)
  // The server says that rows are missing with the table that they are missing from, and which of the two it is only in words.
  if (!/^(?:alter|create)\b/i.test(text)) {
    return `change the rows in the order that ${constraint} of ${table} asks for, or in one statement together with those that DETAIL names`
  }
  const columns = columnsIn(error)
  const other = /\breferences\s+([^\s(]+)\s*\(([^()]+)\)/i.exec(text)
  const find =
    columns !== undefined && other
      ? `find the rows with "select * from ${table} where (${columns}) not in (select ${other[2]!.trim()} from ${other[1]})" and put them right`
      : 'put the rows right that DETAIL names'
  return `${find}; or add ${constraint} "not valid" now, and "validate constraint" it in a later revision`
}

function adviseOnCheck(error: ServerError, { text }: FailedStatement): string {
  if (error.constraint === undefined) return 'create the partition that the row belongs to first, or a default one'
  const constraint = quoteIdentifier(error.constraint)
  return /^(?:alter|create)\b/i.test(text)
    ? `put the rows right that ${constraint} does not allow; or add it "not valid" now, and "validate constraint" it in a later revision`
    : `change the values: ${constraint} does not allow them`
}

function adviseOnMissingTable({ message }: ServerError, { file, direction, text }: FailedStatement): string {
  if (direction === 'down' && /^drop\b/i.test(text)) return `write "if exists" in ${file}: it is gone already`
  const qualified = message.includes('.') ? '' : ', with its schema where it is not in the search_path'
  return `correct the name in ${file}${qualified}; when another revision makes it, name that one in "parents" or "dependsOn" of revision.json`
}

function adviseOnMissingObject({ message }: ServerError, { file }: FailedStatement): string {
  const name = /"(.+)"/.exec(message)?.[1]
  if (message.startsWith('role ')) {
    return 'make the role first: roles are the server\'s, and those of "access" in database.ts are made by pnpm migrate init'
  }
  const extension = name === undefined ? undefined : extensions.get(name)
  if (extension !== undefined) return `put "create extension if not exists ${extension}" before it`
  return `correct the name in ${file}, or create it in an earlier revision`
}

function adviseOnMissingFunction({ message }: ServerError, { file }: FailedStatement): string {
  const name = /([\w$]+)\(/.exec(message)?.[1]
  const extension = name === undefined ? undefined : extensions.get(name)
  if (extension !== undefined) return `put "create extension if not exists ${extension}" before it`
  return `correct the name or the types of the arguments in ${file}, with casts where they do not fit`
}

/** What people take for built in, and the extension that has it. */
const extensions: ReadonlyMap<string, string> = new Map([
  ['citext', 'citext'],
  ['hstore', 'hstore'],
  ['ltree', 'ltree'],
  ['vector', 'vector'],
  ['geometry', 'postgis'],
  ['geography', 'postgis'],
  ['gin_trgm_ops', 'pg_trgm'],
  ['gist_trgm_ops', 'pg_trgm'],
  ['similarity', 'pg_trgm'],
  ['uuid_generate_v4', '"uuid-ossp"'],
  ['uuid_generate_v1', '"uuid-ossp"'],
  ['crypt', 'pgcrypto'],
  ['gen_salt', 'pgcrypto'],
  ['digest', 'pgcrypto'],
  ['gen_random_bytes', 'pgcrypto'],
  ['unaccent', 'unaccent'],
  ['crosstab', 'tablefunc'],
])

function adviseOnPresent(_: ServerError, { id, direction, file }: FailedStatement): string {
  if (direction === 'down') return `correct ${file}: it makes what is there already`
  if (id === undefined) return `drop it, or write "if not exists" in ${file}`
  return `drop it, or write "if not exists" in ${file}; where all that this revision makes was made by hand, record it instead: pnpm migrate stamp <database>/${id}`
}

function adviseOnDependants({ detail = '' }: ServerError): string {
  const lines = detail.split('\n').filter((line) => line !== '')
  const what = lines.length === 1 ? 'what DETAIL names' : 'all that DETAIL names'
  return `drop or change ${what} before this statement; "cascade" drops it unseen`
}

function adviseOnSyntax({ message }: ServerError, { file }: FailedStatement): string {
  if (/"\\/.test(message))
    return `remove the line that begins with a backslash from ${file}: it is a command of psql, and no SQL`
  return `correct ${file}`
}

function adviseOnType({ message, column }: ServerError, { text }: FailedStatement): string {
  const type = /\btype\s+([\w ."[\]]+?)\s*(?:,|$|\busing\b)/i.exec(text)?.[1]
  if (/^alter\b/i.test(text) && message.startsWith('default for')) {
    return 'drop the default before the statement, and set the new one after it'
  }
  if (/^alter\b/i.test(text) && type !== undefined) {
    const name = column ?? /\balter\s+(?!table\b)(?:column\s+)?("[^"]+"|[\w$]+)/i.exec(text)?.[1] ?? '…'
    return `say how the values are converted, such as "using ${name}::${type}"`
  }
  return 'give both sides the same type, with a cast'
}

function adviseOnTableDefinition({ message }: ServerError): string {
  return message.includes('view')
    ? 'drop the view and create it again: "create or replace" only adds columns at its end'
    : 'drop the one that is there first, or leave this one out'
}

function adviseOnDefinition({ message }: ServerError): string {
  if (message.includes('IMMUTABLE') || message.includes('immutable')) {
    return 'use what depends on its arguments alone: "at time zone \'UTC\'" for times, or a function of your own declared immutable'
  }
  return message.includes('partition') ? 'choose bounds that no other partition has' : 'correct the definition'
}

function adviseOnFunctionDefinition({ hint }: ServerError): string {
  return hint === undefined
    ? 'correct the definition of the function'
    : 'drop the function first, as HINT says: "create or replace" changes neither its result nor the names of its arguments'
}

function adviseOnUnsupported({ message, detail }: ServerError): string {
  if (message.startsWith('extension "'))
    return 'install the extension on the server; a managed one has a list of those it allows'
  if (message.includes('used by a view'))
    return 'drop the view that DETAIL names before the statement, and create it again after it'
  if (message.includes('partitioning columns')) return 'add the columns of the partition key to it'
  return detail === undefined ? 'do it in another way: PostgreSQL cannot' : 'do it in another way, as DETAIL says'
}

function adviseOnProgramLimit({ message }: ServerError): string {
  return message.startsWith('index row')
    ? 'index a hash of the value, such as md5(…), or use a hash index: the values are too long for this one'
    : 'do less in one statement: this is a limit of PostgreSQL'
}

function adviseOnOutside(): string {
  return 'write "transaction": "none" into the revision.json beside it, best of a revision with nothing else in it: this statement cannot run in a transaction'
}

function adviseOnState({ message, hint }: ServerError, { text }: FailedStatement): string {
  if (message.includes('replica identity')) {
    return 'give the table a primary key, or "alter table … replica identity full": its changes are published'
  }
  if (/^refresh\b/i.test(text)) return 'refresh it without "concurrently" first, or give it a unique index'
  return hint === undefined ? 'bring it into the state that the message asks for' : 'do what HINT says'
}

function adviseOnPrivilege({ message }: ServerError): string {
  const kind = /^permission denied for (schema|database) (.+)$/.exec(message)
  if (kind) return `let its owner "grant create on ${kind[1]} ${quoteIdentifier(kind[2]!)}" to the user of this URL`
  if (message.startsWith('must be owner of')) return 'connect as the owner, or "grant" its role to the user of this URL'
  return 'grant it to the user of this URL, or connect as the owner of the objects'
}

function adviseOnMemory({ message }: ServerError): string {
  return message.includes('shared memory')
    ? 'touch fewer tables in one revision, or raise max_locks_per_transaction: each table and index takes a lock'
    : 'do less in one statement, or lower work_mem and maintenance_work_mem: the server is out of memory'
}

function adviseOnInternal(error: ServerError): string {
  return isConflict(error)
    ? 'wait a moment: somebody was changing the same object at the same time'
    : 'see the log of the server: this is a fault of PostgreSQL or of one of its extensions'
}

/** The columns of a key, as the server writes them in every language: `… (a, lower(b))=(1, x) …`. */
function columnsIn({ detail = '' }: ServerError): string | undefined {
  return /\((.+?)\)=\(/s.exec(detail)?.[1]
}

function tableOf({ schema, table }: ServerError): string | undefined {
  if (table === undefined) return undefined
  return schema === undefined ? plain(table) : `${plain(schema)}.${plain(table)}`
}

function plain(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name)
}

function named(kind: string, name: string | undefined): string {
  return name === undefined ? kind : `${kind} ${quoteIdentifier(name)}`
}
