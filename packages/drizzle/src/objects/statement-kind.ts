import type { AlterTableStmt, CommentStmt, CreateSeqStmt, DefineStmt, GrantStmt, Node, RangeVar } from 'libpg-query'

import {
  keyInSchema,
  keyOf,
  keyOfChild,
  type NameSpace,
  relationPath,
  stringsOf,
  withSchema,
  writeArguments,
  writeName,
  writePath,
} from './names.ts'
import { keysOfObject, pathOfObject, wordsOf } from './remarked-object.ts'
import { withoutComment, withoutGrant } from './undo-text.ts'

/** The kinds of declared objects, in the order in which they are created. */
export const kinds = [
  'extension',
  'schema',
  'type',
  'domain',
  'sequence',
  'function',
  'aggregate',
  'constraint',
  'index',
  'statistics',
  'view',
  'rule',
  'row security',
  'policy',
  'trigger',
  'other',
  'event trigger',
  'default privileges',
  'grant',
  'comment',
] as const

export type ObjectKind = (typeof kinds)[number]

/** What a statement of an object file declares. */
export interface StatementKind {
  readonly kind: ObjectKind
  /** What is declared, for people, and the same for two declarations of it; missing where nothing but its text tells. */
  readonly title: string | undefined
  /** The keys by which others refer to it (see `names.ts`). */
  readonly creates: readonly string[]
  /** For what says something of other objects (comments and grants): their keys. */
  readonly about: readonly string[]
  /** The statement that undoes it; missing where none can be worked out. */
  readonly undo: string | undefined
}

/** Why a statement has no place in an object file, and what to do instead. */
export interface Misplaced {
  readonly fault: string
  readonly hint: string
}

/** Tells what a statement declares. The parser has to be loaded. */
export function kindOfStatement(node: Node, text: string): StatementKind | Misplaced {
  if ('CreateExtensionStmt' in node) {
    const name = node.CreateExtensionStmt.extname ?? ''
    return named('extension', writeName(name), [keyOf('extension', [name])])
  }
  if ('CreateSchemaStmt' in node) {
    const { schemaname, schemaElts } = node.CreateSchemaStmt
    if (schemaname === undefined) return misplaced('the schema has no name', 'write: create schema <name>')
    if (schemaElts !== undefined) return oneEach('a schema')
    return named('schema', writeName(schemaname), [keyOf('schema', [schemaname])])
  }
  if ('CreateEnumStmt' in node) return inSchema('type', stringsOf(node.CreateEnumStmt.typeName), ['type'])
  if ('CreateRangeStmt' in node) return inSchema('type', stringsOf(node.CreateRangeStmt.typeName), ['type'])
  if ('CompositeTypeStmt' in node) return inSchema('type', pathOf(node.CompositeTypeStmt.typevar), ['type'])
  if ('CreateDomainStmt' in node) return inSchema('domain', stringsOf(node.CreateDomainStmt.domainname), ['type'])
  if ('CreateSeqStmt' in node) return sequenceKind(node.CreateSeqStmt)
  if ('CreateFunctionStmt' in node) {
    const { funcname, is_procedure: isProcedure, parameters } = node.CreateFunctionStmt
    return routineKind(
      'function',
      isProcedure ? 'procedure' : 'function',
      stringsOf(funcname),
      writeArguments(parameters),
    )
  }
  if ('DefineStmt' in node) return defineKind(node.DefineStmt)
  if ('ViewStmt' in node) return inSchema('view', pathOf(node.ViewStmt.view), ['relation', 'type'])
  if ('CreateTableAsStmt' in node && node.CreateTableAsStmt.objtype === 'OBJECT_MATVIEW') {
    return inSchema('view', pathOf(node.CreateTableAsStmt.into?.rel), ['relation', 'type'], 'materialized view')
  }
  if ('CreateTrigStmt' in node) return childKind('trigger', node.CreateTrigStmt.relation, node.CreateTrigStmt.trigname)
  if ('RuleStmt' in node) return childKind('rule', node.RuleStmt.relation, node.RuleStmt.rulename)
  if ('CreatePolicyStmt' in node) {
    return childKind('policy', node.CreatePolicyStmt.table, node.CreatePolicyStmt.policy_name)
  }
  if ('CreateEventTrigStmt' in node) {
    const name = node.CreateEventTrigStmt.trigname ?? ''
    return named('event trigger', writeName(name), [keyOf('event trigger', [name])])
  }
  if ('IndexStmt' in node) {
    const { idxname, relation, concurrent } = node.IndexStmt
    if (idxname === undefined) return misplaced('the index has no name', 'write: create index <name> on …')
    if (concurrent) {
      return misplaced(
        'an index cannot be made concurrently here',
        'write it without "concurrently": object files run in transactions',
      )
    }
    // An index lies in the schema of its table, and says so nowhere.
    return inSchema('index', relation?.schemaname === undefined ? [idxname] : [relation.schemaname, idxname], [
      'relation',
    ])
  }
  if ('CreateStatsStmt' in node) {
    const path = stringsOf(node.CreateStatsStmt.defnames)
    if (path.length === 0) return misplaced('the statistics have no name', 'write: create statistics <name> on …')
    return inSchema('statistics', path, [])
  }
  if ('AlterTableStmt' in node) return alterTableKind(node.AlterTableStmt)
  if ('CommentStmt' in node) return commentKind(node.CommentStmt, text)
  if ('GrantStmt' in node) return grantKind(node.GrantStmt, text)
  if ('AlterDefaultPrivilegesStmt' in node) {
    return { kind: 'default privileges', title: undefined, creates: [], about: [], undo: withoutGrant(text) }
  }
  return otherKind(node)
}

