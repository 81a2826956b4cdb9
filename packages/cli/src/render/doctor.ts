import type { Problem } from '@drover/history'
import type { Finding } from '@drover/orchestrator'

import type { Style } from './style.ts'

/** Findings, a line each, and behind what is not well what to do about it. */
export function findingLines(findings: readonly Finding[], style: Style): readonly string[] {
  const marks = { ok: style.good('ok     '), warning: style.warn('warning'), wrong: style.bad('wrong  ') }
  const width = Math.max(0, ...findings.map(({ check }) => check.length))
  return findings.flatMap(({ check, level, message, hint }) => [
    `${marks[level]}  ${check.padEnd(width)}  ${message}`,
    // Of what is wrong, it stands with the error.
    ...(level === 'warning' && hint !== undefined
      ? [`${' '.repeat(9 + width)}  ${style.strong('next:')} ${hint}`]
      : []),
  ])
}

/** What is wrong, as problems. */
export function findingProblems(findings: readonly Finding[], database?: string): readonly Problem[] {
  return findings
    .filter(({ level }) => level === 'wrong')
    .map(({ check, message, hint, problem }) => ({
      ...(problem ?? { code: 'UNHEALTHY', message: `${check}: ${message}`, ...(hint !== undefined && { hint }) }),
      ...(database !== undefined && { database }),
    }))
}

/** A finding for programs. */
export function findingJson({ check, level, message, hint }: Finding) {
  return { check, level, message, ...(hint !== undefined && { hint }) }
}
