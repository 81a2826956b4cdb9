import { type CreateFunctionStmt, type Node, parsePlPgSQLSync, parseSync } from 'libpg-query'

import { keyInSchema, keyOf, stringsOf, typePath } from './names.ts'
import { isKnownType } from './known-types.ts'

/** What a statement names, as keys (see `names.ts`). Too many rather than too few: a key that nobody declares is ignored. */
export interface References {
  /** What has to be there as long as the object is: PostgreSQL keeps count of it. */
  readonly lasting: ReadonlySet<string>
  /** What has to be there when it is created; the lasting ones among them. */
  readonly atCreation: ReadonlySet<string>
  /** Tables, and types that may be made together with them: among `atCreation`. */
  readonly ofTables: ReadonlySet<string>
}

/** What a statement refers to. */
export function findReferences(node: Node, text: string): References {
  const found = new Finder()
  found.walk(node)
  const lasting = new Set(found.keys)
  if ('CreateFunctionStmt' in node) readBody(node.CreateFunctionStmt, text, found)
  return { lasting, atCreation: found.keys, ofTables: found.ofTables }
}

class Finder {
  readonly keys = new Set<string>()
  readonly ofTables = new Set<string>()

  walk(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.walk(item)
    } else if (isRecord(value)) {
      this.note(value)
      for (const [field, item] of Object.entries(value)) {
        // What an aggregate or a range type calls a type here is the name of a function.
        if (field === 'DefElem' && isRecord(item) && functionOptions.has(String(item['defname']))) {
          this.noteFunctionOption(item['arg'])
        } else {
          this.walk(item)
        }
      }
    }
  }

  noteType(path: readonly string[]): void {
    this.#add('type', path)
    if (!isKnownType(path)) this.ofTables.add(keyInSchema('type', path))
  }

  private note(value: Readonly<Record<string, unknown>>): void {
    if (typeof value['relname'] === 'string') {
      const path = [value['schemaname'], value['relname']].filter((part) => typeof part === 'string')
      this.#add('relation', path)
      if (path[0] !== 'pg_catalog' && path[0] !== 'information_schema') this.ofTables.add(keyInSchema('relation', path))
    }
    if (isNodes(value['names']) && 'typemod' in value) this.noteType(typePath({ names: [...value['names']] }))
    if (isNodes(value['funcname'])) this.#add('routine', stringsOf(value['funcname']))
    // A name in a string, as in nextval('a_sequence').
    const { sval } = value
    if (isRecord(sval) && typeof sval['sval'] === 'string' && /^[a-z_][\w.]*$/.test(sval['sval'])) {
      this.#add('relation', sval['sval'].split('.'))
    }
    // The schema of an extension.
    if (value['defname'] === 'schema') this.#addSchema(value['arg'])
    if (value['defname'] === 'owned_by' && isRecord(value['arg']) && isRecord(value['arg']['List'])) {
      const { items } = value['arg']['List']
      const table = isNodes(items) ? stringsOf(items).slice(0, -1) : []
      if (table.length > 0) this.ofTables.add(keyInSchema('relation', table))
    }
  }

  private noteFunctionOption(value: unknown): void {
    const type = isRecord(value) ? value['TypeName'] : undefined
    if (isRecord(type) && isNodes(type['names'])) this.#add('routine', stringsOf(type['names']))
  }

  #addSchema(value: unknown): void {
    const name = isRecord(value) ? value['String'] : undefined
    if (isRecord(name) && typeof name['sval'] === 'string') this.keys.add(keyOf('schema', [name['sval']]))
  }

  #add(space: 'relation' | 'type' | 'routine', path: readonly string[]): void {
    if (path.length === 0 || path[0] === 'pg_catalog') return
    this.keys.add(keyInSchema(space, path))
    if (path.length > 1) this.keys.add(keyOf('schema', path.slice(0, 1)))
  }
}

const functionOptions = new Set(
  'sfunc finalfunc combinefunc serialfunc deserialfunc msfunc minvfunc mfinalfunc canonical subtype_diff'.split(' '),
)

/** What the body of a function needs when it is created: PostgreSQL compiles it then, and forgets what it named. */
function readBody(statement: CreateFunctionStmt, text: string, found: Finder): void {
  const language = optionOf(statement, 'language')?.[0]
  const body = optionOf(statement, 'as')?.[0]
  if (body === undefined) return
  try {
    if (language === 'sql') found.walk(parseSync(body))
    if (language === 'plpgsql') {
      for (const type of typesOfVariables(parsePlPgSQLSync(text))) found.noteType(type)
    }
  } catch {
    // The server will say what is wrong with it, with all its words.
    found.ofTables.add('unreadable body')
  }
}

/** The value of an option of CREATE FUNCTION: its strings. */
function optionOf(statement: CreateFunctionStmt, name: string): readonly string[] | undefined {
  for (const node of statement.options ?? []) {
    if (!('DefElem' in node) || node.DefElem.defname !== name || node.DefElem.arg === undefined) continue
    const { arg } = node.DefElem
    return stringsOf('List' in arg ? arg.List.items : [arg])
  }
  return undefined
}

/** The types that a PL/pgSQL body declares, `%rowtype` and `%type` included, as paths. */
function typesOfVariables(value: unknown): readonly (readonly string[])[] {
  if (Array.isArray(value)) return value.flatMap(typesOfVariables)
  if (!isRecord(value)) return []
  const own = typeof value['typname'] === 'string' ? [pathOfType(value['typname'])] : []
  return [...own, ...Object.values(value).flatMap(typesOfVariables)]
}

function pathOfType(type: string): readonly string[] {
  const name = type.replaceAll('"', '').replace(/\s*(?:\(.*\)|\[.*\])+\s*$/, '')
  return name.startsWith('pg_catalog.') ? [name.slice('pg_catalog.'.length)] : name.split('.')
}

function isNodes(value: unknown): value is readonly Node[] {
  return Array.isArray(value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
