import type { LintRule } from '@drover/config'
import { batchOf, fillRange, lineAt, type Script } from '@drover/engine'
import type { Problem } from '@drover/history'

import { readAllowances } from './allowances.ts'
import { type Finding, judge } from './judge.ts'
import { type Remark, runSquawk, unread } from './run-squawk.ts'

/** What was found in a script. */
export interface LintedScript {
  readonly script: Script
  /** In the order of the file. */
  readonly findings: readonly Finding[]
  /** What is worth saying and no fault. */
  readonly notes: readonly string[]
  /** Comments that allow nothing. */
  readonly problems: readonly Problem[]
}

/**
 * Looks for statements that are unsafe on a database in use. All scripts are in SQL, and can be run.
 * @param allowed rules that are not asked
 * @throws {DroverError} `COMMAND_FAILED` when the linter cannot be run
 */
export async function lintScripts(
  scripts: readonly Script[],
  allowed: readonly LintRule[],
): Promise<readonly LintedScript[]> {
  const read = await readRemarks(scripts)
  return scripts.map((script, at) => {
    const { remarks, left } = read[at]!
    const { allowances, problems } = readAllowances(script)
    const { findings, unused } = judge(script, remarks, allowances, allowed)
    const notes = [
      ...left.map((line) => `${script.file}:${line}: the linter cannot read the statement, and leaves it out`),
      ...unused.map(({ rule, line }) => `${script.file}:${line}: allows ${rule}, which is not found there`),
    ]
    return { script, findings, notes, problems }
  })
}

/** What is said about a script, and the lines of the statements about which nothing can be said. */
interface Read {
  readonly remarks: readonly Remark[]
  readonly left: readonly number[]
}

/** One statement that squawk cannot read hides the whole file, so it is blanked out, and the file read again. */
async function readRemarks(scripts: readonly Script[]): Promise<readonly Read[]> {
  const left = scripts.map(() => new Set<number>())
  const remarks: Remark[][] = scripts.map(() => [])
  let open = scripts.map((script, at) => ({ script, at }))
  while (open.length > 0) {
    const drafts = open.map(({ script, at }) => draftOf(script, left[at]!))
    const answers = await runSquawk(
      drafts.map(({ sql }, index) => ({ sql, inTransaction: open[index]!.script.revision.transaction === undefined })),
    )
    open = open.filter(({ script, at }, index) => {
      const placed = answers[index]!.map((remark) => ({ ...remark, at: drafts[index]!.originOf(remark.at) }))
      const faults = placed.filter(({ rule }) => rule === unread)
      if (faults.length === 0) remarks[at] = placed
      const before = left[at]!.size
      for (const fault of faults) left[at]!.add(statementAt(script, fault.at))
      // Whatever it stumbles over when nothing is left is no statement.
      return faults.length > 0 && left[at]!.size > before
    })
  }
  return scripts.map(({ sql, statements }, at) => ({
    remarks: remarks[at]!,
    left: [...left[at]!]
      .toSorted((a, b) => a - b)
      .flatMap((number) => {
        const statement = statements[number]
        return statement ? [lineAt(sql, statement.start)] : []
      }),
  }))
}

/** The text for the linter, with the way back to places in the file. */
function draftOf(
  script: Script,
  left: ReadonlySet<number>,
): { readonly sql: string; readonly originOf: (at: number) => number } {
  const { sql, statements } = script
  const [first] = statements
  // A statement that is repeated has places for keys, and is the only one.
  if (batchOf(script) && first && left.size === 0) {
    const filled = fillRange(first.text, { to: 'null' })
    return {
      sql: sql.slice(0, first.start) + filled.sql + sql.slice(first.end),
      originOf: (at) => (at < first.start ? at : first.start + filled.originOf(at - first.start)),
    }
  }
  let text = sql
  for (const number of left) {
    const { start, end } = statements[number] ?? { start: 0, end: 0 }
    text = text.slice(0, start) + text.slice(start, end).replaceAll(/[^\n]/g, ' ') + text.slice(end)
  }
  return { sql: text, originOf: (at) => at }
}

/** The statement that a place is in, or the last one before it; a fault is found behind what is at fault. */
function statementAt({ statements }: Script, at: number): number {
  return Math.max(
    0,
    statements.findLastIndex(({ start }) => start <= at),
  )
}
