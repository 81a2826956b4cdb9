import { existsSync, readFileSync } from 'node:fs'

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
  scriptFile,
} from '@drover/history'

import { batchOf, findBatchProblems } from './batch.ts'
import { runsOutsideTransaction } from './outside-transaction.ts'
import { lineAt, normalizeStatement, splitStatements, type Statement } from './statements.ts'

/** One direction of a revision, read and taken apart. */
export interface Script {
  readonly revision: Revision
  readonly direction: Direction
  /** Path from the workspace's root. */
  readonly file: string
  /** The text of the file; for TypeScript, it is not SQL, and there are no statements. */
  readonly sql: string
  readonly statements: readonly Statement[]
  /** Of the text and of the statements. Of an up side, it is what `applied` remembers. */
  readonly checksum: string
}

/** The line that marks a file as not filled in yet; in TypeScript it is the comment of that language. */
export const unfilledMarker = '-- drover:unfilled'
export const unfilledCodeMarker = '// drover:unfilled'

/**
 * Reads one side of a revision.
 * @throws {DroverError} `REVISION_INVALID` when the file cannot be read, is not UTF-8, or is not the only one
 */
export async function readScript(root: string, revision: Revision, direction: Direction): Promise<Script> {
  const file = scriptFile(revision, direction)
  const sql = readSql(root, file)
  if (revision.language === 'typescript') {
    return { revision, direction, file, sql, statements: [], checksum: checksum(sql) }
  }
  if (direction === 'up') refuseBoth(root, revision)
  const statements = splitStatements(sql)
  return {
    revision,
    direction,
    file,
    sql,
    statements,
    // Nothing remembers that of a down side, and it takes as long as reading one.
    get checksum() {
      return checksumOf(sql, statements)
    },
  }
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
  return revision.language === 'typescript' ? checksum(sql) : checksumOf(sql, splitStatements(sql))
}

/** Which of the two is meant, nobody can know. Looked at here, because a history is read without looking for more than it needs. */
function refuseBoth(root: string, { id, folder }: Revision): void {
  if (!existsSync(`${root}/${folder}/migration.ts`)) return
  throw new DroverError({
    code: 'REVISION_INVALID',
    revision: id,
    file: `${folder}/migration.ts`,
    message: `${folder} has a migration.sql and a migration.ts, and a revision runs one of them`,
    hint: 'delete the one that is not meant, or make a revision of its own for it: pnpm migrate revision "<message>" --ts',
  })
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
export function isUnfilled(sql: string): boolean {
  return unfilled.test(sql)
}

/**
 * What keeps a script from being run, before anything is sent: it is not filled in; it opens or ends transactions of its
 * own, which would tear the change from the record of it; it copies over the connection; or something in it is never closed.
 */
export function findScriptProblems(script: Script): readonly Problem[] {
  const { revision, file, sql, statements } = script
  if (isUnfilled(sql)) {
    const isCode = revision.language === 'typescript'
    const alternative =
      script.direction === 'down' && !isCode ? ', or delete the file to declare the revision irreversible' : ''
    return [
      {
        code: 'UNFILLED',
        revision: revision.id,
        file,
        line: lineAt(sql, sql.search(unfilled)),
        message: `${file} is not filled in yet`,
        hint: isCode
          ? `write its code and remove the line "${unfilledCodeMarker}"`
          : `write its statements and remove the line "${unfilledMarker}"${alternative}`,
      },
    ]
  }
  const problems = statements.flatMap((statement) => findStatementProblems(script, statement))
  const batch = batchOf(script)
  return batch && problems.length === 0 ? findBatchProblems(script, batch) : problems
}

function findStatementProblems(script: Script, statement: Statement): readonly Problem[] {
  const { revision, file, sql } = script
  const line = lineAt(sql, statement.start)
  const problems: Problem[] = []
  const common = { revision: revision.id, file, line, statement: statement.text } as const
  if (revision.transaction !== 'own' && endsTransaction(statement.text))
    problems.push(describeOwnTransaction(script, statement))
  if (revision.transaction === undefined && runsOutsideTransaction(statement.text)) {
    problems.push(describeOutside(script, statement))
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

/** A statement that begins or ends a transaction, as a problem. */
export function describeOwnTransaction({ revision, file, sql }: Script, { text, start }: Statement): Problem {
  const line = lineAt(sql, start)
  return {
    code: 'OWN_TRANSACTION',
    revision: revision.id,
    file,
    line,
    statement: text,
    message: `${file}:${line}: ${nameRevision(revision)} begins or ends a transaction of its own`,
    hint:
      revision.transaction === 'none'
        ? 'remove the statement: each statement of this revision runs by itself'
        : `remove the statement: Drover runs each revision in one transaction, together with the record of it; or, if it has to have its own, write "transaction": "own" into ${revision.folder}/revision.json`,
  }
}

/** A statement that PostgreSQL does not run in a transaction, as a problem of a script that is one. */
export function describeOutside({ revision, file, sql }: Script, { text, start }: Statement): Problem {
  const line = lineAt(sql, start)
  return {
    code: 'OUTSIDE_TRANSACTION',
    revision: revision.id,
    file,
    line,
    statement: text,
    message: `${file}:${line}: ${nameRevision(revision)} has a statement that PostgreSQL does not run in a transaction`,
    hint: `write "transaction": "none" into ${revision.folder}/revision.json, best of a revision with nothing else in it; its statements then run one by one`,
  }
}

/** The driver takes such a statement for done as soon as the server waits for rows. */
export function copiesOverConnection(statement: string): boolean {
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

/** Whether a statement begins or ends a transaction, as far as its text tells. */
export function endsTransaction(statement: string): boolean {
  return /^(?:begin|start|commit|end|rollback(?!(?:\s+(?:work|transaction))?\s+to\b)|abort|prepare\s+transaction)\b/i.test(
    statement,
  )
}

/**
 * Reads a file of SQL or code.
 * @throws {DroverError} `REVISION_INVALID` when it cannot be read, or is not UTF-8
 */
export function readSql(root: string, file: string): string {
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

const unfilled = /^[ \t]*(?:--|\/\/) drover:unfilled\b/m

// Drops a byte-order mark as well.
const utf8 = new TextDecoder('utf-8', { fatal: true })