function sequenceKind({ sequence }: CreateSeqStmt): StatementKind {
  return inSchema('sequence', pathOf(sequence), ['relation'])
}

function defineKind({ kind, defnames, args }: DefineStmt): StatementKind {
  if (kind === 'OBJECT_TYPE') return inSchema('type', stringsOf(defnames), ['type'])
  if (kind !== 'OBJECT_AGGREGATE') return unknown('other', undefined, [])
  const [list, ordered] = args ?? []
  const parameters = list !== undefined && 'List' in list ? list.List.items : []
  const types = parameters?.length ? writeArguments(parameters) : '(*)'
  const described = routineKind('aggregate', 'aggregate', stringsOf(defnames), types)
  // Those with ORDER BY among their arguments are named in a way of their own.
  const isOrdered = ordered !== undefined && 'Integer' in ordered && ordered.Integer.ival !== -1
  return isOrdered ? { ...described, undo: undefined } : described
}

function alterTableKind({ relation, cmds, objtype }: AlterTableStmt): StatementKind | Misplaced {
  if (relation === undefined) return unknown('other', undefined, [])
  const commands = (cmds ?? []).flatMap((node) => ('AlterTableCmd' in node ? [node.AlterTableCmd] : []))
  const alter = `alter table ${writePath(relationPath(relation))}`
  const table = writePath(withSchema(relationPath(relation)))
  const [first, second] = commands
  if (commands.length === 2 && first?.subtype === 'AT_DropConstraint' && second?.subtype === 'AT_AddConstraint') {
    const name = constraintName(second.def)
    if (name !== undefined && name === first.name) {
      return unknown('constraint', `constraint ${writeName(name)} of ${table}`, [keyOfChild(relation, name)])
    }
  }
  if (commands.length !== 1 || first === undefined || objtype !== 'OBJECT_TABLE') {
    return commands.length > 1 ? oneEach('a table') : unknown('other', undefined, [])
  }
  switch (first.subtype) {
    case 'AT_AddConstraint': {
      const name = constraintName(first.def)
      if (name === undefined) return misplaced('the constraint has no name', 'write: add constraint <name> …')
      const title = `constraint ${writeName(name)} of ${table}`
      const undo = `${alter} drop constraint ${writeName(name)}`
      return { ...unknown('constraint', title, [keyOfChild(relation, name)]), undo }
    }
    case 'AT_AlterConstraint': {
      const change = first.def !== undefined && 'ATAlterConstraint' in first.def ? first.def.ATAlterConstraint : {}
      const title = `options of constraint ${writeName(change.conname ?? '')} of ${table}`
      const onlyDeferrable = change.alterDeferrability && !change.alterEnforceability && !change.alterInheritability
      if (!onlyDeferrable) return unknown('constraint', title, [])
      const undo = `${alter} alter constraint ${writeName(change.conname ?? '')} not deferrable`
      return { ...unknown('constraint', title, []), undo }
    }
    case 'AT_ForceRowSecurity':
      return rowSecurity(`forced row security of ${table}`, `${alter} no force row level security`)
    case 'AT_EnableRowSecurity':
      return rowSecurity(`row security of ${table}`, `${alter} disable row level security`)
    case 'AT_AddColumn':
    case 'AT_DropColumn':
    case 'AT_AlterColumnType':
    case 'AT_ColumnDefault':
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
    case 'AT_DropConstraint':
      return misplaced('columns of tables are declared in the Drizzle schema', 'change the Drizzle schema instead')
    default:
      return unknown('other', undefined, [])
  }
}

