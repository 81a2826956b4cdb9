import { excerptOf } from '@drover/engine'
import type { Problem, Revision } from '@drover/history'
import type { Finding, LintedScript } from '@drover/lint'
import type { Database } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count } from './text.ts'

/** What was found in the revisions of a database. */
export interface Linted {
  readonly database: Database
  /** Those that were to be looked at. */
  readonly revisions: readonly Revision[]
  readonly linted: readonly LintedScript[]
  readonly notes: readonly string[]
  /** What kept something from being looked at. */
  readonly problems: readonly Problem[]
}

/** What was found, in lines. */
export function lintLines({ database, revisions, linted, notes, problems }: Linted, style: Style): readonly string[] {
  const findings = linted.flatMap((one) => one.findings)
  const looked = count(revisions.length, 'revision')
  const verdict =
    findings.length > 0
      ? `${style.bad(count(findings.length, 'finding'))} in ${looked}`
      : problems.length > 0
        ? style.bad('cannot be looked at')
        : revisions.length === 0
          ? 'no revisions to look at'
          : `${style.good('nothing unsafe')} in ${looked}`
  return [
    `${style.strong(database.name)}: ${verdict}`,
    ...linted.flatMap((one) => one.findings.flatMap((finding) => findingLines(database, one, finding, style))),
    ...notes.map((note) => `  ${note}`),
  ]
}

function findingLines(
  { name }: Database,
  { script: { file, sql } }: LintedScript,
  { rule, line, column, at, statement, effect, why, safeWay }: Finding,
  style: Style,
): readonly string[] {
  return [
    `  ${file}:${line}:${column}: ${style.warn(rule)}`,
    ...excerptOf(sql, { start: statement.start, end: statement.end, caret: at }).map((text) => `      ${text}`),
    `    ${effect}: ${why}`,
    `    ${style.strong('safe way:')} ${withName(safeWay, name)}`,
  ]
}

/** What was found, as problems: the findings of a database are one. */
export function lintProblems({ database, linted, problems }: Linted): readonly Problem[] {
  const findings = linted.flatMap((one) => one.findings)
  if (findings.length === 0) return problems
  return [
    ...problems,
    {
      code: 'UNSAFE',
      database: database.name,
      message: `${count(findings.length, 'finding')} of what is unsafe on a database in use`,
      hint: 'go the safe way that is said of each; or, where there is no harm in it, say why above the statement: -- drover:allow <rule> because <reason>',
    },
  ]
}

/** What was found, as data. */
export function lintJson({ database, revisions, linted, notes, problems }: Linted): Readonly<Record<string, unknown>> {
  return {
    name: database.name,
    revisions: revisions.map(({ id }) => id),
    findings: linted.flatMap(({ script, findings }) =>
      findings.map(({ rule, line, column, effect, why, safeWay, statement }) => ({
        revision: script.revision.id,
        direction: script.direction,
        file: script.file,
        line,
        column,
        rule,
        effect,
        statement: statement.text,
        why,
        safeWay: withName(safeWay, database.name),
      })),
    ),
    notes,
    problems,
  }
}

function withName(text: string, name: string): string {
  return text.replaceAll('<database>', name)
}
