import type { Node, ObjectType } from 'libpg-query'

import {
  keyInSchema,
  keyOf,
  relationPath,
  stringsOf,
  typePath,
  withSchema,
  writeArguments,
  writeName,
  writePath,
} from './names.ts'

/** What a comment or a grant is about, as the keys of what creates it. */
export function keysOfObject(type: ObjectType | undefined, node: Node): readonly string[] {
  if ('RangeVar' in node) return [keyInSchema('relation', relationPath(node.RangeVar))]
  if ('TypeName' in node) return [keyInSchema('type', typePath(node.TypeName))]
  if ('ObjectWithArgs' in node) return [keyInSchema('routine', stringsOf(node.ObjectWithArgs.objname))]
  if ('String' in node) {
    const name = node.String.sval ?? ''
    if (type === 'OBJECT_SCHEMA') return [keyOf('schema', [name])]
    if (type === 'OBJECT_EXTENSION') return [keyOf('extension', [name])]
    return type === 'OBJECT_EVENT_TRIGGER' ? [keyOf('event trigger', [name])] : []
  }
  if (!('List' in node)) return []
  const [first] = node.List.items ?? []
  if (first !== undefined && 'TypeName' in first) return [keyInSchema('type', typePath(first.TypeName))]
  const path = stringsOf(node.List.items)
  if (type === 'OBJECT_COLUMN') {
    return [keyInSchema('relation', path.slice(0, -1)), keyInSchema('type', path.slice(0, -1))]
  }
  if (partsOfTables.has(type)) return [keyOf('child', [...withSchema(path.slice(0, -1)), path.at(-1) ?? ''])]
  return [keyInSchema(type === 'OBJECT_TYPE' || type === 'OBJECT_DOMAIN' ? 'type' : 'relation', path)]
}

/** What has a name only together with its table. */
const partsOfTables: ReadonlySet<ObjectType | undefined> = new Set<ObjectType | undefined>([
  'OBJECT_TABCONSTRAINT',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
])

/** The object of a comment for people, the same for all ways of writing it. */
export function pathOfObject(type: ObjectType | undefined, node: Node): string {
  if ('TypeName' in node) return writePath(withSchema(typePath(node.TypeName)))
  if ('ObjectWithArgs' in node) {
    const { objname, objfuncargs, objargs } = node.ObjectWithArgs
    const parameters = objfuncargs ?? objargs?.flatMap((item) => ('TypeName' in item ? [parameter(item)] : []))
    return writePath(withSchema(stringsOf(objname))) + writeArguments(parameters)
  }
  if ('String' in node) return writeName(node.String.sval ?? '')
  if (!('List' in node)) return JSON.stringify(node)
  const [first] = node.List.items ?? []
  const rest = stringsOf(node.List.items)
  if (first !== undefined && 'TypeName' in first) return writePath([...withSchema(typePath(first.TypeName)), ...rest])
  const isPart = type === 'OBJECT_COLUMN' || partsOfTables.has(type)
  return writePath(isPart ? [...withSchema(rest.slice(0, -1)), rest.at(-1) ?? ''] : withSchema(rest))
}

function parameter(type: { readonly TypeName: object }): Node {
  return { FunctionParameter: { argType: type.TypeName } }
}

/** The kind of the object of a comment for people. */
export function wordsOf(type: ObjectType | undefined): string {
  const words = (type ?? '').replace('OBJECT_', '').replace('TABCONSTRAINT', 'constraint').toLowerCase()
  return words.replace('matview', 'materialized view').replace('domconstraint', 'constraint').replaceAll('_', ' ')
}
