import type { LintRule } from '@drover/config'
import { lineAt, type Script } from '@drover/engine'
import { nameRevision, type Problem } from '@drover/history'

import { isRule } from './rules.ts'

/** A comment that allows a statement what a rule finds in it. */
export interface Allowance {
  readonly rule: LintRule
  readonly reason: string
  /** Which statement of the script, from 0. */
  readonly statement: number
  /** Of the comment, from 1. */
  readonly line: number
}

/**
 * Reads the comments `-- drover:allow <rule>, <rule> because <reason>` that stand in lines of their own above statements.
 * @returns also those that allow nothing, as problems: whoever wrote one relies on it
 */
export function readAllowances({ revision, file, sql, statements }: Script): {
  readonly allowances: readonly Allowance[]
  readonly problems: readonly Problem[]
} {
  const allowances: Allowance[] = []
  const problems: Problem[] = []
  const refuse = (line: number, what: string, hint: string) =>
    problems.push({
      code: 'REVISION_INVALID',
      revision: revision.id,
      file,
      line,
      message: `${file}:${line}: ${nameRevision(revision)} has a comment that allows nothing: ${what}`,
      hint,
    })
  // Between statements there are only comments, so what is found there is no part of a string.
  for (let at = 0; at <= statements.length; at += 1) {
    const begin = statements[at - 1]?.end ?? 0
    const gap = sql.slice(begin, statements[at]?.start ?? sql.length)
    for (const { index, groups } of gap.matchAll(comment)) {
      const line = lineAt(sql, begin + index)
      const { before = '', names = '', reason = '' } = groups!
      const rules = names.split(/[\s,]+/).filter((name) => name !== '')
      const unknown = rules.find((name) => !isRule(name))
      const isBehind = /\S/.test(before) || (begin > 0 && !gap.slice(0, index).includes('\n'))
      if (isBehind) refuse(line, 'it stands behind a statement', 'put it in a line of its own above the statement')
      else if (at === statements.length) refuse(line, 'no statement follows', 'put it in a line above the statement')
      else if (unknown !== undefined)
        refuse(line, `"${unknown}" is no rule`, 'the rule is in the output of: pnpm migrate lint')
      else if (rules.length === 0 || reason === '') refuse(line, 'it says no rule or no reason', form)
      else allowances.push(...rules.filter(isRule).map((rule) => ({ rule, reason, statement: at, line })))
    }
  }
  return { allowances, problems }
}

const form = 'write it as: -- drover:allow <rule> because <reason>'
const comment =
  /^(?<before>.*?)--[ \t]*drover:allow\b[ \t:]*(?<names>.*?)(?:[ \t]*\bbecause\b[ \t]*(?<reason>.*?))?[ \t\r]*$/gm
