import { leadingWords, type QualifiedName, readName, readTokens, type SqlToken } from './sql-tokens.ts'

/**
 * Takes the up side of a change apart where it adds values to enums and uses one of them later: PostgreSQL allows that
 * only once the addition is committed (55P04). The first part adds the values, with what has to be done to their types
 * before; the second does the rest, in the same order. When in doubt whether a value is used, it counts as used.
 * @param up statements in the order in which they run
 * @returns `undefined` when everything can run in one transaction
 */
export function splitEnumAdditions(
  up: readonly string[],
): { readonly first: readonly string[]; readonly second: readonly string[] } | undefined {
  const statements = up.map((text) => parse(text))
  if (!isSplitNeeded(statements)) return undefined
  const types = statements.flatMap(({ addition }) => (addition ? [addition.type] : []))
  const last = statements.findLastIndex(({ addition }) => addition !== undefined)
  const isFirst = statements.map(
    (statement, at) =>
      statement.addition !== undefined || (at < last && types.some((type) => prepares(statement, type))),
  )
  return { first: up.filter((_, at) => isFirst[at]), second: up.filter((_, at) => !isFirst[at]) }
}

interface Parsed {
  readonly tokens: readonly SqlToken[]
  readonly words: string
  readonly addition?: Addition
}

/** A value that is added to an enum. */
interface Addition {
  readonly type: QualifiedName
  readonly value: string
}

function parse(statement: string): Parsed {
  const tokens = readTokens(statement)
  const words = leadingWords(tokens)
  const addition = words.startsWith('alter type') ? readAddition(tokens) : undefined
  return { tokens, words, ...(addition && { addition }) }
}

function readAddition(tokens: readonly SqlToken[]): Addition | undefined {
  const type = readName(tokens, 2)
  if (!type || tokens[type.next]?.value !== 'add' || tokens[type.next + 1]?.value !== 'value') return undefined
  // Behind ADD VALUE stands at most IF NOT EXISTS; the first literal is the value, a second one its neighbour.
  const value = tokens.slice(type.next + 2).find(({ kind }) => kind === 'text')
  return value && { type, value: value.value }
}

function isSplitNeeded(statements: readonly Parsed[]): boolean {
  return statements.some(({ addition }, at) => {
    if (!addition) return false
    return statements.slice(at + 1).some((later) => !later.addition && mayUse(later, addition))
  })
}

function mayUse({ tokens, words }: Parsed, { type, value }: Addition): boolean {
  // A literal of an array or of a function's body has the value somewhere in it, escaped or not.
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)
  const isNamed = tokens.some(
    ({ kind, value: text }) =>
      kind === 'text' && (text.includes(value) || text.includes(escaped) || text.includes('\\')),
  )
  if (isNamed) return true
  const names = tokens.flatMap((token) => (token.kind === 'name' ? [token.value] : []))
  // These read every value of the type.
  if (names.some((name) => /^enum_(?:first|last|range)$/.test(name))) return true
  // Rows may hold the value as text or as a number already.
  const converts = names.includes('using') || /^(?:insert|update|merge|with|do|call|select)\b/.test(words)
  return converts && names.includes(type.name)
}

/** Whether a statement makes, renames or moves a type, or the schema that it is in. */
function prepares({ tokens, words }: Parsed, { schema, name }: QualifiedName): boolean {
  if (!/^(?:create|alter) (?:type|schema)\b/.test(words)) return false
  return tokens.some((token) => token.kind === 'name' && (token.value === name || token.value === schema))
}
