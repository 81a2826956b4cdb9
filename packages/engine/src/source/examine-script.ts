import { nameRevision, type Problem } from '@drover/history'

import { excerptOf, placeAt } from '../diagnose/excerpt.ts'
import { batchOf, fillRange } from './batch.ts'
import { describeOutside, describeOwnTransaction, findScriptProblems, type Script } from './script.ts'
import { parseStatements, type StatementKind } from './statement-kind.ts'
import { lineAt, type Statement } from './statements.ts'

/** What a quick look at a script is in doubt about, and PostgreSQL's parser is not. */
const doubtful: ReadonlySet<Problem['code']> = new Set(['OWN_TRANSACTION', 'OUTSIDE_TRANSACTION'])

/** Whether problems of a quick look are for `examineScript` to judge. */
export function isInDoubt(problems: readonly Problem[]): boolean {
  return problems.some(({ code }) => doubtful.has(code))
}

/**
 * What keeps a script from being run, as PostgreSQL's own parser sees it: besides what a quick look finds, syntax errors, and
 * where a script that is half inside and half outside a transaction is to be cut.
 */
export async function examineScript(script: Script): Promise<readonly Problem[]> {
  const found = findScriptProblems(script)
  // Of what is not filled in, never closed or no SQL at all, the parser knows nothing better.
  if (script.revision.language === 'typescript' || found.some(({ code }) => !doubtful.has(code))) return found
  const { statements, revision } = script
  // A statement that is repeated has places for keys, of any type.
  const filled = batchOf(script) ? statements.map(({ text }) => fillRange(text, { to: 'null' })) : undefined
  const parsed = await parseStatements(statements.map(({ text }, at) => filled?.[at]?.sql ?? text))
  const kinds: StatementKind[] = []
  for (const [at, one] of parsed.entries()) {
    if ('fault' in one) {
      const origin = filled?.[at]?.originOf(one.at) ?? one.at
      return [describeSyntax(script, statements[at]!, origin, one.fault)]
    }
    kinds.push(one.kind)
  }
  if (revision.transaction === 'own') return []
  const own = statements.filter((_, at) => kinds[at] === 'transaction')
  if (own.length > 0) return own.map((statement) => describeOwnTransaction(script, statement))
  const first = statements.find((_, at) => kinds[at] === 'outside')
  if (!first || revision.transaction === 'none') return []
  const isMixed = kinds.includes('inside')
  return [isMixed ? describeMixture(script, first, kinds) : describeOutside(script, first)]
}

/** @param at in the statement, in UTF-16 units */
function describeSyntax(
  { revision, file, sql }: Script,
  { text, start }: Statement,
  at: number,
  fault: string,
): Problem {
  const caret = start + Math.min(at, text.length)
  const place = placeAt(sql, caret)
  return {
    code: 'REVISION_INVALID',
    revision: revision.id,
    file,
    ...place,
    excerpt: excerptOf(sql, { start, end: start + text.length, caret }),
    statement: text,
    message: `${file}:${place.line}:${place.column}: ${nameRevision(revision)} is not SQL: ${fault}`,
    hint: 'correct it: the parser of PostgreSQL 18 does not take it',
  }
}

function describeMixture(script: Script, first: Statement, kinds: readonly StatementKind[]): Problem {
  const { revision, file, sql, direction } = script
  const parts = cut(script, kinds).map(({ isOutside, statements }, at) => {
    const own = isOutside ? ` (${shorten(statements[0]!.text)}) with "transaction": "none"` : ''
    return `${at + 1}. ${linesOf(sql, statements)}${own}`
  })
  const line = lineAt(sql, first.start)
  const ways = direction === 'up' ? 'each with the way back of its lines' : 'each with the way up of its lines'
  return {
    code: 'OUTSIDE_TRANSACTION',
    revision: revision.id,
    file,
    line,
    statement: first.text,
    message: `${file}:${line}: ${nameRevision(revision)} mixes statements that PostgreSQL runs in a transaction with ones that it does not`,
    hint: `split it into ${parts.length} revisions, ${ways}${direction === 'up' ? '' : ', the last lines first'}: ${parts.join('; ')}. Make each of the others with: pnpm migrate revision "<message>" -d <database> --empty. Or write "transaction": "none" into ${revision.folder}/revision.json: then all its statements run one by one, and one that fails leaves it half done`,
  }
}

interface Part {
  readonly isOutside: boolean
  readonly statements: Statement[]
}

/** Cuts a script where its statements change sides; their order stays. */
function cut({ statements }: Script, kinds: readonly StatementKind[]): readonly Part[] {
  const parts: Part[] = []
  for (const [at, statement] of statements.entries()) {
    const isOutside = kinds[at] === 'outside'
    const last = parts.at(-1)
    if (last?.isOutside === isOutside) last.statements.push(statement)
    else parts.push({ isOutside, statements: [statement] })
  }
  return parts
}

function linesOf(sql: string, statements: readonly Statement[]): string {
  const from = lineAt(sql, statements[0]!.start)
  const { start, text } = statements.at(-1)!
  const to = lineAt(sql, start + text.length)
  return from === to ? `line ${from}` : `lines ${from} to ${to}`
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= 60 ? line : `${line.slice(0, 60)}…`
}
