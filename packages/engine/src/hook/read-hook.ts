import type { Problem } from '@drover/history'

import { runsOutsideTransaction } from '../source/outside-transaction.ts'
import { copiesOverConnection, endsTransaction, isUnfilled, readSql, type Script } from '../source/script.ts'
import { findMetaCommand, lineAt, splitStatements, type Statement } from '../source/statements.ts'

/** When a hook runs: before the first revision, behind the last one, or when something has failed. */
export type Moment = 'before' | 'after' | 'onFailure'

/** A file of SQL or TypeScript that runs beside the revisions and is none of them. */
export interface Hook {
  readonly moment: Moment
  /** Path from the workspace's root. */
  readonly file: string
}

/** A hook whose file was read. */
export interface HookScript extends Hook, Pick<Script, 'sql' | 'statements'> {}

/**
 * Reads a hook. Code is read when it runs.
 * @throws {DroverError} `REVISION_INVALID` when the file cannot be read, or is not UTF-8
 */
export function readHook(root: string, hook: Hook): HookScript {
  if (isCode(hook)) return { ...hook, sql: '', statements: [] }
  const sql = readSql(root, hook.file)
  return { ...hook, sql, statements: splitStatements(sql) }
}

/** Whether a hook is written in TypeScript. */
export function isCode({ file }: Hook): boolean {
  return file.endsWith('.ts')
}

/** What keeps a hook from being run in one transaction, before anything is sent. */
export function findHookProblems(hook: HookScript): readonly Problem[] {
  const { file, sql, statements } = hook
  if (isUnfilled(sql)) {
    const message = `${file} is not filled in yet`
    return [{ code: 'UNFILLED', file, message, hint: 'write its statements and remove the line that says so' }]
  }
  return statements.flatMap((statement) => {
    const fault = faultOf(statement)
    if (!fault) return []
    const line = lineAt(sql, statement.unclosed?.start ?? statement.start)
    const about = { file, line, statement: statement.text }
    return [{ code: 'HOOK_INVALID', ...about, message: `${file}:${line}: ${fault.message}`, hint: fault.hint }]
  })
}

/** What keeps a hook from being run by psql, although it may be sent to a server. */
export function findOfflineHookProblems(hook: HookScript): readonly Problem[] {
  const { file, sql } = hook
  if (isCode(hook)) {
    return [
      {
        code: 'HOOK_INVALID',
        file,
        message: `the hook ${file} runs code, which no script for psql can hold`,
        hint: 'write the scripts with --no-hooks, and see to it by hand that what it does is done',
      },
    ]
  }
  const at = findMetaCommand(sql)
  if (at === undefined) return []
  const line = lineAt(sql, at)
  const message = `${file}:${line}: there is a backslash outside of any string, which psql takes for a command of its own`
  return [{ code: 'HOOK_INVALID', file, line, message, hint: 'remove it: SQL has no use for it there' }]
}

function faultOf({ text, unclosed }: Statement): { readonly message: string; readonly hint: string } | undefined {
  if (unclosed) {
    return {
      message: `the ${unclosed.what} that begins in this line is never closed`,
      hint: 'close it; everything after it is taken for a part of it',
    }
  }
  if (endsTransaction(text)) {
    return {
      message: 'a hook begins or ends a transaction of its own',
      hint: 'remove the statement: each hook runs in one transaction',
    }
  }
  if (runsOutsideTransaction(text)) {
    return {
      message: 'a hook has a statement that PostgreSQL does not run in a transaction',
      hint: 'make a revision of it, with "transaction": "none"',
    }
  }
  if (copiesOverConnection(text)) {
    return {
      message: 'a hook copies rows from or to the program that runs it, and there is none but Drover',
      hint: 'write the rows as "insert into … values …"',
    }
  }
  return undefined
}
