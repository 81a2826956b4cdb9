import type { LintRule } from '@drover/config'
import { placeAt, type Script, type Statement } from '@drover/engine'

import type { Allowance } from './allowances.ts'
import { findOnNewTables } from './new-tables.ts'
import { advice, type Advice, isRule } from './rules.ts'
import type { Remark } from './run-squawk.ts'

/** A statement that is unsafe on a database in use. */
export interface Finding extends Pick<Advice, 'effect' | 'why' | 'safeWay'> {
  readonly rule: LintRule
  /** In the file, from 1. */
  readonly line: number
  /** In the line, from 1, in characters. */
  readonly column: number
  /** Offset in the file, in UTF-16 units. */
  readonly at: number
  readonly statement: Statement
}

interface Placed {
  readonly rule: LintRule
  readonly at: number
}

/**
 * What of the remarks of the linter is a finding, where Drover runs the script.
 * @param allowed rules that are not asked
 * @returns also the comments that allow something which was not found
 */
export function judge(
  script: Script,
  remarks: readonly Remark[],
  allowances: readonly Allowance[],
  allowed: readonly LintRule[],
): { readonly findings: readonly Finding[]; readonly unused: readonly Allowance[] } {
  const { sql, statements, revision, direction } = script
  const onNewTables = findOnNewTables(statements)
  const placed = remarks.flatMap(({ rule, at }) =>
    isRule(rule) ? [{ rule, at, statement: statements.findLastIndex(({ start }) => start <= at) }] : [],
  )
  const found = placed.filter(({ rule, at, statement }) => {
    const { effect, isForContract } = advice[rule]
    if (allowed.includes(rule) || (effect !== 'surprises' && onNewTables.has(statement))) return false
    // The way back takes away what the way up has brought; a downgrade says what that is, and asks.
    if (direction === 'down' && effect === 'breaks') return false
    if (isForContract && revision.phase === 'contract') return false
    return !isSaidBetter(sql, { rule, at }, placed)
  })
  const isAllowed = (one: (typeof found)[number]) =>
    allowances.some(({ rule, statement }) => rule === one.rule && statement === one.statement)
  const unused = allowances.filter(
    ({ rule, statement }) => !found.some((one) => one.rule === rule && one.statement === statement),
  )
  const findings = found
    .filter((one) => !isAllowed(one))
    .map(({ rule, at, statement }) => {
      const { effect, why, safeWay } = advice[rule]
      const whole = statements[statement] ?? { text: '', start: at, end: at }
      return { rule, ...placeAt(sql, at), at, statement: whole, effect, why, safeWay }
    })
  return { findings: findings.toSorted((a, b) => a.at - b.at), unused }
}

/** A constraint of these kinds is reported twice, and for keys "not valid" is no way at all. */
const better: ReadonlySet<LintRule> = new Set([
  'adding-foreign-key-constraint',
  'adding-serial-primary-key-field',
  'disallowed-unique-constraint',
])

/** Whether another rule says the same about the same constraint: it is reported right behind the word "add". */
function isSaidBetter(sql: string, { rule, at }: Placed, others: readonly Placed[]): boolean {
  if (rule !== 'constraint-missing-not-valid') return false
  return others.some((one) => better.has(one.rule) && /^add\s+$/i.test(sql.slice(at, one.at)))
}
