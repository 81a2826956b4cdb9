import { quoteLiteral } from '@drover/engine'
import type { CreateEnumStmt, CreateExtensionStmt, CreateSeqStmt, CreateFunctionStmt, DefElem, Node } from 'libpg-query'

import type { Declaration } from './declaration.ts'
import { parametersOf, relationPath, stringsOf, writeName, writePath } from './names.ts'
import { orReplace } from './undo-text.ts'

/** How an object becomes another without being dropped. */
export interface Alteration {
  readonly statements: readonly string[]
  /** What it leaves as it was, one sentence each. */
  readonly gaps: readonly string[]
}

/** How an object becomes another while it stays; `undefined` when it has to be dropped and created again. */
export function alterationOf(before: Declaration, after: Declaration): Alteration | undefined {
  const [from, to] = [before.node, after.node]
  if ('CommentStmt' in from && 'CommentStmt' in to) return plain(after.text)
  if ('CreateFunctionStmt' in from && 'CreateFunctionStmt' in to) {
    return canReplace(from.CreateFunctionStmt, to.CreateFunctionStmt)
      ? plain(after.heading + orReplace(after.statement))
      : undefined
  }
  if ('CreateEnumStmt' in from && 'CreateEnumStmt' in to) return addValues(from.CreateEnumStmt, to.CreateEnumStmt)
  if ('CreateExtensionStmt' in from && 'CreateExtensionStmt' in to) {
    return alterExtension(from.CreateExtensionStmt, to.CreateExtensionStmt)
  }
  if ('CreateSeqStmt' in from && 'CreateSeqStmt' in to) {
    return alterSequence(from.CreateSeqStmt, to.CreateSeqStmt, after.statement)
  }
  // Nothing but its owner can have changed, and that one is not Drover's business.
  if ('CreateSchemaStmt' in from) {
    return { statements: [], gaps: [`${after.title} has another owner now, which is not carried over`] }
  }
  return undefined
}

function plain(...statements: readonly string[]): Alteration {
  return { statements, gaps: [] }
}

/**
 * PostgreSQL replaces a function that takes and returns the same under the same names and keeps its defaults. A parsed body
 * holds on to what it names, which may be about to change: that one goes first.
 */
function canReplace(old: CreateFunctionStmt, next: CreateFunctionStmt): boolean {
  if (hasParsedBody(old) || hasParsedBody(next)) return false
  if (withoutPlaces(signatureOf(old)) !== withoutPlaces(signatureOf(next))) return false
  return (old.parameters ?? []).every((node, at) => {
    const other = next.parameters?.[at]
    const had = 'FunctionParameter' in node && node.FunctionParameter.defexpr !== undefined
    return (
      !had || (other !== undefined && 'FunctionParameter' in other && other.FunctionParameter.defexpr !== undefined)
    )
  })
}

/** Whether a function's body is part of its definition (`begin atomic`, `return …`), with all that it names. */
function hasParsedBody(statement: CreateFunctionStmt): boolean {
  return statement.sql_body !== undefined
}

/** What a replaced function must have kept: its names, what it takes and what it returns. */
function signatureOf(statement: CreateFunctionStmt): unknown {
  return [
    statement.is_procedure ?? false,
    parametersOf(statement.parameters).map(({ name, argType, mode }) => [name, argType, mode]),
    statement.returnType,
  ]
}

function withoutPlaces(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => (key === 'location' ? undefined : item))
}

/** Values can be added to an enum that is in use; anything else makes it another type. */
function addValues(from: CreateEnumStmt, to: CreateEnumStmt): Alteration | undefined {
  const old = stringsOf(from.vals)
  const next = stringsOf(to.vals)
  const kept = next.filter((value) => old.includes(value))
  if (kept.length !== old.length || kept.some((value, at) => value !== old[at])) return undefined
  const type = writePath(stringsOf(to.typeName))
  const statements = next.flatMap((value, at) => {
    if (old.includes(value)) return []
    const previous = next[at - 1]
    const place = previous === undefined ? `before ${quoteLiteral(old[0] ?? '')}` : `after ${quoteLiteral(previous)}`
    return [`alter type ${type} add value ${quoteLiteral(value)}${old.length === 0 ? '' : ` ${place}`}`]
  })
  return { statements, gaps: [] }
}

function alterExtension(from: CreateExtensionStmt, to: CreateExtensionStmt): Alteration {
  const alter = `alter extension ${writeName(to.extname ?? '')}`
  // Where it lands by default.
  const [before, after] = [from, to].map(({ options }) => optionText(options, 'schema') ?? 'public')
  const version = optionText(to.options, 'new_version')
  return plain(
    ...(before === after ? [] : [`${alter} set schema ${writeName(after!)}`]),
    ...(version === undefined || version === optionText(from.options, 'new_version')
      ? []
      : [`${alter} update to ${quoteLiteral(version)}`]),
  )
}

function optionText(options: readonly Node[] | undefined, name: string): string | undefined {
  const option = optionsOf(options).find(({ defname }) => defname === name)
  return stringsOf(option?.arg === undefined ? [] : [option.arg])[0]
}

function optionsOf(options: readonly Node[] | undefined): readonly DefElem[] {
  return (options ?? []).flatMap((node) => ('DefElem' in node ? [node.DefElem] : []))
}

/** A sequence keeps its position. What its declaration no longer says goes back to what it is by default. */
function alterSequence(from: CreateSeqStmt, to: CreateSeqStmt, statement: string): Alteration {
  const name = to.sequence === undefined ? '' : writePath(relationPath(to.sequence))
  const options = optionsOf(to.options)
  const first = options[0]?.location
  // The parser counts bytes.
  const written = first === undefined ? '' : Buffer.from(statement).subarray(first).toString()
  const kept = new Set(options.map(({ defname }) => defname))
  const back = optionsOf(from.options)
    .filter(({ defname }) => !kept.has(defname))
    .flatMap(({ defname }) =>
      defname === 'start' ? [`start with ${usualStart(options)}`] : (usualOptions.get(defname) ?? []),
    )
  const all = [...back, written].filter((text) => text !== '').join(' ')
  return plain(...(all === '' ? [] : [`alter sequence ${name} ${all}`]))
}

function usualStart(options: readonly DefElem[]): string {
  const valueOf = (name: string) => numberOf(options.find(({ defname }) => defname === name)?.arg)
  return valueOf('increment')?.startsWith('-') ? (valueOf('maxvalue') ?? '-1') : (valueOf('minvalue') ?? '1')
}

/** A number of any size: the parser calls those Float that are too large for an Integer. */
function numberOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined
  if ('Float' in node) return node.Float.fval
  return 'Integer' in node ? String(node.Integer.ival ?? 0) : undefined
}

const usualOptions: ReadonlyMap<string | undefined, string> = new Map([
  ['as', 'as bigint'],
  ['increment', 'increment by 1'],
  ['minvalue', 'no minvalue'],
  ['maxvalue', 'no maxvalue'],
  ['cache', 'cache 1'],
  ['cycle', 'no cycle'],
  ['owned_by', 'owned by none'],
])