function rowSecurity(title: string, undo: string): StatementKind {
  return { kind: 'row security', title, creates: [], about: [], undo }
}

function constraintName(node: Node | undefined): string | undefined {
  return node !== undefined && 'Constraint' in node ? node.Constraint.conname : undefined
}

function commentKind({ objtype, object }: CommentStmt, text: string): StatementKind {
  const about = object === undefined ? [] : keysOfObject(objtype, object)
  const what = object === undefined ? '' : pathOfObject(objtype, object)
  return {
    kind: 'comment',
    title: `comment on ${wordsOf(objtype)} ${what}`,
    creates: [],
    about,
    undo: withoutComment(text),
  }
}

function grantKind({ targtype, objtype, objects }: GrantStmt, text: string): StatementKind | Misplaced {
  if (targtype === 'ACL_TARGET_ALL_IN_SCHEMA') {
    return misplaced(
      'it grants on what happens to be in the schema when it runs',
      'name the objects, or write: alter default privileges … for those to come',
    )
  }
  const about = (objects ?? []).flatMap((object) => keysOfObject(objtype, object))
  return { kind: 'grant', title: undefined, creates: [], about, undo: withoutGrant(text) }
}

/** Everything else that defines something can be declared, if its file says how to undo it. */
function otherKind(node: Node): StatementKind | Misplaced {
  const [name = ''] = Object.keys(node)
  if (name === 'CreateStmt' || name === 'CreateTableAsStmt') {
    return misplaced('tables are declared in the Drizzle schema', 'declare the table there')
  }
  if (name === 'DropStmt') return misplaced('it drops something', 'delete the file of what should go')
  const defines =
    /^(?:Create|Alter|Define|SecLabel|GrantRole)/.test(name) &&
    !/(?:Role|Db|Database|System|TableSpace)\w*Stmt$/.test(name)
  if (defines) return unknown('other', undefined, [])
  return misplaced(
    'it does not declare an object',
    'write a "create …" statement here; statements that change rows belong in a revision of their own',
  )
}

function named(kind: ObjectKind, name: string, creates: readonly string[]): StatementKind {
  return { kind, title: `${kind} ${name}`, creates, about: [], undo: `drop ${kind} ${name}` }
}

function inSchema(
  kind: ObjectKind,
  path: readonly string[],
  spaces: readonly NameSpace[],
  word: string = kind,
): StatementKind {
  return {
    kind,
    title: `${word} ${writePath(withSchema(path))}`,
    creates: spaces.map((space) => keyInSchema(space, path)),
    about: [],
    undo: `drop ${word} ${writePath(path)}`,
  }
}

function routineKind(kind: ObjectKind, word: string, path: readonly string[], types: string): StatementKind {
  return {
    kind,
    title: `${word} ${writePath(withSchema(path))}${types}`,
    creates: [keyInSchema('routine', path)],
    about: [],
    undo: `drop ${word} ${writePath(path)}${types}`,
  }
}

function childKind(kind: ObjectKind, relation: RangeVar | undefined, name = ''): StatementKind {
  const path = pathOf(relation)
  return {
    kind,
    title: `${kind} ${writeName(name)} on ${writePath(withSchema(path))}`,
    creates: relation === undefined ? [] : [keyOfChild(relation, name)],
    about: [],
    undo: `drop ${kind} ${writeName(name)} on ${writePath(path)}`,
  }
}

function unknown(kind: ObjectKind, title: string | undefined, creates: readonly string[]): StatementKind {
  return { kind, title, creates, about: [], undo: undefined }
}

function pathOf(relation: RangeVar | undefined): readonly string[] {
  return relation === undefined ? [] : relationPath(relation)
}

function misplaced(fault: string, hint: string): Misplaced {
  return { fault, hint }
}

function oneEach(what: string): Misplaced {
  return misplaced(`it changes several things of ${what} at once`, 'write a file for each of them')
}
