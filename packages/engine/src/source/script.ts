import { readFileSync } from 'node:fs'

import {
  type AppliedRevision,
  checksum,
  checksumWithStatements,
  compareChecksums,
  type Direction,
  DroverError,
  nameRevision,
  type Problem,
  type Revision,
} from '@drover/history'

import { runsOutsideTransaction } from './outside-transaction.ts'
import { lineAt, normalizeStatement, splitStatements, type Statement } from './statements.ts'

/** The SQL of one direction of a revision, read and taken apart. */
export interface Script {
  readonly revision: Revision
  readonly direction: Direction
  /** Path from the workspace's root. */
  readonly file: string
  readonly sql: string
  readonly statements: readonly Statement[]
  /** Of the text and of the statements. Of an up side, it is what `applied` remembers. */
  readonly checksum: string
}

/** The line that marks a file as not filled in yet. */
export const unfilledMarker = '-- drover:unfilled'

/** Path of a side of a revision from the workspace's root. */
export function scriptFile(revision: Revision, direction: Direction): string {
  return `${revision.folder}/${direction === 'up' ? 'migration' : 'down'}.sql`
}

/**
 * Reads one side of a revision.
 * @throws {DroverError} `REVISION_INVALID` when the file cannot be read, or is not UTF-8
 */
export async function readScript(root: string, revision: Revision, direction: Direction): Promise<Script> {
  const file = scriptFile(revision, direction)
  const sql = readSql(root, file)
  const statements = splitStatements(sql)
  return { revision, direction, file, sql, statements, checksum: checksumOf(sql, statements) }
}

/**
 * Checksums of the up sides of revisions, by id. Revisions whose file cannot be read are reported, not left out.
 * @param applied what a database remembers: a file whose text is still the same has the checksum that stands there, and
 * is not taken apart. Default: nothing
 * @param texts checksums of texts that have just been read; those files are read again only if they differ
 */
