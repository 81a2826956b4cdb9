import type { KitHint } from './kit/hints.ts'
import type { Kit } from './kit/kit.ts'
import type { SchemaState } from './kit/state.ts'
import { answerQuestions } from './renames.ts'
import { tidyStatement } from './script-text.ts'

/**
 * Drizzle-kit's statements from one state to another, fit for a transaction and without semicolons. What the hints do not know to
 * be renamed is new.
 */
export async function statementsBetween(
  kit: Kit,
  from: SchemaState,
  to: SchemaState,
  given: readonly KitHint[],
): Promise<readonly string[]> {
  const hints = [...given]
  for (;;) {
    const diff = await kit.diff(from, to, hints)
    if (diff.ok) return diff.statements.map((statement) => inTransaction(tidyStatement(statement)))
    hints.push(...answerQuestions(diff.questions, hints, { noRename: true }).answers)
  }
}

/** What `.concurrently()` makes of an index cannot run in a transaction; where it is wanted, the word is added again. */
function inTransaction(statement: string): string {
  return statement.replace(/^((?:CREATE (?:UNIQUE )?|DROP )INDEX) CONCURRENTLY/, '$1')
}
