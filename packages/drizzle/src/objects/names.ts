import { quoteIdentifier } from '@drover/engine'
import { type FunctionParameter, type Node, type RangeVar, scanSync, type TypeName } from 'libpg-query'

/**
 * A name of the schema `public`, or without one: declarations may leave it to the search path, and still mean the same
 * object as those that do not.
 */
const usualSchema = 'public'

/** What can be referred to by a name of its own. Columns go by their relation, functions by their name alone. */
export type NameSpace = 'relation' | 'type' | 'routine' | 'child' | 'schema' | 'extension' | 'event trigger'

/** A name that compares equal for all ways of writing it: `relation public.users`. */
export function keyOf(space: NameSpace, path: readonly string[]): string {
  return `${space} ${writePath(path)}`
}

/** The key of a name that may lack its schema. */
export function keyInSchema(space: NameSpace, path: readonly string[]): string {
  return keyOf(space, withSchema(path))
}

/** The key of a trigger, policy, rule or constraint of a table. */
export function keyOfChild(relation: RangeVar, name: string): string {
  return keyOf('child', [...withSchema(relationPath(relation)), name])
}

/** A path with its schema, the usual one if it has none. */
export function withSchema(path: readonly string[]): readonly string[] {
  return path.length > 1 ? path : [usualSchema, ...path]
}

export function relationPath(relation: RangeVar): readonly string[] {
  return [relation.schemaname, relation.relname].filter((part) => part !== undefined)
}

/** The names in a list of strings, as the parser writes `schema.name`. */
export function stringsOf(nodes: readonly Node[] | undefined): readonly string[] {
  return (nodes ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []))
}

/** A path as SQL. */
export function writePath(path: readonly string[]): string {
  return path.map(writeName).join('.')
}

/** A name as SQL, in quotes only where it needs them. The parser has to be loaded. */
export function writeName(name: string): string {
  const known = written.get(name)
  if (known !== undefined) return known
  const text = needsQuotes(name) ? quoteIdentifier(name) : name
  written.set(name, text)
  return text
}

/** Asking the parser for each name again would cost more than all the rest. */
const written = new Map<string, string>()

function needsQuotes(name: string): boolean {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) return true
  const kind = scanSync(name).tokens[0]?.keywordName
  return kind !== 'NO_KEYWORD' && kind !== 'UNRESERVED_KEYWORD'
}

/** Without `pg_catalog`, which is what the parser adds to the types that have a name of their own in the grammar. */
export function typePath(type: TypeName): readonly string[] {
  const path = stringsOf(type.names)
  return path[0] === 'pg_catalog' ? path.slice(1) : path
}

/** A type as it stands in the argument list of a function: without modifiers. */
function writeType(type: TypeName): string {
  const path = typePath(type)
  const [only] = path
  const usual = path.length === 1 && only !== undefined ? usualNames.get(only) : undefined
  const base = isBuiltIn(type) && usual !== undefined ? usual : writePath(path)
  return base + (type.arrayBounds ? '[]' : '')
}

/** Whether the grammar named it, so that no other type can be meant. */
function isBuiltIn(type: TypeName): boolean {
  return stringsOf(type.names)[0] === 'pg_catalog'
}

/** What the parser makes of the names that the standard has for types, and back. */
const usualNames: ReadonlyMap<string, string> = new Map([
  ['bool', 'boolean'],
  ['int2', 'smallint'],
  ['int4', 'integer'],
  ['int8', 'bigint'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['bpchar', 'character'],
  ['varchar', 'character varying'],
  ['timestamptz', 'timestamp with time zone'],
  ['timetz', 'time with time zone'],
  ['numeric', 'numeric'],
  ['timestamp', 'timestamp'],
  ['time', 'time'],
  ['interval', 'interval'],
  ['bit', 'bit'],
  ['varbit', 'bit varying'],
  ['json', 'json'],
  ['xml', 'xml'],
])

/** The types that tell a function from others of its name, in parentheses. */
export function writeArguments(parameters: readonly Node[] | undefined): string {
  const types = inputsOf(parameters).flatMap(({ argType }) => (argType ? [writeType(argType)] : []))
  return `(${types.join(', ')})`
}

/** The parameters of a routine, without those that it only returns. */
function inputsOf(parameters: readonly Node[] | undefined): readonly FunctionParameter[] {
  return parametersOf(parameters).filter(({ mode }) => mode !== 'FUNC_PARAM_OUT' && mode !== 'FUNC_PARAM_TABLE')
}

export function parametersOf(parameters: readonly Node[] | undefined): readonly FunctionParameter[] {
  return (parameters ?? []).flatMap((node) => ('FunctionParameter' in node ? [node.FunctionParameter] : []))
}