export async function readChecksums(
  root: string,
  revisions: readonly Revision[],
  applied: readonly AppliedRevision[] = [],
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<ReadonlyMap<string, string>> {
  const recorded = new Map<string, string>()
  for (const row of applied) recorded.set(row.id, row.checksum)
  const checksums = new Map<string, string>()
  for (const revision of revisions) {
    checksums.set(revision.id, checksumNow(root, revision, recorded.get(revision.id), texts.get(revision.id)))
  }
  return checksums
}

function checksumNow(root: string, revision: Revision, before: string | undefined, text: string | undefined): string {
  if (before !== undefined && text !== undefined && compareChecksums(before, text) === 'same') return before
  const sql = readSql(root, scriptFile(revision, 'up'))
  if (before !== undefined && compareChecksums(before, checksum(sql)) === 'same') return before
  return checksumOf(sql, splitStatements(sql))
}

function checksumOf(sql: string, statements: readonly Statement[]): string {
  return checksumWithStatements(
    sql,
    statements.map((statement) => normalizeStatement(statement.text)),
  )
}

/** A checksum of some statements, whatever comments and white space stand around them. */
export function checksumOfStatements(statements: readonly Statement[]): string {
  return checksum(statements.map((statement) => normalizeStatement(statement.text)).join(';'))
}

/** Whether a side of a revision still has to be written. */
function isUnfilled(sql: string): boolean {
  return unfilled.test(sql)
}

/**
 * What keeps a script from being run, before anything is sent: it is not filled in; it opens or ends transactions of its
 * own, which would tear the change from the record of it; it copies over the connection; or something in it is never closed.
 */
export function findScriptProblems(script: Script): readonly Problem[] {
  const { revision, file, sql, statements } = script
  if (isUnfilled(sql)) {
    const alternative = script.direction === 'down' ? ', or delete the file to declare the revision irreversible' : ''
    return [
      {
        code: 'UNFILLED',
        revision: revision.id,
        file,
        line: lineAt(sql, sql.search(unfilled)),
        message: `${file} is not filled in yet`,
        hint: `write its statements and remove the line "${unfilledMarker}"${alternative}`,
      },
    ]
  }
  return statements.flatMap((statement) => findStatementProblems(script, statement))
}

function findStatementProblems({ revision, file, sql }: Script, statement: Statement): readonly Problem[] {
  const line = lineAt(sql, statement.start)
  const problems: Problem[] = []
  const common = { revision: revision.id, file, line, statement: statement.text } as const
  if (endsTransaction(statement.text)) {
    problems.push({
      ...common,
      code: 'OWN_TRANSACTION',
      message: `${file}:${line}: ${nameRevision(revision)} begins or ends a transaction of its own`,
      hint:
        revision.transaction === 'none'
          ? 'remove the statement: each statement of this revision runs by itself'
          : 'remove the statement: Drover runs each revision in one transaction, together with the record of it',
    })
  }
  if (revision.transaction !== 'none' && runsOutsideTransaction(statement.text)) {
    problems.push({
      ...common,
      code: 'OUTSIDE_TRANSACTION',
      message: `${file}:${line}: ${nameRevision(revision)} has a statement that PostgreSQL does not run in a transaction`,
      hint: `write "transaction": "none" into ${revision.folder}/revision.json, best of a revision with nothing else in it; its statements then run one by one`,
    })
  }
  if (copiesOverConnection(statement.text)) {
    problems.push({
      ...common,
      code: 'REVISION_INVALID',
      message: `${file}:${line}: ${nameRevision(revision)} copies rows from or to the program that runs it, and there is none but Drover`,
      hint: 'write the rows as "insert into … values …"',
    })
  }
  if (statement.unclosed) {
    // Sent like this, it would swallow what Drover adds, and the server would complain about that.
    const { what, start } = statement.unclosed
    const opened = lineAt(sql, start)
    problems.push({
      ...common,
      code: 'REVISION_INVALID',
      line: opened,
      message: `${file}:${opened}: the ${what} that begins in this line is never closed`,
      hint: 'close it; everything after it is taken for a part of it',
    })
  }
  return problems
}

/** The driver takes such a statement for done as soon as the server waits for rows. */
function copiesOverConnection(statement: string): boolean {
  return /^copy\b[^]*\b(?:from|to)\s+(?:stdin|stdout)\b/i.test(statement)
}

/** The statements of a script that take data away for good, each on one line. */
export function findDataLoss(script: Script): readonly string[] {
  return script.statements
    .filter((statement) => losesData(statement.text))
    .map((statement) => statement.text.replaceAll(/\s+/g, ' '))
}

function losesData(statement: string): boolean {
  return (
    /^(?:drop\s+(?:table|schema|materialized\s+view|foreign\s+table)|truncate|delete\s+from)\b/i.test(statement) ||
    /^alter\s+table\b[^]*\bdrop\s+column\b/i.test(statement)
  )
}

function endsTransaction(statement: string): boolean {
  return /^(?:begin|start|commit|end|rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|abort|prepare\s+transaction)\b/i.test(
    statement,
  )
}

function readSql(root: string, file: string): string {
  try {
    // One after the other: four times as fast as all at once, and ten thousand do not run out of file handles.
    const sql = readText(`${root}/${file}`)
    // Ends a message to the server; typical of UTF-16 without a byte-order mark.
    if (sql.includes('\0')) throw new TypeError('a NUL character')
    return sql
  } catch (error) {
    throw new DroverError({ code: 'REVISION_INVALID', file, ...describeUnreadable(file, error) }, { cause: error })
  }
}

function readText(path: string): string {
  // Node reads text twice as fast as bytes, but puts a replacement character where it is not UTF-8.
  const text = readFileSync(path, 'utf8')
  if (text.includes('\uFFFD')) return utf8.decode(readFileSync(path))
  // PostgreSQL would take a byte-order mark for a syntax error.
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function describeUnreadable(file: string, error: unknown): { readonly message: string; readonly hint: string } {
  const restore = 'restore the file from version control'
  if (error instanceof TypeError) return { message: `${file} is not valid UTF-8`, hint: restore }
  const forbidden = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')
  const hint = forbidden ? 'give yourself read permission on it, then run the same command again' : restore
  return { message: `${file} cannot be read`, hint }
}

const unfilled = /^[ \t]*-- drover:unfilled\b/m

// Drops a byte-order mark as well.
const utf8 = new TextDecoder('utf-8', { fatal: true })
